import { baseTypesQuery, classesQuery, familiesQuery, shellsQuery } from './base-type-queries.ts';
import { made, own, row, user } from './stand-in-parts.ts';
import { domainRulesQuery, inheritanceQuery, namedIndexesQuery, proceduresQuery, typedTablesQuery } from './stand-in-ties.ts';

/**
 * The text of every query that says how to make, empty, what views may need beside views. Each returns rows of `StandInRow`; they run under
 * `beginReading`, so that names come qualified. `tablesQuery` takes two parameters, the schemas and names of views that are made otherwise.
 */

const collate = (column: string, type: string) =>
  `CASE WHEN ${column} <> 0 AND ${column} <> ${type}.typcollation THEN ' COLLATE ' || ${column}::regcollation::text ELSE '' END`;

/** Whoever owns a view must be able to have it there, and to read what it reads; who may what on the real schemas and tables is not drilled. */
const allSchemas = `${row("'schema ' || quote_ident(n.nspname)", "format('CREATE SCHEMA IF NOT EXISTS %1$I; GRANT ALL ON SCHEMA %1$I TO PUBLIC', n.nspname)")}
FROM pg_namespace n WHERE ${user('n')}`;

const schemasQuery = `${allSchemas} AND ${own('pg_namespace', 'n.oid')}`;

/** Schemas that their extensions make, for what others have in them: after the extensions, which would stop at one that is there. */
const memberSchemasQuery = `${allSchemas} AND NOT ${own('pg_namespace', 'n.oid')}`;

/** In the order in which they were made: one may need another. */
const extensionsQuery = `${row("'extension ' || quote_ident(e.extname)", "format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I', e.extname, n.nspname)")}
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql' ORDER BY e.oid`;

/** The locale stands in another column in version 15 and again in 17. */
function collationsQuery(version: number): string {
  const locale = version < 15 ? 'c.collcollate' : version < 17 ? 'c.colliculocale' : 'c.colllocale';
  return `${row(
    "format('collation %I.%I', n.nspname, c.collname)",
    `CASE c.collprovider
       WHEN 'c' THEN format('CREATE COLLATION %I.%I (PROVIDER = libc, LC_COLLATE = %L, LC_CTYPE = %L)', n.nspname, c.collname, c.collcollate, c.collctype)
       ELSE format('CREATE COLLATION %I.%I (PROVIDER = %s, LOCALE = %L, DETERMINISTIC = %s)', n.nspname, c.collname,
                   CASE c.collprovider WHEN 'b' THEN 'builtin' ELSE 'icu' END, ${locale}, CASE WHEN c.collisdeterministic THEN 'true' ELSE 'false' END) END`,
  )}
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE ${user('n')} AND ${own('pg_collation', 'c.oid')}`;
}

const columns = (relation: string) => `coalesce((
  SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod), ${collate('a.attcollation', 'ct')}), ', ' ORDER BY a.attnum)
  FROM pg_attribute a JOIN pg_type ct ON ct.oid = a.atttypid WHERE a.attrelid = ${relation} AND a.attnum > 0 AND NOT a.attisdropped), '')`;

/** A domain gets its constraints when the views are there: functions that return one stand in without a body, and return nothing. */
const typesQuery = (version: number) => `${row(
  "format('type %I.%I', n.nspname, t.typname)",
  `format('CREATE %s %I.%I AS ', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname) || CASE t.typtype
     WHEN 'e' THEN 'ENUM (' || coalesce((SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), '') || ')'
     WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) || (SELECT ${collate('t.typcollation', 'b')} FROM pg_type b WHERE b.oid = t.typbasetype)
     WHEN 'c' THEN '(' || ${columns('t.typrelid')} || ')'
     ELSE (SELECT 'RANGE (SUBTYPE = ' || format_type(r.rngsubtype, NULL)${version < 14 ? '' : " || ', MULTIRANGE_TYPE_NAME = ' || format_type(r.rngmultitypid, NULL)"} || ')'
           FROM pg_range r WHERE r.rngtypid = t.oid) END`,
)}
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typtype IN ('e', 'd', 'c', 'r') AND (c.oid IS NULL OR c.relkind = 'c') AND ${user('n')} AND ${own('pg_type', 't.oid')} AND ${own('pg_class', 'c.oid')}`;

