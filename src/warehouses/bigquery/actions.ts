import type { Statement } from '../../core/dialect.ts';
import type { Step } from '../../core/plan.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { isReservedLine, type ReservedLine, readReservedLine } from '../../core/reserved-line.ts';
import { addReservedLines, splitStatements } from '../../core/statements.ts';
import type { Attachment } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { isReplacedByStatement } from './create-statements.ts';
import { expectMark, expectWords, isAt, readName, readRelation, readText, startAt, take } from './grammar.ts';
import { lexicalRules } from './lexical-rules.ts';
import { readString } from './literals.ts';
import { splitName } from './names.ts';
import { readOptions } from './options.ts';
import { type Create, readCreate } from './parse-create.ts';

/** Fields of a table resource to set; null takes one away. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Table */
export type TablePatch = Readonly<Record<string, unknown>>;

/** What a column is to have; null takes a description away, an empty list the policy tags. */
export interface ColumnPatch {
  readonly description?: string | null;
  readonly policyTags?: readonly string[];
}

/** Fields of a view, and what its columns are to have, by path. */
export interface Patch {
  readonly act: 'patch';
  readonly view: RelationName;
  readonly table: TablePatch;
  readonly columns?: Readonly<Record<string, ColumnPatch>>;
}

/** One call of BigQuery's interface. `statement` is a job that runs the SQL as it is. */
export type Action =
  | { readonly act: 'run'; readonly view: RelationName; readonly sql: string }
  | { readonly act: 'insert'; readonly view: RelationName; readonly table: TablePatch }
  | Patch
  | { readonly act: 'authorize' | 'unauthorize'; readonly view: RelationName; readonly dataset: string };

function failStep(sql: string): never {
  throw new ViewsyncError('FILE_UNREADABLE', { message: `No step of BigQuery is written like this: ${sql.slice(0, 200)}` });
}

const textOf = ({ text, tail }: Statement) => `${text}${tail}`.trimEnd();

/** Options that are fields of the resource, and their values. The others are set by a statement. */
const fields: Readonly<Record<string, (value: string) => readonly [field: string, value: unknown]>> = {
  friendly_name: (value) => ['friendlyName', readString(value) ?? null],
  expiration_timestamp: (value) => ['expirationTime', value === 'NULL' ? null : String(Date.parse(readString(value.slice('TIMESTAMP '.length)) ?? ''))],
};

function toField({ kind, key, value }: Attachment): readonly [string, unknown][] {
  if (kind === 'comment') return [['description', value]];
  const field = kind === 'option' ? fields[key]?.(value) : undefined;
  return field === undefined ? [] : [[field[0], field[1]]];
}

function labelsOf(attachments: readonly Attachment[]): TablePatch {
  const labels = attachments.filter(({ kind }) => kind === 'label').map(({ key, value }) => [key, value]);
  return labels.length === 0 ? {} : { labels: Object.fromEntries(labels) };
}

/** A view that only the interface can make, since no statement makes one in legacy SQL. */
function insertLegacy({ name, definition, attachments }: Create): Action {
  const view = { query: definition, useLegacySql: true };
  return { act: 'insert', view: name, table: { view, ...Object.fromEntries(attachments.flatMap(toField)), ...labelsOf(attachments) } };
}

/** Only the query: everything else that belongs to the view stays as it is, and is set by steps of its own where it differs. */
function toCreateAction(statement: Statement): Action {
  const create = readCreate(statement);
  const isLegacy = create.attachments.some(({ kind }) => kind === 'legacy SQL');
  if (!create.mayReplace && isLegacy) return insertLegacy(create);
  if (!create.mayReplace || isReplacedByStatement(create)) return { act: 'run', view: create.name, sql: textOf(statement) };
  return { act: 'patch', view: create.name, table: { view: { query: create.definition, useLegacySql: isLegacy } } };
}

function isNull(statement: Statement): boolean {
  return /=\s*NULL\s*\)$/i.test(statement.text);
}

/** `SET OPTIONS (name = NULL)` has no attachment, so the field is named by the option alone. */
function clearedField(statement: Statement): TablePatch | undefined {
  const name = statement.tokens.at(-4)?.text ?? '';
  if (name === 'description') return { description: null };
  const field = fields[name]?.('NULL')[0];
  return field === undefined ? undefined : { [field]: null };
}

