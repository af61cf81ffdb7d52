import type { LexicalRules } from '../../core/lexer.ts';

/**
 * How Snowflake reads characters. https://docs.snowflake.com/en/sql-reference/data-types-text#string-constants
 * https://docs.snowflake.com/en/sql-reference/identifiers-syntax
 */
export const lexicalRules: LexicalRules = {
  identifierQuotes: ['"'],
  identifierPrefixes: [],
  backslashInIdentifiers: false,
  backslashInStrings: true,
  stringPrefixes: ['x'],
  backslashPrefixes: [],
  dollarQuotes: 'plain',
  lineComments: ['--', '//'],
  nestedBlockComments: false,
  doubleQuotedStrings: false,
  tripleQuotedStrings: false,
  joinsAdjacentStrings: false,
  operatorCharacters: '',
  operators: ['->>', '::', ':=', '=>', '->', '||', '!=', '<>', '<=', '>=', '==', '**'],
  wordCharacters: '$',
};
