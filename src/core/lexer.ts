import { ViewsyncError } from '../errors.ts';
import { readComment, readDollarQuote, readQuoted } from './lexer-quotes.ts';
import { readNumber, readOperator, readParameter, readWord } from './lexer-words.ts';

/** The lexical rules in which the dialects differ. */
export interface LexicalRules {
  /** Characters that open a quoted identifier, each closed by itself and doubled inside. */
  readonly identifierQuotes: readonly string[];
  /** Whether quoted identifiers take backslash escapes (BigQuery). */
  readonly backslashInIdentifiers: boolean;
  /** Whether `'…'` takes backslash escapes without a prefix. */
  readonly backslashInStrings: boolean;
  /** What makes a string of another kind when it stands right before a quote, in lower case, longest first: `u&`, `e`, `b`, `x`, `n`, `r`. */
  readonly stringPrefixes: readonly string[];
  /** The same for quoted identifiers: `u&`. */
  readonly identifierPrefixes: readonly string[];
  /** Prefixes whose strings take backslash escapes, in lower case. */
  readonly backslashPrefixes: readonly string[];
  /** `tagged`: `$tag$…$tag$`; `plain`: `$$…$$` only. */
  readonly dollarQuotes: 'tagged' | 'plain' | 'none';
  /** Texts that start a comment up to the end of the line. */
  readonly lineComments: readonly string[];
  readonly nestedBlockComments: boolean;
  /** Whether `"…"` is a string and not an identifier (BigQuery). */
  readonly doubleQuotedStrings: boolean;
  /** Whether `'''…'''` and `"""…"""` exist. */
  readonly tripleQuotedStrings: boolean;
  /** Whether a newline between two string literals joins them to one, and must therefore stay (SQL standard; PostgreSQL). */
  readonly joinsAdjacentStrings: boolean;
  /** Operators are the longest run of these characters (PostgreSQL); an empty text: only `operators` are known. */
  readonly operatorCharacters: string;
  /** Operators of several characters that the warehouse knows, longest first; with `operatorCharacters` only the ones that start otherwise, such as `::`. */
  readonly operators: readonly string[];
  /** Characters beyond letters, digits, `_` that may stand in an unquoted word after its first character, such as `$`. */
  readonly wordCharacters: string;
}

export type TokenKind = 'word' | 'quoted identifier' | 'string' | 'number' | 'operator' | 'punctuation' | 'parameter' | 'comment';

/** A piece of SQL between `start` (inclusive) and `end` (exclusive), offsets in UTF-16 units. White space makes no token. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** What a reader sees: the text, the rules, and the tokens before it, to which it adds its own. */
export interface Reading {
  readonly sql: string;
  readonly rules: LexicalRules;
  readonly tokens: Token[];
  /** Where the last string with backslash escapes ended, since a string that continues it takes them too; -1 at first. */
  backslashesTo: number;
}

/** Adds the tokens of one sort that start at `at` and returns where they end; undefined when none starts there. */
export type Reader = (reading: Reading, at: number) => number | undefined;

const readers: readonly Reader[] = [readComment, readQuoted, readDollarQuote, readParameter, readNumber, readWord, readOperator];

const blank = /[ \t\n\r\f\v]*/y;

function skipBlanks(sql: string, at: number): number {
  blank.lastIndex = at;
  blank.test(sql);
  return blank.lastIndex;
}

function readAny(reading: Reading, at: number): number {
  for (const reader of readers) {
    const end = reader(reading, at);
    if (end !== undefined) return end;
  }
  throw new ViewsyncError('INTERNAL', { message: `No token can be read at character ${at}.`, details: { offset: at } });
}

/** Adds a token to what has been read and returns its end. */
export function addToken(reading: Reading, kind: TokenKind, range: readonly [start: number, end: number]): number {
  const [start, end] = range;
  reading.tokens.push({ kind, text: reading.sql.slice(start, end), start, end });
  return end;
}

/**
 * Returns the tokens of SQL text in order, comments among them; what stands between two tokens is white space. Takes time in proportion to
 * the length of the text. Throws `FILE_UNREADABLE` with `details.offset` for a quote or comment that is never closed.
 */
export function tokenize(sql: string, rules: LexicalRules): Token[] {
  const reading: Reading = { sql, rules, tokens: [], backslashesTo: -1 };
  let at = skipBlanks(sql, 0);
  while (at < sql.length) at = skipBlanks(sql, readAny(reading, at));
  return reading.tokens;
}

/** The same of a text that perhaps nobody can read to its end: a quote or comment that is never closed is one token up to there. */
export function readTokens(sql: string, rules: LexicalRules): Token[] {
  try {
    return tokenize(sql, rules);
  } catch (error) {
    const at = error instanceof ViewsyncError ? error.details['offset'] : undefined;
    if (typeof at !== 'number') throw error;
    return [...tokenize(sql.slice(0, at), rules), { kind: 'string', text: sql.slice(at), start: at, end: sql.length }];
  }
}
