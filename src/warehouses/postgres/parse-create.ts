import {
  type Cursor,
  expectMark,
  expectWords,
  fail,
  failExpected,
  isAt,
  offsetOf,
  readList,
  restText,
  startAt,
  take,
  takeMark,
  takeToken,
} from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { Attachment } from '../../core/view.ts';
import { readName, readQualifiedName } from '../postgres-family/grammar.ts';
import { readConstant } from '../postgres-family/string-constants.ts';
import { optionAttachment, populatedAttachment, type Relation, sortAttachments } from './attachments.ts';
import { parseBystander } from './parse-bystander.ts';
import { accessMethodAttachment, tablespaceAttachment } from './storage-attachments.ts';

/** Forms of CREATE that PostgreSQL has and a view file does not, with what to do instead. */
const refusals: readonly (readonly [words: string, because: string])[] = [
  ['CREATE TEMP', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['CREATE TEMPORARY', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['CREATE LOCAL', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['CREATE GLOBAL', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['CREATE RECURSIVE', 'CREATE RECURSIVE VIEW cannot be kept in a file. Write CREATE OR REPLACE VIEW ... AS WITH RECURSIVE ... SELECT.'],
  ['CREATE OR REPLACE TEMP', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['CREATE OR REPLACE TEMPORARY', 'A temporary view belongs to a session and cannot be kept in a file.'],
  ['CREATE OR REPLACE RECURSIVE', 'CREATE RECURSIVE VIEW cannot be kept in a file. Write CREATE OR REPLACE VIEW ... AS WITH RECURSIVE ... SELECT.'],
  ['CREATE OR REPLACE MATERIALIZED', 'PostgreSQL cannot replace a materialized view. Write CREATE MATERIALIZED VIEW.'],
  ['CREATE UNLOGGED', 'PostgreSQL has no unlogged materialized views. Write CREATE MATERIALIZED VIEW.'],
];

/** Reads the CREATE statement of a view file. */
export function parseCreate(statement: Statement): ParsedCreate {
  return parseBystander(statement) ?? parseViewCreate(statement);
}

function parseViewCreate(statement: Statement): ParsedCreate {
  const cursor = startAt(statement);
  const relation = readRelation(cursor);
  const method = readClause(cursor, relation, { words: 'USING', make: accessMethodAttachment });
  const options = take(cursor, 'WITH') ? readOptions(cursor, relation) : [];
  const tablespace = readClause(cursor, relation, { words: 'TABLESPACE', make: tablespaceAttachment });
  const body = relation.kind === 'view' ? readViewBody(cursor, relation) : readMaterializedBody(cursor, relation);
  const attachments = [...method, ...options, ...tablespace, ...body.attachments];
  const twice = attachments.find(({ kind, key }, index) => attachments.findIndex((other) => other.kind === kind && other.key === key) < index);
  if (twice) return fail(startAt(statement), `The option ${twice.key} is set twice.`);
  return { ...relation, definition: body.definition, attachments: sortAttachments(attachments) };
}

function readRelation(cursor: Cursor): Relation {
  const refusal = refusals.find(([words]) => isAt(cursor, words));
  if (refusal) return fail(cursor, refusal[1]);
  const kind = readKind(cursor);
  if (isAt(cursor, 'IF NOT EXISTS')) return fail(cursor, 'IF NOT EXISTS hides that a view was not made. Leave it out.');
  const name = readQualifiedName(cursor, 'The name of the view');
  checkHead(cursor);
  return { name, kind };
}

function readKind(cursor: Cursor): Relation['kind'] {
  if (take(cursor, 'CREATE OR REPLACE VIEW') || take(cursor, 'CREATE VIEW')) return 'view';
  if (take(cursor, 'CREATE MATERIALIZED VIEW')) return 'materialized view';
  return fail(
    cursor,
    'A file starts with CREATE OR REPLACE VIEW, CREATE VIEW or CREATE MATERIALIZED VIEW, or with the statement that makes a bystander or a schema.',
  );
}

function checkHead(cursor: Cursor): void {
  const at = offsetOf(cursor);
  if (takeMark(cursor, '.')) fail(cursor, 'The name of a view has two parts: schema.name.', at);
  if (takeMark(cursor, '(')) fail(cursor, 'A list of columns cannot stand behind the name. Name the columns in the query: SELECT ... AS name.', at);
}

/** How rows are stored where nothing is said. */
const usualMethod = 'heap';

interface Clause {
  readonly words: string;
  readonly make: (relation: Relation, name: string) => Attachment;
}

/** A clause that only a materialized view has. */
function readClause(cursor: Cursor, relation: Relation, { words, make }: Clause): readonly Attachment[] {
  if (relation.kind === 'view' || !take(cursor, words)) return [];
  const name = readName(cursor, 'a name');
  return name === usualMethod ? [] : [make(relation, name)];
}

function readOptions(cursor: Cursor, relation: Relation): readonly Attachment[] {
  expectMark(cursor, '(');
  const options = readList(cursor, (at) => {
    const name = readOptionName(at);
    return optionAttachment(relation, name, takeMark(at, '=') ? readOptionValue(at) : 'true');
  });
  expectMark(cursor, ')');
  return options;
}

export function readOptionName(cursor: Cursor): string {
  const first = readName(cursor, 'the name of an option');
  return takeMark(cursor, '.') ? `${first}.${readName(cursor, 'the name of an option')}` : first;
}

export function readOptionValue(cursor: Cursor): string {
  const sign = takeMark(cursor, '-') ? '-' : '';
  const token = takeToken(cursor, 'the value of an option');
  if (token.kind === 'number') return `${sign}${token.text}`;
  if (token.kind === 'word' && sign === '') return token.text.toLowerCase();
  const text = token.kind === 'string' && sign === '' ? readConstant(token.text) : undefined;
  return text ?? fail(cursor, `${JSON.stringify(token.text)} is no value of an option: write a word, a number or '...'.`, token.start);
}

interface Body {
  readonly definition: string;
  readonly attachments: readonly Attachment[];
}

/** The query up to the token numbered `end`. */
function readDefinition(cursor: Cursor, end: number): string {
  const isQuery = ['SELECT', 'WITH', 'VALUES', 'TABLE'].some((word) => isAt(cursor, word)) || cursor.tokens[cursor.next]?.text === '(';
  if (!isQuery) return failExpected(cursor, 'a query behind AS: SELECT, WITH, VALUES, TABLE or "("');
  return restText(cursor, end);
}

/** The cursor at the last tokens of the statement if they are these keywords. */
function findEnding(cursor: Cursor, words: string): number | undefined {
  const next = cursor.tokens.length - words.split(' ').length;
  return next > cursor.next && isAt({ ...cursor, next }, words) ? next : undefined;
}

const checkOptions = [
  ['WITH LOCAL CHECK OPTION', 'local'],
  ['WITH CASCADED CHECK OPTION', 'cascaded'],
  ['WITH CHECK OPTION', 'cascaded'],
] as const;

function readViewBody(cursor: Cursor, relation: Relation): Body {
  expectWords(cursor, 'AS');
  for (const [words, value] of checkOptions) {
    const end = findEnding(cursor, words);
    if (end !== undefined) return { definition: readDefinition(cursor, end), attachments: [optionAttachment(relation, 'check_option', value)] };
  }
  return { definition: readDefinition(cursor, cursor.tokens.length), attachments: [] };
}

function readMaterializedBody(cursor: Cursor, relation: Relation): Body {
  expectWords(cursor, 'AS');
  const empty = findEnding(cursor, 'WITH NO DATA');
  const end = empty ?? findEnding(cursor, 'WITH DATA') ?? cursor.tokens.length;
  return { definition: readDefinition(cursor, end), attachments: [populatedAttachment(relation, empty === undefined ? 'populated' : 'unpopulated')] };
}
