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
SELECT rolname::text AS name, rolsuper OR rolbypassrls AS bypassing, pg_has_role(oid, 'USAGE') AS acts,
       pg_has_role(oid, '${membershipOf(version) === 'plain' ? 'MEMBER' : 'SET'}') AS becomes
FROM pg_roles`;

const exemptQuery = `
SELECT n.nspname::text AS schema, c.relname::text AS name, coalesce((
  SELECT array_agg(r.rolname::text) FROM pg_roles r WHERE NOT c.relforcerowsecurity AND NOT r.rolsuper AND pg_has_role(r.oid, c.relowner, 'USAGE')), '{}') AS roles
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity`;

/** A superuser may create anywhere, so that the question is not asked for all roles of the server. */
const creatorsQuery = `
SELECT n.nspname::text AS schema, coalesce((
  SELECT array_agg(r.rolname::text) FROM pg_roles r WHERE pg_has_role(r.oid, 'MEMBER') AND has_schema_privilege(r.oid, n.oid, 'CREATE')), '{}') AS roles
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)`;

/** Reads them, as one snapshot of the catalogs has them. */
export async function readGuards(connection: Connection, version: number): Promise<Guards> {
  const [roles, exempt, creators, [me]] = await Promise.all([
    connection.query<RoleRow>(rolesQuery(version)),
    connection.query<ExemptRow>(exemptQuery),
    connection.query<CreatorRow>(creatorsQuery),
    connection.query<{ name: string; superuser: boolean }>('SELECT rolname::text AS name, rolsuper AS superuser FROM pg_roles WHERE rolname = current_user'),
  ]);
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
