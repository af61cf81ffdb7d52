import type { LexicalRules } from '../../core/lexer.ts';

/** How BigQuery reads characters. https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical */
export const lexicalRules: LexicalRules = {
  identifierQuotes: ['`'],
  identifierPrefixes: [],
  backslashInIdentifiers: true,
  backslashInStrings: true,
  stringPrefixes: ['rb', 'br', 'r', 'b'],
  backslashPrefixes: [],
  dollarQuotes: 'none',
  lineComments: ['--', '#'],
  nestedBlockComments: false,
  doubleQuotedStrings: true,
  tripleQuotedStrings: true,
  joinsAdjacentStrings: false,
  operatorCharacters: '',
  operators: ['||', '|>', '<=', '>=', '!=', '<>', '<<', '>>', '=>', '->'],
  wordCharacters: '',
};
