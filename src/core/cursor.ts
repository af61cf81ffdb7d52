import { ViewsyncError } from '../errors.ts';
import type { Statement } from './dialect.ts';
import type { Token } from './lexer.ts';

/** A place in a statement of a view file; the `take` and `expect` functions move it on. */
export interface Cursor {
  readonly statement: Statement;
  readonly tokens: readonly Token[];
  next: number;
}

/** A cursor at the start of a statement, or of some of its tokens. */
export function startAt(statement: Statement, tokens: readonly Token[] = statement.tokens): Cursor {
  return { statement, tokens, next: 0 };
}

/** The offset in the file of the token at the cursor, or of the end. */
export function offsetOf({ tokens, next, statement }: Cursor): number {
  return tokens[next]?.start ?? tokens.at(-1)?.end ?? statement.end;
}

/** Stops reading at an offset of the file, by default the cursor's. */
export function fail(cursor: Cursor, message: string, offset = offsetOf(cursor)): never {
  throw new ViewsyncError('FILE_UNREADABLE', { message, details: { offset } });
}

/** The text at the cursor, for messages. */
function found({ tokens, next }: Cursor): string {
  const token = tokens[next];
  return token === undefined ? 'the end of the statement' : JSON.stringify(token.text.slice(0, 40));
}

export function failExpected(cursor: Cursor, expected: string): never {
  return fail(cursor, `Expected ${expected}, but found ${found(cursor)}.`);
}

function isKeyword(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}

/** Whether these keywords follow. */
export function isAt({ tokens, next }: Cursor, words: string): boolean {
  return words.split(' ').every((word, index) => isKeyword(tokens[next + index], word));
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
  const token = cursor.tokens[cursor.next];
  if (token?.text !== mark || (token.kind !== 'punctuation' && token.kind !== 'operator')) return false;
  cursor.next += 1;
  return true;
}

export function expectMark(cursor: Cursor, mark: string): void {
  if (!takeMark(cursor, mark)) failExpected(cursor, `"${mark}"`);
}

export function expectEnd(cursor: Cursor): void {
  if (cursor.next < cursor.tokens.length) failExpected(cursor, 'the end of the statement');
}

/** Items separated by commas. */
export function readList<Item>(cursor: Cursor, read: (cursor: Cursor) => Item): readonly [Item, ...Item[]] {
  const items: [Item, ...Item[]] = [read(cursor)];
  while (takeMark(cursor, ',')) items.push(read(cursor));
  return items;
}

/** The token at the cursor; the cursor moves behind it. */
export function takeToken(cursor: Cursor, expected: string): Token {
  const token = cursor.tokens[cursor.next];
  if (token === undefined) return failExpected(cursor, expected);
  cursor.next += 1;
  return token;
}

/** The text between two tokens with the comments around them: from the one before the cursor to the end, or to the token numbered `to`. */
export function restText({ statement, tokens, next }: Cursor, to = tokens.length): string {
  const start = tokens[next - 1]?.end ?? statement.start;
  const end = tokens[to]?.start ?? tokens.at(-1)?.end ?? statement.end;
  return statement.text.slice(start - statement.start, end - statement.start).trim();
}
