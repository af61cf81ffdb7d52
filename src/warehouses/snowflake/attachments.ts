import { type Attachment, ownerKind } from '../../core/view.ts';
import { quoteIdentifier, quoteRelation, quoteText, type Relation, typedRelation } from './names.ts';

/** In the order of a file's statements; those up to the options stand inside the CREATE. */
export const attachmentKinds = [
  'secure',
  'recursive',
  'columns',
  'masking policy',
  'projection policy',
  'column tag',
  'change tracking',
  'fixed option',
  'option',
  'cluster by',
  'row access policy',
  'aggregation policy',
  'join policy',
  'tag',
  'contact',
  ownerKind,
  'suspended',
  'grant',
  'comment',
] as const;

export const inlineKinds: readonly string[] = attachmentKinds.slice(0, attachmentKinds.indexOf(ownerKind));

/** What only a new CREATE changes, or changes at once: between dropping a policy and adding another one everybody would see everything. */
export const replacingKinds: readonly string[] = ['recursive', 'columns', 'fixed option', 'row access policy', 'aggregation policy', 'join policy'];

function alter(relation: Relation, make: string, unmake: string): Pick<Attachment, 'make' | 'unmake'> {
  const start = `ALTER ${typedRelation(relation)}`;
  return { make: `${start} ${make}`, unmake: `${start} ${unmake}` };
}

export function secureAttachment(relation: Relation): Attachment {
  return { kind: 'secure', key: '', value: 'secure', ...alter(relation, 'SET SECURE', 'UNSET SECURE') };
}

/** The column list of a CREATE; `make` is never run, since only a new CREATE changes it. */
export function columnsAttachment(columns: readonly string[]): Attachment {
  const value = columns.map(quoteIdentifier).join(', ');
  return { kind: 'columns', key: '', value, make: `COLUMNS (${value})`, unmake: 'COLUMNS ()' };
}

export function recursiveAttachment(): Attachment {
  return { kind: 'recursive', key: '', value: 'recursive', make: 'RECURSIVE', unmake: 'NOT RECURSIVE' };
}

/** The columns that a list names, in order. */
export function columnNames({ value }: Attachment): readonly string[] {
  return [...value.matchAll(/"((?:[^"]|"")*)"/g)].map(([, name = '']) => name.replaceAll('""', '"'));
}

export type ColumnPolicy = 'masking policy' | 'projection policy';

/** https://docs.snowflake.com/en/sql-reference/sql/alter-view: FORCE puts the policy over another one at once. */
export function columnPolicyAttachment(relation: Relation, kind: ColumnPolicy, { column, policy }: { column: string; policy: string }): Attachment {
  const words = kind.toUpperCase();
  const start = `MODIFY COLUMN ${quoteIdentifier(column)}`;
  return { kind, key: column, value: policy, ...alter(relation, `${start} SET ${words} ${policy} FORCE`, `${start} UNSET ${words}`) };
}

export function columnTagAttachment(relation: Relation, column: string, { tag, value }: { tag: string; value: string }): Attachment {
  const start = `MODIFY COLUMN ${quoteIdentifier(column)}`;
  return {
    kind: 'column tag',
    key: `${quoteIdentifier(column)} ${tag}`,
    value,
    ...alter(relation, `${start} SET TAG ${tag} = ${quoteText(value)}`, `${start} UNSET TAG ${tag}`),
  };
}

export function changeTrackingAttachment(relation: Relation): Attachment {
  return { kind: 'change tracking', key: '', value: 'on', ...alter(relation, 'SET CHANGE_TRACKING = TRUE', 'SET CHANGE_TRACKING = FALSE') };
}

/** A dynamic table that is made runs; one that somebody has stopped must not begin to cost again. https://docs.snowflake.com/en/sql-reference/sql/alter-dynamic-table */
export function suspendedAttachment(relation: Relation): Attachment {
  return { kind: 'suspended', key: '', value: 'suspended', ...alter(relation, 'SUSPEND', 'RESUME') };
}

/** https://docs.snowflake.com/en/sql-reference/sql/alter-dynamic-table has no way to change these. */
const fixedOptions: ReadonlySet<string> = new Set(['REFRESH_MODE', 'INITIALIZE']);

/** A parameter of a dynamic table; `value` as SQL text. https://docs.snowflake.com/en/sql-reference/sql/alter-dynamic-table */
export function optionAttachment(relation: Relation, key: string, value: string): Attachment {
  return { kind: fixedOptions.has(key) ? 'fixed option' : 'option', key, value, ...alter(relation, `SET ${key} = ${value}`, `UNSET ${key}`) };
}

