import { type Cursor, expectEnd, expectMark, expectWords, fail, isAt, offsetOf, startAt, take, takeMark } from '../../core/cursor.ts';
import type { ParsedCreate, Statement } from '../../core/dialect.ts';
import type { Attachment } from '../../core/view.ts';
import { expectRelation, readName, readQualifiedName } from '../postgres-family/grammar.ts';
import { readText } from '../postgres-family/string-constants.ts';
import { type Commented, commentAttachment } from './attachments.ts';
import { type Labelled, labelAttachment } from './label-attachments.ts';
import { requirePart } from './parse-alter.ts';

export function parseComment(statement: Statement, view: ParsedCreate): readonly Attachment[] {
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
  if (take(cursor, 'COLUMN')) return readColumn(cursor, view);
  if (take(cursor, 'INDEX')) return readCommentedIndex(cursor, view);
  if (take(cursor, 'STATISTICS')) return readCommentedStatistics(cursor, view);
  if (take(cursor, 'TYPE')) return readCommentedType(cursor, view);
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

function readColumn(cursor: Cursor, view: ParsedCreate): Labelled & Commented {
  expectRelation(cursor, view);
  expectMark(cursor, '.');
  return { on: 'column', name: readName(cursor, 'the name of a column') };
}

function readCommentedIndex(cursor: Cursor, view: ParsedCreate): Commented {
  const at = offsetOf(cursor);
  const { schema, name } = readQualifiedName(cursor, 'The name of the index');
  if (schema !== view.name.schema) return fail(cursor, `The indexes of a materialized view are in its schema, ${view.name.schema}.`, at);
  requirePart(cursor, view, { part: 'index', name: { schema, name }, at });
  return { on: 'index', schema, name };
}

function readCommentedStatistics(cursor: Cursor, view: ParsedCreate): Commented {
  const at = offsetOf(cursor);
  const name = readQualifiedName(cursor, 'The name of the statistics');
  requirePart(cursor, view, { part: 'statistics', name, at });
  return { on: 'statistics', ...name };
}

/** A view's row type has the view's name. */
function readCommentedType(cursor: Cursor, view: ParsedCreate): Commented {
  expectRelation(cursor, view);
  if (!takeMark(cursor, '[')) return { on: 'type' };
  expectMark(cursor, ']');
  return { on: 'array type' };
}

/** https://www.postgresql.org/docs/current/sql-security-label.html */
export function parseLabel(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  const cursor = startAt(statement);
  expectWords(cursor, 'SECURITY LABEL FOR');
  const provider = readName(cursor, 'the name of a provider');
  expectWords(cursor, 'ON');
  const on = readLabelled(cursor, view);
  expectWords(cursor, 'IS');
  if (isAt(cursor, 'NULL')) return fail(cursor, 'A file says what there is: leave a label that is NULL out.');
  const label = readText(cursor);
  expectEnd(cursor);
  return [labelAttachment(view, on, { provider, label })];
}

function readLabelled(cursor: Cursor, view: ParsedCreate): Labelled {
  if (take(cursor, 'COLUMN')) return readColumn(cursor, view);
  const isType = take(cursor, 'TYPE');
  if (!isType) expectWords(cursor, view.kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW');
  expectRelation(cursor, view);
  return { on: isType ? 'type' : 'relation' };
}
