import { withOurs } from './catalog-queries.ts';

/**
 * The text of every query that reads what is no view but hangs on one, and the schemas. They run under `beginReading`, so that names come
 * qualified. Rows are of the types in `bystander-rows.ts`.
 */

const held = `
held(view, class, object) AS (
  SELECT oid, 'pg_class'::regclass::oid, oid FROM ours
  UNION ALL SELECT oid, 'pg_type'::regclass, reltype FROM ours
  UNION ALL SELECT ours.oid, 'pg_type'::regclass, t.typarray FROM ours JOIN pg_type t ON t.oid = ours.reltype)`;

/**
 * Everything that depends on a view, its row type, or a routine or operator that does, and is neither a view that is read here nor a part of
 * one: each with what it depends on. A view's own rule is among them where it needs a routine. `through` is the routine's or operator's oid. What
 * views read of one another is by far the most, and is left out before anything is joined to it.
 * https://www.postgresql.org/docs/current/catalog-pg-depend.html
 */
export const bystanderEdgesQuery = `${withOurs.replace('WITH', 'WITH RECURSIVE')}, ${held}, reached(class, object) AS (
  SELECT class, object FROM held
  UNION SELECT d.classid, d.objid FROM reached JOIN pg_depend d ON d.refclassid = reached.class AND d.refobjid = reached.object
  WHERE d.deptype IN ('n', 'a') AND d.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass)),
rules AS MATERIALIZED (SELECT r.oid FROM pg_rewrite r JOIN ours ON r.ev_class = ours.oid),
found AS MATERIALIZED (
  SELECT held.view, d.classid, d.objid, d.objsubid, d.refobjid, d.deptype FROM held JOIN pg_depend d ON d.refclassid = held.class AND d.refobjid = held.object
  WHERE d.deptype NOT IN ('e', 'x') AND NOT (d.deptype = 'i' AND d.classid IN ('pg_class'::regclass, 'pg_type'::regclass))
    AND NOT (d.classid = 'pg_rewrite'::regclass AND d.objid IN (SELECT oid FROM rules))
  UNION ALL SELECT NULL, d.classid, d.objid, d.objsubid, d.refobjid, d.deptype FROM reached JOIN pg_depend d ON d.refclassid = reached.class AND d.refobjid = reached.object
  WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.deptype NOT IN ('e', 'x'))
SELECT DISTINCT d.classid::regclass::text AS class, CASE WHEN r.rulename = '_RETURN' THEN r.ev_class ELSE d.objid END AS object, d.objsubid AS part,
       coalesce(r.rulename = '_RETURN' AND r.ev_class IN (SELECT oid FROM ours), false) AS defines,
       d.view, CASE WHEN d.view IS NULL THEN d.refobjid END AS through,
       CASE WHEN r.rulename = '_RETURN' THEN pg_describe_object('pg_class'::regclass, r.ev_class, 0)
            ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END AS description
FROM found d
     LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
     LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
     LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
     LEFT JOIN pg_constraint c ON d.classid = 'pg_constraint'::regclass AND c.oid = d.objid
     LEFT JOIN pg_statistic_ext s ON d.classid = 'pg_statistic_ext'::regclass AND s.oid = d.objid
     LEFT JOIN pg_index i ON d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
WHERE CASE d.classid
  WHEN 'pg_rewrite'::regclass THEN r.ev_class NOT IN (SELECT oid FROM ours) OR r.rulename = '_RETURN' AND d.view IS NULL
  WHEN 'pg_class'::regclass THEN d.deptype <> 'i' AND d.objid NOT IN (SELECT oid FROM ours) AND coalesce(i.indrelid NOT IN (SELECT oid FROM ours), true)
  WHEN 'pg_type'::regclass THEN d.deptype <> 'i'
  WHEN 'pg_attrdef'::regclass THEN a.adrelid NOT IN (SELECT oid FROM ours)
  WHEN 'pg_trigger'::regclass THEN t.tgrelid NOT IN (SELECT oid FROM ours) AND t.tgparentid = 0
  WHEN 'pg_constraint'::regclass THEN c.conislocal OR c.conrelid = 0
  WHEN 'pg_statistic_ext'::regclass THEN s.stxrelid NOT IN (SELECT oid FROM ours)
  ELSE true END`;

