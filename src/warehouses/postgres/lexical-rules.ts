import type { LexicalRules } from '../../core/lexer.ts';
import { sharedLexicalRules } from '../postgres-family/lexical-rules.ts';

/** How PostgreSQL reads characters. https://www.postgresql.org/docs/current/sql-syntax-lexical.html */
export const lexicalRules: LexicalRules = {
  ...sharedLexicalRules,
  identifierPrefixes: ['u&'],
  backslashInStrings: false,
  stringPrefixes: ['u&', 'e', 'b', 'x', 'n'],
  backslashPrefixes: ['e'],
};

/** What can only be read together: a right that somebody else than the owner gave. */
export const statementRuns = [{ opens: 'SET ROLE', closes: 'RESET ROLE' }] as const;
