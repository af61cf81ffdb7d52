import { compareText } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import type { Relation } from './attachments.ts';
import { type Grant, grantAttachment, revokeAttachment, typePrivilege } from './grant-attachments.ts';
import { everybody } from './names.ts';

/** A row of `aclexplode`, NULL lists replaced by those of `acldefault`. */
export interface AclEntry {
  readonly privilege: string;
  readonly column: string | null;
  /** Null for everybody. */
  readonly grantee: string | null;
  readonly grantor: string;
  readonly grantable: boolean;
}

/** The rights on a view as the catalogs hold them. */
interface Acl {
  readonly owner: string;
  readonly entries: readonly AclEntry[];
  /** The rights on relations that this version of the server knows, which an owner has unless they were revoked. */
  readonly serverPrivileges: readonly string[];
}

function isFromOwner({ grantor }: Grant): boolean {
  return grantor === undefined;
}

function toGrant({ privilege, column, grantee, grantor, grantable }: AclEntry, owner: string): Grant {
  return { privilege, column: column ?? undefined, grantee: grantee ?? everybody, grantor: grantor === owner ? undefined : grantor, grantable };
}

function isBuiltIn({ grantee, grantor, column, grantable }: AclEntry, owner: string): boolean {
  return grantee === owner && grantor === owner && column === null && !grantable;
}

/**
 * The rights on a view as attachments: what the owner lacks, then what was granted, whoever passes a right on after having received it.
 * The owner's own rights are left out, since an owner has them without being told.
 */
export function aclAttachments(relation: Relation, { owner, entries, serverPrivileges }: Acl): readonly Attachment[] {
  const own = entries.filter(({ grantee, grantor, column }) => grantee === owner && grantor === owner && column === null);
  const held = new Set(own.map(({ privilege }) => privilege));
  const lacking = serverPrivileges.filter((privilege) => !held.has(privilege)).sort(compareText);
  const granted = entries.filter((entry) => !isBuiltIn(entry, owner)).map((entry) => toGrant(entry, owner));
  return [
    ...lacking.map((privilege) => revokeAttachment(relation, { privilege, from: owner })),
    ...orderGrants(granted).map((grant) => grantAttachment(relation, grant, owner)),
  ];
}

/**
 * The rights on a view's row type as attachments, from all entries of its list: its owner and everybody have `typePrivilege` at first.
 * https://www.postgresql.org/docs/current/ddl-priv.html
 */
export function typeAclAttachments(relation: Relation, { owner, entries }: Omit<Acl, 'serverPrivileges'>): readonly Attachment[] {
  const isUsual = ({ grantee, grantor, grantable }: AclEntry) => grantor === owner && !grantable && (grantee === null || grantee === owner);
  const lacks = (role: string | null) => !entries.some(({ grantee, grantor }) => grantee === role && grantor === owner);
  const granted = entries.filter((entry) => !isUsual(entry)).map((entry) => toGrant(entry, owner));
  return [
    ...(lacks(owner) ? [revokeAttachment(relation, { privilege: typePrivilege, from: owner })] : []),
    ...(lacks(null) ? [revokeAttachment(relation, { privilege: typePrivilege, from: everybody })] : []),
    ...orderGrants(granted).map((grant) => grantAttachment(relation, grant, owner)),
  ];
}

/** Whether somebody who received `grant` may pass on what `next` gives. */
export function allows(grant: Grant, next: Grant): boolean {
  const covers = grant.column === undefined || grant.column === next.column;
  return grant.grantable && grant.grantee === next.grantor && grant.privilege === next.privilege && covers;
}

/**
 * Grants in an order in which they can be made: the server keeps the grantees of a relation in the order of their first grant, and pg_dump prints
 * them so; within one grantee by privilege. What nobody could have granted comes last.
 */
function orderGrants(grants: readonly Grant[]): readonly Grant[] {
  const ordered: Grant[] = [];
  let waiting = sortWithinItems(grants);
  for (let ready = waiting.filter(isFromOwner); ready.length > 0; ready = waiting.filter((next) => ordered.some((grant) => allows(grant, next)))) {
    ordered.push(...ready);
    const done = new Set(ready);
    waiting = waiting.filter((grant) => !done.has(grant));
  }
  return [...ordered, ...waiting];
}

function sortWithinItems(grants: readonly Grant[]): readonly Grant[] {
  const items = [...new Set(grants.map(itemOf))];
  const position = new Map(items.map((item, index) => [item, index]));
  const positionOf = (grant: Grant) => position.get(itemOf(grant)) ?? 0;
  return grants.toSorted((left, right) => positionOf(left) - positionOf(right) || compareText(left.privilege, right.privilege));
}

/** What one entry of the server's list is about: a column or the relation, who received, who gave. */
function itemOf({ column, grantee, grantor }: Grant): string {
  return JSON.stringify([column, grantee, grantor]);
}
