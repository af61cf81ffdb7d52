/**
 * The text of every query that reads the catalogs. Each takes one parameter, the oids of the views to read, or null for all of them, and
 * returns rows of the type of the same name in `catalog-rows.ts`. They run under `beginReading`, so that names come qualified.
 */

const ourRelations = `
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND ($1::oid[] IS NULL OR c.oid = ANY ($1::oid[]))
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')`;

/** Starts every query: `ours` are the views that are neither temporary nor the system's nor an extension's. */
export const withOurs = `WITH ours AS MATERIALIZED (SELECT c.oid, c.reltype, c.relowner, c.relacl, c.relkind ${ourRelations})`;

export const viewsQuery = `
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       pg_get_userbyid(c.relowner)::text AS owner, c.relispopulated AS populated,
       coalesce(c.reloptions, '{}')
         || coalesce((SELECT array_agg('toast.' || option) FROM pg_class t, unnest(t.reloptions) option WHERE t.oid = c.reltoastrelid), '{}') AS options,
       EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename = '_RETURN') AS defined,
       (SELECT t.typacl IS NOT NULL FROM pg_type t WHERE t.oid = c.reltype) AS guarded,
       CASE WHEN c.relkind = 'm' THEN pg_total_relation_size(c.oid)::text END AS size
${ourRelations}`;

export const columnsQuery = `${withOurs}
SELECT a.attrelid AS view, a.attname::text AS name,
       format_type(a.atttypid, a.atttypmod)
         || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END AS type
FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
     JOIN pg_type t ON t.oid = a.atttypid
ORDER BY a.attrelid, a.attnum`;

export const privilegesQuery = `${withOurs}
SELECT ours.oid AS view, NULL::text AS column, 0 AS number, acl.grantor, acl.grantee, acl.privilege, acl.grantable, acl.position
FROM ours, LATERAL (
       SELECT pg_get_userbyid(e.grantor)::text AS grantor, CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee)::text END AS grantee,
              e.privilege_type AS privilege, e.is_grantable AS grantable, e.position
       FROM aclexplode(coalesce(ours.relacl, acldefault('r', ours.relowner))) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)) acl
UNION ALL
SELECT ours.oid, a.attname::text, a.attnum, acl.grantor, acl.grantee, acl.privilege, acl.grantable, acl.position
FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attacl IS NOT NULL, LATERAL (
       SELECT pg_get_userbyid(e.grantor)::text AS grantor, CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee)::text END AS grantee,
              e.privilege_type AS privilege, e.is_grantable AS grantable, e.position
       FROM aclexplode(a.attacl) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)) acl
UNION ALL
SELECT ours.oid, NULL, 0, acl.grantor, acl.grantee, acl.privilege, acl.grantable, acl.position
FROM ours JOIN pg_type t ON t.oid = ours.reltype AND t.typacl IS NOT NULL, LATERAL (
       SELECT pg_get_userbyid(e.grantor)::text AS grantor, CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee)::text END AS grantee,
              e.privilege_type AS privilege, e.is_grantable AS grantable, e.position
       FROM aclexplode(t.typacl) WITH ORDINALITY e(grantor, grantee, privilege_type, is_grantable, position)) acl
ORDER BY view, number, position`;

export const commentsQuery = `${withOurs}
SELECT ours.oid AS view, CASE d.objsubid WHEN 0 THEN 'relation' ELSE 'column' END AS on, NULL::text AS schema, a.attname::text AS name, d.description AS text
FROM ours JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = ours.oid
     LEFT JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum = d.objsubid AND d.objsubid <> 0
UNION ALL
SELECT ours.oid, 'rule', NULL, r.rulename::text, d.description
FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid
     JOIN pg_description d ON d.classoid = 'pg_rewrite'::regclass AND d.objoid = r.oid
UNION ALL
SELECT ours.oid, 'trigger', NULL, t.tgname::text, d.description
FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT t.tgisinternal
     JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid
UNION ALL
SELECT ours.oid, 'index', n.nspname::text, c.relname::text, d.description
FROM ours JOIN pg_index i ON i.indrelid = ours.oid AND i.indisvalid
     JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = i.indexrelid AND d.objsubid = 0
UNION ALL
SELECT ours.oid, 'statistics', n.nspname::text, s.stxname::text, d.description
FROM ours JOIN pg_statistic_ext s ON s.stxrelid = ours.oid JOIN pg_namespace n ON n.oid = s.stxnamespace
     JOIN pg_description d ON d.classoid = 'pg_statistic_ext'::regclass AND d.objoid = s.oid
UNION ALL
SELECT ours.oid, 'type', NULL, NULL, d.description FROM ours JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = ours.reltype
UNION ALL
SELECT ours.oid, 'array type', NULL, NULL, d.description
FROM ours JOIN pg_type t ON t.oid = ours.reltype JOIN pg_description d ON d.classoid = 'pg_type'::regclass AND d.objoid = t.typarray`;

