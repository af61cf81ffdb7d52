import { type Cursor, expectMark, expectWords, fail, failExpected, isAt, startAt, take, takeMark, takeToken } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { Attachment } from '../../core/view.ts';
import {
  changeTrackingAttachment,
  clusterAttachment,
  columnPolicyAttachment,
  columnsAttachment,
  columnTagAttachment,
  commentAttachment,
  contactAttachment,
  optionAttachment,
  policyAttachment,
  recursiveAttachment,
  secureAttachment,
  sortAttachments,
  tagAttachment,
} from './attachments.ts';
import { readColumnNames, readEntries, readName, readObject, readParenthesized, readRelation, readTag, readText } from './grammar.ts';
import type { Relation } from './names.ts';

/** Forms of CREATE that Snowflake has and a view file does not. */
const refusals: readonly (readonly [words: string, because: string])[] = [
  ['TEMP', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['TEMPORARY', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['LOCAL', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['GLOBAL', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['VOLATILE', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['TRANSIENT', 'A transient dynamic table cannot be kept in a file yet.'],
  ['FORCE', 'FORCE does nothing. Leave it out.'],
];

/** Reads the CREATE statement of a view file, or what GET_DDL gives. */
export function parseCreate(statement: Statement): ParsedCreate {
  const cursor = startAt(statement);
  const { relation, attachments: first } = readHead(cursor);
  const attachments = [...first, ...readClauses(cursor, relation)];
  const twice = attachments.find(({ kind, key }, index) => attachments.findIndex((other) => other.kind === kind && other.key === key) < index);
  if (twice) return fail(startAt(statement), `The ${twice.kind} ${twice.key} is set twice.`);
  return { ...relation, definition: readDefinition(cursor), attachments: sortAttachments(attachments) };
}

function readHead(cursor: Cursor): { readonly relation: Relation; readonly attachments: readonly Attachment[] } {
  expectWords(cursor, 'CREATE');
  take(cursor, 'OR REPLACE');
  const isSecure = take(cursor, 'SECURE');
  const isRecursive = take(cursor, 'RECURSIVE');
  const refusal = refusals.find(([words]) => isAt(cursor, words));
  if (refusal) return fail(cursor, refusal[1]);
  const kind = readKind(cursor);
  if (isAt(cursor, 'IF NOT EXISTS')) return fail(cursor, 'IF NOT EXISTS hides that a view was not made. Leave it out.');
  const relation = { name: readRelation(cursor), kind };
  return { relation, attachments: [...(isSecure ? [secureAttachment(relation)] : []), ...(isRecursive ? [recursiveAttachment()] : [])] };
}

function readKind(cursor: Cursor): Relation['kind'] {
  if (take(cursor, 'VIEW')) return 'view';
  if (take(cursor, 'MATERIALIZED VIEW')) return 'materialized view';
  if (take(cursor, 'DYNAMIC TABLE')) return 'dynamic table';
  return failExpected(cursor, 'CREATE OR REPLACE VIEW, MATERIALIZED VIEW or DYNAMIC TABLE');
}

type ReadClause = (cursor: Cursor, relation: Relation) => readonly Attachment[];

/** What may stand between the name and AS, by its first words behind an optional WITH. */
const clauses: readonly (readonly [words: string, read: ReadClause])[] = [
  ['COPY GRANTS', () => []],
  ['COPY TAGS', () => []],
  ['COMMENT', (cursor, relation) => readComment(cursor, relation, undefined)],
  ['CHANGE_TRACKING', readChangeTracking],
  ['ROW ACCESS POLICY', (cursor, relation) => [readPolicy(cursor, relation, 'row access policy')]],
  ['AGGREGATION POLICY', (cursor, relation) => [readPolicy(cursor, relation, 'aggregation policy')]],
  ['JOIN POLICY', (cursor, relation) => [readPolicy(cursor, relation, 'join policy')]],
  ['TAG', (cursor, relation) => readEntries(cursor, (at) => readTag(at, relation)).map(({ tag, value }) => tagAttachment(relation, tag, value))],
  ['CONTACT', (cursor, relation) => readEntries(cursor, (at) => readContact(at, relation))],
  ['CLUSTER BY', (cursor, relation) => [clusterAttachment(relation, readParenthesized(cursor))]],
];

function readClauses(cursor: Cursor, relation: Relation): Attachment[] {
  const attachments: Attachment[] = [];
  while (!isAt(cursor, 'AS')) {
    if (cursor.tokens[cursor.next]?.text === '(') attachments.push(...readColumns(cursor, relation));
    else attachments.push(...readClause(cursor, relation));
  }
  return attachments;
}

function readClause(cursor: Cursor, relation: Relation): readonly Attachment[] {
  take(cursor, 'WITH');
  const clause = clauses.find(([words]) => take(cursor, words));
  if (clause) return clause[1](cursor, relation);
  if (relation.kind !== 'dynamic table') return failExpected(cursor, `${clauses.map(([words]) => words).join(', ')} or AS`);
  const key = readName(cursor, 'a parameter of the dynamic table');
  expectMark(cursor, '=');
  return [optionAttachment(relation, key, takeToken(cursor, 'the value of the parameter').text)];
}

function readComment(cursor: Cursor, relation: Relation, column: string | undefined): readonly Attachment[] {
  takeMark(cursor, '=');
  const text = readText(cursor);
  return text === '' ? [] : [commentAttachment(relation, column, text)];
}

function readChangeTracking(cursor: Cursor, relation: Relation): readonly Attachment[] {
  expectMark(cursor, '=');
  if (take(cursor, 'TRUE')) return [changeTrackingAttachment(relation)];
  expectWords(cursor, 'FALSE');
  return [];
}

/** What follows the names of these policies. */
const policyRests = { 'row access policy': ['ON'], 'aggregation policy': ['ENTITY KEY'], 'join policy': ['ALLOWED JOIN KEYS'] } as const;

function readPolicy(cursor: Cursor, relation: Relation, kind: keyof typeof policyRests): Attachment {
  const policy = readObject(cursor, relation, 'the name of a policy');
  const rests: string[] = [];
  for (const words of policyRests[kind]) while (take(cursor, words)) rests.push(`${words} (${readColumnNames(cursor)})`);
  return policyAttachment(relation, kind, { policy, rest: rests.join(' ') });
}

function readContact(cursor: Cursor, relation: Relation): Attachment {
  const purpose = readName(cursor, 'the purpose of a contact');
  expectMark(cursor, '=');
  return contactAttachment(relation, purpose, readObject(cursor, relation, 'the name of a contact'));
}

interface ColumnEntry {
  readonly name: string;
  readonly attachments: readonly Attachment[];
}

function readColumns(cursor: Cursor, relation: Relation): readonly Attachment[] {
  const entries = readEntries(cursor, (at) => readColumn(at, relation));
  return [columnsAttachment(entries.map(({ name }) => name)), ...entries.flatMap(({ attachments }) => attachments)];
}

function readColumn(cursor: Cursor, relation: Relation): ColumnEntry {
  const name = readName(cursor, 'the name of a column');
  const attachments: Attachment[] = [];
  for (let text = cursor.tokens[cursor.next]?.text; text !== ',' && text !== ')'; text = cursor.tokens[cursor.next]?.text) {
    attachments.push(...readColumnClause(cursor, relation, name));
  }
  return { name, attachments };
}

function readColumnClause(cursor: Cursor, relation: Relation, column: string): readonly Attachment[] {
  if (take(cursor, 'COMMENT')) return readComment(cursor, relation, column);
  take(cursor, 'WITH');
  if (take(cursor, 'TAG')) return readEntries(cursor, (at) => readTag(at, relation)).map((tag) => columnTagAttachment(relation, column, tag));
  for (const kind of ['masking policy', 'projection policy'] as const) {
    if (!take(cursor, kind.toUpperCase())) continue;
    const policy = readObject(cursor, relation, 'the name of a policy');
    const using = take(cursor, 'USING') ? ` USING (${readColumnNames(cursor)})` : '';
    return [columnPolicyAttachment(relation, kind, { column, policy: `${policy}${using}` })];
  }
  return failExpected(cursor, 'COMMENT, MASKING POLICY, PROJECTION POLICY, TAG, "," or ")" behind the name of a column');
}

/** The query with every comment in and around it: Snowflake keeps what stands behind AS as it was typed. */
function readDefinition(cursor: Cursor): string {
  expectWords(cursor, 'AS');
  if (cursor.next === cursor.tokens.length) return failExpected(cursor, 'a query behind AS');
  const { statement } = cursor;
  const from = cursor.tokens[cursor.next - 1]?.end ?? statement.start;
  return `${statement.text.slice(from - statement.start)}${statement.tail}`.trim();
}
