import { type Cursor, expectMark, fail, failExpected, offsetOf, takeMark, takeToken } from '../../core/cursor.ts';
import { nameOf } from '../../core/name-tokens.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { quoteIdentifier, type Relation } from './names.ts';
import { readConstant } from './string-constants.ts';

/** A name, folded as Snowflake folds it. */
export function readName(cursor: Cursor, expected: string): string {
  const token = cursor.tokens[cursor.next];
  if (token?.kind !== 'word' && token?.kind !== 'quoted identifier') return failExpected(cursor, expected);
  cursor.next += 1;
  return nameOf(token, 'upper');
}

/** The parts of a dotted name. */
export function readNames(cursor: Cursor, expected: string): readonly string[] {
  const names = [readName(cursor, expected)];
  while (takeMark(cursor, '.')) names.push(readName(cursor, expected));
  return names;
}

/** The name of a view with database and schema. */
export function readRelation(cursor: Cursor): RelationName {
  const at = offsetOf(cursor);
  const names = readNames(cursor, 'the name of the view');
  const [catalog = '', schema = '', name = ''] = names;
  return names.length === 3 ? { catalog, schema, name } : fail(cursor, 'The name of the view needs its database and schema: DATABASE.SCHEMA.NAME.', at);
}

/** Reads the name of the file's own view; any other one is an error. */
export function expectRelation(cursor: Cursor, relation: Pick<Relation, 'name'>): void {
  const at = offsetOf(cursor);
  const name = readRelation(cursor);
  if (relationKey(name) === relationKey(relation.name)) return;
  fail(cursor, `This is about ${relationKey(name)}, but the file is about ${relationKey(relation.name)}. A view file holds one view.`, at);
}

/** A policy's, tag's or contact's name in full and in quotes; what it lacks is the view's. */
export function readObject(cursor: Cursor, { name: { catalog = '', schema } }: Pick<Relation, 'name'>, expected: string): string {
  const names = readNames(cursor, expected);
  return [catalog, schema]
    .slice(0, Math.max(0, 3 - names.length))
    .concat(names)
    .map(quoteIdentifier)
    .join('.');
}

/** A string constant. */
export function readText(cursor: Cursor): string {
  const token = takeToken(cursor, "a text: '...'");
  return readConstant(token.text) ?? fail(cursor, `${JSON.stringify(token.text)} is no text: write '...'.`, token.start);
}

/** `"A", "B"` out of a list of columns in parentheses. */
export function readColumnNames(cursor: Cursor): string {
  expectMark(cursor, '(');
  const names = [readName(cursor, 'the name of a column')];
  while (takeMark(cursor, ',')) names.push(readName(cursor, 'the name of a column'));
  expectMark(cursor, ')');
  return names.map(quoteIdentifier).join(', ');
}

/** The text inside of parentheses, as it stands there; the cursor moves behind them. */
export function readParenthesized(cursor: Cursor): string {
  const start = cursor.tokens[cursor.next]?.end ?? 0;
  expectMark(cursor, '(');
  for (let depth = 1; ; cursor.next += 1) {
    const token = cursor.tokens[cursor.next];
    if (token === undefined) return failExpected(cursor, '")"');
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth > 0) continue;
    cursor.next += 1;
    return cursor.statement.text.slice(start - cursor.statement.start, token.start - cursor.statement.start).trim();
  }
}

/** What `read` makes of each entry of a list in parentheses. */
export function readEntries<Item>(cursor: Cursor, read: (cursor: Cursor) => Item): Item[] {
  expectMark(cursor, '(');
  const items = [read(cursor)];
  while (takeMark(cursor, ',')) items.push(read(cursor));
  expectMark(cursor, ')');
  return items;
}

/** `tag = 'value'`. */
export function readTag(cursor: Cursor, relation: Pick<Relation, 'name'>): { readonly tag: string; readonly value: string } {
  const tag = readObject(cursor, relation, 'the name of a tag');
  expectMark(cursor, '=');
  return { tag, value: readText(cursor) };
}