export function clusterAttachment(relation: Relation, expressions: string): Attachment {
  return { kind: 'cluster by', key: '', value: expressions, ...alter(relation, `CLUSTER BY (${expressions})`, 'DROP CLUSTERING KEY') };
}

export type RelationPolicy = 'row access policy' | 'aggregation policy' | 'join policy';

/** `rest` is what follows the policy's name: `ON ("ID")`, `ENTITY KEY ("ID")`, or nothing. */
export function policyAttachment(relation: Relation, kind: RelationPolicy, { policy, rest }: { policy: string; rest: string }): Attachment {
  const words = kind.toUpperCase();
  const whole = rest === '' ? policy : `${policy} ${rest}`;
  const statements =
    kind === 'row access policy'
      ? alter(relation, `ADD ${words} ${whole}`, `DROP ${words} ${policy}`)
      : alter(relation, `SET ${words} ${whole} FORCE`, `UNSET ${words}`);
  return { kind, key: '', value: whole, ...statements };
}

export function tagAttachment(relation: Relation, tag: string, value: string): Attachment {
  return { kind: 'tag', key: tag, value, ...alter(relation, `SET TAG ${tag} = ${quoteText(value)}`, `UNSET TAG ${tag}`) };
}

export function contactAttachment(relation: Relation, purpose: string, contact: string): Attachment {
  return { kind: 'contact', key: purpose, value: contact, ...alter(relation, `SET CONTACT ${purpose} = ${contact}`, `UNSET CONTACT ${purpose}`) };
}

/** https://docs.snowflake.com/en/sql-reference/sql/grant-ownership: without COPY CURRENT GRANTS it fails while there are grants. */
export function ownerAttachment(relation: Relation, role: string): Attachment {
  const make = `GRANT OWNERSHIP ON ${typedRelation(relation)} TO ROLE ${quoteIdentifier(role)} COPY CURRENT GRANTS`;
  return { kind: ownerKind, key: '', value: role, make, unmake: make };
}

/** Who is granted something: `ROLE`, `DATABASE ROLE`, `SHARE`, `APPLICATION`, `APPLICATION ROLE`, and the parts of the name. */
export interface Grantee {
  readonly type: string;
  readonly name: readonly string[];
}

export interface Grant {
  readonly privilege: string;
  readonly grantee: Grantee;
  readonly isGrantable: boolean;
}

function granteeText({ type, name }: Grantee): string {
  return `${type} ${name.map(quoteIdentifier).join('.')}`;
}

/** https://docs.snowflake.com/en/sql-reference/sql/grant-privilege */
export function grantAttachment(relation: Relation, { privilege, grantee, isGrantable }: Grant): Attachment {
  const to = granteeText(grantee);
  return {
    kind: 'grant',
    key: `${grantee.type} ${grantee.name.join('.')} ${privilege}`,
    value: isGrantable ? 'grantable' : '',
    make: `GRANT ${privilege} ON ${typedRelation(relation)} TO ${to}${isGrantable ? ' WITH GRANT OPTION' : ''}`,
    unmake: `REVOKE ${privilege} ON ${typedRelation(relation)} FROM ${to}`,
  };
}

/** Of a role the grant's name; undefined for other grantees. */
export function roleOfGrant({ key }: Attachment): string | undefined {
  return key.startsWith('ROLE ') ? key.slice('ROLE '.length, key.lastIndexOf(' ')) : undefined;
}

/** On the view, or on a column of it. An empty text is no comment. */
export function commentAttachment(relation: Relation, column: string | undefined, text: string): Attachment {
  const value = { kind: 'comment', key: column === undefined ? '' : `column ${column}`, value: text };
  if (column === undefined) return { ...value, ...alter(relation, `SET COMMENT = ${quoteText(text)}`, 'UNSET COMMENT') };
  const start = `COMMENT ON COLUMN ${quoteRelation(relation.name)}.${quoteIdentifier(column)} IS`;
  return { ...value, make: `${start} ${quoteText(text)}`, unmake: `${start} ''` };
}

/** By the order of kinds, then columns in their order, then by key. */
export function sortAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  const order = ({ kind }: Attachment) => (attachmentKinds as readonly string[]).indexOf(kind);
  return attachments.toSorted((left, right) => order(left) - order(right) || (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
}
