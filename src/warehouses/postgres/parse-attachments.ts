import { type Cursor, expectEnd, expectWords, fail, failExpected, isAt, startAt, take } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { Attachment } from '../../core/view.ts';
import { expectRelation, readName, readQualifiedName } from '../postgres-family/grammar.ts';
import { indexAttachment, ruleAttachment, triggerAttachment } from './attachments.ts';
import { parseAlter } from './parse-alter.ts';
import { parseComment, parseLabel } from './parse-comments.ts';
import { parseGrant, parseRevoke } from './parse-grants.ts';
import { parseObjectAttachments } from './parse-object-attachments.ts';
import { statisticsAttachment } from './statistics-attachments.ts';

type Parser = (statement: Statement, view: ParsedCreate) => readonly Attachment[];

/** The statements that may follow the CREATE, by their first words. */
const parsers: readonly (readonly [words: string, parse: Parser])[] = [
  ['ALTER', parseAlter],
  ['CREATE RULE', parseRule],
  ['CREATE OR REPLACE RULE', parseRule],
  ['CREATE TRIGGER', parseTrigger],
  ['CREATE OR REPLACE TRIGGER', parseTrigger],
  ['CREATE INDEX', parseIndex],
  ['CREATE UNIQUE INDEX', parseIndex],
  ['CREATE STATISTICS', parseStatistics],
  ['GRANT', parseGrant],
  ['SET ROLE', parseGrant],
  ['REVOKE', parseRevoke],
  ['SECURITY LABEL', parseLabel],
  ['COMMENT ON', parseComment],
];

const allowed =
  'Behind the CREATE of a view, a file holds ALTER of the view or of what belongs to it, CREATE RULE, CREATE TRIGGER, CREATE INDEX, CREATE STATISTICS, GRANT, REVOKE from the owner, SECURITY LABEL, and COMMENT ON';

/** Reads a statement that follows the CREATE statement of a view file. */
export function parseAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  if (view.name.object !== undefined) return parseObjectAttachments(statement, view);
  const cursor = startAt(statement);
  const parser = parsers.find(([words]) => isAt(cursor, words));
  return parser ? parser[1](statement, view) : fail(cursor, `${allowed}; this statement is none of them.`);
}

function expectView(cursor: Cursor, { kind }: ParsedCreate, what: string): void {
  if (kind === 'materialized view') fail(cursor, `A materialized view has no ${what}.`);
}

/** https://www.postgresql.org/docs/current/sql-createrule.html */
function parseRule(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  expectView(cursor, view, 'rules');
  if (isAt(cursor, 'CREATE OR REPLACE')) return failReplace(cursor, 'RULE');
  expectWords(cursor, 'CREATE RULE');
  const name = readName(cursor, 'the name of a rule');
  expectWords(cursor, 'AS ON');
  if (!['INSERT', 'UPDATE', 'DELETE'].some((event) => take(cursor, event))) failExpected(cursor, 'INSERT, UPDATE or DELETE');
  expectWords(cursor, 'TO');
  expectRelation(cursor, view);
  return [ruleAttachment(view, name, statement.text)];
}

/** https://www.postgresql.org/docs/current/sql-createtrigger.html */
function parseTrigger(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  expectView(cursor, view, 'triggers');
  if (isAt(cursor, 'CREATE OR REPLACE')) return failReplace(cursor, 'TRIGGER');
  expectWords(cursor, 'CREATE TRIGGER');
  const name = readName(cursor, 'the name of a trigger');
  const next = cursor.tokens.findIndex((_, index) => isAt({ ...cursor, next: index }, 'ON'));
  if (next === -1) return fail(cursor, 'A trigger names its view: ON schema.name.', statement.end);
  expectRelation({ ...cursor, next: next + 1 }, view);
  return [triggerAttachment(view, name, statement.text)];
}

function failReplace(cursor: Cursor, what: string): never {
  return fail(cursor, `Write CREATE ${what}: a file holds what is made where nothing is yet.`);
}

/** https://www.postgresql.org/docs/current/sql-createindex.html */
function parseIndex(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  if (view.kind === 'view') return fail(cursor, 'Only a materialized view has indexes.');
  if (!take(cursor, 'CREATE UNIQUE INDEX')) expectWords(cursor, 'CREATE INDEX');
  for (const words of ['CONCURRENTLY', 'IF NOT EXISTS'])
    if (isAt(cursor, words)) fail(cursor, `Leave ${words} out: a file holds what is made where nothing is yet.`);
  if (isAt(cursor, 'ON')) return fail(cursor, 'An index needs a name in a view file.');
  const name = readName(cursor, 'the name of an index');
  expectWords(cursor, 'ON');
  take(cursor, 'ONLY');
  expectRelation(cursor, view);
  return [indexAttachment(view, { schema: view.name.schema, name }, statement.text)];
}

/** https://www.postgresql.org/docs/current/sql-createstatistics.html */
function parseStatistics(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  if (view.kind === 'view') return fail(cursor, 'Only a materialized view has statistics.');
  expectWords(cursor, 'CREATE STATISTICS');
  if (isAt(cursor, 'IF NOT EXISTS')) return fail(cursor, 'Leave IF NOT EXISTS out: a file holds what is made where nothing is yet.');
  const name = readQualifiedName(cursor, 'The name of the statistics');
  const next = cursor.tokens.findLastIndex((_, index) => isAt({ ...cursor, next: index }, 'FROM'));
  if (next < cursor.next) return fail(cursor, 'Statistics name their view: FROM schema.name.', statement.end);
  cursor.next = next + 1;
  expectRelation(cursor, view);
  expectEnd(cursor);
  return [statisticsAttachment(name, statement.text)];
}
