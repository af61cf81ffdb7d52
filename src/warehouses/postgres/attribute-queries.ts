import { withOurs } from './catalog-queries.ts';

// Every part is found once for all branches below: planning its joins in each of them took longer than running them. Columns of a plain view have none of these.
const parts = `
  relations AS MATERIALIZED (SELECT ours.oid, c.relkind, c.relam, c.reltablespace, c.relreplident FROM ours JOIN pg_class c USING (oid)),
  columns AS MATERIALIZED (SELECT ours.oid, a.* FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND ours.relkind = 'm' AND a.attnum > 0 AND NOT a.attisdropped),
  indexes AS MATERIALIZED (SELECT ours.oid, i.indexrelid, i.indisclustered, n.nspname, x.relname, x.reltablespace
    FROM ours JOIN pg_index i ON i.indrelid = ours.oid AND i.indisvalid JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace),
  statistics AS MATERIALIZED (SELECT ours.oid, n.nspname, s.stxname, s.stxstattarget, s.stxowner
    FROM ours JOIN pg_statistic_ext s ON s.stxrelid = ours.oid JOIN pg_namespace n ON n.oid = s.stxnamespace)`;

const storage = (name: string) => `CASE ${name} WHEN 'p' THEN 'PLAIN' WHEN 'm' THEN 'MAIN' WHEN 'e' THEN 'EXTERNAL' ELSE 'EXTENDED' END`;

/** Kind; on which part, with its schema, name and number; value; what it is when nothing is said. */
const attributes: readonly string[] = [
  `'access method', NULL, NULL, NULL, 0, m.amname::text, NULL FROM relations p JOIN pg_am m ON m.oid = p.relam WHERE m.amname <> 'heap'`,
  `'tablespace', NULL, NULL, NULL, 0, t.spcname::text, usual FROM relations p JOIN pg_tablespace t ON t.oid = p.reltablespace, home`,
  `'index tablespace', 'index', p.nspname, p.relname, 0, t.spcname::text, usual FROM indexes p JOIN pg_tablespace t ON t.oid = p.reltablespace, home`,
  `'cluster', 'index', p.nspname, p.relname, 0, NULL, NULL FROM indexes p WHERE p.indisclustered`,
  `'replica identity', NULL, NULL, NULL, 0, CASE p.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END, NULL FROM relations p
     WHERE p.relkind = 'm' AND p.relreplident IN ('f', 'n')`,
  `'statistics target', 'column', NULL, p.attname, 0, p.attstattarget::text, NULL FROM columns p WHERE coalesce(p.attstattarget, -1) <> -1`,
  `'statistics target', 'index', p.nspname, p.relname, a.attnum, a.attstattarget::text, NULL FROM indexes p
     JOIN pg_attribute a ON a.attrelid = p.indexrelid WHERE coalesce(a.attstattarget, -1) <> -1`,
  `'statistics target', 'statistics', p.nspname, p.stxname, 0, p.stxstattarget::text, NULL FROM statistics p WHERE coalesce(p.stxstattarget, -1) <> -1`,
  `'statistics owner', 'statistics', p.nspname, p.stxname, 0, pg_get_userbyid(p.stxowner)::text, NULL FROM statistics p`,
  `'storage', 'column', NULL, p.attname, 0, ${storage('p.attstorage')}, ${storage('t.typstorage')} FROM columns p
     JOIN pg_type t ON t.oid = p.atttypid WHERE p.attstorage <> t.typstorage`,
  `'column option', 'column', NULL, p.attname, 0, option, NULL FROM columns p, unnest(p.attoptions) option`,
  `'extension', CASE WHEN p.class = 'pg_trigger'::regclass THEN 'trigger' WHEN p.schema IS NOT NULL THEN 'index' ELSE 'relation' END, p.schema, p.name, 0, e.extname::text, NULL
     FROM (SELECT ours.oid, 'pg_class'::regclass AS class, ours.oid AS object, NULL::name AS schema, NULL::name AS name FROM ours
           UNION ALL SELECT oid, 'pg_class'::regclass, indexrelid, nspname, relname FROM indexes
           UNION ALL SELECT ours.oid, 'pg_trigger'::regclass, t.oid, NULL, t.tgname FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT t.tgisinternal) p(oid, class, object, schema, name)
     JOIN pg_depend d ON d.classid = p.class AND d.objid = p.object AND d.deptype = 'x' AND d.refclassid = 'pg_extension'::regclass
     JOIN pg_extension e ON e.oid = d.refobjid`,
  `'label', CASE WHEN l.classoid = 'pg_type'::regclass THEN 'type' WHEN l.objsubid <> 0 THEN 'column' ELSE 'relation' END, NULL, a.attname, 0, l.label, l.provider
     FROM ours p JOIN pg_seclabel l ON l.classoid = 'pg_class'::regclass AND l.objoid = p.oid OR l.classoid = 'pg_type'::regclass AND l.objoid = p.reltype
     LEFT JOIN pg_attribute a ON a.attrelid = p.oid AND a.attnum = l.objsubid AND l.objsubid <> 0`,
];