const commentOf = (object: string, catalog: string) => `obj_description(${object}, '${catalog}')`;
const tableOf = (oid: string) => `JOIN pg_class t ON t.oid = ${oid} JOIN pg_namespace n ON n.oid = t.relnamespace`;
const onTable = `n.nspname::text AS schema, t.relname::text AS table`;

/** What an object of a class and oid is called, and what of it is no text: `obstacles` says in words what no file holds. */
export const bystanderDetailsQuery = `
WITH wanted AS (SELECT * FROM unnest($1::text[], $2::oid[]) AS wanted(class, oid))
SELECT class, p.oid, CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind,
       n.nspname::text AS schema, NULL::text AS table, p.proname::text AS name, oidvectortypes(p.proargtypes) AS arguments,
       pg_get_userbyid(p.proowner)::text AS owner, ${commentOf('p.oid', 'pg_proc')} AS comment, NULL::text AS state, NULL::text AS obstacle
FROM wanted JOIN pg_proc p USING (oid) JOIN pg_namespace n ON n.oid = p.pronamespace WHERE class = 'pg_proc'
UNION ALL
SELECT class, o.oid, 'operator', n.nspname, NULL, o.oprname, concat_ws(', ', CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END, format_type(o.oprright, NULL)),
       pg_get_userbyid(o.oprowner), ${commentOf('o.oid', 'pg_operator')}, NULL, CASE WHEN o.oprright = 0 THEN 'it is a postfix operator' END
FROM wanted JOIN pg_operator o USING (oid) JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE class = 'pg_operator'
UNION ALL
SELECT class, c.oid, 'cast', coalesce(s.nspname, e.nspname), NULL, coalesce(s.typname, e.typname), format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL),
       NULL, ${commentOf('c.oid', 'pg_cast')}, NULL, NULL
FROM wanted JOIN pg_cast c USING (oid)
     LEFT JOIN LATERAL (SELECT n.nspname, y.typname FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE y.oid = c.castsource AND n.nspname <> 'pg_catalog') s ON true
     LEFT JOIN LATERAL (SELECT n.nspname, y.typname FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE y.oid = c.casttarget) e ON true
WHERE class = 'pg_cast'
UNION ALL
SELECT class, p.oid, 'policy', ${onTable}, p.polname, NULL, NULL, ${commentOf('p.oid', 'pg_policy')}, NULL, NULL
FROM wanted JOIN pg_policy p USING (oid) ${tableOf('p.polrelid')} WHERE class = 'pg_policy'
UNION ALL
SELECT class, r.oid, 'rule', ${onTable}, r.rulename, NULL, NULL, ${commentOf('r.oid', 'pg_rewrite')}, r.ev_enabled::text,
       CASE WHEN r.rulename = '_RETURN' OR t.relpersistence = 't' THEN 'it belongs to ' || pg_describe_object('pg_class'::regclass, t.oid, 0) END
FROM wanted JOIN pg_rewrite r USING (oid) ${tableOf('r.ev_class')} WHERE class = 'pg_rewrite'
UNION ALL
SELECT class, g.oid, 'trigger', ${onTable}, g.tgname, NULL, NULL, ${commentOf('g.oid', 'pg_trigger')}, g.tgenabled::text,
       CASE WHEN g.tgisinternal THEN 'it is internal' WHEN ${commentOf('g.tgconstraint', 'pg_constraint')} IS NOT NULL THEN 'its constraint has a comment'
            WHEN t.relkind = 'p' AND g.tgenabled <> 'O' THEN 'its state on partitions is not known' END
FROM wanted JOIN pg_trigger g USING (oid) ${tableOf('g.tgrelid')} WHERE class = 'pg_trigger'
UNION ALL
SELECT class, c.oid, 'check', ${onTable}, c.conname, NULL, NULL, ${commentOf('c.oid', 'pg_constraint')}, NULL,
       CASE WHEN c.contype <> 'c' THEN 'it is no CHECK' WHEN c.coninhcount > 0 THEN 'it is inherited as well' END
FROM wanted JOIN pg_constraint c USING (oid) ${tableOf('c.conrelid')} WHERE class = 'pg_constraint'
UNION ALL
SELECT class, d.oid, 'default', ${onTable}, a.attname, NULL, NULL, NULL, NULL, CASE WHEN a.attgenerated <> '' THEN 'the column is generated, and its data would be lost' END
FROM wanted JOIN pg_attrdef d USING (oid) JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum ${tableOf('d.adrelid')} WHERE class = 'pg_attrdef'
UNION ALL
SELECT class, x.oid, 'index', ${onTable}, x.relname, NULL, NULL, ${commentOf('x.oid', 'pg_class')}, NULL,
       CASE WHEN t.relkind <> 'r' OR t.relispartition THEN 'it is an index of a partitioned table' WHEN i.indisclustered THEN 'the table is clustered on it'
            WHEN i.indisreplident THEN 'it is the replica identity' WHEN NOT i.indisvalid THEN 'it is invalid' WHEN x.reltablespace <> 0 THEN 'it has a tablespace'
            WHEN EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.oid) THEN 'it belongs to a constraint'
            WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.oid AND coalesce(a.attstattarget, -1) <> -1) THEN 'it has a statistics target' END
FROM wanted JOIN pg_class x USING (oid) JOIN pg_index i ON i.indexrelid = x.oid ${tableOf('i.indrelid')} WHERE class = 'pg_class'`;

