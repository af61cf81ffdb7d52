import { relationKey } from '../../core/relation.ts';
import type { Unseen } from '../../core/unseen.ts';
import type { View } from '../../core/view.ts';
import type { PrivilegeRow, RoleGrantRow, SystemPrivilegeRow, UserGrantRow, ViewRow } from './catalog-rows.ts';
import { policyKinds } from './policy-attachments.ts';

/** What tells how much the system views show to our user; what it may not read is undefined. */
export interface SightRows {
  readonly role: string;
  readonly superuser: boolean;
  readonly userGrants: readonly UserGrantRow[] | undefined;
  readonly roleGrants: readonly RoleGrantRow[] | undefined;
  readonly systemPrivileges: readonly SystemPrivilegeRow[] | undefined;
  readonly privileges: readonly PrivilegeRow[] | undefined;
  readonly views: readonly ViewRow[];
  /** Rows about policies, all of them; undefined where any were refused. */
  readonly policies: readonly unknown[] | undefined;
}

/** What our user is shown of everybody's views; the absence of a row means something there alone. */
export interface Sight {
  readonly role: string;
  /** Rights of roles, and rights on columns. */
  readonly rights: 'all' | 'own';
  readonly policies: 'all' | 'none';
}

/** Every role that our user has, through others too. */
function findRoles({ role, userGrants = [], roleGrants = [] }: SightRows): ReadonlySet<string> {
  const roles = new Set(userGrants.filter(({ user }) => user === role).map((grant) => grant.role));
  for (const holder of roles) for (const grant of roleGrants) if (grant.role === holder) roles.add(grant.granted);
  return roles;
}

/** A right of somebody else's on somebody else's view: a row that only those are shown who are shown all. */
function isForeign({ role, views }: SightRows): (row: PrivilegeRow) => boolean {
  const foreign = new Set(views.filter(({ owner }) => owner !== role).map(relationKey));
  return ({ kind, grantee, schema, view }) => kind.toLowerCase() === 'user' && grantee !== role && foreign.has(relationKey({ schema, name: view }));
}

/**
 * A system view may refuse those who may not see all, or show them a part as if it were all, and no page says which; so rows count as all where
 * our user is known to see all, or is shown what others are not. https://docs.aws.amazon.com/redshift/latest/dg/r_SVV_SYSTEM_PRIVILEGES.html
 */
export function findSight(rows: SightRows): Sight {
  const { role, superuser, systemPrivileges = [], privileges = [], policies } = rows;
  const roles = findRoles(rows);
  const isOurs = ({ kind, name }: SystemPrivilegeRow) => (kind.toLowerCase() === 'role' ? roles.has(name) : name === role);
  const seesRights = superuser || systemPrivileges.some(isOurs) || privileges.some(isForeign(rows));
  const seesPolicies = policies !== undefined && (superuser || roles.has('sys:secadmin') || policies.length > 0);
  return { role, rights: seesRights && rows.privileges !== undefined ? 'all' : 'own', policies: seesPolicies ? 'all' : 'none' };
}

const ofRoles: Unseen = { kind: 'grant', keys: '^ROLE ' };
const onColumns: Unseen = { kind: 'grant', keys: '\\)$' };

/** What of a view our user may not see; `refreshes` is a guess where the catalog has no row about a materialized view. */
export function findUnseen(
  { kind }: Pick<View, 'kind'>,
  { owner, refreshes }: { readonly owner: string; readonly refreshes: 'known' | 'guessed' },
  { role, rights, policies }: Sight,
): readonly Unseen[] {
  return [
    ...(rights === 'all' ? [] : owner === role ? [onColumns] : [ofRoles, onColumns]),
    ...(policies === 'all' ? [] : policyKinds.map((each) => ({ kind: each }))),
    ...(kind === 'materialized view' && refreshes === 'guessed' ? [{ kind: 'auto refresh', isGuess: true as const }] : []),
  ];
}