const sequencesQuery = `${row(
  "format('sequence %I.%I', n.nspname, c.relname)",
  "format('CREATE SEQUENCE %1$I.%2$I; GRANT ALL ON SEQUENCE %1$I.%2$I TO PUBLIC', n.nspname, c.relname)",
  'n.nspname::text AS schema, c.relname::text AS name',
)}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND ${user('n')} AND ${own('pg_class', 'c.oid')}`;

const textSearchQuery = `${row(
  "format('text search configuration %I.%I', n.nspname, c.cfgname)",
  "format('CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I)', n.nspname, c.cfgname, pn.nspname, p.prsname)",
)}
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser JOIN pg_namespace pn ON pn.oid = p.prsnamespace
WHERE ${user('n')} AND ${own('pg_ts_config', 'c.oid')}
UNION ALL ${row(
  "format('text search dictionary %I.%I', n.nspname, d.dictname)",
  "format('CREATE TEXT SEARCH DICTIONARY %I.%I (TEMPLATE = pg_catalog.simple)', n.nspname, d.dictname)",
)}
FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace WHERE ${user('n')} AND ${own('pg_ts_dict', 'd.oid')}`;

/**
 * What a function takes and returns and how volatile it is; what it does is of no use without rows. One that the server has in a library is
 * made as it is: its arguments may be of types that no other language takes, and base types need what it does. Those that name a view, themselves or through a function that
 * they call, have files of their own.
 */
const functionsQuery = `${row(
  "format('function %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))",
  `CASE WHEN l.lanname IN ('c', 'internal') THEN pg_get_functiondef(p.oid) ELSE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql %s%s%s AS %L', n.nspname, p.proname, pg_get_function_arguments(p.oid),
     pg_get_function_result(p.oid), CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
     CASE WHEN p.proisstrict THEN ' STRICT' ELSE '' END, CASE WHEN p.prokind = 'w' THEN ' WINDOW' ELSE '' END,
     CASE WHEN p.proretset OR p.prorettype = 'void'::regtype OR p.proargmodes && '{o,b,t}'::"char"[] THEN 'BEGIN RETURN; END' ELSE 'BEGIN RETURN NULL; END' END) END`,
)}
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'w') AND p.prorettype <> 'event_trigger'::regtype AND ${user('n')} AND ${made('pg_proc', 'p.oid')}
  AND NOT EXISTS (
    WITH RECURSIVE called(oid) AS (
      SELECT p.oid
      UNION SELECT d.refobjid FROM called JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = called.oid AND d.refclassid = 'pg_proc'::regclass)
    SELECT FROM called JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = called.oid
         JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid OR d.refclassid = 'pg_type'::regclass AND c.reltype = d.refobjid
    WHERE c.relkind IN ('v', 'm') AND ${own('pg_class', 'c.oid')})`;

const aggregatesQuery = `${row(
  "format('aggregate %I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))",
  `format('CREATE AGGREGATE %I.%I(%s) (SFUNC = %s, STYPE = %s', n.nspname, p.proname, coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*'),
     g.aggtransfn, format_type(g.aggtranstype, NULL))
   || CASE WHEN g.aggfinalfn <> 0 THEN ', FINALFUNC = ' || g.aggfinalfn ELSE '' END || CASE WHEN g.aggfinalextra THEN ', FINALFUNC_EXTRA' ELSE '' END
   || coalesce(', INITCOND = ' || quote_literal(g.agginitval), '') || CASE WHEN g.aggkind = 'h' THEN ', HYPOTHETICAL' ELSE '' END || ')'`,
)}
FROM pg_aggregate g JOIN pg_proc p ON p.oid = g.aggfnoid JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${user('n')} AND ${own('pg_proc', 'p.oid')}`;

