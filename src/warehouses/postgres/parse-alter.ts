import { type Cursor, expectEnd, expectMark, expectWords, fail, failExpected, isAt, offsetOf, restText, startAt, take, takeToken } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import { expectRelation, readName, readQualifiedName } from '../postgres-family/grammar.ts';
import { defaultAttachment, inlineKinds, ownerAttachment } from './attachments.ts';
import { quoteRelation } from './names.ts';
import { readOptionName, readOptionValue } from './parse-create.ts';
import { readRole } from './parse-grants.ts';
import { statisticsOwnerAttachment, statisticsTargetAttachment } from './statistics-attachments.ts';
import {
  clusterAttachment,
  columnOptionAttachment,
  compressionAttachment,
  type Dependent,
  extensionAttachment,
  indexTablespaceAttachment,
  replicaIdentityAttachment,
  storageAttachment,
} from './storage-attachments.ts';

/** Reads ALTER of the view, or of an index, statistics or a trigger that the file holds. */
export function parseAlter(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  expectWords(cursor, 'ALTER');
  const attachment = readAlter(cursor, view);
  expectEnd(cursor);
  return [attachment];
}

function readAlter(cursor: Cursor, view: ParsedCreate): Attachment {
  if (take(cursor, 'INDEX')) return readIndexChange(cursor, view);
  if (take(cursor, 'STATISTICS')) return readStatisticsChange(cursor, view);
  if (take(cursor, 'TRIGGER')) return readTriggerChange(cursor, view);
  expectKind(cursor, view);
  expectRelation(cursor, view);
  if (take(cursor, 'OWNER TO')) return ownerAttachment(view, readRole(cursor));
  if (isAt(cursor, 'SET')) return fail(cursor, 'Options stand in the CREATE statement, as do access method and tablespace: CREATE ... WITH (name = value) AS.');
  if (take(cursor, 'ALTER COLUMN') || take(cursor, 'ALTER')) return readColumnChange(cursor, view);
  return view.kind === 'view' ? failExpected(cursor, 'OWNER TO or ALTER COLUMN') : readMaterializedChange(cursor, view);
}

/** Passes `VIEW`, `MATERIALIZED VIEW` or `TABLE`, which has to fit the view. */
function expectKind(cursor: Cursor, { kind }: ParsedCreate): void {
  const words = kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW';
  if (!take(cursor, 'TABLE ONLY') && !take(cursor, 'TABLE')) expectWords(cursor, words);
}

/** https://www.postgresql.org/docs/current/sql-altermaterializedview.html */
function readMaterializedChange(cursor: Cursor, view: ParsedCreate): Attachment {
  if (take(cursor, 'CLUSTER ON')) return readCluster(cursor, view);
  if (take(cursor, 'DEPENDS ON EXTENSION')) return readExtension(cursor, view, { on: 'relation' });
  if (!take(cursor, 'REPLICA IDENTITY')) return failExpected(cursor, 'OWNER TO, ALTER COLUMN, CLUSTER ON, REPLICA IDENTITY or DEPENDS ON EXTENSION');
  if (take(cursor, 'FULL')) return replicaIdentityAttachment(view, 'FULL');
  expectWords(cursor, 'NOTHING');
  return replicaIdentityAttachment(view, 'NOTHING');
}

function readCluster(cursor: Cursor, view: ParsedCreate): Attachment {
  const at = offsetOf(cursor);
  const name = readName(cursor, 'the name of an index');
  requirePart(cursor, view, { part: 'index', name: { schema: view.name.schema, name }, at });
  return clusterAttachment(view, name);
}

function readColumnChange(cursor: Cursor, view: ParsedCreate): Attachment {
  const at = offsetOf(cursor);
  const column = readName(cursor, 'the name of a column');
  if (view.kind === 'view') return readDefault(cursor, view, column);
  if (isAt(cursor, 'SET DEFAULT')) return fail(cursor, 'A column of a materialized view has no default.', at);
  expectWords(cursor, 'SET');
  if (take(cursor, 'STATISTICS')) return statisticsTargetAttachment(view, { of: 'column', name: column }, readInteger(cursor));
  if (take(cursor, 'STORAGE')) return storageAttachment(view, column, { storage: readWord(cursor, 'PLAIN, MAIN, EXTERNAL or EXTENDED').toUpperCase() });
  if (take(cursor, 'COMPRESSION')) return compressionAttachment(view, column, readWord(cursor, 'the name of a compression method'));
  expectMark(cursor, '(');
  const name = readOptionName(cursor);
  expectMark(cursor, '=');
  const option = columnOptionAttachment(view, column, { name, value: readOptionValue(cursor) });
  expectMark(cursor, ')');
  return option;
}

