import { ViewsyncError } from '../errors.ts';
import { addToken, type Reading } from './lexer.ts';

function failUnclosed(what: string, offset: number): never {
  throw new ViewsyncError('FILE_UNREADABLE', { message: `The ${what} that starts here is never closed.`, details: { offset } });
}

// A carriage return alone ends a line too: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/parser/scan.l
function lineCommentEnd(sql: string, at: number): number {
  const lineEnd = /[\r\n]|$/g;
  lineEnd.lastIndex = at;
  return lineEnd.exec(sql)?.index ?? sql.length;
}

function nestedCommentEnd(sql: string, at: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = at;
  let depth = 0;
  for (let match = mark.exec(sql); match !== null; match = mark.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return failUnclosed('comment', at);
}

function flatCommentEnd(sql: string, at: number): number {
  const close = sql.indexOf('*/', at + 2);
  return close === -1 ? failUnclosed('comment', at) : close + 2;
}

/** Reads a comment to the end of the line or between slash-star marks. */
export function readComment(reading: Reading, at: number): number | undefined {
  const { sql, rules } = reading;
  if (rules.lineComments.some((mark) => sql.startsWith(mark, at))) return addToken(reading, 'comment', [at, lineCommentEnd(sql, at)]);
  if (!sql.startsWith('/*', at)) return undefined;
  const end = rules.nestedBlockComments ? nestedCommentEnd(sql, at) : flatCommentEnd(sql, at);
  return addToken(reading, 'comment', [at, end]);
}

interface Quote {
  readonly kind: 'string' | 'quoted identifier';
  /** What closes it: one quote character, or three. */
  readonly mark: string;
  readonly hasBackslash: boolean;
  /** Where the mark opens, behind a prefix. */
  readonly opens: number;
}

/** The end of a quote whose mark is doubled inside, or escaped with a backslash. */
function quoteEnd(sql: string, quote: Quote): number | undefined {
  const stop = quote.hasBackslash ? new RegExp(`\\\\|${quote.mark}`, 'g') : new RegExp(quote.mark, 'g');
  stop.lastIndex = quote.opens + quote.mark.length;
  for (let match = stop.exec(sql); match !== null; match = stop.exec(sql)) {
    if (match[0] === '\\') stop.lastIndex += 1;
    else if (quote.mark.length === 1 && sql[stop.lastIndex] === quote.mark) stop.lastIndex += 1;
    else return stop.lastIndex;
  }
  return undefined;
}

function isQuote(character: string | undefined): boolean {
  return character === "'" || character === '"' || character === '`';
}

/** Whether a quote opens here or behind a prefix of one or two letters: a quick look, since most tokens are something else. */
function mayOpen(sql: string, at: number): boolean {
  return isQuote(sql[at]) || isQuote(sql[at + 1]) || isQuote(sql[at + 2]);
}

function prefixAt(sql: string, at: number, prefixes: readonly string[]): string {
  return prefixes.find((prefix) => isQuote(sql[at + prefix.length]) && sql.slice(at, at + prefix.length).toLowerCase() === prefix) ?? '';
}

function identifierAt({ sql, rules }: Reading, at: number): Quote | undefined {
  const opens = at + prefixAt(sql, at, rules.identifierPrefixes).length;
  const mark = sql[opens];
  if (mark === undefined || !rules.identifierQuotes.includes(mark)) return undefined;
  return { kind: 'quoted identifier', mark, hasBackslash: rules.backslashInIdentifiers, opens };
}

/**
 * Whether a string continues one that takes backslash escapes: only blanks with a newline and line comments stand between them.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
 */
function continuesBackslashes({ sql, rules, tokens, backslashesTo }: Reading, at: number): boolean {
  if (!rules.joinsAdjacentStrings || backslashesTo === -1) return false;
  const previous = tokens.findLast((token) => token.kind !== 'comment' || token.text.startsWith('/*'));
  return previous?.end === backslashesTo && /[\r\n]/.test(sql.slice(backslashesTo, at));
}

function stringMark({ sql, rules }: Reading, opens: number): string | undefined {
  const mark = sql[opens];
  if (mark !== "'" && !(mark === '"' && rules.doubleQuotedStrings)) return undefined;
  return rules.tripleQuotedStrings && sql.startsWith(mark.repeat(3), opens) ? mark.repeat(3) : mark;
}

function stringAt(reading: Reading, at: number): Quote | undefined {
  const { sql, rules } = reading;
  const prefix = prefixAt(sql, at, rules.stringPrefixes);
  const opens = at + prefix.length;
  const mark = stringMark(reading, opens);
  if (mark === undefined) return undefined;
  const isEscaped = rules.backslashInStrings || rules.backslashPrefixes.includes(prefix);
  const hasBackslash = isEscaped || (prefix === '' && continuesBackslashes(reading, at));
  return { kind: 'string', mark, hasBackslash, opens };
}

/** Reads a string literal or a quoted identifier, with its prefix. */
export function readQuoted(reading: Reading, at: number): number | undefined {
  if (!mayOpen(reading.sql, at)) return undefined;
  const quote = identifierAt(reading, at) ?? stringAt(reading, at);
  if (quote === undefined) return undefined;
  const end = quoteEnd(reading.sql, quote) ?? failUnclosed(quote.kind, at);
  if (quote.hasBackslash && quote.kind === 'string') reading.backslashesTo = end;
  return addToken(reading, quote.kind, [at, end]);
}

const dollarTags = { tagged: /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y, plain: /\$\$/y };

/** Reads `$$...$$` and, where tags exist, `$tag$...$tag$`. */
export function readDollarQuote(reading: Reading, at: number): number | undefined {
  const { sql, rules } = reading;
  if (sql[at] !== '$' || rules.dollarQuotes === 'none') return undefined;
  const pattern = dollarTags[rules.dollarQuotes];
  pattern.lastIndex = at;
  const tag = pattern.exec(sql)?.[0];
  if (tag === undefined) return undefined;
  const close = sql.indexOf(tag, at + tag.length);
  if (close === -1) return failUnclosed('dollar-quoted string', at);
  return addToken(reading, 'string', [at, close + tag.length]);
}
