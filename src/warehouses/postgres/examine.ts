import type { Permission, Powers } from '../../core/powers.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Finding } from '../warehouse.ts';
import { permit } from './access.ts';
import { membershipOf } from './guards.ts';
import { quoteIdentifier } from './names.ts';
import type { ServerFacts } from './server.ts';

interface Row {
  readonly role: string;
  readonly database: string;
  readonly clock: Date;
  readonly temporary: boolean;
  readonly standby: boolean;
  readonly identifiable: boolean;
  readonly superuser: boolean;
  readonly creates: boolean;
  /** Whether it may create schemas. */
  readonly founds: boolean;
}

// https://www.postgresql.org/docs/current/functions-info.html: the functions that ask for privileges take the current role when none is given.
const question = `SELECT current_user::text AS role, current_database()::text AS database, clock_timestamp() AS clock,
  has_database_privilege(current_database(), 'TEMP') AS temporary, pg_is_in_recovery() AS standby,
  has_function_privilege('pg_control_system()', 'EXECUTE') AS identifiable, rolsuper AS superuser, rolsuper OR rolcreatedb AS creates,
  has_database_privilege(current_database(), 'CREATE') AS founds
  FROM pg_roles WHERE rolname = current_user`;

const views = `SELECT c.oid, c.relowner, c.relnamespace, c.relacl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')`;

interface Need {
  readonly need: 'owner' | 'grantor' | 'table owner' | 'schema' | 'owner in schema' | 'schema owner';
  readonly role: string;
  readonly superuser: boolean;
  /** Of what is about a schema. */
  readonly schema: string | null;
  readonly views: number;
}

/** The roles that own and grant, and the schemas, with how many views each is needed for. `becomes` is what is asked of `pg_has_role`. */
const needsQuery = (becomes: 'MEMBER' | 'SET') => `
WITH ours AS MATERIALIZED (${views}),
read AS (
  SELECT DISTINCT ours.oid, t.relowner FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class t ON t.oid = d.refobjid AND t.relkind IN ('r', 'p') AND t.oid >= 16384),
given AS (
  SELECT DISTINCT ours.oid, e.grantor FROM ours, LATERAL (
    SELECT grantor FROM aclexplode(ours.relacl)
    UNION SELECT a.grantor FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = ours.oid AND t.attacl IS NOT NULL) e
  WHERE e.grantor <> ours.relowner),
needed AS (
  SELECT 'owner' AS need, relowner AS role, NULL::oid AS schema, oid FROM ours WHERE NOT (pg_has_role(relowner, 'USAGE') AND pg_has_role(relowner, '${becomes}'))
  UNION ALL SELECT 'grantor', grantor, NULL, oid FROM given WHERE NOT pg_has_role(grantor, '${becomes}')
  UNION ALL SELECT 'table owner', relowner, NULL, oid FROM read WHERE NOT pg_has_role(relowner, 'USAGE')
  UNION ALL SELECT 'schema', NULL, relnamespace, oid FROM ours WHERE NOT has_schema_privilege(relnamespace, 'CREATE') OR NOT has_schema_privilege(relnamespace, 'USAGE')
  UNION ALL SELECT 'schema owner', n.nspowner, n.oid, ours.oid FROM ours JOIN pg_namespace n ON n.oid = ours.relnamespace
    WHERE NOT (pg_has_role(n.nspowner, 'USAGE') AND pg_has_role(n.nspowner, '${becomes}')) AND NOT EXISTS (SELECT FROM ours o WHERE o.relowner = n.nspowner)
      AND n.nspowner NOT IN (SELECT oid FROM pg_roles WHERE rolname = 'pg_database_owner')
  UNION ALL SELECT 'owner in schema', relowner, relnamespace, oid FROM ours WHERE NOT has_schema_privilege(relowner, relnamespace, 'CREATE'))
SELECT need, coalesce(r.rolname::text, '') AS role, coalesce(r.rolsuper, false) AS superuser, nspname::text AS schema, count(*)::int AS views
FROM needed LEFT JOIN pg_namespace n ON n.oid = schema LEFT JOIN pg_roles r ON r.oid = role
GROUP BY need, r.rolname, r.rolsuper, nspname ORDER BY need, r.rolname, nspname`;

