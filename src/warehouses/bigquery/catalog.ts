import { readsOf } from '../../core/references.ts';
import { compareRelations, compareText, type RelationName, relationKey } from '../../core/relation.ts';
import { splitStatements } from '../../core/statements.ts';
import type { Unseen } from '../../core/unseen.ts';
import { hideUnreadable, parseHidden } from '../../core/verbatim.ts';
import type { Attachment, Column, View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import {
  authorizationAttachment,
  columnCommentAttachment,
  columnsAttachment,
  grantAttachment,
  legacyAttachment,
  policyTagAttachment,
  type Relation,
  sortAttachments,
} from './attachments.ts';
import { bigqueryDialect } from './dialect.ts';
import type { Row } from './jobs.ts';
import { lexicalRules } from './lexical-rules.ts';
import { parseOption } from './options.ts';
import { readCreate } from './parse-create.ts';
import type { Policy } from './policies.ts';

/** What the queries of the catalog gave, about one location or more. */
export interface CatalogRows {
  readonly tables: readonly Row[];
  readonly views: readonly Row[];
  readonly options: readonly Row[];
  readonly columns: readonly Row[];
}

/** What is asked of each dataset, and where that was wanted of each view. */
export interface Surroundings {
  /** Datasets that let a view read them, by the view's `relationKey`. */
  readonly authorizations: ReadonlyMap<string, readonly string[]>;
  readonly unseen: Unseen;
  /** Undefined where nobody asked for it; a view is not among them where our account may not see its policy. */
  readonly policies?: ReadonlyMap<string, Policy>;
}

/** A view as the catalog has it; `failure` says why it cannot be kept. */
export interface CatalogView {
  readonly view: View;
  readonly failure?: string;
}

const keyOfRow = (row: Row) => relationKey(nameOfRow(row));

/** The name of the relation that a row is about. */
export function nameOfRow(row: Row): RelationName {
  return { catalog: row['table_catalog'] ?? '', schema: row['table_schema'] ?? '', name: row['table_name'] ?? '' };
}

export function isView(row: Row): boolean {
  return row['table_type'] === 'VIEW' || row['table_type'] === 'MATERIALIZED VIEW';
}

interface OwnRows {
  readonly view: Row | undefined;
  readonly options: readonly Row[];
  readonly columns: readonly Row[];
}

/** Views from rows, sorted by name. */
export function toViews(rows: CatalogRows, surroundings: Surroundings): readonly CatalogView[] {
  const views = new Map(rows.views.map((row) => [keyOfRow(row), row]));
  const options = Map.groupBy(rows.options, keyOfRow);
  const columns = Map.groupBy(rows.columns, keyOfRow);
  const found = rows.tables.filter(isView).map((row) => {
    const key = keyOfRow(row);
    return toView(row, { view: views.get(key), options: options.get(key) ?? [], columns: columns.get(key) ?? [] }, surroundings);
  });
  return found.sort((left, right) => compareRelations(left.view.name, right.view.name));
}

type Body = Pick<View, 'definition' | 'attachments'> & { readonly failure?: string };

function toView(row: Row, own: OwnRows, context: Surroundings): CatalogView {
  const kind = row['table_type'] === 'VIEW' ? 'view' : 'materialized view';
  const relation: Relation = { name: nameOfRow(row), kind };
  const body = kind === 'view' ? readBody(relation, row, own) : readMaterialized(relation, row);
  const { attachments, failure = body.failure } = readOptionRows(relation, own.options);
  const policy = context.policies?.get(relationKey(relation.name));
  const view: View = {
    ...relation,
    definition: body.definition,
    columns: toColumns(own.columns),
    reads: readsOfBody(body, relation),
    attachments: sortAttachments([...body.attachments, ...attachments, ...toColumnAttachments(relation, own.columns), ...toRights(relation, policy, context)]),
    unrestorable: policy?.unrestorable ?? [],
    unseen: [context.unseen, ...(policy === undefined ? [context.policies === undefined ? notAsked : denied] : [])],
  };
  return { view, ...(failure === undefined ? {} : { failure }) };
}

const denied: Unseen = { kind: 'grant' };
const notAsked: Unseen = { ...denied, isQuiet: true };

function readBody(relation: Relation, row: Row, { view }: OwnRows): Body {
  const definition = view?.['view_definition'] ?? '';
  if (definition.trim() === '') return { definition: '', attachments: [], failure: 'its definition is not shown to this account' };
  const names = row['ddl'];
  const columns = names === null || names === undefined ? [] : [columnsAttachment(relation, names.split(',').map(readColumnName))];
  return { definition: definition.trim(), attachments: [...columns, ...(view?.['use_standard_sql'] === 'NO' ? [legacyAttachment(relation)] : [])] };
}

function readColumnName(text: string): string {
  const name = text.trim();
  return name.startsWith('`') ? name.slice(1, -1) : name;
}

/** A materialized view says what it is in its statement alone; its options come as rows, too, and those count. */
function readMaterialized(relation: Relation, row: Row): Body {
  try {
    const ddl = row['ddl'] ?? '';
    const hidden = hideUnreadable(ddl, lexicalRules, /\s*;?\s*$/);
    const [statement] = splitStatements(hidden?.text ?? ddl, lexicalRules);
    const create = statement && parseHidden(statement, hidden, readCreate);
    const layout = (create?.attachments ?? []).filter(({ kind }) => kind === 'partition' || kind === 'cluster' || kind === 'columns');
    if (create) return { definition: create.definition, attachments: layout.map((attachment) => ({ ...attachment })) };
    return { definition: '', attachments: [], failure: 'its statement is not shown to this account' };
  } catch (error) {
    return { definition: '', attachments: [], failure: failureOf(error, relation) };
  }
}

function failureOf(error: unknown, { kind }: Relation): string {
  if (!(error instanceof ViewsyncError)) throw error;
  return `its statement is none of a ${kind} that viewsync knows: ${error.message}`;
}

function readOptionRows(relation: Relation, rows: readonly Row[]): { readonly attachments: readonly Attachment[]; readonly failure?: string } {
  try {
    return { attachments: rows.flatMap((row) => parseOption(relation, row['option_name'] ?? '', row['option_value'] ?? '')) };
  } catch (error) {
    return { attachments: [], failure: failureOf(error, relation) };
  }
}

/** A text that cannot be read is kept all the same; only what it reads is then unknown. */
function readsOfBody({ definition }: Body, { name }: Relation): readonly RelationName[] {
  try {
    return readsOf(definition, bigqueryDialect, name).filter((read) => relationKey(read) !== relationKey(name));
  } catch (error) {
    if (error instanceof ViewsyncError) return [];
    throw error;
  }
}

function toColumns(rows: readonly Row[]): readonly Column[] {
  const columns = rows.filter((row) => row['field_path'] === row['column_name']);
  const sorted = columns.toSorted((left, right) => Number(left['position']) - Number(right['position']));
  return sorted.map((row) => ({ name: row['column_name'] ?? '', type: row['data_type'] ?? '' }));
}

function readTags(row: Row): readonly string[] {
  const tags: unknown = JSON.parse(row['policy_tags'] ?? '[]');
  return Array.isArray(tags) ? tags.map(String).sort(compareText) : [];
}

function toColumnAttachments(relation: Relation, rows: readonly Row[]): readonly Attachment[] {
  return rows.flatMap((row) => {
    const [path, text, tags] = [row['field_path'] ?? '', row['description'] ?? '', readTags(row)];
    return [...(text === '' ? [] : [columnCommentAttachment(relation, path, text)]), ...(tags.length === 0 ? [] : [policyTagAttachment(relation, path, tags)])];
  });
}

function toRights(relation: Relation, policy: Policy | undefined, { authorizations }: Surroundings): readonly Attachment[] {
  const datasets = authorizations.get(relationKey(relation.name)) ?? [];
  return [
    ...(policy?.grants ?? []).map(({ role, member }) => grantAttachment(relation, role, member)),
    ...datasets.map((dataset) => authorizationAttachment(relation, dataset)),
  ];
}
