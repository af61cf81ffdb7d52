import { type Cursor, expectMark, expectWords, fail, failExpected, isAt, readList, restText, startAt, take, takeMark, takeToken } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { RelationName } from '../../core/relation.ts';
import type { Attachment, ViewKind } from '../../core/view.ts';
import { readName, readQualifiedName } from '../postgres-family/grammar.ts';
import {
  autoRefreshAttachment,
  columnListAttachment,
  lateBinding,
  otherStorageAttachment,
  type Relation,
  sortAttachments,
  storageAttachment,
} from './attachments.ts';

/** Reads the CREATE statement of a view file. */
export function parseCreate(statement: Statement): ParsedCreate {
  const cursor = startAt(statement);
  const kind = readKind(cursor);
  if (isAt(cursor, 'IF NOT EXISTS')) return fail(cursor, 'IF NOT EXISTS hides that a view was not made. Leave it out.');
  const name = readQualifiedName(cursor, 'The name of the view');
  if (takeMark(cursor, '.')) return fail(cursor, 'The name of a view has two parts: schema.name.');
  return readBody(cursor, { name, kind });
}

/**
 * Reads the statement that Redshift keeps of a late-binding or materialized view: as it was typed, under whatever name it had then.
 * The view is called `name`.
 */
export function parseStored(statement: Statement, name: RelationName): ParsedCreate {
  const cursor = startAt(statement);
  const kind = readKind(cursor);
  do readName(cursor, 'the name of the view');
  while (takeMark(cursor, '.'));
  return readBody(cursor, { name, kind });
}

function readKind(cursor: Cursor): ViewKind {
  if (take(cursor, 'CREATE OR REPLACE VIEW') || take(cursor, 'CREATE VIEW')) return 'view';
  if (take(cursor, 'CREATE MATERIALIZED VIEW')) return 'materialized view';
  if (isAt(cursor, 'CREATE OR REPLACE MATERIALIZED')) fail(cursor, 'Redshift cannot replace a materialized view. Write CREATE MATERIALIZED VIEW.');
  return fail(cursor, 'A view file starts with CREATE OR REPLACE VIEW, CREATE VIEW or CREATE MATERIALIZED VIEW.');
}

function readBody(cursor: Cursor, relation: Relation): ParsedCreate {
  const columns = takeMark(cursor, '(') ? [readColumnList(cursor)] : [];
  const options = relation.kind === 'view' ? [] : readOptions(cursor, relation);
  expectWords(cursor, 'AS');
  const end = findEnding(cursor);
  const binding = end === undefined ? [] : [lateBinding];
  if (end !== undefined && relation.kind !== 'view') fail(cursor, 'A materialized view cannot be WITH NO SCHEMA BINDING.');
  const definition = readDefinition(cursor, end ?? cursor.tokens.length);
  return { ...relation, definition, attachments: sortAttachments([...columns, ...options, ...binding]) };
}

function readColumnList(cursor: Cursor): Attachment {
  const names = readList(cursor, (at) => readName(at, 'the name of a column'));
  expectMark(cursor, ')');
  return columnListAttachment(names);
}

function readWord(cursor: Cursor, allowed: readonly string[]): string {
  return allowed.find((word) => take(cursor, word)) ?? failExpected(cursor, allowed.join(', '));
}

function readColumns(cursor: Cursor): string {
  expectMark(cursor, '(');
  return readColumnList(cursor).value;
}

function readSortKey(cursor: Cursor): Attachment {
  const style = ['COMPOUND', 'INTERLEAVED'].find((word) => take(cursor, word));
  expectWords(cursor, 'SORTKEY');
  if (style === undefined && take(cursor, 'AUTO')) return storageAttachment('SORTKEY', 'AUTO');
  return storageAttachment(style === undefined ? 'SORTKEY' : `${style} SORTKEY`, readColumns(cursor));
}

/** What Redshift takes and is not listed here is kept as it stands, up to AS. */
function readOthers(cursor: Cursor): Attachment {
  const start = cursor.next;
  while (cursor.next < cursor.tokens.length && !isAt(cursor, 'AS')) cursor.next += 1;
  const text = cursor.tokens.slice(start, cursor.next).map((token) => token.text);
  return otherStorageAttachment(text.join(' '));
}

/** One option of a materialized view; AUTO REFRESH NO is the same as none, and so is BACKUP YES. */
function readOption(cursor: Cursor, relation: Relation): readonly Attachment[] {
  if (take(cursor, 'BACKUP')) return readWord(cursor, ['YES', 'NO']) === 'NO' ? [storageAttachment('BACKUP', 'NO')] : [];
  if (take(cursor, 'AUTO REFRESH')) return readWord(cursor, ['YES', 'NO']) === 'YES' ? [autoRefreshAttachment(relation)] : [];
  if (take(cursor, 'DISTSTYLE')) return [storageAttachment('DISTSTYLE', readWord(cursor, ['ALL', 'EVEN', 'KEY', 'AUTO']))];
  if (take(cursor, 'DISTKEY')) return [storageAttachment('DISTKEY', readColumns(cursor))];
  if (['SORTKEY', 'COMPOUND', 'INTERLEAVED'].some((word) => isAt(cursor, word))) return [readSortKey(cursor)];
  return [readOthers(cursor)];
}

function readOptions(cursor: Cursor, relation: Relation): readonly Attachment[] {
  const options: Attachment[] = [];
  while (cursor.next < cursor.tokens.length && !isAt(cursor, 'AS')) options.push(...readOption(cursor, relation));
  const twice = options.find(({ key }, index) => options.findIndex((other) => other.key === key) < index);
  return twice ? fail(cursor, `${twice.key} is set twice.`) : options;
}

/** The token where WITH NO SCHEMA BINDING starts, if the statement ends so. */
function findEnding(cursor: Cursor): number | undefined {
  const next = cursor.tokens.length - 4;
  return next > cursor.next && isAt({ ...cursor, next }, 'WITH NO SCHEMA BINDING') ? next : undefined;
}

function readDefinition(cursor: Cursor, end: number): string {
  const isQuery = ['SELECT', 'WITH'].some((word) => isAt(cursor, word)) || cursor.tokens[cursor.next]?.text === '(';
  if (!isQuery) {
    takeToken(cursor, 'a query');
    return failExpected(cursor, 'a query behind AS: SELECT, WITH or "("');
  }
  return restText(cursor, end);
}
