import type { LexicalRules } from '../../core/lexer.ts';

/**
 * How Redshift reads characters: as PostgreSQL 8.0 did, so a backslash escapes in every string.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_names.html
 */
export const lexicalRules: LexicalRules = {
  identifierQuotes: ['"'],
  identifierPrefixes: [],
  backslashInIdentifiers: false,
  backslashInStrings: true,
  stringPrefixes: ['e', 'b', 'x', 'n'],
  backslashPrefixes: [],
  dollarQuotes: 'tagged',
  lineComments: ['--'],
  nestedBlockComments: true,
  doubleQuotedStrings: false,
  tripleQuotedStrings: false,
  joinsAdjacentStrings: true,
  operatorCharacters: '~!@#^&|`?+-*/%<>=',
  operators: ['::', ':=', '..'],
  wordCharacters: '$',
};
