import type { ParsedCreate } from '../../core/dialect.ts';
import { readTokens } from '../../core/lexer.ts';
import { nameParts } from '../../core/name-tokens.ts';
import { readsOf } from '../../core/references.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { Unreadable } from '../../core/snapshot.ts';
import { splitStatements } from '../../core/statements.ts';
import type { Unseen } from '../../core/unseen.ts';
import { hideUnreadable, parseHidden } from '../../core/verbatim.ts';
import type { Attachment, Column, View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import {
  changeTrackingAttachment,
  columnNames,
  commentAttachment,
  type Grantee,
  grantAttachment,
  ownerAttachment,
  secureAttachment,
  sortAttachments,
  suspendedAttachment,
} from './attachments.ts';
import type { Wanted } from './catalog-queries.ts';
import type { ColumnRow, DatabaseRows, PrivilegeRow, RelationRow } from './catalog-rows.ts';
import { snowflakeDialect } from './dialect.ts';
import { quoteRelation, type Relation } from './names.ts';
import { outputNames } from './output-names.ts';
import { findUnseen } from './unseen.ts';

/** Rows by `schema` and `name`. */
function group<Row extends { readonly TABLE_SCHEMA: string; readonly TABLE_NAME: string }>(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(rows, (row) => relationKey({ schema: row.TABLE_SCHEMA, name: row.TABLE_NAME }));
}

export function kindOf({ TABLE_TYPE, IS_DYNAMIC }: Pick<RelationRow, 'TABLE_TYPE' | 'IS_DYNAMIC'>): Wanted['kind'] | undefined {
  if (TABLE_TYPE === 'VIEW') return 'view';
  if (TABLE_TYPE === 'MATERIALIZED VIEW') return 'materialized view';
  return IS_DYNAMIC === 'YES' ? 'dynamic table' : undefined;
}

/** A view with all that is known of it but its definition. */
export interface Listed extends Wanted {
  readonly owner: string | null;
  readonly comment: string | null;
  readonly isSecure: boolean;
  readonly hasChangeTracking: boolean;
  /** Of a dynamic table: whether somebody has stopped its refreshes. */
  readonly isSuspended: boolean;
  readonly unseen: readonly Unseen[];
  /** The statement that made it, as it was typed, where that is known. */
  readonly typed: string;
  readonly columns: readonly ColumnRow[];
  readonly privileges: readonly PrivilegeRow[];
  /** Set when the listings contradict each other: one of them was cut short, or the view is just being made or dropped. */
  readonly doubt?: string;
}

const lengths: ReadonlySet<number> = new Set([16_777_216, 134_217_728]);

/** A column's type as the catalog gives it, with what tells it from others of its name. */
export function typeOf({ DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE }: ColumnRow): string {
  if (DATA_TYPE === 'NUMBER') return `NUMBER(${NUMERIC_PRECISION},${NUMERIC_SCALE})`;
  if (DATA_TYPE !== 'TEXT') return DATA_TYPE;
  return CHARACTER_MAXIMUM_LENGTH === null || lengths.has(CHARACTER_MAXIMUM_LENGTH) ? 'VARCHAR' : `VARCHAR(${CHARACTER_MAXIMUM_LENGTH})`;
}

function columnsOf({ columns }: Listed): readonly Column[] {
  const sorted = columns.toSorted((left, right) => left.ORDINAL_POSITION - right.ORDINAL_POSITION);
  return sorted.map((row) => ({ name: row.COLUMN_NAME, type: typeOf(row) }));
}

/** A view is believed when every listing that should hold it does. */
function doubtOf(
  key: string,
  kind: Wanted['kind'],
  { views, shown }: { views: ReadonlyMap<string, unknown>; shown: ReadonlyMap<string, unknown> },
): { doubt?: string } {
  if (kind === 'dynamic table') return {};
  const missing = [...(kind === 'view' && !views.has(key) ? ['INFORMATION_SCHEMA.VIEWS'] : []), ...(shown.has(key) ? [] : ['SHOW VIEWS'])];
  return missing.length === 0 ? {} : { doubt: `it is missing in ${missing.join(' and ')}: a listing was cut short, or the view was just made or dropped` };
}

/** Every view that any listing holds. */
export function listViews(rows: DatabaseRows): readonly Listed[] {
  const { database } = rows;
  const [relations, views] = [group(rows.relations), group(rows.views)];
  const [columns, privileges] = [group(rows.columns), group(rows.privileges)];
  const shown = new Map(rows.shown.map((row) => [relationKey({ schema: row.schema_name, name: row.name }), row]));
  const states = new Map(rows.dynamic.map((row) => [relationKey({ schema: row.schema_name, name: row.name }), row.scheduling_state]));
  const known = new Set([...[...relations].flatMap(([key, [row]]) => (row && kindOf(row) ? [key] : [])), ...views.keys(), ...shown.keys()]);
  return [...known].map((key) => {
    const [relation, view, show] = [relations.get(key)?.[0], views.get(key)?.[0], shown.get(key)];
    const kind = (relation && kindOf(relation)) ?? (show?.is_materialized === 'true' ? 'materialized view' : 'view');
    const schema = relation?.TABLE_SCHEMA ?? view?.TABLE_SCHEMA ?? show?.schema_name ?? '';
    const name = relation?.TABLE_NAME ?? view?.TABLE_NAME ?? show?.name ?? '';
    return {
      name: { catalog: database, schema, name },
      kind,
      owner: relation?.TABLE_OWNER ?? view?.TABLE_OWNER ?? null,
      comment: relation?.COMMENT ?? view?.COMMENT ?? null,
      isSecure: view?.IS_SECURE === 'YES' || show?.is_secure === 'true',
      hasChangeTracking: show?.change_tracking === 'ON',
      isSuspended: states.get(key)?.startsWith('SUSPENDED') === true,
      unseen: findUnseen(kind, { relation, columns: columns.get(key), privileges: privileges.get(key), state: states.get(key), show }),
      typed: show?.text ?? '',
      columns: columns.get(key) ?? [],
      privileges: privileges.get(key) ?? [],
      ...(relation ? doubtOf(key, kind, { views, shown }) : { doubt: 'it is missing in INFORMATION_SCHEMA.TABLES' }),
    };
  });
}

function toGrantee({ GRANTED_TO, GRANTEE }: PrivilegeRow, database: string): Grantee {
  const type = GRANTED_TO.replaceAll('_', ' ').toUpperCase();
  const isInDatabase = type === 'DATABASE ROLE' || type === 'APPLICATION ROLE';
  const parts = isInDatabase && GRANTEE.includes('.') ? [GRANTEE.slice(0, GRANTEE.indexOf('.')), GRANTEE.slice(GRANTEE.indexOf('.') + 1)] : [GRANTEE];
  return { type, name: isInDatabase && parts.length === 1 ? [database, ...parts] : parts };
}

const granteeTypes: ReadonlySet<string> = new Set(['ROLE', 'DATABASE ROLE', 'SHARE', 'APPLICATION', 'APPLICATION ROLE']);

function grantsOf(relation: Relation, { privileges }: Listed): { readonly grants: readonly Attachment[]; readonly unknown: readonly string[] } {
  const rows = privileges.filter(({ PRIVILEGE_TYPE }) => PRIVILEGE_TYPE !== 'OWNERSHIP');
  const all = rows.map((row) => ({ row, grantee: toGrantee(row, relation.name.catalog ?? '') }));
  const known = all.filter(({ grantee }) => granteeTypes.has(grantee.type));
  const grants = known.map(({ row, grantee }) =>
    grantAttachment(relation, { privilege: row.PRIVILEGE_TYPE, grantee, isGrantable: row.IS_GRANTABLE === 'YES' }),
  );
  // Several roles may have granted the same; what counts is that it is granted, and grantable if one of them made it so.
  const unique = new Map(grants.toSorted((left, right) => left.value.length - right.value.length).map((grant) => [grant.key, grant]));
  const unknown = all
    .filter(({ grantee }) => !granteeTypes.has(grantee.type))
    .map(({ row }) => `the grant of ${row.PRIVILEGE_TYPE} to ${row.GRANTED_TO} ${row.GRANTEE}`);
  return { grants: [...unique.values()], unknown };
}

/** What the catalog says beside the definition; what both say is said once. */
function attachmentsOf(listed: Listed, { attachments }: ParsedCreate): readonly Attachment[] {
  const comments = listed.columns.flatMap(({ COLUMN_NAME, COMMENT }) => (COMMENT ? [commentAttachment(listed, COLUMN_NAME, COMMENT)] : []));
  const catalog = [
    ...(listed.isSecure ? [secureAttachment(listed)] : []),
    ...(listed.hasChangeTracking ? [changeTrackingAttachment(listed)] : []),
    ...(listed.isSuspended ? [suspendedAttachment(listed)] : []),
    ...(listed.owner === null ? [] : [ownerAttachment(listed, listed.owner)]),
    ...grantsOf(listed, listed).grants,
    ...(listed.comment ? [commentAttachment(listed, undefined, listed.comment)] : []),
    ...comments,
  ];
  const unique = new Map([...attachments, ...catalog].map((attachment) => [`${attachment.kind}\0${attachment.key}`, attachment]));
  return sortAttachments([...unique.values()]);
}

/** Whether the statement that made the view names no columns behind its name. https://docs.snowflake.com/en/sql-reference/sql/show-views */
function isTypedWithoutList({ typed }: Listed): boolean {
  try {
    const tokens = readTokens(typed, snowflakeDialect.lexicalRules).filter(({ kind }) => kind !== 'comment');
    const at = tokens.findIndex(({ kind, text }) => kind === 'word' && text.toUpperCase() === 'VIEW');
    const chain = at === -1 ? undefined : nameParts(tokens, at + 1, snowflakeDialect);
    return chain !== undefined && !tokens.slice(chain.next, chain.next + 3).some(({ text }) => text === '(');
  } catch (error) {
    if (error instanceof ViewsyncError) return false;
    throw error;
  }
}

/** GET_DDL always prints a list of columns. One that says no more than the query is left out, or it would have to be edited with every edit of the query. */
function withoutIdleList({ attachments, ...view }: View, listed: Listed): View {
  const list = attachments.find(({ kind }) => kind === 'columns');
  const isNeeded = attachments.some(({ kind }) => ['recursive', 'masking policy', 'projection policy', 'column tag'].includes(kind));
  if (list === undefined || isNeeded) return { ...view, attachments };
  const isIdle = outputNames(view.definition)?.join('\0') === columnNames(list).join('\0') || isTypedWithoutList(listed);
  return { ...view, attachments: isIdle ? attachments.filter((attachment) => attachment !== list) : attachments };
}

/** https://docs.snowflake.com/en/sql-reference/functions/get_ddl#usage-notes: what a role may not see of policies and tags. */
const hidden = /#UNKNOWN_(POLICY|TAG)/;

/** Why GET_DDL's text is not the whole of a view, with the right that is missing. */
function findHidden(ddl: string | null, { isSecure, name }: Listed): string | undefined {
  if (ddl === null || ddl.trim() === '')
    return isSecure
      ? `the definition of a secure view is shown to its owner alone; missing: OWNERSHIP of ${relationKey(name)}, or membership in the role that owns it`
      : 'its definition came back empty';
  if (!ddl.trimEnd().endsWith(';')) return 'the text of GET_DDL is cut off: it does not end as a statement does';
  const [, what] = hidden.exec(ddl) ?? [];
  if (what === undefined) return undefined;
  const right = what === 'TAG' ? 'APPLY TAG ON ACCOUNT' : 'APPLY MASKING POLICY ON ACCOUNT, APPLY ROW ACCESS POLICY ON ACCOUNT';
  return `a ${what.toLowerCase()} of it is hidden from this role, and the text that GET_DDL shows then could not be run; missing: ${right}`;
}

/** The text under the name that the catalog gives the view: a renamed or cloned one may say another. */
function renameTo({ name }: Listed, ddl: string): string {
  const tokens = readTokens(ddl, snowflakeDialect.lexicalRules).filter(({ kind }) => kind !== 'comment');
  const at = tokens.findIndex(({ kind, text }) => kind === 'word' && ['VIEW', 'TABLE'].includes(text.toUpperCase()));
  const chain = nameParts(tokens, at + 1, snowflakeDialect);
  return at === -1 || chain === undefined ? ddl : `${ddl.slice(0, chain.start)}${quoteRelation(name)}${ddl.slice(chain.end)}`;
}

function parseDefinition(listed: Listed, text: string): ParsedCreate {
  // The last semicolon is the server's own; behind a comment at the end of the query it would be part of that.
  const ended = `${renameTo(listed, text).trimEnd().replace(/;$/, '')}\n;`;
  const hidden = hideUnreadable(ended, snowflakeDialect.lexicalRules, /\s*;\s*$/);
  const [statement, ...others] = splitStatements(hidden?.text ?? ended, snowflakeDialect.lexicalRules);
  if (statement && others.length === 0) return parseHidden(statement, hidden, snowflakeDialect.parseCreate);
  throw new ViewsyncError('FILE_UNREADABLE', { message: `GET_DDL gave ${others.length + (statement ? 1 : 0)} statements and not one.` });
}

/** A listed view with the text that GET_DDL gave for it, or why it cannot be read. The catalog's name wins: the text of a renamed view may hold another one. */
export function toView(listed: Listed, ddl: string | null): View | Unreadable {
  const reason = listed.doubt ?? findHidden(ddl, listed);
  if (reason !== undefined) return { name: listed.name, reason };
  try {
    const parsed = parseDefinition(listed, ddl ?? '');
    const { name, kind } = listed;
    const reads = readsOf(parsed.definition, snowflakeDialect, name).filter((read) => relationKey(read) !== relationKey(name));
    const unrestorable = grantsOf(listed, listed).unknown;
    const attachments = attachmentsOf(listed, parsed);
    const view: View = { name, kind, definition: parsed.definition, columns: columnsOf(listed), reads, attachments, unrestorable };
    return withoutIdleList(listed.unseen.length > 0 ? { ...view, unseen: listed.unseen } : view, listed);
  } catch (error) {
    if (!(error instanceof ViewsyncError) || error.code !== 'FILE_UNREADABLE') throw error;
    return { name: listed.name, reason: `the text of GET_DDL is not understood: ${error.message}` };
  }
}

export function isUnreadable(view: View | Unreadable): view is Unreadable {
  return 'reason' in view;
}

/** Every name that something has there. */
export function relationNames({ database, relations }: DatabaseRows): readonly RelationName[] {
  return relations.map(({ TABLE_SCHEMA, TABLE_NAME }) => ({ catalog: database, schema: TABLE_SCHEMA, name: TABLE_NAME }));
}
