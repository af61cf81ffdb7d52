import type { Statement, StatementRun } from './dialect.ts';
import { type LexicalRules, type Token, tokenize } from './lexer.ts';

/** How deep a token stands inside parentheses and `BEGIN ATOMIC ... END` bodies. */
interface Nesting {
  readonly parentheses: number;
  readonly blocks: number;
}

const outside: Nesting = { parentheses: 0, blocks: 0 };

function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text.toUpperCase() === word;
}

/** How a word changes the depth of blocks; `CASE ... END` counts inside of one only, where its END must not be taken for the block's. */
function blockChange(token: Token, previous: Token | undefined, blocks: number): number {
  if (isWord(token, 'ATOMIC') && isWord(previous, 'BEGIN')) return 1;
  if (blocks === 0) return 0;
  if (isWord(token, 'CASE')) return 1;
  return isWord(token, 'END') ? -1 : 0;
}

function nest(nesting: Nesting, token: Token, previous: Token | undefined): Nesting {
  if (token.text === '(') return { ...nesting, parentheses: nesting.parentheses + 1 };
  if (token.text === ')') return { ...nesting, parentheses: Math.max(0, nesting.parentheses - 1) };
  const change = blockChange(token, previous, nesting.blocks);
  return change === 0 ? nesting : { ...nesting, blocks: nesting.blocks + change };
}

function makeStatement(text: string, tokens: readonly Token[], semicolon?: Token): Statement[] {
  const [first, last] = [tokens[0], tokens.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { start } = first;
  const tail = text.slice(last.end, semicolon?.start ?? last.end);
  return [{ text: text.slice(start, last.end), tokens, start, end: last.end, stop: semicolon?.end ?? last.end, tail }];
}

function isWords(tokens: readonly (Token | undefined)[], words: string): boolean {
  const all = words.split(' ');
  return all.length === tokens.length && all.every((word, index) => isWord(tokens[index], word));
}

/** Whether the tokens are those of a run whose last statement has not been read. */
function isOpenRun(tokens: readonly Token[], runs: readonly StatementRun[]): boolean {
  const run = runs.find(({ opens }) => isWords(tokens.slice(0, opens.split(' ').length), opens));
  if (run === undefined) return false;
  const count = run.closes.split(' ').length;
  return tokens.at(-count - 1)?.text !== ';' || !isWords(tokens.slice(-count), run.closes);
}

/**
 * Returns the statements of a text in order. Semicolons inside parentheses, such as those of a rule's actions, inside of `BEGIN ATOMIC ...
 * END` and inside a run do not end one; empty statements are left out. Throws `FILE_UNREADABLE` with `details.offset` for an unclosed quote
 * or comment.
 */
export function splitStatements(text: string, rules: LexicalRules, runs: readonly StatementRun[] = []): Statement[] {
  const statements: Statement[] = [];
  let tokens: Token[] = [];
  let nesting = outside;
  for (const token of tokenize(text, rules)) {
    if (token.kind === 'comment') continue;
    nesting = nest(nesting, token, tokens.at(-1));
    const isInside = token.text !== ';' || nesting.parentheses > 0 || nesting.blocks > 0 || isOpenRun(tokens, runs);
    if (isInside) tokens.push(token);
    else {
      statements.push(...makeStatement(text, tokens, token));
      tokens = [];
    }
  }
  return [...statements, ...makeStatement(text, tokens)];
}

/** The reserved lines between two offsets, each as a statement of its own. */
function linesBetween(text: string, from: number, to: number): Statement[] {
  return [...text.slice(from, to).matchAll(/^([ \t]*)(-- viewsync:.*)$/gm)].map(({ index, 1: margin = '', 2: line = '' }) => {
    const start = from + index + margin.length;
    const found = { text: line.trimEnd(), start, end: start + line.trimEnd().length };
    return { ...found, tokens: [{ kind: 'comment', ...found }], stop: found.end, tail: '' };
  });
}

/** The statements of a text, and the reserved lines before, between and behind them, each as one more. */
export function addReservedLines(text: string, statements: readonly Statement[]): Statement[] {
  const before = linesBetween(text, 0, statements[0]?.start ?? text.length);
  const others = statements.flatMap((statement, index) => [statement, ...linesBetween(text, statement.stop, statements[index + 1]?.start ?? text.length)]);
  return [...before, ...others];
}

/** A place in a text for people: line and column count from 1, columns in characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Returns the line and column of an offset. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 };
}
