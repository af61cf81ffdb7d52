import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { Attachment } from '../../core/view.ts';
import {
  type Cursor,
  expectEnd,
  expectMark,
  expectRelation,
  expectWords,
  fail,
  failExpected,
  isAt,
  offsetOf,
  readName,
  readQualifiedName,
  restText,
  startAt,
  take,
} from '../postgres-family/grammar.ts';
import { readText } from '../postgres-family/string-constants.ts';
import { type Commented, commentAttachment, defaultAttachment, indexAttachment, ownerAttachment, ruleAttachment, triggerAttachment } from './attachments.ts';
import { parseGrant, parseRevoke, readRole } from './parse-grants.ts';

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
  ['GRANT', parseGrant],
  ['SET ROLE', parseGrant],
  ['REVOKE', parseRevoke],
  ['COMMENT ON', parseComment],
];

const allowed =
  'Behind the CREATE of a view, a file holds ALTER ... OWNER TO, ALTER ... SET DEFAULT, CREATE RULE, CREATE TRIGGER, CREATE INDEX, GRANT, REVOKE from the owner, and COMMENT ON';

/** Reads a statement that follows the CREATE statement of a view file. */
export function parseAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  const parser = parsers.find(([words]) => isAt(cursor, words));
  return parser ? parser[1](statement, view) : fail(cursor, `${allowed}; this statement is none of them.`);
}

/** Passes `VIEW`, `MATERIALIZED VIEW` or `TABLE`, which has to fit the view. */
function expectKind(cursor: Cursor, { kind }: ParsedCreate): void {
  const words = kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW';
  if (!take(cursor, 'TABLE ONLY') && !take(cursor, 'TABLE')) expectWords(cursor, words);
}

function parseAlter(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  expectWords(cursor, 'ALTER');
  expectKind(cursor, view);
  expectRelation(cursor, view);
  if (take(cursor, 'OWNER TO')) return [readOwner(cursor, view)];
  if (isAt(cursor, 'SET')) return fail(cursor, 'Options stand in the CREATE statement: CREATE ... WITH (name = value) AS.');
  if (!take(cursor, 'ALTER COLUMN') && !take(cursor, 'ALTER')) failExpected(cursor, 'OWNER TO or ALTER COLUMN');
  return [readDefault(cursor, view)];
}

function readOwner(cursor: Cursor, view: ParsedCreate): Attachment {
  const owner = readRole(cursor);
  expectEnd(cursor);
  return ownerAttachment(view, owner);
}

function readDefault(cursor: Cursor, view: ParsedCreate): Attachment {
  if (view.kind === 'materialized view') return fail(cursor, 'A column of a materialized view has no default.');
  const column = readName(cursor, 'the name of a column');
  expectWords(cursor, 'SET DEFAULT');
  if (cursor.next === cursor.tokens.length) return failExpected(cursor, 'an expression');
  return defaultAttachment(view, column, restText(cursor));
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

function parseComment(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  expectWords(cursor, 'COMMENT ON');
  const on = readCommented(cursor, view);
  expectWords(cursor, 'IS');
  if (isAt(cursor, 'NULL')) return fail(cursor, 'A file says what there is: leave a comment that is NULL out.');
  const text = readText(cursor);
  if (text === '') return fail(cursor, 'An empty comment is none: leave it out.');
  expectEnd(cursor);
  return [commentAttachment(view, on, text)];
}

function readCommented(cursor: Cursor, view: ParsedCreate): Commented {
  if (take(cursor, 'COLUMN')) return readCommentedColumn(cursor, view);
  if (take(cursor, 'INDEX')) return readCommentedIndex(cursor, view);
  const on = take(cursor, 'RULE') ? 'rule' : take(cursor, 'TRIGGER') ? 'trigger' : undefined;
  if (on === undefined) {
    expectWords(cursor, view.kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW');
    expectRelation(cursor, view);
    return { on: 'relation' };
  }
  const name = readName(cursor, `the name of a ${on}`);
  expectWords(cursor, 'ON');
  expectRelation(cursor, view);
  return { on, name };
}

function readCommentedColumn(cursor: Cursor, view: ParsedCreate): Commented {
  expectRelation(cursor, view);
  expectMark(cursor, '.');
  return { on: 'column', name: readName(cursor, 'the name of a column') };
}

function readCommentedIndex(cursor: Cursor, view: ParsedCreate): Commented {
  const at = offsetOf(cursor);
  const { schema, name } = readQualifiedName(cursor, 'The name of the index');
  if (schema !== view.name.schema) return fail(cursor, `The indexes of a materialized view are in its schema, ${view.name.schema}.`, at);
  return { on: 'index', schema, name };
}
