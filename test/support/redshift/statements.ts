import { findReferences } from '../../../src/operations/find-references.ts';

/** What the server is told instead of what the client said. */
interface Rule {
  readonly pattern: RegExp;
  readonly translate: (match: RegExpExecArray) => string;
}

/** A text as PostgreSQL reads it with `standard_conforming_strings` off, as Redshift does. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A statement that fails as the server would have. */
export function refuse(code: string, message: string): string {
  return `DO ${quote(`BEGIN RAISE EXCEPTION USING ERRCODE = '${code}', MESSAGE = ${quote(message)}; END`)}`;
}

const part = '(?:"(?:[^"]|"")*"|[\\w$]+)';
const name = `(${part})\\.(${part})`;

/** Quoted names fold too. https://docs.aws.amazon.com/redshift/latest/dg/r_names.html */
function unquote(text = ''): string {
  return (text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text).toLowerCase();
}

const call = (routine: string, ...texts: readonly string[]) => `SELECT redshift.${routine}(${texts.map(quote).join(', ')})`;

/** A comment before CREATE stays in the text that is kept. */
const comments = '((?:\\s*(?:/\\*[\\s\\S]*?\\*/|--[^\\n]*\\n))*\\s*)';
const form = (replace: string | undefined) => (replace === undefined ? 'create' : 'replace');

/** Of a query that viewsync cannot read the server may know more. */
function readsOf(query: string): ReturnType<typeof findReferences> {
  try {
    return findReferences(query, 'redshift');
  } catch {
    return [];
  }
}

function makeLate([statement, , replace, schema, view, columns, query = '']: RegExpExecArray): string {
  // https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html: all names in a late-binding view have their schema
  const unqualified = readsOf(query).find(({ name: { schema: of } }) => of === undefined);
  if (unqualified) return refuse('0A000', `Late-binding view: relation "${unqualified.name.name}" must have its schema.`);
  const named = columns === undefined ? query : `SELECT * FROM (${query}) named ${columns}`;
  return call('make_late', unquote(schema), unquote(view), statement, named, form(replace));
}

function makeMaterialized([statement, , schema, view, options = '', query = '']: RegExpExecArray): string {
  const refreshes = /AUTO\s+REFRESH\s+YES/i.test(options) ? 'true' : 'false';
  return call('make_materialized', unquote(schema), unquote(view), statement, query, refreshes).replace(/'(true|false)'\)$/, '$1)');
}

function makeBound([, , replace, schema, view, columns, query = '']: RegExpExecArray): string {
  if (columns !== undefined) return call('make_bound', unquote(schema), unquote(view), '', `SELECT * FROM (${query}) named ${columns}`, form(replace));
  return call('make_bound', unquote(schema), unquote(view), '', query, form(replace));
}

/** Roles are kept apart, since the access list does not hold them. https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html */
function grantRole([, privilege = '', schema, view, role]: RegExpExecArray): string {
  return `INSERT INTO redshift.role_grants VALUES (redshift.oid_of(${quote(unquote(schema))}, ${quote(unquote(view))}), ${quote(unquote(role))}, ${quote(privilege.toUpperCase())}) ON CONFLICT DO NOTHING`;
}

function revokeRole([, privilege = '', schema, view, role]: RegExpExecArray): string {
  const which = /^all$/i.test(privilege) ? '' : ` AND privilege = ${quote(privilege.toUpperCase())}`;
  return `DELETE FROM redshift.role_grants WHERE view = redshift.oid_of(${quote(unquote(schema))}, ${quote(unquote(view))}) AND role = ${quote(unquote(role))}${which}`;
}

/** Everybody is `public` there. */
function toGrantee(text = ''): readonly [kind: string, grantee: string] {
  if (/^PUBLIC$/i.test(text)) return ['public', 'public'];
  return /^ROLE /i.test(text) ? ['role', unquote(text.slice('ROLE '.length))] : ['user', unquote(text)];
}

