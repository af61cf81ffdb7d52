import type { RelationName } from '../../core/relation.ts';
import { quotedWords } from '../postgres-family/reserved-words.ts';

const plainName = /^[a-z_][a-z0-9_]*$/;

/** A name as SQL needs it, quoted exactly where the server's `quote_ident` quotes it on any supported version. */
export function quoteIdentifier(name: string): string {
  if (plainName.test(name) && !quotedWords.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** A relation's, index's or function's name with its schema: `shop."My View"`. */
export function quoteRelation(name: RelationName): string {
  return `${quoteIdentifier(name.schema)}.${quoteIdentifier(name.name)}`;
}

/** A string constant, as the server's `quote_literal` writes it: it reads the same with and without `standard_conforming_strings`. */
export function quoteText(text: string): string {
  const doubled = text.replaceAll("'", "''");
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}

/**
 * How ACLs and attachments call everybody. A role cannot have this name, the server reserves it in lower case
 * (CREATE ROLE "PUBLIC" is possible, and is another role than `PUBLIC`).
 */
export const everybody = 'public';

/** A grantee as GRANT and REVOKE spell it: a quoted role, or `PUBLIC` for `everybody`. */
export function quoteGrantee(grantee: string): string {
  return grantee === everybody ? 'PUBLIC' : quoteIdentifier(grantee);
}
