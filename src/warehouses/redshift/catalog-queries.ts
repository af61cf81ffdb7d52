/**
 * The text of every query that reads the catalogs. A query asks either the leader node or the system views of the compute nodes, never both:
 * Redshift refuses to mix them. https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html
 * Names are cast, since the compute nodes know no type `name`.
 */

const ours = `
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'catalog_history')`;

/** Oids of the views to read; all of them when left out. They are numbers, so nothing has to be quoted. */
export type Oids = readonly number[] | undefined;

const among = (oids: Oids) => (oids === undefined ? '' : ` AND c.oid IN (${[0, ...oids].map(Math.trunc).join(', ')})`);

/** Bound, late-binding and materialized views are all of one kind there; only their text tells them apart. */
export const viewsQuery = (oids: Oids) => `
SELECT c.oid, n.nspname::varchar AS schema, c.relname::varchar AS name, pg_get_userbyid(c.relowner)::varchar AS owner,
       array_to_string(c.relacl, chr(10)) AS acl, obj_description(c.oid, 'pg_class') AS comment ${ours}${among(oids)}
ORDER BY c.oid`;

export const definitionsQuery = (oids: Oids) => `SELECT c.oid, pg_get_viewdef(c.oid, true) AS definition ${ours}${among(oids)}`;

/** The text of one view in full. https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_VIEW.html */
export const showViewQuery = (quotedName: string) => `SHOW VIEW ${quotedName}`;

/** Of bound and materialized views, with the comments on them. */
export const columnsQuery = (oids: Oids) => `
SELECT a.attrelid AS view, a.attname::varchar AS name, format_type(a.atttypid, a.atttypmod) AS type, col_description(a.attrelid, a.attnum) AS comment
FROM pg_attribute a JOIN (SELECT c.oid ${ours}${among(oids)}) v ON v.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum`;

/** https://docs.aws.amazon.com/redshift/latest/dg/PG_GET_LATE_BINDING_VIEW_COLS.html: a view whose tables are gone has no rows. */
export const lateColumnsQuery = `
SELECT view_schema::varchar AS schema, view_name::varchar AS view, col_name::varchar AS name, col_type::varchar AS type, col_num AS number
FROM pg_get_late_binding_view_cols() cols(view_schema name, view_name name, col_name name, col_type varchar, col_num int)
ORDER BY col_num`;

/** What bound views read; late-binding views have no rows. */
export const readsQuery = (oids: Oids) => `
SELECT DISTINCT v.oid AS view, rn.nspname::varchar AS schema, r.relname::varchar AS name
FROM (SELECT c.oid ${ours}${among(oids)}) v
     JOIN pg_rewrite w ON w.ev_class = v.oid JOIN pg_depend d ON d.objid = w.oid AND d.refobjid <> v.oid
     JOIN pg_class r ON r.oid = d.refobjid JOIN pg_namespace rn ON rn.oid = r.relnamespace
WHERE r.relname !~ '^mv_tbl__'`;

export const namesToOidsQuery = (conditions: string) => `SELECT c.oid ${ours} AND (${conditions})`;

export const relationsQuery = `
SELECT n.nspname::varchar AS schema, c.relname::varchar AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v')`;

export const schemasQuery = `
SELECT n.nspname::varchar AS name FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'catalog_history')`;

export const sessionQuery = 'SELECT u.usename::varchar AS role, u.usesuper AS superuser FROM pg_user u WHERE u.usename = current_user';

export const usersQuery = `SELECT usename::varchar AS name, 'user' AS kind FROM pg_user UNION ALL SELECT groname::varchar, 'group' FROM pg_group`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ROLES.html */
export const rolesQuery = `SELECT role_name AS name, 'role' AS kind FROM svv_roles`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RELATION_PRIVILEGES.html: not all rows, unless the user may see system tables. */
export const privilegesQuery = `
SELECT namespace_name AS schema, relation_name AS view, privilege_type AS privilege, identity_name AS grantee, identity_type AS kind, admin_option AS grantable
FROM svv_relation_privileges`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_COLUMN_PRIVILEGES.html */
export const columnPrivilegesQuery = `
SELECT namespace_name AS schema, relation_name AS view, column_name AS "column", privilege_type AS privilege, identity_name AS grantee, identity_type AS kind
FROM svv_column_privileges`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_USER_GRANTS.html: a plain user sees its own. */
export const userGrantsQuery = 'SELECT user_name AS "user", role_name AS role FROM svv_user_grants';

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ROLE_GRANTS.html: a plain user sees those of its roles. */
export const roleGrantsQuery = 'SELECT role_name AS role, granted_role_name AS granted FROM svv_role_grants';