const toColumns = (text = '') => JSON.stringify([...text.matchAll(new RegExp(part, 'g'))].map(([column]) => unquote(column)));

/** https://docs.aws.amazon.com/redshift/latest/dg/r_ATTACH_RLS_POLICY.html https://docs.aws.amazon.com/redshift/latest/dg/r_ATTACH_MASKING_POLICY.html */
function attach([, sort = '', policy, schema, view, outputs, inputs = outputs, grantee, priority = '0']: RegExpExecArray): string {
  const [kind, name] = toGrantee(grantee);
  const texts = [sort, unquote(schema), unquote(view), unquote(policy), kind, name].map(quote).join(', ');
  return `SELECT redshift.attach(${texts}, ${priority}, ${quote(toColumns(inputs))}, ${quote(toColumns(outputs))})`;
}

const oidOf = (schema = '', view = '') => `redshift.oid_of(${quote(unquote(schema))}, ${quote(unquote(view))})`;

function detach([, sort = '', policy, schema, view, outputs, grantee]: RegExpExecArray): string {
  const [, name] = toGrantee(grantee);
  const which = `sort = ${quote(sort)} AND view = ${oidOf(schema, view)} AND policy = ${quote(unquote(policy))} AND grantee = ${quote(name)}`;
  return `DELETE FROM redshift.attached WHERE ${which} AND outputs = ${quote(toColumns(outputs))}`;
}

/** https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html */
function secureRows([, schema, view, state, conjunction = 'AND']: RegExpExecArray): string {
  if (state === 'OFF') return `DELETE FROM redshift.row_security WHERE view = ${oidOf(schema, view)}`;
  const values = `${oidOf(schema, view)}, ${quote(conjunction.toLowerCase())}, false`;
  return `INSERT INTO redshift.row_security VALUES (${values}) ON CONFLICT (view) DO UPDATE SET conjunction = excluded.conjunction`;
}

const asIs = ([statement]: RegExpExecArray) => statement;

