const setting = 'viewsync.comparison_path';

/**
 * Finds, for the transaction, where the operator `=` of types is that are none of the server's own: of citext, hstore, geometry. pg_catalog stands
 * before them, so that a bare name means what it means where nothing but pg_catalog is searched.
 */
export const findComparisonPath = `SELECT set_config('${setting}', concat_ws(', ', 'pg_catalog', (
  SELECT string_agg(DISTINCT quote_ident(n.nspname), ', ') FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
  WHERE o.oprname = '=' AND n.nspname !~ '^pg_' AND EXISTS (SELECT FROM pg_type t WHERE t.oid IN (o.oprleft, o.oprright) AND t.typnamespace <> 'pg_catalog'::regnamespace))), true)`;

/** Each names no operator, or the first of a row's alone; what else looks alike does no harm. */
const silent = [
  /\busing\s*\(|\bnatural\b|\bnullif\b|\bdistinct\s+from\b|\bcase\b(?!\s+when\b)|\brow\s*\(/i,
  /\)\s*(?:in|(?:[<>]=?|=|<>|!=)(?:\s*(?:any|all))?)\s*\(\s*select\b/i,
];

/**
 * The statement, between the settings that it needs where it compares without saying by which operator: the server prints every other operator with
 * its schema, and looks these up by their bare name. https://www.postgresql.org/docs/current/functions-conditional.html
 */
export function amongComparisons(sql: string): string {
  if (!silent.some((pattern) => pattern.test(sql))) return sql;
  return `SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('${setting}'), true);\n${sql}\n;SET LOCAL search_path = ''`;
}
