import type { ParsedCreate } from '../../core/dialect.ts';
import { readTokens } from '../../core/lexer.ts';
import { findReferences, type ReferenceDialect, readsOf } from '../../core/references.ts';
import { compareRelations, compareText, type RelationName, relationKey } from '../../core/relation.ts';
import { splitStatements } from '../../core/statements.ts';
import { hideUnreadable, parseHidden } from '../../core/verbatim.ts';
import type { Attachment, Column, View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { mergeGrants, readAcl } from './acl.ts';
import { autoRefreshAttachment, commentAttachment, type Grant, grantAttachment, isLateBinding, ownerAttachment, sortAttachments } from './attachments.ts';
import type {
  ColumnRow,
  LateColumnRow,
  MaskingPolicyRow,
  MaterializedRow,
  PrivilegeRow,
  ReadRow,
  RowPolicyRow,
  RowSecurityRow,
  ViewRow,
} from './catalog-rows.ts';
import { lexicalRules } from './lexical-rules.ts';
import { type GranteeKind, quoteIdentifier, spellGrantee } from './names.ts';
import { parseStored } from './parse-create.ts';
import { type PolicyRows, readProtection } from './policies.ts';
import { findUnseen, type Sight } from './sight.ts';

/** All rows about some views. What our user may not see is undefined. */
export interface CatalogRows {
  readonly views: readonly ViewRow[];
  /** By oid: the text, or why it cannot be read. */
  readonly definitions: ReadonlyMap<number, { readonly text: string } | { readonly failure: string }>;
  readonly columns: readonly ColumnRow[];
  readonly lateColumns: readonly LateColumnRow[];
  readonly reads: readonly ReadRow[];
  readonly privileges: readonly PrivilegeRow[] | undefined;
  readonly columnPrivileges: readonly PrivilegeRow[] | undefined;
  readonly materialized: readonly MaterializedRow[] | undefined;
  readonly rowPolicies: readonly RowPolicyRow[] | undefined;
  readonly rowSecurity: readonly RowSecurityRow[] | undefined;
  readonly maskingPolicies: readonly MaskingPolicyRow[] | undefined;
  readonly sight: Sight;
}

/** A view as the catalogs have it; `failure` says why it cannot be read, `warning` what of it is not known. */
export interface CatalogView {
  readonly oid: number;
  readonly view: View;
  readonly failure?: string;
}

interface Grouped {
  readonly rows: CatalogRows;
  readonly columns: ReadonlyMap<number, readonly ColumnRow[]>;
  readonly reads: ReadonlyMap<number, readonly ReadRow[]>;
  readonly byName: (key: string) => Named;
  readonly dialect: ReferenceDialect;
}

/** The rows that name their view. */
interface Named {
  readonly lateColumns: readonly LateColumnRow[];
  readonly privileges: readonly PrivilegeRow[];
  readonly columnPrivileges: readonly PrivilegeRow[];
  readonly materialized: readonly MaterializedRow[];
  readonly rowPolicies: readonly RowPolicyRow[];
  readonly rowSecurity: readonly RowSecurityRow[];
  readonly maskingPolicies: readonly MaskingPolicyRow[];
}

/** Of each kind of rows those of one view, by the view's `relationKey`. */
function groupByName(rows: CatalogRows): (key: string) => Named {
  const group = <Row extends { readonly schema: string; readonly view: string }>(all: readonly Row[] = []) => {
    const groups = Map.groupBy(all, ({ schema, view }) => relationKey({ schema, name: view }));
    return (key: string) => groups.get(key) ?? [];
  };
  const [lateColumns, privileges, columnPrivileges] = [group(rows.lateColumns), group(rows.privileges), group(rows.columnPrivileges)];
  const [materialized, rowPolicies, rowSecurity] = [group(rows.materialized), group(rows.rowPolicies), group(rows.rowSecurity)];
  const maskingPolicies = group(rows.maskingPolicies);
  return (key) => ({
    lateColumns: lateColumns(key),
    privileges: privileges(key),
    columnPrivileges: columnPrivileges(key),
    materialized: materialized(key),
    rowPolicies: rowPolicies(key),
    rowSecurity: rowSecurity(key),
    maskingPolicies: maskingPolicies(key),
  });
}

/** Views from rows, sorted by name. `dialect` says how names in texts fold on this cluster. */
export function toViews(rows: CatalogRows, dialect: ReferenceDialect): readonly CatalogView[] {
  const grouped: Grouped = {
    rows,
    columns: Map.groupBy(rows.columns, ({ view }) => view),
    reads: Map.groupBy(rows.reads, ({ view }) => view),
    byName: groupByName(rows),
    dialect,
  };
  return rows.views.map((row) => toView(row, grouped)).sort((left, right) => compareRelations(left.view.name, right.view.name));
}

function toView(row: ViewRow, grouped: Grouped): CatalogView {
  const name: RelationName = { schema: row.schema, name: row.name };
  const text = grouped.rows.definitions.get(row.oid) ?? { failure: 'it has no definition in the catalogs' };
  const created = 'failure' in text ? text : readText(text.text, name);
  const known: ParsedCreate = 'failure' in created ? { name, kind: 'view', definition: '', attachments: [] } : created;
  const named = grouped.byName(relationKey(name));
  const columns = columnsOf(row, known, { named, grouped });
  const protection = readProtection(seenOf(grouped.rows, named), { name, columns });
  const grants = readGrants(row, { named, grouped });
  const refreshes = named.materialized.length === 0 ? 'guessed' : 'known';
  const unseen = findUnseen(known, { owner: row.owner, refreshes }, grouped.rows.sight);
  const view: View = {
    name,
    kind: known.kind,
    definition: known.definition,
    columns,
    reads: findReads(row, known, grouped),
    attachments: sortAttachments([
      ...readAttachments(row, known, { named, grouped }),
      ...protection.attachments,
      ...grants.grants.map((grant) => grantAttachment({ name }, grant)),
    ]),
    unrestorable: [...grants.unknown, ...findUnqualified(known, grouped), ...protection.unrestorable].sort(compareText),
    ...(unseen.length > 0 ? { unseen } : {}),
  };
  return { oid: row.oid, view, ...('failure' in created ? { failure: created.failure } : {}) };
}

/** The rows about the view, as far as our user may see such rows at all. */
function seenOf({ sight }: CatalogRows, { rowPolicies, rowSecurity, maskingPolicies }: Named): PolicyRows | undefined {
  return sight.policies === 'all' ? { rowPolicies, rowSecurity, maskingPolicies } : undefined;
}

const ending = /(?:\s+with\s+no\s+schema\s+binding)?\s*;?\s*$/i;

/**
 * What the server prints: of a bound view its query, of a late-binding or materialized one the whole statement as somebody typed it, perhaps
 * behind a comment. https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_VIEW.html
 */
function readText(text: string, name: RelationName): ParsedCreate | { readonly failure: string } {
  try {
    const isStatement =
      readTokens(text, lexicalRules)
        .find(({ kind }) => kind !== 'comment')
        ?.text.toUpperCase() === 'CREATE';
    const hidden = hideUnreadable(text, lexicalRules, ending);
    if (hidden !== undefined && !isStatement) return { name, kind: 'view', definition: text.replace(/\s*;?\s*$/, ''), attachments: [] };
    const [statement] = splitStatements(hidden?.text ?? text, lexicalRules);
    if (statement === undefined) return { failure: 'its definition is empty' };
    if (isStatement) return parseHidden(statement, hidden, (stored) => parseStored(stored, name));
    return { name, kind: 'view', definition: statement.text, attachments: [] };
  } catch (error) {
    if (error instanceof ViewsyncError) return { failure: `its text cannot be read: ${error.message}` };
    throw error;
  }
}

interface Context {
  readonly named: Named;
  readonly grouped: Grouped;
}

function columnsOf(row: ViewRow, known: ParsedCreate, { named, grouped }: Context): readonly Column[] {
  const rows = isLateBinding(known) ? named.lateColumns.toSorted((left, right) => left.number - right.number) : (grouped.columns.get(row.oid) ?? []);
  return rows.map(({ name, type }) => ({ name, type }));
}

/** The catalog knows what a bound view reads; of the others the text does. */
function findReads(row: ViewRow, known: ParsedCreate, { reads, dialect }: Grouped): readonly RelationName[] {
  const own = (reads.get(row.oid) ?? []).map(({ schema, name }) => ({ schema, name }));
  const isBound = known.kind === 'view' && !isLateBinding(known);
  const all = isBound ? own : [...own, ...readsOf(known.definition, dialect)];
  const others = all.filter((name) => relationKey(name) !== relationKey(row));
  return [...new Map(others.map((name) => [relationKey(name), name])).values()].sort(compareRelations);
}

/** Names in a kept text that only the session of whoever typed them could resolve. */
function findUnqualified(known: ParsedCreate, { dialect }: Grouped): readonly string[] {
  if (known.kind === 'view') return [];
  const names = findReferences(known.definition, dialect).filter(({ name }) => name.schema === undefined);
  return names.map(({ name }) => `the meaning of the name ${quoteIdentifier(name.name)}, which its text gives without schema`);
}

function readAttachments(row: ViewRow, known: ParsedCreate, { named, grouped }: Context): readonly Attachment[] {
  const [info] = named.materialized;
  const refreshes = info === undefined ? known.attachments.some(({ kind }) => kind === 'auto refresh') : /^(t|true|1)$/.test(String(info.autorefresh));
  const columns = isLateBinding(known) ? [] : (grouped.columns.get(row.oid) ?? []);
  return [
    ...known.attachments.filter(({ kind }) => kind !== 'auto refresh'),
    ownerAttachment(known, row.owner),
    ...(known.kind === 'materialized view' && refreshes ? [autoRefreshAttachment(known)] : []),
    ...(row.comment ? [commentAttachment(known, undefined, row.comment)] : []),
    ...columns.flatMap(({ name, comment }) => (comment ? [commentAttachment(known, name, comment)] : [])),
  ];
}

function toGrant({ privilege, column, grantee, kind, grantable }: PrivilegeRow): Grant {
  const who = spellGrantee(kind.toLowerCase() as GranteeKind, grantee);
  return { privilege: privilege.toUpperCase(), ...(column === undefined ? {} : { column }), grantee: who, grantable: grantable === true };
}

const isOwners = (owner: string) => (row: PrivilegeRow) => row.kind.toLowerCase() === 'user' && row.grantee === owner;

/**
 * Rights of users and groups from the access list, which everybody can read; those of roles and on columns from the system views, which
 * show only a part to users without a right to them: what they lack of the list tells.
 */
function readGrants(row: ViewRow, { named, grouped }: Context): { readonly grants: readonly Grant[]; readonly unknown: readonly string[] } {
  const { grants, unknown } = readAcl(row.acl, row.owner);
  const isOther = (privilege: PrivilegeRow) => !isOwners(row.owner)(privilege);
  const listed = named.privileges.filter(isOther).map(toGrant);
  const { sight } = grouped.rows;
  const isPartial = sight.rights === 'own' && row.owner !== sight.role;
  const columns = named.columnPrivileges.filter(isOther).map(toGrant);
  return {
    grants: mergeGrants([...grants, ...listed, ...columns]),
    unknown: isPartial ? [...unknown, 'what roles may do with it, which our user may not see'] : unknown,
  };
}