/** What the server prints for each of these is read later, with `textQueries`. Indexes that are not valid, such as one that is being built, are left out as in a dump. */
export const partsQuery = `${withOurs}
SELECT ours.oid AS view, d.oid, 'default' AS kind, NULL::text AS schema, a.attname::text AS name
FROM ours JOIN pg_attrdef d ON d.adrelid = ours.oid JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum = d.adnum
UNION ALL
SELECT ours.oid, r.oid, 'rule', NULL, r.rulename::text FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid AND r.rulename <> '_RETURN'
UNION ALL
SELECT ours.oid, t.oid, 'trigger', NULL, t.tgname::text FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT t.tgisinternal
UNION ALL
SELECT ours.oid, c.oid, 'index', n.nspname::text, c.relname::text
FROM ours JOIN pg_index i ON i.indrelid = ours.oid AND i.indisvalid JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT ours.oid, s.oid, 'statistics', n.nspname::text, s.stxname::text
FROM ours JOIN pg_statistic_ext s ON s.stxrelid = ours.oid JOIN pg_namespace n ON n.oid = s.stxnamespace`;

/**
 * What a view's rule and the types of its columns depend on; a type may be the row type of a relation, or an array of it. Before version 16
 * every rule also names its own view as OLD and NEW, which only columns tell from a view that reads itself.
 */
export const readsQuery = `${withOurs}, referred AS (
  SELECT DISTINCT ours.oid AS view, d.refclassid AS class, d.refobjid AS object
  FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid AND r.rulename = '_RETURN'
       JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.deptype = 'n'
  WHERE d.refobjid <> ours.oid OR d.refobjsubid <> 0 OR current_setting('server_version_num')::int >= 160000
  UNION ALL
  SELECT ours.oid, d.refclassid, d.refobjid
  FROM ours JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = ours.oid AND d.refclassid = 'pg_type'::regclass)
SELECT DISTINCT referred.view, n.nspname::text AS schema, c.relname::text AS name
FROM referred
     LEFT JOIN pg_type t ON class = 'pg_type'::regclass AND t.oid = object
     LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
     JOIN pg_class c ON c.oid = CASE WHEN class = 'pg_class'::regclass THEN object ELSE coalesce(nullif(t.typrelid, 0), e.typrelid) END
     JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'c'`;

/** The text of each part, by oid. */
export const textQueries = {
  view: 'SELECT oid, pg_get_viewdef(oid) AS text FROM unnest($1::oid[]) AS oid',
  rule: 'SELECT oid, pg_get_ruledef(oid) AS text FROM unnest($1::oid[]) AS oid',
  trigger: 'SELECT oid, pg_get_triggerdef(oid) AS text FROM unnest($1::oid[]) AS oid',
  index: 'SELECT oid, pg_get_indexdef(oid) AS text FROM unnest($1::oid[]) AS oid',
  statistics: 'SELECT oid, pg_get_statisticsobjdef(oid) AS text FROM unnest($1::oid[]) AS oid',
  default: 'SELECT oid, pg_get_expr(adbin, adrelid) AS text FROM pg_attrdef WHERE oid = ANY ($1::oid[])',
} as const;

/** What a row of pg_class is, in words. */
export const relationWhat = `CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
  WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'composite type' WHEN 't' THEN 'TOAST table' ELSE 'index' END`;

/** Types of which no relation is the row type; a new relation makes an array type give way by itself. https://www.postgresql.org/docs/current/sql-createtype.html */
export const isTypeAlone = 't.typrelid = 0 AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)';

/** What is on the server beside views. They take no parameter. */
export const relationsQuery = `
SELECT n.nspname::text AS schema, c.relname::text AS name, ${relationWhat} AS what, CASE WHEN c.relhassubclass AND c.relkind IN ('r', 'p', 'f') THEN ARRAY(
  SELECT ARRAY[hn.nspname, h.relname]::text[] FROM pg_inherits i JOIN pg_class h ON h.oid = i.inhrelid JOIN pg_namespace hn ON hn.oid = h.relnamespace
  WHERE i.inhparent = c.oid) END AS heirs
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_(toast|temp_)'
UNION ALL SELECT n.nspname::text, t.typname::text, 'type', NULL FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND ${isTypeAlone}`;

export const rolesQuery = `SELECT rolname::text AS name FROM pg_roles`;

export const sessionQuery = `
SELECT current_user::text AS role, r.rolsuper AS superuser, current_database()::text AS database, current_setting('server_version') AS server,
       current_setting('max_locks_per_transaction')::int
         * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int) AS locks
FROM pg_roles r WHERE r.rolname = current_user`;

/** Views by name; parameters are their schemas and their names. */
export const oidsQuery = `
SELECT c.oid FROM unnest($1::text[], $2::text[]) wanted(schema, name)
JOIN pg_namespace n ON n.nspname = wanted.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
WHERE c.relkind IN ('v', 'm')`;

/** All views by name, wherever they are. */
export const namesQuery = `
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm')`;