/** Who may see all rows of the system views. https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_SYSTEM_PRIVILEGES.html */
export const systemPrivilegesQuery = `
SELECT identity_name AS name, identity_type AS kind FROM svv_system_privileges WHERE system_privilege = 'ACCESS SYSTEM TABLE'`;

/** Our own default privileges, which every user sees, but for those of roles. https://docs.aws.amazon.com/redshift/latest/dg/r_PG_DEFAULT_ACL.html */
export const defaultAclQuery = `
SELECT n.nspname::varchar AS schema, array_to_string(d.defaclacl, chr(10)) AS acl
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
WHERE d.defaclobjtype = 'r' AND pg_get_userbyid(d.defacluser) = current_user`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_DEFAULT_PRIVILEGES.html: not all rows, unless the user may see system tables. */
export const defaultPrivilegesQuery = `
SELECT DISTINCT schema_name AS schema, grantee_name AS grantee, grantee_type AS kind FROM svv_default_privileges
WHERE object_type = 'RELATION' AND owner_name = current_user`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_MV_INFO.html */
export const materializedQuery = 'SELECT schema_name AS schema, name AS view, autorefresh FROM svv_mv_info';

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_TABLE_INFO.html: size in blocks of a megabyte. */
export const sizesQuery = `SELECT "schema", "table" AS "table", size FROM svv_table_info WHERE "table" LIKE 'mv_tbl__%'`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_ATTACHED_POLICY.html: refused to whoever has not the role sys:secadmin. */
export const rowPoliciesQuery = 'SELECT relschema AS schema, relname AS view, polname AS policy, grantee, granteekind AS kind FROM svv_rls_attached_policy';

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_RELATION.html */
export const rowSecurityQuery = `
SELECT relschema AS schema, relname AS view, is_rls_on AS "isOn", is_rls_datashare_on AS "isShared", rls_conjunction_type AS conjunction
FROM svv_rls_relation WHERE datname = current_database()`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_ATTACHED_MASKING_POLICY.html: no rows for whoever has not the role sys:secadmin. */
export const maskingPoliciesQuery = `
SELECT schema_name AS schema, table_name AS view, policy_name AS policy, grantee, grantee_type AS kind, priority,
       input_columns AS inputs, output_columns AS outputs
FROM svv_attached_masking_policy`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_RLS_POLICY.html */
export const rowPolicyFormsQuery = 'SELECT polname AS name, polatts AS columns FROM svv_rls_policy WHERE poldb = current_database()';

/** https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_MASKING_POLICY.html */
export const maskingPolicyFormsQuery = `
SELECT policy_name AS name, input_columns AS columns, policy_expression AS expressions FROM svv_masking_policy WHERE policy_database = current_database()`;

/** Which columns of tables bound views use. */
export const columnReadsQuery = `
SELECT DISTINCT vn.nspname::varchar AS schema, v.relname::varchar AS name, r.relname::varchar AS "table", a.attname::varchar AS "column"
FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid JOIN pg_class v ON v.oid = w.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace
     JOIN pg_class r ON r.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refobjsubid > 0 AND v.oid <> r.oid`;

/** Names of views, with what stays the same when one gets another name. */
export const listQuery = `SELECT c.oid, n.nspname::varchar AS schema, c.relname::varchar AS name ${ours}`;

/** Of tables; those in which materialized views keep their data are no tables of anybody's. */
export const tableColumnsQuery = `
SELECT n.nspname::varchar AS schema, c.relname::varchar AS name, a.attname::varchar AS "column", format_type(a.atttypid, a.atttypmod) AS type
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname !~ '^mv_tbl__'
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'catalog_history')
ORDER BY n.nspname, c.relname, a.attnum`;

export const functionsQuery = `
SELECT n.nspname::varchar AS schema, p.proname::varchar AS name, oidvectortypes(p.proargtypes) AS arguments, format_type(p.prorettype, NULL) AS returns,
       l.lanname::varchar AS language, p.prosrc AS source
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname IN ('sql', 'plpythonu') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'catalog_history')`;

export const mayCreateQuery = 'SELECT u.usesuper OR u.usecreatedb AS allowed, u.usename::varchar AS role FROM pg_user u WHERE u.usename = current_user';

/** Scratch databases, in use or left over. */
export const databasesQuery = `SELECT datname::varchar AS name FROM pg_database WHERE substring(datname::varchar, 1, 15) = 'viewsync_drill_'`;

/** https://docs.aws.amazon.com/redshift/latest/dg/r_STV_SESSIONS.html */
export const sessionsQuery = 'SELECT process, db_name AS database FROM stv_sessions';