/** Rights on routines, and what of any object no file holds. NULL lists are those of `acldefault`. */
export const bystanderPrivilegesQuery = `
SELECT p.oid AS view, NULL::text AS column, pg_get_userbyid(e.grantor)::text AS grantor, CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee)::text END AS grantee,
       e.privilege_type AS privilege, e.is_grantable AS grantable
FROM unnest($1::oid[]) oid JOIN pg_proc p USING (oid), aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WITH ORDINALITY e
ORDER BY p.oid, e.ordinality`;

/** What objects have of extensions and label providers, and of a range type whose constructors they are: `name` is the extension's or the provider's; `obstacle` is in words, for those of which a file cannot say it. */
export const bystanderMarksQuery = `
WITH wanted AS (SELECT class::regclass AS class, oid FROM unnest($1::text[], $2::oid[]) AS wanted(class, oid))
SELECT wanted.oid, CASE d.deptype WHEN 'x' THEN 'extension' ELSE 'member' END AS kind, e.extname::text AS name, NULL::text AS label,
       CASE d.deptype WHEN 'x' THEN 'it depends on ' ELSE 'it belongs to ' END || pg_describe_object(d.refclassid, d.refobjid, 0) AS obstacle
FROM wanted JOIN pg_depend d ON d.classid = wanted.class AND d.objid = wanted.oid AND (d.deptype IN ('e', 'x') OR d.deptype = 'i' AND d.classid = 'pg_proc'::regclass)
     LEFT JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
UNION ALL
SELECT wanted.oid, 'label', l.provider, l.label, 'it has a security label of the provider ' || quote_ident(l.provider)
FROM wanted JOIN pg_seclabel l ON l.classoid = wanted.class AND l.objoid = wanted.oid`;

