import type { Access } from '../../core/access.ts';
import type { Attachment, View } from '../../core/view.ts';
import { granteeOf } from './changes.ts';

const accessId = (grantee: string, what: string, option: string) => JSON.stringify([grantee, what, option]);

/** What everybody may do covers whoever it is, and a right that may be passed on the plain one. */
function listGrants({ attachments }: View): readonly Access[] {
  const grants = attachments.filter(({ kind }) => kind === 'grant');
  return grants.map((grant) => {
    const grantee = granteeOf(grant);
    const what = grant.key.slice(grantee.length + 1);
    const wider = [what, what.replace(/ \(.*$/s, '')].flatMap((right) => [grantee, 'PUBLIC'].map((who) => [who, right] as const));
    const impliedBy = wider.flatMap(([who, right]) =>
      (grant.value === '' ? ['', 'WITH GRANT OPTION'] : [grant.value]).map((option) => accessId(who, right, option)),
    );
    return {
      kind: 'grant',
      id: accessId(grantee, what, grant.value),
      text: `${grantee} may ${what}${grant.value === '' ? '' : ' and pass that on'}`,
      impliedBy,
    };
  });
}

/** Policies on rows as one for each grantee: with fewer of them as with more, other rows may be shown, as they count together by AND or OR. */
function listRows({ attachments }: View): readonly Access[] {
  const conjunction = attachments.find(({ kind }) => kind === 'row security')?.value;
  if (conjunction === undefined) return [{ kind: 'reach', id: 'rows', text: 'no row-level security hides rows', impliedBy: [] }];
  const policies = Map.groupBy(
    attachments.filter(({ kind }) => kind === 'row policy'),
    granteeOf,
  );
  return [...policies].map(([grantee, those]) => {
    const names = those.map(({ key }) => key.slice(grantee.length + 1)).sort();
    const id = JSON.stringify(['rows', grantee, conjunction, ...names]);
    return { kind: 'reach', id, text: `${grantee} sees the rows of ${names.join(` ${conjunction} `)}`, impliedBy: ['rows'] };
  });
}

const isOn = (column: string) => (attachment: Attachment) => attachment.kind === 'masking policy' && columnsOf(attachment).includes(column);

/** `ROLE reader hide (price, "a b")`: what it hides stands last. */
function columnsOf({ key }: Attachment): readonly string[] {
  const list = /\(((?:"(?:[^"]|"")*"|[^"()])*)\)$/.exec(key)?.[1] ?? '';
  const names = list.match(/"(?:[^"]|"")*"|[^", ]+/g) ?? [];
  return names.map((name) => (name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name));
}

/** Masks as one for each column: one with a higher priority may show what another one hides. A new column of a view that masks none widens nothing. */
function listColumns({ attachments, columns }: View): readonly Access[] {
  const isOpen = !attachments.some(({ kind }) => kind === 'masking policy');
  const masks = columns.map(({ name }): Access => {
    const policies = attachments.filter(isOn(name)).map(({ key, value }) => `${key} ${value}`);
    const text = policies.length === 0 ? `no policy masks ${name}` : `other policies mask ${name}`;
    return { kind: 'reach', id: JSON.stringify(['column', name, ...policies]), text, impliedBy: ['columns', JSON.stringify(['column', name])] };
  });
  return [...(isOpen ? [{ kind: 'silent' as const, id: 'columns', text: '', impliedBy: [] }] : []), ...masks];
}

/** `Dialect.listAccess`. */
export function listAccess(view: View): readonly Access[] {
  return [...listGrants(view), ...listRows(view), ...listColumns(view)];
}
