import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import { readReservedLine } from '../../core/reserved-line.ts';
import type { Attachment } from '../../core/view.ts';
import { columnsAttachment, layoutAttachment, legacyAttachment, type Relation, sortAttachments } from './attachments.ts';
import {
  type Cursor,
  expectMark,
  expectWords,
  fail,
  failExpected,
  isAt,
  offsetOf,
  readList,
  readName,
  readRelation,
  startAt,
  take,
  takeExpression,
  takeMark,
} from './grammar.ts';
import { readOptions } from './options.ts';

/** What a CREATE statement says, and whether it may put itself over a view that exists. */
export interface Create extends ParsedCreate {
  readonly mayReplace: boolean;
}

/** Reads a CREATE statement in any of the forms that a file, a step or the catalog has. */
export function readCreate(statement: Statement): Create {
  const cursor = startAt(statement);
  const { kind, mayReplace } = readKind(cursor);
  if (isAt(cursor, 'IF NOT EXISTS')) return fail(cursor, 'IF NOT EXISTS hides that a view was not made. Leave it out.');
  const relation: Relation = { name: readRelation(cursor), kind };
  const attachments = [
    ...readColumns(cursor, relation),
    ...readLayout(cursor, relation, 'partition'),
    ...readLayout(cursor, relation, 'cluster'),
    ...(take(cursor, 'OPTIONS') ? readOptions(cursor, relation) : []),
  ];
  const head = cursor.next;
  expectWords(cursor, 'AS');
  const legacy = readLegacy(statement, head, relation);
  checkOnce(cursor, attachments);
  return { ...relation, mayReplace, definition: readDefinition(cursor), attachments: sortAttachments([...attachments, ...legacy]) };
}

/** Reads the CREATE statement of a view file. */
export function parseCreate(statement: Statement): ParsedCreate {
  const { name, kind, definition, attachments } = readCreate(statement);
  return { name, kind, definition, attachments };
}

function readKind(cursor: Cursor): { readonly kind: Relation['kind']; readonly mayReplace: boolean } {
  expectWords(cursor, 'CREATE');
  const mayReplace = take(cursor, 'OR REPLACE');
  if (take(cursor, 'VIEW')) return { kind: 'view', mayReplace };
  if (take(cursor, 'MATERIALIZED VIEW')) return { kind: 'materialized view', mayReplace };
  return fail(cursor, 'A view file starts with CREATE OR REPLACE VIEW or CREATE OR REPLACE MATERIALIZED VIEW.');
}

/** Descriptions stand in statements of their own, so that a view without a list of columns does not get one: such a view is fixed to their number. */
function readColumns(cursor: Cursor, relation: Relation): readonly Attachment[] {
  if (!takeMark(cursor, '(')) return [];
  const names = readList(cursor, (at) => {
    const name = readName(at, 'the name of a column');
    if (isAt(at, 'OPTIONS')) fail(at, 'The description of a column stands behind the view: ALTER VIEW ... ALTER COLUMN ... SET OPTIONS (description = ...).');
    return name;
  });
  expectMark(cursor, ')');
  return [columnsAttachment(relation, names)];
}

const layoutWords = { partition: 'PARTITION BY', cluster: 'CLUSTER BY' } as const;

function readLayout(cursor: Cursor, relation: Relation, kind: 'partition' | 'cluster'): readonly Attachment[] {
  if (!isAt(cursor, layoutWords[kind])) return [];
  if (relation.kind === 'view') return fail(cursor, `Only a materialized view has ${layoutWords[kind]}.`);
  take(cursor, layoutWords[kind]);
  const expressions = readList(cursor, (at) => textOf(at, takeExpression(at, ['PARTITION', 'CLUSTER', 'OPTIONS', 'AS'])));
  return [layoutAttachment(relation, kind, expressions.join(', '))];
}

function textOf(cursor: Cursor, tokens: Statement['tokens']): string {
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (first === undefined || last === undefined) return failExpected(cursor, 'an expression');
  const { text, start } = cursor.statement;
  return text.slice(first.start - start, last.end - start);
}

/** Lines may stand before AS; the only one that there is says that the view is in legacy SQL. */
function readLegacy({ tokens, text, start }: Statement, head: number, relation: Relation): readonly Attachment[] {
  const [before, as] = [tokens[head - 1], tokens[head]];
  const gap = text.slice((before?.end ?? start) - start, (as?.start ?? start) - start);
  const lines = gap.split('\n').map((line) => readReservedLine(line.trim()));
  return lines.some((line) => line?.['legacySql'] === true) ? [legacyAttachment(relation)] : [];
}

function checkOnce(cursor: Cursor, attachments: readonly Attachment[]): void {
  const twice = attachments.find(({ kind, key }, index) => attachments.findIndex((other) => other.kind === kind && other.key === key) < index);
  if (twice) fail({ ...cursor, next: 0 }, `The ${twice.kind} ${twice.key} is set twice.`);
}

/** Everything behind AS, comments too, which BigQuery keeps. */
function readDefinition(cursor: Cursor): string {
  const { statement, next } = cursor;
  if (isAt(cursor, 'REPLICA OF')) return fail(cursor, 'A replica of a materialized view cannot be kept in a file.');
  if (statement.tokens[next] === undefined) return failExpected(cursor, 'a query');
  const from = statement.tokens[next - 1]?.end ?? offsetOf(cursor);
  return `${statement.text.slice(from - statement.start)}${statement.tail}`.trim();
}
