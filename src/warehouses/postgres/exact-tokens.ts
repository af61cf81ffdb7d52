import { type Cursor, failExpected } from '../../core/cursor.ts';
import { type Token, tokenize } from '../../core/lexer.ts';
import { lexicalRules } from './lexical-rules.ts';

/** Passes exactly these tokens if they follow; the case of words that are not quoted does not count. */
export function takeTokens(cursor: Cursor, sql: string): boolean {
  const wanted = tokenize(sql, lexicalRules);
  const isSame = (token: Token, index: number) => {
    const given = cursor.tokens[cursor.next + index];
    return given !== undefined && (given.kind === 'word' ? given.text.toLowerCase() === token.text.toLowerCase() : given.text === token.text);
  };
  if (!wanted.every(isSame)) return false;
  cursor.next += wanted.length;
  return true;
}

export function expectTokens(cursor: Cursor, sql: string): void {
  if (!takeTokens(cursor, sql)) failExpected(cursor, sql);
}
