import { compareText } from '../../core/relation.ts';
import { type Attachment, ownerKind, type View } from '../../core/view.ts';
import { quoteIdentifier, quoteRelation, quoteText } from './names.ts';
import { policyKinds } from './policy-attachments.ts';

/** The view that an attachment belongs to. */
export type Relation = Pick<View, 'name' | 'kind'>;

/** Kinds of attachments in the order in which a file holds them and a plan makes them. */
export const attachmentKinds = ['column list', 'storage', 'binding', ownerKind, 'auto refresh', ...policyKinds, 'grant', 'comment'] as const;

/** Kinds that stand inside the CREATE and that nothing but another CREATE changes. */
export const inlineKinds = ['column list', 'storage', 'binding'] as const;

function inlineAttachment(kind: (typeof inlineKinds)[number], key: string, value: string): Attachment {
  return { kind, key, value, make: key === '' ? value : `${key} ${value}`, unmake: '' };
}

/** The names of the columns between the view's name and AS, where its text has them. */
export function columnListAttachment(names: readonly string[]): Attachment {
  return inlineAttachment('column list', '', `(${names.map(quoteIdentifier).join(', ')})`);
}

/** `BACKUP NO`, `DISTSTYLE KEY`, `DISTKEY (id)`, `SORTKEY (day)` of a materialized view. */
export function storageAttachment(key: string, value: string): Attachment {
  return inlineAttachment('storage', key, value);
}

/** Options of a materialized view that have no key of their own here. */
export function otherStorageAttachment(text: string): Attachment {
  return { ...inlineAttachment('storage', '', text), key: 'other' };
}

/** What makes a view a late-binding one. https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html */
export const lateBinding: Attachment = inlineAttachment('binding', '', 'WITH NO SCHEMA BINDING');

export function isLateBinding({ attachments }: Pick<View, 'attachments'>): boolean {
  return attachments.some(({ kind }) => kind === 'binding');
}

/** The owner. Redshift changes it with ALTER TABLE for every kind of view. https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html */
export function ownerAttachment({ name }: Pick<Relation, 'name'>, owner: string): Attachment {
  return { kind: ownerKind, key: '', value: owner, make: `ALTER TABLE ${quoteRelation(name)} OWNER TO ${quoteIdentifier(owner)}`, unmake: '' };
}

/** https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_MATERIALIZED_VIEW.html */
export function autoRefreshAttachment({ name }: Pick<Relation, 'name'>): Attachment {
  const alter = `ALTER MATERIALIZED VIEW ${quoteRelation(name)} AUTO REFRESH`;
  return { kind: 'auto refresh', key: '', value: 'YES', make: `${alter} YES`, unmake: `${alter} NO` };
}

/** One right; the grantee as `spellGrantee` writes it. */
export interface Grant {
  readonly privilege: string;
  readonly column?: string | undefined;
  readonly grantee: string;
  readonly grantable: boolean;
}

export function grantAttachment({ name }: Pick<Relation, 'name'>, { privilege, column, grantee, grantable }: Grant): Attachment {
  const what = column === undefined ? privilege : `${privilege} (${quoteIdentifier(column)})`;
  return {
    kind: 'grant',
    key: `${grantee} ${what}`,
    value: grantable ? 'WITH GRANT OPTION' : '',
    make: `GRANT ${what} ON ${quoteRelation(name)} TO ${grantee}${grantable ? ' WITH GRANT OPTION' : ''}`,
    unmake: `REVOKE ${what} ON ${quoteRelation(name)} FROM ${grantee}`,
  };
}

/** A comment on the view, or on one of its columns. https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html */
export function commentAttachment({ name }: Pick<Relation, 'name'>, column: string | undefined, text: string): Attachment {
  const on = column === undefined ? `VIEW ${quoteRelation(name)}` : `COLUMN ${quoteRelation(name)}.${quoteIdentifier(column)}`;
  const comment = `COMMENT ON ${on} IS`;
  return {
    kind: 'comment',
    key: column === undefined ? '' : `column ${column}`,
    value: text,
    make: `${comment} ${quoteText(text)}`,
    unmake: `${comment} NULL`,
  };
}

const position = ({ kind }: Attachment) => (attachmentKinds as readonly string[]).indexOf(kind);

/** In the order in which a file holds them. */
export function sortAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments.toSorted((left, right) => position(left) - position(right) || compareText(left.key, right.key));
}
