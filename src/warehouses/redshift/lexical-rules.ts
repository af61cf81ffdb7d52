import type { LexicalRules } from '../../core/lexer.ts';
import { sharedLexicalRules } from '../postgres-family/lexical-rules.ts';

/** How Redshift reads characters: as PostgreSQL 8.0 did, so a backslash escapes in every string. https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
export const lexicalRules: LexicalRules = {
  ...sharedLexicalRules,
  identifierPrefixes: [],
  backslashInStrings: true,
  stringPrefixes: ['e', 'b', 'x', 'n'],
  backslashPrefixes: [],
};