const ownSchemas = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** Every name that could be a bystander's: what a new one would collide with. */
export const standingQuery = `
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END AS kind, n.nspname::text AS schema, NULL::text AS table,
       p.proname::text AS name, oidvectortypes(p.proargtypes) AS arguments
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${ownSchemas}
UNION ALL SELECT 'operator', n.nspname, NULL, o.oprname, concat_ws(', ', CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END, format_type(o.oprright, NULL))
  FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE ${ownSchemas}
UNION ALL SELECT 'policy', ${onTable}, p.polname, NULL FROM pg_policy p ${tableOf('p.polrelid')}
UNION ALL SELECT 'rule', ${onTable}, r.rulename, NULL FROM pg_rewrite r ${tableOf('r.ev_class')} WHERE t.relkind IN ('r', 'p', 'f') AND ${ownSchemas}
UNION ALL SELECT 'trigger', ${onTable}, g.tgname, NULL FROM pg_trigger g ${tableOf('g.tgrelid')} WHERE t.relkind IN ('r', 'p', 'f') AND NOT g.tgisinternal
UNION ALL SELECT 'check', ${onTable}, c.conname, NULL FROM pg_constraint c ${tableOf('c.conrelid')} WHERE ${ownSchemas}
UNION ALL SELECT 'default', ${onTable}, a.attname, NULL FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum ${tableOf('d.adrelid')}
  WHERE t.relkind IN ('r', 'p', 'f') AND ${ownSchemas}
UNION ALL SELECT 'index', ${onTable}, x.relname, NULL FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid ${tableOf('i.indrelid')}
  WHERE t.relkind IN ('r', 'p') AND ${ownSchemas}
UNION ALL SELECT 'schema', n.nspname, NULL, n.nspname, NULL FROM pg_namespace n WHERE ${ownSchemas}`;

/** Schemas: owner, comment, and whom our own default privileges give rights on what we make there. */
export const schemasQuery = `
SELECT n.oid, n.nspname::text AS name, pg_get_userbyid(n.nspowner)::text AS owner, ${commentOf('n.oid', 'pg_namespace')} AS comment,
       coalesce(given.relations, '{}') AS grantees, given.routines AS "routineGrantees", given.schemas AS "schemaGrantees",
       EXISTS (
         SELECT FROM pg_default_acl d, LATERAL (SELECT count(*) AS held, count(*) FILTER (WHERE e.is_grantable) AS grantable FROM aclexplode(d.defaclacl) e WHERE e.grantee = d.defaclrole) own,
              LATERAL (SELECT count(*) AS usual FROM aclexplode(acldefault('r', d.defaclrole))) first
         WHERE d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, n.oid) AND pg_get_userbyid(d.defaclrole) = current_user
           AND (own.grantable > 0 OR d.defaclnamespace = 0 AND own.held <> first.usual)) AS altered
FROM pg_namespace n, LATERAL (
  SELECT array_agg(DISTINCT CASE e.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(e.grantee)::text END) FILTER (WHERE d.defaclobjtype = 'r' AND e.grantee <> d.defaclrole) AS relations,
         array_agg(DISTINCT CASE e.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(e.grantee)::text END) FILTER (WHERE d.defaclobjtype = 'f') AS routines,
         array_agg(DISTINCT CASE e.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(e.grantee)::text END) FILTER (WHERE d.defaclobjtype = 'n') AS schemas
  FROM pg_default_acl d, aclexplode(d.defaclacl) e
  WHERE d.defaclobjtype IN ('r', 'f', 'n') AND d.defaclnamespace IN (0, n.oid) AND pg_get_userbyid(d.defaclrole) = current_user) given
WHERE ${ownSchemas}`;

