import { Client } from 'pg';

const session = [
  "SET search_path = ''",
  "SET timezone = 'UTC'",
  "SET datestyle = 'ISO, YMD'",
  "SET intervalstyle = 'postgres'",
  'SET extra_float_digits = 3',
  'SET jit = off',
];

const ours = `
  SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_temp%'`;

// Roles that a privilege names, their members, and everybody. Others hold what everybody holds, and other tests make and drop them meanwhile.
const concerned = `
  WITH RECURSIVE named AS (
    SELECT unnest(ARRAY[e.grantee, e.grantor]) AS oid FROM (${ours}) v, aclexplode(coalesce(v.relacl, acldefault('r', v.relowner))) e
    UNION SELECT e.grantee FROM (${ours}) v JOIN pg_attribute a ON a.attrelid = v.oid, aclexplode(a.attacl) e
    UNION SELECT m.member FROM named JOIN pg_auth_members m ON m.roleid = named.oid)
  SELECT rolname AS role FROM named JOIN pg_roles USING (oid) UNION SELECT 'public'`;

const lines: Readonly<Record<string, string>> = {
  relation: `
    SELECT v.nspname, v.relname, v.relkind, pg_get_viewdef(v.oid) AS definition, v.relowner::regrole::text AS owner, v.relispopulated AS populated,
      (SELECT array_agg(o ORDER BY o) FROM unnest(v.reloptions) o) AS options, v.relreplident AS replica_identity,
      (SELECT array_agg(o ORDER BY o) FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = v.reltoastrelid) AS toast_options,
      (SELECT spcname FROM pg_tablespace s WHERE s.oid = v.reltablespace) AS tablespace, (SELECT amname FROM pg_am m WHERE m.oid = v.relam) AS method,
      obj_description(v.oid, 'pg_class') AS comment, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(v.relacl, acldefault('r', v.relowner))) a) AS acl,
      v.relpersistence, v.relhasrules, v.relrowsecurity
    FROM (${ours}) v`,
  type: `
    SELECT v.nspname, v.relname, obj_description(t.oid, 'pg_type') AS comment, obj_description(t.typarray, 'pg_type') AS array_comment, t.typowner::regrole::text AS owner,
      (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) a) AS acl
    FROM (${ours}) v JOIN pg_type t ON t.oid = v.reltype`,
  label: `
    SELECT v.nspname, v.relname, l.classoid::regclass::text AS class, l.objsubid, l.provider, l.label
    FROM (${ours}) v JOIN pg_seclabel l ON l.objoid IN (v.oid, v.reltype)`,
  'extension dependence': `
    SELECT v.nspname, v.relname, pg_describe_object(d.classid, d.objid, d.objsubid) AS part, d.deptype, pg_describe_object(d.refclassid, d.refobjid, 0) AS extension
    FROM (${ours}) v, pg_depend d
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype IN ('x', 'e') AND (d.objid = v.oid
      OR d.objid IN (SELECT oid FROM pg_trigger WHERE tgrelid = v.oid) OR d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = v.oid))`,
  column: `
    SELECT v.nspname, v.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attcollation::regcollation::text AS collation,
      pg_get_expr(d.adbin, d.adrelid) AS "default", col_description(v.oid, a.attnum) AS comment, a.attstorage, to_jsonb(a) ->> 'attcompression' AS compression, coalesce(a.attstattarget, -1) AS target,
      (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) o) AS options, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(a.attacl) x) AS acl
    FROM (${ours}) v JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = v.oid AND d.adnum = a.attnum`,
  rule: `
    SELECT v.nspname, v.relname, r.rulename, pg_get_ruledef(r.oid) AS definition, r.ev_enabled, obj_description(r.oid, 'pg_rewrite') AS comment
    FROM (${ours}) v JOIN pg_rewrite r ON r.ev_class = v.oid`,
  trigger: `
    SELECT v.nspname, v.relname, t.tgname, pg_get_triggerdef(t.oid) AS definition, t.tgenabled, obj_description(t.oid, 'pg_trigger') AS comment
    FROM (${ours}) v JOIN pg_trigger t ON t.tgrelid = v.oid AND NOT t.tgisinternal`,
  index: `
    SELECT v.nspname, v.relname, x.relname AS index, pg_get_indexdef(i.indexrelid) AS definition, i.indisclustered,
      obj_description(i.indexrelid, 'pg_class') AS comment, (SELECT spcname FROM pg_tablespace s WHERE s.oid = x.reltablespace) AS tablespace,
      (SELECT array_agg(coalesce(a.attstattarget, -1) ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indexrelid) AS targets
    FROM (${ours}) v JOIN pg_index i ON i.indrelid = v.oid AND i.indisvalid JOIN pg_class x ON x.oid = i.indexrelid`,
  statistics: `
    SELECT v.nspname, v.relname, pg_get_statisticsobjdef(s.oid) AS definition, obj_description(s.oid, 'pg_statistic_ext') AS comment,
      s.stxnamespace::regnamespace::text AS schema, s.stxname, s.stxowner::regrole::text AS owner, coalesce(s.stxstattarget, -1) AS target
    FROM (${ours}) v JOIN pg_statistic_ext s ON s.stxrelid = v.oid`,
  right: `
    SELECT v.nspname, v.relname, r.role, p AS privilege, has_table_privilege(r.role, v.oid, p || ' WITH GRANT OPTION') AS grantable
    FROM (${ours}) v, (${concerned}) r, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']
      || CASE WHEN current_setting('server_version_num')::int >= 170000 THEN ARRAY['MAINTAIN'] ELSE '{}' END) p
    WHERE has_table_privilege(r.role, v.oid, p)`,
  'column right': `
    SELECT v.nspname, v.relname, a.attname, r.role, p AS privilege, has_column_privilege(r.role, v.oid, a.attnum, p || ' WITH GRANT OPTION') AS grantable
    FROM (${ours}) v JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0 AND NOT a.attisdropped, (${concerned}) r,
      unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p
    WHERE has_column_privilege(r.role, v.oid, a.attnum, p)`,
  function: `
    SELECT n.nspname, p.proname, pg_get_function_identity_arguments(p.oid) AS arguments, CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition,
      p.proowner::regrole::text AS owner, obj_description(p.oid, 'pg_proc') AS comment,
      (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) x) AS acl, to_jsonb(a) - 'aggfnoid' AS aggregate
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace LEFT JOIN (
      SELECT aggfnoid, aggkind, aggtransfn::text, aggfinalfn::text, aggfinalextra, aggfinalmodify, aggtranstype::regtype::text, aggtransspace, agginitval FROM pg_aggregate) a ON a.aggfnoid = p.oid
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,
  operator: `
    SELECT o.oid::regoperator::text AS operator, o.oprcode::text AS function, o.oprrest::text AS restrict, o.oprjoin::text AS "join", o.oprowner::regrole::text AS owner, obj_description(o.oid, 'pg_operator') AS comment
    FROM pg_operator o WHERE o.oprnamespace <> 'pg_catalog'::regnamespace`,
  cast: `
    SELECT c.castsource::regtype::text AS source, c.casttarget::regtype::text AS target, c.castfunc::regprocedure::text AS function, c.castcontext, c.castmethod, obj_description(c.oid, 'pg_cast') AS comment
    FROM pg_cast c WHERE c.oid >= 16384`,
  policy: `
    SELECT polrelid::regclass::text AS relation, polname, polpermissive, polcmd, polroles::regrole[]::text AS roles, pg_get_expr(polqual, polrelid) AS condition,
      pg_get_expr(polwithcheck, polrelid) AS "check", obj_description(oid, 'pg_policy') AS comment
    FROM pg_policy`,
  'rule of a table': `
    SELECT r.ev_class::regclass::text AS relation, r.rulename, pg_get_ruledef(r.oid) AS definition, r.ev_enabled, obj_description(r.oid, 'pg_rewrite') AS comment
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relkind IN ('r', 'p', 'f') AND c.relnamespace <> 'pg_catalog'::regnamespace`,
  'trigger of a table': `
    SELECT t.tgrelid::regclass::text AS relation, t.tgname, pg_get_triggerdef(t.oid) AS definition, t.tgenabled, obj_description(t.oid, 'pg_trigger') AS comment
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relkind IN ('r', 'p', 'f') AND NOT t.tgisinternal`,
  'default of a table': `
    SELECT d.adrelid::regclass::text AS relation, a.attname, pg_get_expr(d.adbin, d.adrelid) AS expression
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum JOIN pg_class c ON c.oid = d.adrelid WHERE c.relkind IN ('r', 'p', 'f')`,
  check: `
    SELECT conrelid::regclass::text AS relation, conname, pg_get_constraintdef(oid) AS definition, convalidated, connoinherit, obj_description(oid, 'pg_constraint') AS comment
    FROM pg_constraint WHERE contype = 'c' AND connamespace <> 'pg_catalog'::regnamespace AND connamespace <> 'information_schema'::regnamespace`,
  'index of a table': `
    SELECT i.indexrelid::regclass::text AS index, pg_get_indexdef(i.indexrelid) AS definition, i.indisvalid, obj_description(i.indexrelid, 'pg_class') AS comment
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relkind IN ('r', 'p') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace, 'information_schema'::regnamespace)`,
  schema: `
    SELECT n.nspname, n.nspowner::regrole::text AS owner, obj_description(n.oid, 'pg_namespace') AS comment,
      (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(coalesce(n.nspacl, acldefault('n', n.nspowner))) x) AS acl
    FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`,
  'default privilege': `
    SELECT d.defaclrole::regrole::text AS role, d.defaclnamespace::regnamespace::text AS schema, d.defaclobjtype, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(d.defaclacl) x) AS acl
    FROM pg_default_acl d`,
};

/**
 * Everything that the catalogs hold about the views of a database and about what may hang on them, as sorted lines of JSON: what must be equal before and after. The queries
 * are written for this purpose alone and share nothing with what they test.
 */
export async function describeCatalog(url: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // One message with all statements, which returns one result for each, the session's settings first.
    const results: unknown = await client.query([...session, ...Object.values(lines)].join(';'));
    const listed = (results as readonly { readonly rows: readonly object[] }[]).slice(session.length);
    return Object.keys(lines)
      .flatMap((kind, index) => listed[index]?.rows.map((row) => JSON.stringify({ kind, ...row })) ?? [])
      .sort();
  } finally {
    await client.end();
  }
}
