import type { Statement } from '../../core/dialect.ts';
import type { Token } from '../../core/lexer.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import { readString } from './literals.ts';
import { splitName } from './names.ts';

/** A place in a statement; the `take` and `expect` functions move it on. */
export interface Cursor {
  readonly statement: Statement;
  next: number;
}

export function startAt(statement: Statement): Cursor {
  return { statement, next: 0 };
}

/** The offset of the token at the cursor, or of the end. */
export function offsetOf({ statement, next }: Cursor): number {
  return statement.tokens[next]?.start ?? statement.end;
}

/** Stops reading at an offset, by default the cursor's. */
export function fail(cursor: Cursor, message: string, offset = offsetOf(cursor)): never {
  throw new ViewsyncError('FILE_UNREADABLE', { message, details: { offset } });
}

export function failExpected(cursor: Cursor, expected: string): never {
  const token = cursor.statement.tokens[cursor.next];
  const found = token === undefined ? 'the end of the statement' : JSON.stringify(token.text.slice(0, 40));
  return fail(cursor, `Expected ${expected}, but found ${found}.`);
}

function isKeyword(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}

/** Whether these keywords follow. */
export function isAt({ statement, next }: Cursor, words: string): boolean {
  return words.split(' ').every((word, index) => isKeyword(statement.tokens[next + index], word));
}

/** Passes keywords if they follow. */
export function take(cursor: Cursor, words: string): boolean {
  if (!isAt(cursor, words)) return false;
  cursor.next += words.split(' ').length;
  return true;
}

export function expectWords(cursor: Cursor, words: string): void {
  if (!take(cursor, words)) failExpected(cursor, words);
}

/** Passes a punctuation mark or an operator if it follows. */
export function takeMark(cursor: Cursor, mark: string): boolean {
  const token = cursor.statement.tokens[cursor.next];
  if (token?.text !== mark || (token.kind !== 'punctuation' && token.kind !== 'operator')) return false;
  cursor.next += 1;
  return true;
}

export function expectMark(cursor: Cursor, mark: string): void {
  if (!takeMark(cursor, mark)) failExpected(cursor, `"${mark}"`);
}

export function expectEnd(cursor: Cursor): void {
  if (cursor.next < cursor.statement.tokens.length) failExpected(cursor, 'the end of the statement');
}

/** Items separated by commas. */
export function readList<Item>(cursor: Cursor, read: (cursor: Cursor) => Item): readonly Item[] {
  const items = [read(cursor)];
  while (takeMark(cursor, ',')) items.push(read(cursor));
  return items;
}

function unquote(text: string): string {
  return text.startsWith('`') ? (readString(`"""${text.slice(1, -1)}"""`) ?? text) : text;
}

/** A name of one part, unquoted. */
export function readName(cursor: Cursor, expected: string): string {
  const token = cursor.statement.tokens[cursor.next];
  if (token?.kind !== 'word' && token?.kind !== 'quoted identifier') return failExpected(cursor, expected);
  cursor.next += 1;
  return unquote(token.text);
}

/** Parts of an unquoted project may be joined by dashes. https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#table_names */
function readDashed(cursor: Cursor, expected: string): string {
  let name = readName(cursor, expected);
  while (takeMark(cursor, '-')) {
    const token = cursor.statement.tokens[cursor.next];
    if (token?.kind !== 'word' && token?.kind !== 'number') return failExpected(cursor, expected);
    cursor.next += 1;
    name = `${name}-${token.text}`;
  }
  return name;
}

/** A relation's name with project and dataset, in any of the ways to quote it: `` `p.d.v` ``, `` `p`.d.v ``, `` my-p.d.v ``. */
export function readRelation(cursor: Cursor): RelationName {
  const at = offsetOf(cursor);
  const parts = [readDashed(cursor, 'the name of the view')];
  while (takeMark(cursor, '.')) parts.push(readDashed(cursor, 'a part of the name of the view'));
  const name = splitName(parts.join('.'));
  return name ?? fail(cursor, 'The name of a view has three parts in a file: project.dataset.view.', at);
}

/** Reads the name of the file's own view; any other one is an error. */
export function expectRelation(cursor: Cursor, relation: { readonly name: RelationName }): void {
  const at = offsetOf(cursor);
  const name = readRelation(cursor);
  if (relationKey(name) === relationKey(relation.name)) return;
  fail(cursor, `This is about ${relationKey(name)}, but the file is about ${relationKey(relation.name)}. A view file holds one view.`, at);
}

/** The value of a string literal. */
export function readText(cursor: Cursor): string {
  const token = cursor.statement.tokens[cursor.next];
  const text = token?.kind === 'string' ? readString(token.text) : undefined;
  if (text === undefined) return failExpected(cursor, "a text: '...'");
  cursor.next += 1;
  return text;
}

function depthChange({ text }: Token): number {
  if (text === '(' || text === '[') return 1;
  return text === ')' || text === ']' ? -1 : 0;
}

/** The tokens up to a comma or a closing parenthesis that belongs to what stands outside, or to one of the keywords. */
export function takeExpression(cursor: Cursor, ends: readonly string[] = []): readonly Token[] {
  const from = cursor.next;
  const { tokens } = cursor.statement;
  for (let depth = 0; cursor.next < tokens.length; cursor.next++) {
    const token = tokens[cursor.next] as Token;
    if (depth === 0 && (token.text === ',' || token.text === ')' || ends.some((word) => isKeyword(token, word)))) break;
    depth += depthChange(token);
  }
  return tokens.slice(from, cursor.next);
}
