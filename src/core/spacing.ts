import type { LexicalRules } from './lexer.ts';

const codeOf = (character: string) => character.charCodeAt(0);
const isBlank = (code: number) => code === 32 || (code >= 9 && code <= 13);
const [singleQuote, doubleQuote, openingBracket] = [codeOf("'"), codeOf('"'), codeOf('(')];
// Next to one of these no white space is needed to tell two tokens apart.
const dividers = new Set([...'(),;[]'].map(codeOf));

/** Whether the text holds what only the lexer understands: comments, and quotes that are closed by something else than themselves. */
function needsLexer(text: string, rules: LexicalRules): boolean {
  return /[\\$`]|\/\*/.test(text) || rules.lineComments.some((mark) => text.includes(mark));
}

function skipBlanks(text: string, at: number): number {
  let end = at;
  while (isBlank(text.charCodeAt(end))) end += 1;
  return end;
}

/** Whether it makes no difference if white space stands between the characters; NaN stands for either end of the text. */
function isFree(before: number, after: number): boolean {
  return dividers.has(before) || dividers.has(after) || Number.isNaN(before) || Number.isNaN(after);
}

/** Where both texts stand, the character before, and the quote that is open: its character, or 0. */
interface Walk {
  at: number;
  other: number;
  previous: number;
  quote: number;
}

/** Skips white space between tokens in both texts; false where it may matter, as between two quotes. */
function skipSpacing(walk: Walk, left: string, right: string): boolean {
  const { at, other, previous } = walk;
  walk.at = skipBlanks(left, at);
  walk.other = skipBlanks(right, other);
  const next = left.charCodeAt(walk.at);
  if (walk.at > at !== walk.other > other) return isFree(previous, next);
  return walk.at === at || previous !== next || (next !== singleQuote && next !== doubleQuote);
}

/** Takes the same character from both texts; false where they differ. */
function takeCharacter(walk: Walk, left: string, right: string): boolean {
  const code = left.charCodeAt(walk.at);
  if (code !== right.charCodeAt(walk.other)) return false;
  if (walk.quote === code) walk.quote = 0;
  else if (walk.quote === 0 && (code === singleQuote || code === doubleQuote)) walk.quote = code;
  takeRun(walk, left, right);
  return true;
}

/** Takes a character, and those behind it that are the same and neither white space nor quotes, which all come before the bracket. */
function takeRun(walk: Walk, left: string, right: string): void {
  let [at, other] = [walk.at + 1, walk.other + 1];
  for (let code = left.charCodeAt(at); code >= openingBracket && code === right.charCodeAt(other); code = left.charCodeAt(at)) {
    at += 1;
    other += 1;
  }
  walk.at = at;
  walk.other = other;
  walk.previous = left.charCodeAt(at - 1);
}

/**
 * Whether two texts have the same tokens because they differ in nothing but white space between them; a quick look in front of the lexer's
 * full one, which still has to be asked when this says no.
 */
export function differInSpacingAlone(left: string, right: string, rules: LexicalRules): boolean {
  if (rules.tripleQuotedStrings || needsLexer(left, rules) || needsLexer(right, rules)) return false;
  const walk: Walk = { at: 0, other: 0, previous: Number.NaN, quote: 0 };
  while (walk.quote !== 0 || skipSpacing(walk, left, right)) {
    if (walk.at >= left.length || walk.other >= right.length) return walk.quote === 0 && walk.at >= left.length && walk.other >= right.length;
    if (!takeCharacter(walk, left, right)) return false;
  }
  return false;
}
