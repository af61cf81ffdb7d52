import type { Dialect } from './dialect.ts';
import { formatQuery } from './formatting.ts';
import { readTokens, type Token } from './lexer.ts';
import { differInSpacingAlone } from './spacing.ts';
import { joinsPrevious } from './tokens.ts';

/** What of a dialect formatting needs. */
export type FormatDialect = Pick<Dialect, 'lexicalRules' | 'formatterLanguage'>;

// Deeper brackets take the formatter time in proportion to the square of their depth.
const deepest = 200;

function depthOf(tokens: readonly Token[]): number {
  let [depth, deepestSoFar] = [0, 0];
  for (const { text } of tokens) {
    if (text === '(') depth += 1;
    if (text === ')') depth -= 1;
    deepestSoFar = Math.max(deepestSoFar, depth);
  }
  return deepestSoFar;
}

/** Whether both texts have the same tokens, comments among them, byte for byte, and join the same literals. */
function isUnchanged(before: string, after: string, dialect: FormatDialect): boolean {
  if (differInSpacingAlone(before, after, dialect.lexicalRules)) return true;
  const [left, right] = [readTokens(before, dialect.lexicalRules), readTokens(after, dialect.lexicalRules)];
  const isSame = (token: Token, index: number) =>
    token.text === right[index]?.text && joinsPrevious(before, token, left[index - 1]) === joinsPrevious(after, right[index], right[index - 1]);
  return left.length === right.length && left.every(isSame);
}

/**
 * Returns the text of a query in the form in which files hold it: new white space, the same tokens and comments. Text that the formatter
 * cannot read, or would change, comes back as it is. Formatting twice is formatting once.
 */
export async function formatDefinition(sql: string, dialect: FormatDialect): Promise<string> {
  const original = sql.trim();
  const tokens = readTokens(original, dialect.lexicalRules);
  if (tokens.length === 0 || depthOf(tokens) > deepest) return original;
  const operators = tokens.filter(({ kind, text }) => kind === 'operator' && text.length > 1).map(({ text }) => text);
  const formatted = (await formatQuery(original, dialect.formatterLanguage, operators))?.trim();
  return formatted !== undefined && isUnchanged(original, formatted, dialect) ? formatted : original;
}