const count = (views: number) => (views === 1 ? 'a view' : `${views} views`);

function describeNeed({ need, role, schema, views: number }: Need): string {
  switch (need) {
    case 'owner':
      return `To apply and to migrate, this role has to act as "${role}", who owns ${count(number)}.`;
    case 'grantor':
      return `To apply and to migrate, this role has to become "${role}", who gave rights on ${count(number)}.`;
    case 'table owner':
      return `To migrate, this role has to act as "${role}", who owns tables that ${count(number)} read${number === 1 ? 's' : ''}.`;
    case 'schema':
      return `To apply and to migrate, this role has to create in the schema "${schema}", where ${count(number)} ${number === 1 ? 'is' : 'are'}.`;
    case 'schema owner':
      return `To make the schema "${schema}" again when it is gone, this role has to act as "${role}", who owns it.`;
    case 'owner in schema':
      return `To be given ${count(number)} in the schema "${schema}" again, "${role}" has to create there.`;
  }
}

function toPermission({ need, role, schema }: Need, ours: string): Permission {
  if (schema === null || need === 'schema owner') return { to: ours, be: role };
  return { to: need === 'schema' ? ours : role, createIn: schema };
}

function toFinding(need: Need, { role }: Row, membership: Powers['membership']): Finding {
  const statement = `${permit(toPermission(need, role), { membership })};`;
  if (!need.superuser) return { found: describeNeed(need), suggestions: [statement] };
  const instead = `Better: give what "${need.role}" owns to a role that is no superuser; or ${statement} which makes "${role}" a superuser as well.`;
  return { found: describeNeed(need), suggestions: [instead] };
}

function findGeneral(row: Row): readonly Finding[] {
  const role = quoteIdentifier(row.role);
  const texts = 'texts that differ cannot be compared by the server and count as changed';
  return [
    ...(row.standby ? [{ found: 'The server is a standby: views can be exported, but nothing can be applied.', suggestions: [] }] : []),
    ...(row.temporary
      ? []
      : [
          {
            found: `To export and to apply, this role should create temporary views; without them ${texts}.`,
            suggestions: [`GRANT TEMPORARY ON DATABASE ${quoteIdentifier(row.database)} TO ${role};`],
          },
        ]),
    ...(row.identifiable
      ? []
      : [
          {
            found: 'To export, this role should call pg_control_system(); without it a restored copy of the database looks like the database itself.',
            suggestions: [`GRANT EXECUTE ON FUNCTION pg_control_system() TO ${role};`],
          },
        ]),
    ...(row.founds
      ? []
      : [
          {
            found: 'To make a schema again that is gone, this role has to create in the database.',
            suggestions: [`GRANT CREATE ON DATABASE ${quoteIdentifier(row.database)} TO ${role};`],
          },
        ]),
    ...(row.creates
      ? []
      : [
          {
            found: 'To drill on this server, this role has to create databases; a drill on another one needs nothing here.',
            suggestions: [`ALTER ROLE ${role} CREATEDB;`, 'viewsync drill --on embedded'],
          },
        ]),
  ];
}

/** `Warehouse.examine`. */
export async function examineServer(
  connection: Connection,
  { version }: ServerFacts,
): Promise<{ readonly clock: Date; readonly findings: readonly Finding[] }> {
  const membership = membershipOf(version);
  const [[row], needs] = await Promise.all([connection.query<Row>(question), connection.query<Need>(needsQuery(membership === 'plain' ? 'MEMBER' : 'SET'))]);
  if (!row) return { clock: new Date(), findings: [] };
  return { clock: row.clock, findings: [...findGeneral(row), ...(row.superuser ? [] : needs.map((need) => toFinding(need, row, membership)))] };
}
