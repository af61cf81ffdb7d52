import { compareText } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import type { Relation } from './attachments.ts';
import { everybody, quoteGrantee, quoteIdentifier, quoteRelation } from './names.ts';

/** One right that somebody gave to somebody on a view or on one of its columns. */
export interface Grant {
  readonly privilege: string;
  readonly column?: string | undefined;
  /** A role, or `everybody`. */
  readonly grantee: string;
  /** Absent: the owner. */
  readonly grantor?: string | undefined;
  readonly grantable: boolean;
}

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
export interface Acl {
  readonly owner: string;
  readonly entries: readonly AclEntry[];
  /** The rights on relations that this version of the server knows, which an owner has unless they were revoked. */
  readonly serverPrivileges: readonly string[];
}

function asRole(role: string | undefined, sql: string): string {
  return role === undefined ? sql : `SET ROLE ${quoteIdentifier(role)};\n${sql};\nRESET ROLE`;
}

/** What of a view a right is on: `SELECT` or `SELECT (price)`. */
function quotePrivilege({ privilege, column }: Grant): string {
  return column === undefined ? privilege : `${privilege} (${quoteIdentifier(column)})`;
}

/** A right. Given to the `owner` by itself it only makes the owner's own right one that is shown as grantable. */
export function grantAttachment(relation: Relation, grant: Grant, owner?: string): Attachment {
  const { grantee, grantor, grantable } = grant;
  const [what, who, on] = [quotePrivilege(grant), quoteGrantee(grantee), `ON ${quoteRelation(relation.name)}`];
  const isOwn = grantee === owner && isFromOwner(grant) && grant.column === undefined;
  return {
    kind: 'grant',
    key: grantor === undefined ? `${who} ${what}` : `${who} ${what} BY ${quoteIdentifier(grantor)}`,
    value: grantable ? 'WITH GRANT OPTION' : '',
    make: asRole(grantor, `GRANT ${what} ${on} TO ${who}${grantable ? ' WITH GRANT OPTION' : ''}`),
    unmake: asRole(grantor, `REVOKE ${isOwn ? 'GRANT OPTION FOR ' : ''}${what} ${on} FROM ${who}`),
  };
}

/** A right that the owner lacks, although every owner has it at first. */
export function revokeAttachment(relation: Relation, { privilege, owner }: { readonly privilege: string; readonly owner: string }): Attachment {
  const on = `ON ${quoteRelation(relation.name)}`;
  const who = quoteIdentifier(owner);
  return { kind: 'revoke', key: privilege, value: owner, make: `REVOKE ${privilege} ${on} FROM ${who}`, unmake: `GRANT ${privilege} ${on} TO ${who}` };
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
    ...lacking.map((privilege) => revokeAttachment(relation, { privilege, owner })),
    ...orderGrants(granted).map((grant) => grantAttachment(relation, grant, owner)),
  ];
}

/** Whether somebody who received `grant` may pass on what `next` gives. */
function allows(grant: Grant, next: Grant): boolean {
  const covers = grant.column === undefined || grant.column === next.column;
  return grant.grantable && grant.grantee === next.grantor && grant.privilege === next.privilege && covers;
}

/** Grants in an order in which they can be made, the owner's first; what nobody could have granted comes last. */
export function orderGrants(grants: readonly Grant[]): readonly Grant[] {
  const ordered: Grant[] = [];
  let waiting = grants.toSorted((left, right) => compareText(grantKey(left), grantKey(right)));
  for (let ready = waiting.filter(isFromOwner); ready.length > 0; ready = waiting.filter((next) => ordered.some((grant) => allows(grant, next)))) {
    ordered.push(...ready);
    const done = new Set(ready);
    waiting = waiting.filter((grant) => !done.has(grant));
  }
  return [...ordered, ...waiting];
}

function grantKey(grant: Grant): string {
  return `${quoteGrantee(grant.grantee)} ${quotePrivilege(grant)} ${grant.grantor ?? ''}`;
}