const rules: readonly Rule[] = [
  { pattern: /^(?:BEGIN|COMMIT|ROLLBACK)$/, translate: asIs },
  { pattern: /^SET (?:statement_timeout TO \d+|timezone TO 'UTC'|datestyle TO 'ISO, MDY')$/, translate: asIs },
  { pattern: /^SET query_group TO '([\w ]+)'$/, translate: ([, group]) => `SET redshift.query_group TO '${group}'` },
  {
    pattern: /^SHOW enable_case_sensitive_identifier$/,
    translate: () => "SELECT coalesce(current_setting('redshift.case_sensitive', true), 'off') AS enable_case_sensitive_identifier",
  },
  {
    pattern: /^SELECT version\(\) AS text$/,
    translate: () => "SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC 3.4.2, Redshift 1.0.97034' AS text",
  },
  { pattern: /^SELECT current_namespace AS namespace$/, translate: () => 'SELECT redshift.namespace() AS namespace' },
  {
    pattern: new RegExp(
      `^${comments}CREATE\\s+(OR\\s+REPLACE\\s+)?VIEW\\s+(?:${part}\\.)?${name}\\s*(\\([^)]*\\))?\\s*AS\\s+([\\s\\S]*?)\\s+WITH\\s+NO\\s+SCHEMA\\s+BINDING\\s*;?$`,
      'i',
    ),
    translate: makeLate,
  },
  { pattern: new RegExp(`^${comments}CREATE\\s+MATERIALIZED\\s+VIEW\\s+${name}([^'"]*?)\\s*AS\\s+([\\s\\S]*?);?$`, 'i'), translate: makeMaterialized },
  { pattern: new RegExp(`^${comments}CREATE\\s+(OR\\s+REPLACE\\s+)?VIEW\\s+${name}\\s*(\\([^)]*\\))?\\s*AS\\s+([\\s\\S]*?);?$`, 'i'), translate: makeBound },
  { pattern: new RegExp(`^DROP VIEW ${name}$`), translate: ([, schema, view]) => call('drop_view', unquote(schema), unquote(view), 'plain') },
  {
    pattern: new RegExp(`^DROP MATERIALIZED VIEW ${name}$`),
    translate: ([, schema, view]) => call('drop_view', unquote(schema), unquote(view), 'materialized'),
  },
  {
    pattern: /^CREATE (RLS|MASKING) POLICY (\w+) /,
    translate: ([, sort = '', policy = '']) => `INSERT INTO redshift.policies VALUES (${quote(sort)}, ${quote(policy)})`,
  },
  {
    pattern: new RegExp(
      `^ATTACH (RLS|MASKING) POLICY (${part}) ON ${name}(?: \\(([^()]*)\\)(?: USING \\(([^()]*)\\))?)? TO ((?:ROLE )?(?:${part}))(?: PRIORITY (\\d+))?$`,
    ),
    translate: attach,
  },
  { pattern: new RegExp(`^DETACH (RLS|MASKING) POLICY (${part}) ON ${name}(?: \\(([^()]*)\\))? FROM ((?:ROLE )?(?:${part}))$`), translate: detach },
  { pattern: new RegExp(`^ALTER TABLE ${name} ROW LEVEL SECURITY (ON|OFF)(?: CONJUNCTION TYPE (AND|OR))?$`), translate: secureRows },
  {
    pattern: new RegExp(`^ALTER TABLE ${name} ROW LEVEL SECURITY (ON|OFF) FOR DATASHARES$`),
    translate: ([, schema, view, state]) => `UPDATE redshift.row_security SET shared = ${state === 'ON'} WHERE view = ${oidOf(schema, view)}`,
  },
  { pattern: new RegExp(`^ALTER TABLE ${name} OWNER TO (?:${part})$`), translate: asIs },
  {
    pattern: new RegExp(`^ALTER MATERIALIZED VIEW ${name} AUTO REFRESH (YES|NO)$`),
    translate: ([, schema, view, refreshes]) =>
      `UPDATE redshift.materialized SET refreshes = ${refreshes === 'YES'} WHERE view = redshift.oid_of(${quote(unquote(schema))}, ${quote(unquote(view))})`,
  },
  { pattern: new RegExp(`^GRANT (\\w+) ON ${name} TO ROLE (${part})$`), translate: grantRole },
  { pattern: new RegExp(`^REVOKE (\\w+) ON ${name} FROM ROLE (${part})$`), translate: revokeRole },
  {
    pattern: new RegExp(`^(?:GRANT|REVOKE) \\w+(?: \\((?:${part})\\))? ON ${name} (?:TO|FROM) (?:GROUP )?(?:${part})(?: WITH GRANT OPTION)?$`),
    translate: ([statement]) => statement.replace(/ GROUP /, ' '),
  },
  { pattern: new RegExp(`^COMMENT ON (?:VIEW ${name}|COLUMN ${name}\\.(?:${part})) IS (?:NULL|'[\\s\\S]*')$`), translate: asIs },
  { pattern: new RegExp(`^SELECT \\* FROM ${name} LIMIT 0$`), translate: ([, schema, view]) => call('probe', unquote(schema), unquote(view)) },
  {
    pattern: new RegExp(`^SHOW VIEW ${name}$`),
    translate: ([, schema, view]) =>
      `SELECT redshift.viewdef(redshift.oid_of(${quote(unquote(schema))}, ${quote(unquote(view))}), true) AS "Show View DDL statement"`,
  },
  { pattern: /^CREATE TEMP TABLE viewsync_run_\d+ \(mark int\)$/, translate: asIs },
  { pattern: /^DROP TABLE IF EXISTS viewsync_run_\d+$/, translate: asIs },
  // A new database is empty; here it has to have what makes it answer as Redshift does. https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html
  { pattern: /^CREATE DATABASE (viewsync_drill_\w+)$/, translate: ([, database]) => `CREATE DATABASE ${database} TEMPLATE redshift_template` },
  { pattern: /^DROP DATABASE viewsync_drill_\w+$/, translate: asIs },
  { pattern: /^CREATE SCHEMA \w+$/, translate: asIs },
  { pattern: new RegExp(`^CREATE FUNCTION ${name}\\(.*\\) RETURNS .* AS \\$viewsync\\$[\\s\\S]*\\$viewsync\\$ LANGUAGE sql$`), translate: asIs },
  { pattern: /^SELECT pg_terminate_backend\(\d+\)$/, translate: asIs },
  // What stands in migrations of tables, as far as both do the same.
  { pattern: /^(?:ALTER TABLE|CREATE TABLE|DROP TABLE|INSERT|UPDATE|DELETE)\s[^;]*$/i, translate: asIs },
  // Every schema in the path has to exist, and there is at least one. https://docs.aws.amazon.com/redshift/latest/dg/r_search_path.html
  { pattern: /^SET search_path TO ''$/, translate: () => refuse('3F000', 'schema "" does not exist') },
  { pattern: /^SET search_path TO [^;]+$/, translate: asIs },
  { pattern: /^SHOW search_path$/, translate: asIs },
  // What the checks for a real cluster need around the views.
  { pattern: /^(?:CREATE SCHEMA \w+|CREATE TABLE \w+\.\w+ \([\w(), ]+\)|DROP SCHEMA \w+ CASCADE)$/, translate: asIs },
  { pattern: /^SELECT pg_cancel_backend\(\$1\)$/, translate: asIs },
];