function toAlterAction(statement: Statement): Action {
  const cursor = startAt(statement);
  expectWords(cursor, 'ALTER');
  const kind = take(cursor, 'MATERIALIZED VIEW') ? 'materialized view' : 'view';
  if (kind === 'view') expectWords(cursor, 'VIEW');
  const name = readRelation(cursor);
  if (take(cursor, 'ALTER COLUMN')) {
    const column = readName(cursor, 'the name of a column');
    expectWords(cursor, 'SET OPTIONS');
    expectMark(cursor, '(');
    expectWords(cursor, 'DESCRIPTION');
    expectMark(cursor, '=');
    return { act: 'patch', view: name, table: {}, columns: { [column]: { description: isAt(cursor, 'NULL') ? null : readText(cursor) } } };
  }
  expectWords(cursor, 'SET OPTIONS');
  const table = isNull(statement) ? clearedField(statement) : Object.fromEntries(readOptions(cursor, { name, kind }).flatMap(toField));
  return table === undefined || Object.keys(table).length === 0 ? { act: 'run', view: name, sql: textOf(statement) } : { act: 'patch', view: name, table };
}

/** The view behind ON VIEW or DROP VIEW. */
function viewOf(statement: Statement): RelationName {
  const next = statement.tokens.findIndex(({ text }) => text.toUpperCase() === 'VIEW');
  return readRelation({ statement, next: next + 1 });
}

function lineAction({ view: plain, ...content }: ReservedLine, sql: string): Action {
  const view = splitName(String(plain)) ?? failStep(sql);
  const { column, description, policyTags, labels, legacySql, authorizedBy, notAuthorizedBy } = content;
  if (typeof authorizedBy === 'string') return { act: 'authorize', view, dataset: authorizedBy };
  if (typeof notAuthorizedBy === 'string') return { act: 'unauthorize', view, dataset: notAuthorizedBy };
  if (labels !== undefined) return { act: 'patch', view, table: { labels } };
  if (legacySql !== undefined) return { act: 'patch', view, table: { view: { useLegacySql: legacySql } } };
  if (typeof column !== 'string') return failStep(sql);
  const patch = { ...(description === undefined ? {} : { description }), ...(policyTags === undefined ? {} : { policyTags }) };
  return { act: 'patch', view, table: {}, columns: { [column]: patch as ColumnPatch } };
}

function toAction(statement: Statement): Action {
  const line = isReservedLine(statement.text) ? readReservedLine(statement.text) : undefined;
  if (line) return lineAction(line, statement.text);
  switch (statement.tokens[0]?.text.toUpperCase()) {
    case 'CREATE':
      return toCreateAction(statement);
    case 'ALTER':
      return toAlterAction(statement);
    case 'DROP':
    case 'GRANT':
    case 'REVOKE':
      return { act: 'run', view: viewOf(statement), sql: textOf(statement) };
    default:
      return failStep(statement.text);
  }
}

function isObject(value: unknown): value is TablePatch {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mergeFields(left: TablePatch, right: TablePatch): TablePatch {
  const both = Object.entries(right).map(([key, value]) => {
    const other = left[key];
    return [key, isObject(other) && isObject(value) ? mergeFields(other, value) : value];
  });
  return { ...left, ...Object.fromEntries(both) };
}

/** Two calls that can be one: so many changes of one view in ten seconds are all that BigQuery allows. https://cloud.google.com/bigquery/quotas#standard_tables */
function mergeActions(left: Action | undefined, right: Action): Action | undefined {
  if (left === undefined || relationKey(left.view) !== relationKey(right.view)) return undefined;
  if (left.act !== 'patch' || right.act !== 'patch') return undefined;
  const columns = mergeFields(left.columns ?? {}, right.columns ?? {}) as NonNullable<Patch['columns']>;
  return { ...left, table: mergeFields(left.table, right.table), ...(Object.keys(columns).length > 0 ? { columns } : {}) };
}

function append(actions: readonly Action[], action: Action): readonly Action[] {
  const merged = mergeActions(actions.at(-1), action);
  return merged === undefined ? [...actions, action] : [...actions.slice(0, -1), merged];
}

/** What is called to carry out a step, in order. What cannot be read is left to BigQuery to judge, and so is an alteration that is none: a migration's own statement. */
export function readActions({ kind, sql, view }: Pick<Step, 'kind' | 'sql' | 'view'>): readonly Action[] {
  if (kind === 'alter' && /^(?:CREATE|DROP)\b/i.test(sql)) return [{ act: 'run', view, sql }];
  const text = `${sql}\n;`;
  try {
    return addReservedLines(text, splitStatements(text, lexicalRules)).map(toAction).reduce(append, []);
  } catch (error) {
    if (!(error instanceof ViewsyncError) || error.code !== 'FILE_UNREADABLE') throw error;
    return [{ act: 'run', view, sql }];
  }
}

/** `Dialect.joins`: whether a step is nothing but fields of its view, which one call sets with all others. */
export function isPatch(step: Pick<Step, 'kind' | 'sql' | 'view'>): boolean {
  return readActions(step).every(({ act, view }) => act === 'patch' && relationKey(view) === relationKey(step.view));
}
