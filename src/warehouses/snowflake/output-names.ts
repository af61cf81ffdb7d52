import { readTokens, type Token } from '../../core/lexer.ts';
import { nameOf, nameParts } from '../../core/name-tokens.ts';
import { lexicalRules } from './lexical-rules.ts';

const ends: ReadonlySet<string> = new Set(['FROM', 'WHERE', 'UNION', 'INTERSECT', 'EXCEPT', 'MINUS', 'ORDER', 'LIMIT', 'QUALIFY', 'GROUP', 'HAVING']);

const quantifiers: ReadonlySet<string> = new Set(['DISTINCT', 'ALL']);

function isWord(token: Token | undefined, words: ReadonlySet<string>): boolean {
  return token?.kind === 'word' && words.has(token.text.toUpperCase());
}

/** The tokens outside of all parentheses, a pair of these standing for what they hold. */
function outside(tokens: readonly Token[]): readonly Token[] {
  let depth = 0;
  return tokens.filter(({ text }) => {
    if (text === ')') depth -= 1;
    const isOutside = depth === 0;
    if (text === '(') depth += 1;
    return isOutside;
  });
}

/** The items of the first SELECT list, which name the columns also of a UNION. */
function firstItems(tokens: readonly Token[]): readonly Token[][] | undefined {
  const select = tokens.findIndex((token) => isWord(token, new Set(['SELECT'])));
  if (select === -1) return undefined;
  const start = isWord(tokens[select + 1], quantifiers) ? select + 2 : select + 1;
  const items: Token[][] = [[]];
  for (const token of tokens.slice(start)) {
    if (isWord(token, ends)) break;
    if (token.text === ',') items.push([]);
    else items.at(-1)?.push(token);
  }
  return items;
}

/** The name of one item, where the text alone says it: `expression AS name`, `a.b.name`. */
function nameOfItem(item: readonly Token[]): string | undefined {
  const [last, before] = [item.at(-1), item.at(-2)];
  const isName = last?.kind === 'word' || last?.kind === 'quoted identifier';
  if (!last || !isName) return undefined;
  if (isWord(before, new Set(['AS']))) return nameOf(last, 'upper');
  const chain = nameParts(item, 0, { folds: 'upper' });
  return chain?.next === item.length ? chain.parts.at(-1) : undefined;
}

/** The names of a query's columns; undefined where the text alone does not say each of them, as with `*`. */
export function outputNames(definition: string): readonly string[] | undefined {
  const tokens = readTokens(definition, lexicalRules).filter(({ kind }) => kind !== 'comment');
  const names = firstItems(outside(tokens))?.map(nameOfItem);
  return names?.every((name) => name !== undefined) ? names : undefined;
}
