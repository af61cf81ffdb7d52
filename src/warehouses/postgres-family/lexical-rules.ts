import type { LexicalRules } from '../../core/lexer.ts';

/** How PostgreSQL and Redshift both read characters; what the two read differently is their own. https://www.postgresql.org/docs/current/sql-syntax-lexical.html */
export const sharedLexicalRules = {
  identifierQuotes: ['"'],
  backslashInIdentifiers: false,
  dollarQuotes: 'tagged',
  lineComments: ['--'],
  nestedBlockComments: true,
  doubleQuotedStrings: false,
  tripleQuotedStrings: false,
  joinsAdjacentStrings: true,
  operatorCharacters: '~!@#^&|`?+-*/%<>=',
  operators: ['::', ':=', '..'],
  wordCharacters: '$',
} as const satisfies Partial<LexicalRules>;
