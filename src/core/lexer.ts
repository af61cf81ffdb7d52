/** The lexical rules in which the dialects differ. */
export interface LexicalRules {
  /** Characters that open a quoted identifier, each closed by itself and doubled inside. */
  readonly identifierQuotes: readonly string[];
  /** Whether `'…'` takes backslash escapes without a prefix. */
  readonly backslashInStrings: boolean;
  /** Whether a letter before a quote makes a string of another kind: `E'…'`, `B'…'`, `X'…'`, `N'…'`, `U&'…'`, `r"…"`. */
  readonly stringPrefixes: readonly string[];
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
  /** Operators of several characters that the warehouse knows, longest first. */
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
