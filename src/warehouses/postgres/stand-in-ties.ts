import { made, own, row, user } from './stand-in-parts.ts';

/**
 * What ties stand-ins together, for scratch databases: see `stand-in-queries.ts`. A view may cast the row of a table to that of its parent or to the type that
 * it is of, and name an index as a constant.
 */

/** A partition stands in as a child: where nothing has rows, that is the same. */
export const inheritanceQuery = `${row(
  "format('inheritance of table %I.%I', n.nspname, c.relname)",
  "format('ALTER TABLE %I.%I INHERIT %I.%I', n.nspname, c.relname, pn.nspname, p.relname)",
)}
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND ${user('n')} AND ${own('pg_class', 'c.oid')} ORDER BY i.inhrelid, i.inhseqno`;

export const typedTablesQuery = `${row(
  "format('type of table %I.%I', n.nspname, c.relname)",
  "format('ALTER TABLE %I.%I OF %s', n.nspname, c.relname, format_type(c.reloftype, NULL))",
)}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.reloftype <> 0 AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND ${user('n')} AND ${own('pg_class', 'c.oid')}`;

/** Indexes that a constant of a view's query or rule, or of a routine, stands for; those of constraints come with these. */
export const namedIndexesQuery = `${row(
  "format('index %I.%I', n.nspname, x.relname)",
  'pg_get_indexdef(x.oid)',
  'n.nspname::text AS schema, x.relname::text AS name',
)}
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid AND t.relkind IN ('r', 'p') JOIN pg_namespace n ON n.oid = x.relnamespace
WHERE ${user('n')} AND ${made('pg_class', 'x.oid')}
  AND EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = x.oid AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_attrdef'::regclass))`;

/** A view names a procedure only as a constant. */
export const proceduresQuery = `${row(
  "format('procedure %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))",
  "format('CREATE PROCEDURE %I.%I(%s) LANGUAGE plpgsql AS %L', n.nspname, p.proname, pg_get_function_arguments(p.oid), 'BEGIN END')",
)}
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prokind = 'p' AND ${user('n')} AND ${made('pg_proc', 'p.oid')}`;

const isDomain = `t.typtype = 'd' AND ${user('n')} AND ${own('pg_type', 't.oid')}`;

/** What binds the values of domains; a check is not valid for those that are there, since the server looks into no row type for them. */
export const domainRulesQuery = `${row(
  "format('constraint %I of domain %I.%I', k.conname, n.nspname, t.typname)",
  "format('ALTER DOMAIN %I.%I ADD CONSTRAINT %I %s', n.nspname, t.typname, k.conname, pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN ' NOT VALID' ELSE '' END)",
)}
FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace WHERE k.contype = 'c' AND ${isDomain}
UNION ALL ${row("format('NOT NULL of domain %I.%I', n.nspname, t.typname)", "format('ALTER DOMAIN %I.%I SET NOT NULL', n.nspname, t.typname)")}
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typnotnull AND ${isDomain}
UNION ALL ${row(
  "format('default of domain %I.%I', n.nspname, t.typname)",
  "format('ALTER DOMAIN %I.%I SET DEFAULT %s', n.nspname, t.typname, coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)))",
)}
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typdefault IS NOT NULL AND ${isDomain}`;
