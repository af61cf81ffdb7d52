import type { Access, RowSecurity } from '../../core/access.ts';
import type { Permission, Powers } from '../../core/powers.ts';
import { relationKey } from '../../core/relation.ts';
import { isView, type View } from '../../core/view.ts';
import { grantsOf, ownerOf } from './changes.ts';
import { type Grant, quotePrivilege } from './grant-attachments.ts';
import { everybody, quoteGrantee, quoteIdentifier } from './names.ts';

function grantId({ grantee, privilege, column, grantable }: Pick<Grant, 'grantee' | 'privilege' | 'column' | 'grantable'>): string {
  return JSON.stringify(['grant', grantee, privilege, column ?? null, grantable]);
}

/** A right on the whole view covers its columns, one that may be passed on the plain one, and everybody's each role's. */
function listCovering(grant: Grant): readonly string[] {
  const grantees = grant.grantable ? [grant.grantee] : [grant.grantee, everybody];
  const columns = grant.column === undefined ? [undefined] : [grant.column, undefined];
  const options = grant.grantable ? [true] : [false, true];
  return grantees.flatMap((grantee) => columns.flatMap((column) => options.map((grantable) => grantId({ ...grant, grantee, column, grantable }))));
}

function toAccess(grant: Grant): Access {
  const text = `${quoteGrantee(grant.grantee)} may ${quotePrivilege(grant)}${grant.grantable ? ' and pass that on' : ''}`;
  return { kind: 'grant', id: grantId(grant), text, impliedBy: [...listCovering(grant), ownId(grant.grantee)] };
}

const ownId = (role: string) => JSON.stringify(['owner', role]);
const bypassId = 'bypasses row security';
const barrierId = 'no security_barrier';

// What `parse_bool` of the server takes for true, in any case and cut short.
const trueWord = /^(?:t(?:r(?:ue?)?)?|y(?:es?)?|on|1)$/i;

function isOn({ attachments }: View, option: string): boolean {
  return attachments.some(({ kind, key, value }) => kind === 'option' && key === option && trueWord.test(value));
}

function barrierAccess(view: View): readonly Access[] {
  // Nothing can look behind the condition of a materialized view: its rows are all that there is.
  if (view.kind === 'materialized view') return [{ kind: 'silent', id: barrierId, text: '', impliedBy: [] }];
  if (isOn(view, 'security_barrier')) return [];
  return [{ kind: 'reach', id: barrierId, text: 'functions in a query on it may look at rows that it leaves out (no security_barrier)', impliedBy: [] }];
}

/** https://www.postgresql.org/docs/current/ddl-rowsecurity.html: policies ask who owns the view, unless it is one for its invoker. */
function ownerReach(view: View, owner: string, { bypassing, exempt }: RowSecurity): readonly Access[] {
  const reads = view.reads.map(relationKey).filter((read) => exempt.get(read)?.has(owner));
  const past = reads.map(
    (read): Access => ({
      kind: 'reach',
      id: `past ${read}`,
      text: `its owner ${quoteIdentifier(owner)} is not bound by the row security of ${read}`,
      impliedBy: [bypassId],
    }),
  );
  if (!bypassing.has(owner)) return past;
  return [{ kind: 'reach', id: bypassId, text: `its owner ${quoteIdentifier(owner)} is bound by no row security`, impliedBy: [] }];
}

function ownerAccess(view: View, rowSecurity: RowSecurity): readonly Access[] {
  if (view.kind === 'view' && isOn(view, 'security_invoker')) return [];
  const owner = ownerOf(view);
  const asOwner: Access = {
    kind: 'reach',
    id: 'no security_invoker',
    text: "it reads with its owner's rights and no longer with those of whoever asks (no security_invoker)",
    impliedBy: [],
  };
  return owner === undefined ? [asOwner] : [asOwner, ...ownerReach(view, owner, rowSecurity)];
}

/** What hands out rights on a function or a schema, and on what will be made in it. */
const handingOut: ReadonlySet<string> = new Set(['grant', 'default privilege']);

/** `Dialect.listAccess`. */
export function listAccess(view: View, rowSecurity: RowSecurity): readonly Access[] {
  if (!isView(view))
    return view.attachments.filter(({ kind }) => handingOut.has(kind)).map(({ make }) => ({ kind: 'grant', id: make, text: make, impliedBy: [] }));
  const owner = ownerOf(view);
  const own: readonly Access[] = owner === undefined ? [] : [{ kind: 'silent', id: ownId(owner), text: '', impliedBy: [] }];
  return [
    ...own,
    ...grantsOf(view)
      .filter(({ grantee }) => grantee !== owner)
      .map(toAccess),
    ...ownerAccess(view, rowSecurity),
    ...barrierAccess(view),
  ];
}

/** `Dialect.permit`. Since version 16 a membership says by itself whether it may be used. https://www.postgresql.org/docs/current/sql-grant.html */
export function permit(permission: Permission, { membership }: Pick<Powers, 'membership'>): string {
  const to = quoteIdentifier(permission.to);
  if ('createIn' in permission) return `GRANT USAGE, CREATE ON SCHEMA ${quoteIdentifier(permission.createIn)} TO ${to}`;
  return `GRANT ${quoteIdentifier(permission.be)} TO ${to}${membership === 'plain' ? '' : ' WITH INHERIT TRUE, SET TRUE'}`;
}
