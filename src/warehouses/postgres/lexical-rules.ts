import type { LexicalRules } from '../../core/lexer.ts';

/** How PostgreSQL reads characters. https://www.postgresql.org/docs/current/sql-syntax-lexical.html */
export const lexicalRules: LexicalRules = {
  identifierQuotes: ['"'],
  identifierPrefixes: ['u&'],
  backslashInIdentifiers: false,
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

/** What can only be read together: a right that somebody else than the owner gave. */
export const statementRuns = [{ opens: 'SET ROLE', closes: 'RESET ROLE' }] as const;