const operatorNamed = (column: string) =>
  `(SELECT format('OPERATOR(%I.%s)', rn.nspname, r.oprname) FROM pg_operator r JOIN pg_namespace rn ON rn.oid = r.oprnamespace WHERE r.oid = o.${column} AND r.oprcode <> 0 AND ${user('rn')})`;

/** Which joins are possible depends on more than its function. */
const operatorsQuery = `${row(
  "'operator ' || o.oid::regoperator",
  `format('CREATE OPERATOR %I.%s (FUNCTION = %s', n.nspname, o.oprname, o.oprcode)
   || CASE WHEN o.oprleft <> 0 THEN ', LEFTARG = ' || format_type(o.oprleft, NULL) ELSE '' END
   || CASE WHEN o.oprright <> 0 THEN ', RIGHTARG = ' || format_type(o.oprright, NULL) ELSE '' END
   || coalesce(', COMMUTATOR = ' || ${operatorNamed('oprcom')}, '') || coalesce(', NEGATOR = ' || ${operatorNamed('oprnegate')}, '')
   || CASE WHEN o.oprcanhash THEN ', HASHES' ELSE '' END || CASE WHEN o.oprcanmerge THEN ', MERGES' ELSE '' END || ')'`,
)}
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oprcode <> 0 AND ${user('n')} AND ${own('pg_operator', 'o.oid')}`;

const castsQuery = `${row(
  "format('cast from %s to %s', format_type(c.castsource, NULL), format_type(c.casttarget, NULL))",
  `format('CREATE CAST (%s AS %s) ', format_type(c.castsource, NULL), format_type(c.casttarget, NULL))
   || CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT' ELSE 'WITHOUT FUNCTION' END
   || CASE c.castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' ELSE '' END`,
)}
FROM pg_cast c WHERE c.oid >= 16384 AND ${made('pg_cast', 'c.oid')}`;

/** Tables, and views that the commit does not hold: with their columns, readable for all. */
export const tablesQuery = `${row(
  "format('table %I.%I', n.nspname, c.relname)",
  `format('CREATE TABLE %1$I.%2$I (%3$s); GRANT ALL ON %1$I.%2$I TO PUBLIC', n.nspname, c.relname, ${columns('c.oid')})`,
  'n.nspname::text AS schema, c.relname::text AS name',
)}
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't' AND ${user('n')} AND ${own('pg_class', 'c.oid')}
  AND NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) held(schema, name) WHERE held.schema = n.nspname AND held.name = c.relname)`;

/** A view may group by a primary key, and a rule may name a constraint. */
const keysQuery = `${row(
  "format('constraint %I of table %I.%I', k.conname, n.nspname, c.relname)",
  "format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname, pg_get_constraintdef(k.oid))",
)}
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'x') AND ${user('n')} AND ${own('pg_class', 'c.oid')}`;

/** A materialized view may be kept by one. https://www.postgresql.org/docs/current/sql-create-access-method.html */
const accessMethodsQuery = `${row(
  "format('access method %I', a.amname)",
  "format('CREATE ACCESS METHOD %I TYPE %s HANDLER %s', a.amname, CASE a.amtype WHEN 't' THEN 'TABLE' ELSE 'INDEX' END, a.amhandler)",
)}
FROM pg_am a WHERE a.oid >= 16384 AND ${own('pg_am', 'a.oid')}`;

interface StandInQueries {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Of what is made when the views are there. */
  readonly last: readonly string[];
}

/** In the order in which most of them can be made; tables come between the first two. */
export function standInQueries(version: number): StandInQueries {
  return {
    before: [schemasQuery, extensionsQuery, memberSchemasQuery, collationsQuery(version), shellsQuery, typesQuery(version), sequencesQuery, textSearchQuery],
    after: [
      ...[inheritanceQuery, typedTablesQuery, functionsQuery, proceduresQuery, baseTypesQuery(version), operatorsQuery, familiesQuery, classesQuery],
      ...[keysQuery, aggregatesQuery, castsQuery, accessMethodsQuery, namedIndexesQuery],
    ],
    last: [domainRulesQuery],
  };
}
