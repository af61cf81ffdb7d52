import { createHash } from 'node:crypto';
import type { Dialect } from './dialect.ts';
import { readTokens, type Token } from './lexer.ts';
import { differInSpacingAlone } from './spacing.ts';

/** What of a dialect decides whether two texts have the same tokens. */
export type Comparison = Pick<Dialect, 'lexicalRules' | 'keepsComments' | 'folds'>;

/** The text of a word as names and keywords are compared; only ASCII letters fold. */
export function foldWord(text: string, folds: Dialect['folds']): string {
  if (folds === 'lower') return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  if (folds === 'upper') return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
  return text;
}

function normalText(token: Token, folds: Dialect['folds']): string {
  if (token.kind === 'word' || token.kind === 'number') return foldWord(token.text, folds);
  return token.text;
}

/** Whether a newline stands between two string literals, which makes them one literal. */
export function joinsPrevious(sql: string, token: Token | undefined, previous: Token | undefined): boolean {
  return token?.kind === 'string' && previous?.kind === 'string' && /[\r\n]/.test(sql.slice(previous.end, token.start));
}

/**
 * Returns the normal form of SQL text, one text per token: two texts have the same tokens when their normal forms are equal. White space
 * never counts, comments only where the warehouse keeps them, the case of unquoted words only where it does not fold them; a newline that
 * joins two literals counts.
 */
export function normalizeTokens(sql: string, dialect: Comparison): string[] {
  const { lexicalRules, keepsComments, folds } = dialect;
  const all = readTokens(sql, lexicalRules);
  const counted = keepsComments ? all : all.filter((token) => token.kind !== 'comment');
  return counted.map((token, index) => {
    const joins = lexicalRules.joinsAdjacentStrings && joinsPrevious(sql, token, counted[index - 1]);
    return joins ? `\n${token.text}` : normalText(token, folds);
  });
}

/** Whether two texts have the same tokens. */
export function sameTokens(left: string, right: string, dialect: Comparison): boolean {
  if (left === right || differInSpacingAlone(left, right, dialect.lexicalRules)) return true;
  const [leftTokens, rightTokens] = [normalizeTokens(left, dialect), normalizeTokens(right, dialect)];
  return leftTokens.length === rightTokens.length && leftTokens.every((text, index) => text === rightTokens[index]);
}

/** SHA-256 of the normal form in hex: equal exactly for texts with the same tokens. */
export function fingerprint(sql: string, dialect: Comparison): string {
  return createHash('sha256')
    .update(JSON.stringify(normalizeTokens(sql, dialect)))
    .digest('hex');
}
