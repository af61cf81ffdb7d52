import type { LexicalRules } from '../../src/core/lexer.ts';

/** PostgreSQL's lexical rules, for tests of core that need some dialect's. */
export const postgresqlRules: LexicalRules = {
  identifierQuotes: ['"'],
  identifierPrefixes: ['u&'],
  backslashInStrings: false,
  stringPrefixes: ['u&', 'e', 'b', 'x', 'n'],
  backslashPrefixes: ['e'],
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

/** What comparing texts needs of the PostgreSQL dialect. */
export const postgresqlComparison = { lexicalRules: postgresqlRules, keepsComments: false, folds: 'lower' } as const;
