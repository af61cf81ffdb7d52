import type { Attachment } from '../../core/view.ts';
import type { Relation } from './attachments.ts';
import { everybody, quoteGrantee, quoteIdentifier, quoteRelation } from './names.ts';
import { grantedObject } from './object-names.ts';

/** The one right that is not on the view but on its row type. */
export const typePrivilege = 'USAGE';

/** One right that somebody gave to somebody on a view, on one of its columns or, when it is `typePrivilege`, on its row type. */
export interface Grant {
  readonly privilege: string;
  readonly column?: string | undefined;
  /** A role, or `everybody`. */
  readonly grantee: string;
  /** Absent: the owner. */
  readonly grantor?: string | undefined;
  readonly grantable: boolean;
}

function asRole(role: string | undefined, sql: string): string {
  return role === undefined ? sql : `SET ROLE ${quoteIdentifier(role)};\n${sql};\nRESET ROLE`;
}

/** What of a view a right is on: `SELECT` or `SELECT (price)`. */
export function quotePrivilege({ privilege, column }: Grant): string {
  return column === undefined ? privilege : `${privilege} (${quoteIdentifier(column)})`;
}

function quoteGranted(relation: Relation, privilege: string): string {
  if (relation.name.object !== undefined) return grantedObject(relation.name);
  return privilege === typePrivilege ? `TYPE ${quoteRelation(relation.name)}` : quoteRelation(relation.name);
}

/** A right. Given to the `owner` by itself it only makes the owner's own right one that is shown as grantable. */
export function grantAttachment(relation: Relation, grant: Grant, owner?: string): Attachment {
  const { grantee, grantor, grantable } = grant;
  const [what, who, on] = [quotePrivilege(grant), quoteGrantee(grantee), `ON ${quoteGranted(relation, grant.privilege)}`];
  const isOwn = grantee === owner && grantor === undefined && grant.column === undefined;
  return {
    kind: 'grant',
    key: grantor === undefined ? `${who} ${what}` : `${who} ${what} BY ${quoteIdentifier(grantor)}`,
    value: grantable ? 'WITH GRANT OPTION' : '',
    make: asRole(grantor, `GRANT ${what} ${on} TO ${who}${grantable ? ' WITH GRANT OPTION' : ''}`),
    unmake: asRole(grantor, `REVOKE ${isOwn ? 'GRANT OPTION FOR ' : ''}${what} ${on} FROM ${who}`),
  };
}

/** A right that a role lacks although every owner has it at first, or everybody, as with `typePrivilege`. */
export function revokeAttachment(relation: Relation, { privilege, from }: { readonly privilege: string; readonly from: string }): Attachment {
  const on = `ON ${quoteGranted(relation, privilege)}`;
  const who = quoteGrantee(from);
  return {
    kind: 'revoke',
    key: from === everybody ? `PUBLIC ${privilege}` : privilege,
    value: from,
    make: `REVOKE ${privilege} ${on} FROM ${who}`,
    unmake: `GRANT ${privilege} ${on} TO ${who}`,
  };
}