function readDefault(cursor: Cursor, view: ParsedCreate, column: string): Attachment {
  expectWords(cursor, 'SET DEFAULT');
  if (cursor.next === cursor.tokens.length) return failExpected(cursor, 'an expression');
  const expression = restText(cursor);
  cursor.next = cursor.tokens.length;
  return defaultAttachment(view, column, expression);
}

function readInteger(cursor: Cursor): number {
  const token = takeToken(cursor, 'a number');
  return /^\d+$/.test(token.text) ? Number(token.text) : fail(cursor, `${JSON.stringify(token.text)} is no whole number.`, token.start);
}

function readWord(cursor: Cursor, expected: string): string {
  const token = takeToken(cursor, expected);
  return token.kind === 'word' ? token.text.toLowerCase() : fail(cursor, `Expected ${expected}.`, token.start);
}

function readExtension(cursor: Cursor, view: ParsedCreate, on: Dependent): Attachment {
  return extensionAttachment(view, on, readName(cursor, 'the name of an extension'));
}

/** https://www.postgresql.org/docs/current/sql-alterindex.html */
function readIndexChange(cursor: Cursor, view: ParsedCreate): Attachment {
  const at = offsetOf(cursor);
  const index = readQualifiedName(cursor, 'The name of the index');
  requirePart(cursor, view, { part: 'index', name: index, at });
  if (take(cursor, 'SET TABLESPACE')) return indexTablespaceAttachment(index, readName(cursor, 'the name of a tablespace'));
  if (take(cursor, 'DEPENDS ON EXTENSION')) return readExtension(cursor, view, { on: 'index', ...index });
  if (!take(cursor, 'ALTER COLUMN') && !take(cursor, 'ALTER')) return failExpected(cursor, 'SET TABLESPACE, ALTER COLUMN or DEPENDS ON EXTENSION');
  const number = readInteger(cursor);
  expectWords(cursor, 'SET STATISTICS');
  return statisticsTargetAttachment(view, { of: 'index', index, number }, readInteger(cursor));
}

/** https://www.postgresql.org/docs/current/sql-alterstatistics.html */
function readStatisticsChange(cursor: Cursor, view: ParsedCreate): Attachment {
  const at = offsetOf(cursor);
  const statistics = readQualifiedName(cursor, 'The name of the statistics');
  requirePart(cursor, view, { part: 'statistics', name: statistics, at });
  if (take(cursor, 'OWNER TO')) return statisticsOwnerAttachment(statistics, readRole(cursor));
  if (!take(cursor, 'SET STATISTICS')) return failExpected(cursor, 'OWNER TO or SET STATISTICS');
  return statisticsTargetAttachment(view, { of: 'statistics', statistics }, readInteger(cursor));
}

/** https://www.postgresql.org/docs/current/sql-altertrigger.html */
function readTriggerChange(cursor: Cursor, view: ParsedCreate): Attachment {
  const name = readName(cursor, 'the name of a trigger');
  expectWords(cursor, 'ON');
  expectRelation(cursor, view);
  expectWords(cursor, 'DEPENDS ON EXTENSION');
  return readExtension(cursor, view, { on: 'trigger', name });
}

interface Part {
  readonly part: 'index' | 'statistics';
  readonly name: RelationName;
  readonly at: number;
}

/** Stops at an index or statistics that the file does not make: it may be another view's. Nothing is known of them while the file is read for the first time. */
export function requirePart(cursor: Cursor, view: ParsedCreate, { part, name, at }: Part): void {
  if (view.attachments.every(({ kind }) => inlineKinds.includes(kind))) return;
  const key = part === 'index' ? name.name : quoteRelation(name);
  const isOurs = part === 'statistics' || name.schema === view.name.schema;
  if (isOurs && view.attachments.some((attachment) => attachment.kind === part && attachment.key === key)) return;
  fail(cursor, `The ${part} ${relationKey(name)} is not made in this file.`, at);
}
