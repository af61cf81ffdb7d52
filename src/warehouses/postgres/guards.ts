import type { RowSecurity } from '../../core/access.ts';
import type { Powers } from '../../core/powers.ts';
import { relationKey } from '../../core/relation.ts';
import type { Connection } from '../postgres-family/connection.ts';

/** What keeps roles from doing and seeing things. */
export interface Guards {
  readonly rowSecurity: RowSecurity;
  /** Absent for a superuser. */
  readonly powers?: Powers;
}

interface RoleRow {
  readonly name: string;
  readonly isOurs: boolean;
  readonly superuser: boolean;
  readonly bypassing: boolean;
  readonly acts: boolean;
  readonly becomes: boolean;
}

interface ExemptRow {
  readonly schema: string;
  readonly name: string;
  readonly roles: readonly string[];
}

interface CreatorRow {
  readonly schema: string;
  readonly roles: readonly string[];
}

/** Since version 16 a membership has options. */
export function membershipOf(version: number): Powers['membership'] {
  return version < 16 ? 'plain' : 'with options';
}

/** https://www.postgresql.org/docs/current/functions-info.html: USAGE is to have a role's rights, MEMBER or SET to be able to become it. */
const rolesQuery = (version: number) => `
SELECT rolname::text AS name, rolname = current_user AS "isOurs", rolsuper AS superuser, rolsuper OR rolbypassrls AS bypassing, pg_has_role(oid, 'USAGE') AS acts,
       pg_has_role(oid, '${membershipOf(version) === 'plain' ? 'MEMBER' : 'SET'}') AS becomes
FROM pg_roles`;

/** Few roles own all the tables, so that the members are looked up for each owner and not for each table. */
const exemptQuery = `
WITH guarded AS MATERIALIZED (SELECT relname, relnamespace, relowner, relforcerowsecurity FROM pg_class WHERE relrowsecurity),
members AS MATERIALIZED (
  SELECT o.relowner, array_agg(r.rolname::text) AS roles FROM (SELECT DISTINCT relowner FROM guarded WHERE NOT relforcerowsecurity) o, pg_roles r
  WHERE NOT r.rolsuper AND pg_has_role(r.oid, o.relowner, 'USAGE') GROUP BY o.relowner)
SELECT n.nspname::text AS schema, g.relname::text AS name, coalesce(m.roles, '{}') AS roles
FROM guarded g JOIN pg_namespace n ON n.oid = g.relnamespace LEFT JOIN members m ON m.relowner = g.relowner AND NOT g.relforcerowsecurity`;

/** A superuser may create anywhere, so that the question is not asked for all roles of the server. */
const creatorsQuery = `
WITH mine AS MATERIALIZED (
  SELECT oid, rolname FROM pg_roles WHERE pg_has_role(oid, 'MEMBER') AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))
SELECT n.nspname::text AS schema, coalesce((SELECT array_agg(r.rolname::text) FROM mine r WHERE has_schema_privilege(r.oid, n.oid, 'CREATE')), '{}') AS roles
FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** Reads them, as one snapshot of the catalogs has them. */
export async function readGuards(connection: Connection, version: number): Promise<Guards> {
  const [roles, exempt, creators] = await Promise.all([
    connection.query<RoleRow>(rolesQuery(version)),
    connection.query<ExemptRow>(exemptQuery),
    connection.query<CreatorRow>(creatorsQuery),
  ]);
  const me = roles.find(({ isOurs }) => isOurs);
  const names = (of: readonly RoleRow[]) => new Set(of.map(({ name }) => name));
  const rowSecurity: RowSecurity = {
    bypassing: names(roles.filter(({ bypassing }) => bypassing)),
    exempt: new Map(exempt.map((row) => [relationKey(row), new Set(row.roles)])),
  };
  if (me === undefined || me.superuser) return { rowSecurity };
  const powers: Powers = {
    role: me.name,
    actsAs: names(roles.filter(({ acts }) => acts)),
    becomes: names(roles.filter(({ becomes }) => becomes)),
    creators: new Map(creators.map((row) => [row.schema, new Set(row.roles)])),
    membership: membershipOf(version),
  };
  return { rowSecurity, powers };
}