/** Rights on schemas, and with `type` those that ALTER DEFAULT PRIVILEGES gives in them, whose grantor is the role that makes the object. */
export const schemaPrivilegesQuery = `
SELECT n.oid AS view, NULL::text AS column, NULL::text AS type, pg_get_userbyid(e.grantor)::text AS grantor,
       CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee)::text END AS grantee, e.privilege_type AS privilege, e.is_grantable AS grantable, e.ordinality AS position
FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) WITH ORDINALITY e WHERE ${ownSchemas}
UNION ALL
SELECT n.oid, NULL, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END, pg_get_userbyid(d.defaclrole)::text,
       CASE WHEN e.grantee <> 0 THEN pg_get_userbyid(e.grantee)::text END, e.privilege_type, e.is_grantable, e.ordinality
FROM pg_namespace n JOIN pg_default_acl d ON d.defaclnamespace = n.oid, aclexplode(d.defaclacl) WITH ORDINALITY e WHERE ${ownSchemas}
ORDER BY view, type NULLS FIRST, grantor, position`;

/**
 * What identifies bystanders and what they cannot be without, as in `partsQuery`. Parameters: kinds, schemas, tables, names and arguments, one each for every
 * bystander. The names are the ones that `bystanderDetailsQuery` gives.
 */
export const bystanderPartsQuery = `
WITH wanted AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS w(kind, schema, "table", name, arguments, position)),
found(position, class, oid, relation) AS (
  SELECT w.position, 'pg_proc'::regclass::oid, p.oid, 0::oid FROM wanted w JOIN pg_proc p ON p.proname = w.name JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = w.schema
    WHERE w.kind IN ('function', 'procedure', 'aggregate') AND oidvectortypes(p.proargtypes) = w.arguments
  UNION ALL SELECT w.position, 'pg_operator'::regclass, o.oid, 0 FROM wanted w JOIN pg_operator o ON o.oprname = w.name JOIN pg_namespace n ON n.oid = o.oprnamespace AND n.nspname = w.schema
    WHERE w.kind = 'operator' AND concat_ws(', ', CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END, format_type(o.oprright, NULL)) = w.arguments
  UNION ALL SELECT w.position, 'pg_cast'::regclass, c.oid, 0 FROM wanted w JOIN pg_cast c ON format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL) = w.arguments
    WHERE w.kind = 'cast'
  UNION ALL SELECT w.position, o.class, o.oid, t.oid FROM wanted w JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class t ON t.relnamespace = n.oid AND t.relname = w."table"
    JOIN LATERAL (
      SELECT 'policy' AS kind, 'pg_policy'::regclass AS class, oid, polname AS name FROM pg_policy WHERE polrelid = t.oid
      UNION ALL SELECT 'rule', 'pg_rewrite'::regclass, oid, rulename FROM pg_rewrite WHERE ev_class = t.oid
      UNION ALL SELECT 'trigger', 'pg_trigger'::regclass, oid, tgname FROM pg_trigger WHERE tgrelid = t.oid AND NOT tgisinternal
      UNION ALL SELECT 'check', 'pg_constraint'::regclass, oid, conname FROM pg_constraint WHERE conrelid = t.oid
      UNION ALL SELECT 'default', 'pg_attrdef'::regclass, d.oid, attname FROM pg_attrdef d JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = t.oid
      UNION ALL SELECT 'index', 'pg_class'::regclass, x.oid, x.relname FROM pg_index JOIN pg_class x ON x.oid = indexrelid WHERE indrelid = t.oid) o ON o.kind = w.kind AND o.name = w.name)
SELECT f.position::int, format('%s:%s:0', f.class, f.oid) AS id,
  CASE WHEN f.relation = 0 THEN format('%s:%s:0', f.class, f.oid) ELSE format('%s:%s:0', 'pg_class'::regclass::oid, f.relation) END AS "of",
  ARRAY(SELECT DISTINCT format('%s:%s:%s', d.refclassid, d.refobjid, CASE WHEN d.refclassid = 'pg_class'::regclass THEN d.refobjsubid ELSE 0 END) FROM pg_depend d
        WHERE d.classid = f.class AND d.objid = f.oid AND d.refobjid <> f.relation AND d.deptype <> 'P') AS needs
FROM found f`;