const compression = `'compression', 'column', NULL, p.attname, 0, CASE p.attcompression WHEN 'p' THEN 'pglz' ELSE 'lz4' END, NULL FROM columns p WHERE p.attcompression <> ''`;

const names = `(oid, kind, "on", schema, name, number, value, usual)`;

/** What belongs to a view and is no text that the server prints: one row for each value that is not the usual one. */
export function attributesQuery(version: number): string {
  // The compression of a column exists since version 14.
  const all = [...attributes, ...(version < 14 ? [] : [compression])];
  return `${withOurs}, ${parts}, home AS (SELECT t.spcname::text AS usual FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = current_database())
SELECT oid AS view, kind, "on", schema::text, name::text, number, value, usual FROM (
${all.map((each) => `SELECT p.oid, ${each}`).join('\nUNION ALL ')}) attributes${names}`;
}

/** What belongs to a view and cannot be made again by any statement, in words, with the reason. */
export const unrestorableQuery = `${withOurs}
SELECT ours.oid AS view, 'state of rule ' || quote_ident(r.rulename) || ' (no statement sets it on a view)' AS what
FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid WHERE r.ev_enabled <> 'O'
UNION ALL SELECT ours.oid, 'state of trigger ' || quote_ident(t.tgname) || ' (no statement sets it on a view)' FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid
  WHERE NOT t.tgisinternal AND t.tgenabled <> 'O'
UNION ALL SELECT ours.oid, 'replica identity by an index (which a materialized view cannot be given)' FROM ours JOIN pg_class c ON c.oid = ours.oid WHERE c.relreplident = 'i'
UNION ALL SELECT ours.oid, 'membership of ' || pg_describe_object(d.classid, d.objid, 0) || ' in ' || pg_describe_object(d.refclassid, d.refobjid, 0) || ' (only the view itself could be a member)'
  FROM (SELECT ours.oid, 'pg_statistic_ext'::regclass, s.oid FROM ours JOIN pg_statistic_ext s ON s.stxrelid = ours.oid
        UNION ALL SELECT ours.oid, 'pg_class'::regclass, i.indexrelid FROM ours JOIN pg_index i ON i.indrelid = ours.oid) ours(oid, class, object)
  JOIN pg_depend d ON d.classid = ours.class AND d.objid = ours.object AND d.deptype = 'e'
UNION ALL SELECT DISTINCT lists.oid, 'right that ' || quote_ident(r.rolname) || ' gave (a superuser by now, who can only give rights in the name of the owner)'
  FROM (SELECT oid, relowner, relacl AS acl FROM ours WHERE relacl IS NOT NULL
        UNION ALL SELECT ours.oid, ours.relowner, t.typacl FROM ours JOIN pg_type t ON t.oid = ours.reltype WHERE t.typacl IS NOT NULL
        UNION ALL SELECT ours.oid, ours.relowner, a.attacl FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid WHERE a.attacl IS NOT NULL) lists,
       aclexplode(lists.acl) e JOIN pg_roles r ON r.oid = e.grantor
  WHERE e.grantor <> lists.relowner AND r.rolsuper`;
