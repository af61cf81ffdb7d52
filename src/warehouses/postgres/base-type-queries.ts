import { own, row, user } from './stand-in-parts.ts';

/**
 * Base types and what indexes need to keep them, for scratch databases: see `stand-in-queries.ts`. They are made of functions in the server's
 * libraries, so only a superuser makes them.
 */

const isBase = `t.typtype = 'b' AND t.typisdefined AND ${user('n')} AND ${own('pg_type', 't.oid')} AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)`;

/** Its functions name a type before it is made. https://www.postgresql.org/docs/current/sql-createtype.html */
export const shellsQuery = `${row("format('shell of type %I.%I', n.nspname, t.typname)", "format('CREATE TYPE %I.%I', n.nspname, t.typname)")}
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${isBase}`;

const optional = (keyword: string, column: string) => `CASE WHEN t.${column} <> 0 THEN ', ${keyword} = ' || t.${column} ELSE '' END`;

/** SUBSCRIPT came with version 14. */
export function baseTypesQuery(version: number): string {
  const functions = ['RECEIVE typreceive', 'SEND typsend', 'TYPMOD_IN typmodin', 'TYPMOD_OUT typmodout', ...(version < 14 ? [] : ['SUBSCRIPT typsubscript'])];
  const more = functions.map((each) => optional(each.split(' ')[0] ?? '', each.split(' ')[1] ?? '')).join(' || ');
  return `${row(
    "format('type %I.%I', n.nspname, t.typname)",
    `format('CREATE TYPE %I.%I (INPUT = %s, OUTPUT = %s, INTERNALLENGTH = %s, ALIGNMENT = %s, STORAGE = %s, CATEGORY = %L, PREFERRED = %s, DELIMITER = %L, COLLATABLE = %s',
       n.nspname, t.typname, t.typinput, t.typoutput, CASE WHEN t.typlen < 0 THEN 'VARIABLE' ELSE t.typlen::text END,
       CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END,
       CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END,
       t.typcategory, t.typispreferred::text, t.typdelim, (t.typcollation <> 0)::text)
     || ${more} || CASE WHEN t.typbyval THEN ', PASSEDBYVALUE' ELSE '' END
     || CASE WHEN t.typelem <> 0 THEN ', ELEMENT = ' || format_type(t.typelem, NULL) ELSE '' END || coalesce(', DEFAULT = ' || quote_literal(t.typdefault), '') || ')'`,
  )}
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${isBase}`;
}

export const familiesQuery = `${row(
  "format('operator family %I.%I', n.nspname, f.opfname)",
  "format('CREATE OPERATOR FAMILY %I.%I USING %I', n.nspname, f.opfname, a.amname)",
)}
FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am a ON a.oid = f.opfmethod WHERE ${user('n')} AND ${own('pg_opfamily', 'f.oid')}`;

/** What of a family goes with a class of it. https://www.postgresql.org/docs/current/catalog-pg-depend.html */
const membersOf = (catalog: string, text: string) => `
  SELECT ${text} FROM pg_depend d JOIN ${catalog} m ON m.oid = d.objid
  WHERE d.classid = '${catalog}'::regclass AND d.refclassid = 'pg_opclass'::regclass AND d.refobjid = c.oid AND d.deptype = 'i'`;

const members = `
${membersOf('pg_amop', "format('OPERATOR %s %s%s', m.amopstrategy, m.amopopr::regoperator, (SELECT format(' FOR ORDER BY %I.%I', sn.nspname, s.opfname) FROM pg_opfamily s JOIN pg_namespace sn ON sn.oid = s.opfnamespace WHERE s.oid = m.amopsortfamily))")}
UNION ALL ${membersOf('pg_amproc', "format('FUNCTION %s (%s, %s) %s', m.amprocnum, format_type(m.amproclefttype, NULL), format_type(m.amprocrighttype, NULL), m.amproc::oid::regprocedure)")}
UNION ALL SELECT 'STORAGE ' || format_type(coalesce(nullif(c.opckeytype, 0), c.opcintype), NULL) WHERE c.opckeytype <> 0`;

export const classesQuery = `${row(
  "format('operator class %I.%I for access method %I', n.nspname, c.opcname, a.amname)",
  `format('CREATE OPERATOR CLASS %I.%I %sFOR TYPE %s USING %I FAMILY %I.%I AS ', n.nspname, c.opcname, CASE WHEN c.opcdefault THEN 'DEFAULT ' ELSE '' END,
     format_type(c.opcintype, NULL), a.amname, fn.nspname, f.opfname)
   || (SELECT string_agg(member, ', ') FROM (${members}) AS listed(member))`,
)}
FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am a ON a.oid = c.opcmethod JOIN pg_opfamily f ON f.oid = c.opcfamily
JOIN pg_namespace fn ON fn.oid = f.opfnamespace WHERE ${user('n')} AND ${own('pg_opclass', 'c.oid')}`;