const leader =
  /^(?:pg_(?:class|namespace|attribute|user|group|rewrite|depend|default_acl|database|proc|language|get_late_binding_view_cols)|obj_description|pg_get_viewdef)$/;
const compute = /^(?:svv_\w+|stv_sessions|sys_query_history)$/;

/** Queries of the catalogs. The leader node's and the compute nodes' relations are never in one. https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions_leader_node_only.html */
function translateQuery(sql: string): string {
  const words = sql.match(/[a-z_]+/g) ?? [];
  const [ofLeader, ofCompute] = [words.filter((word) => leader.test(word)), words.filter((word) => compute.test(word))];
  // Users can be seen from both sides.
  const onlyLeader = ofLeader.filter((word) => word !== 'pg_user');
  if (onlyLeader.length > 0 && ofCompute.length > 0)
    return refuse('0A000', 'Specified types or functions (one per INFO message) not supported on Redshift tables.');
  const unknown = findReferences(sql, 'postgres').find(({ name: { name: relation } }) => !leader.test(relation) && !compute.test(relation));
  if (unknown) return refuse('XX000', `the simulation of Redshift knows no relation ${unknown.name.name}`);
  return sql
    .replaceAll('array_to_string(c.relacl, chr(10))', 'redshift.acl(c.oid)')
    .replaceAll('pg_get_viewdef(', 'redshift.viewdef(')
    .replaceAll('pg_get_late_binding_view_cols()', 'redshift.late_columns()')
    .replaceAll("'catalog_history')", "'catalog_history', 'redshift')")
    .replaceAll('getdate()', "(now() AT TIME ZONE 'UTC')")
    .replaceAll('array_to_string(d.defaclacl, chr(10))', 'array_to_string(d.defaclacl::text[], chr(10))')
    .replaceAll('d.defacluser', 'd.defaclrole')
    .replace(/\bpg_group\b/g, 'redshift.pg_group')
    .replace(/(?<![\w.])(svv_\w+|stv_sessions|sys_query_history)\b/g, 'redshift.$1');
}

/** The statement for the PostgreSQL server behind; one that fails where the simulation does not know it. */
export function translateStatement(sql: string): string {
  const text = sql.trim();
  for (const { pattern, translate } of rules) {
    const match = pattern.exec(text);
    if (match) return translate(match);
  }
  if (/^SELECT\s/.test(text)) return translateQuery(text);
  return refuse('42601', `syntax error: the simulation of Redshift does not know the statement ${text.slice(0, 200)}`);
}
