import type { RelationName } from '../../core/relation.ts';
import { compareText } from '../../core/relation.ts';
import type { Attachment, View } from '../../core/view.ts';
import { quoteIdentifier, quoteRelation, quoteText } from './names.ts';
import { typedObject } from './object-names.ts';

/** The view that an attachment belongs to. */
export type Relation = Pick<View, 'name' | 'kind'>;

/** What of a view a comment is on; the types are the view's row type and the array of it. */
export type Commented =
  | { readonly on: 'relation' | 'type' | 'array type' }
  | { readonly on: 'column' | 'rule' | 'trigger'; readonly name: string }
  | { readonly on: 'index' | 'statistics'; readonly schema: string; readonly name: string };

type Populated = 'populated' | 'unpopulated';

/** `VIEW shop.orders`, `MATERIALIZED VIEW shop.orders` or `FUNCTION shop.total(integer)`, as ALTER, COMMENT and DROP want it. */
export function typedRelation(relation: Relation): string {
  if (relation.name.object !== undefined) return typedObject(relation.name);
  return `${relation.kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW'} ${quoteRelation(relation.name)}`;
}

// Values that the grammar takes without quotes and keeps as they are; every other word could be read as the name of a type.
const bareValue = /^(?:true|false|on|off|auto|local|cascaded|-?(?:0|[1-9]\d*)(?:\.\d+)?)$/;

/** `fillfactor = 70`, as it stands between the parentheses of WITH and SET. */
export function optionAssignment(name: string, value: string): string {
  return `${quoteOption(name)} = ${bareValue.test(value) ? value : quoteText(value)}`;
}

export function quoteOption(name: string): string {
  return name.split('.').map(quoteIdentifier).join('.');
}

/** An entry of `reloptions`; the options of a materialized view's TOAST table are called `toast.…`. */
export function optionAttachment(relation: Relation, name: string, value: string): Attachment {
  const alter = `ALTER ${typedRelation(relation)}`;
  return {
    kind: 'option',
    key: name,
    value,
    make: `${alter} SET (${optionAssignment(name, value)})`,
    unmake: `${alter} RESET (${quoteOption(name)})`,
  };
}

/** Whether a materialized view holds data; every materialized view has this attachment. */
export function populatedAttachment(relation: Relation, value: Populated): Attachment {
  const full = `REFRESH MATERIALIZED VIEW ${quoteRelation(relation.name)}`;
  const empty = `${full} WITH NO DATA`;
  const isFull = value === 'populated';
  return { kind: 'populated', key: '', value, make: isFull ? full : empty, unmake: isFull ? empty : full };
}

/** The owner. It cannot be absent, so nothing unmakes it. */
export function ownerAttachment(relation: Relation, owner: string): Attachment {
  return { kind: 'owner', key: '', value: owner, make: `ALTER ${typedRelation(relation)} OWNER TO ${quoteIdentifier(owner)}`, unmake: '' };
}

/** The default of a view's column; `expression` as `pg_get_expr` prints it. */
export function defaultAttachment(relation: Relation, column: string, expression: string): Attachment {
  const alter = `ALTER ${typedRelation(relation)} ALTER COLUMN ${quoteIdentifier(column)}`;
  return { kind: 'default', key: column, value: expression, make: `${alter} SET DEFAULT ${expression}`, unmake: `${alter} DROP DEFAULT` };
}

/** A rule other than `_RETURN`; `text` as `pg_get_ruledef` prints it. */
export function ruleAttachment(relation: Relation, name: string, text: string): Attachment {
  const make = withoutSemicolon(text);
  return { kind: 'rule', key: name, value: make, make, unmake: `DROP RULE ${quoteIdentifier(name)} ON ${quoteRelation(relation.name)}` };
}

/** A trigger; `text` as `pg_get_triggerdef` prints it. */
export function triggerAttachment(relation: Relation, name: string, text: string): Attachment {
  const make = withoutSemicolon(text);
  return { kind: 'trigger', key: name, value: make, make, unmake: `DROP TRIGGER ${quoteIdentifier(name)} ON ${quoteRelation(relation.name)}` };
}

/** An index of a materialized view; `text` as `pg_get_indexdef` prints it, which leaves out its tablespace. */
export function indexAttachment(_relation: Relation, index: RelationName, text: string): Attachment {
  const make = withoutSemicolon(text);
  return { kind: 'index', key: index.name, value: make, make, unmake: `DROP INDEX ${quoteRelation(index)}` };
}

function withoutSemicolon(text: string): string {
  return text.trim().replace(/\s*;$/, '');
}

/** A comment; `text` is the comment itself, unquoted. */
export function commentAttachment(relation: Relation, on: Commented, text: string): Attachment {
  const comment = `COMMENT ON ${commentedObject(relation, on)} IS`;
  return {
    kind: 'comment',
    key: commentKey(on),
    value: text,
    make: `${comment} ${quoteText(text)}`,
    unmake: `${comment} NULL`,
  };
}

function commentKey(on: Commented): string {
  if (on.on === 'relation') return '';
  if (on.on === 'statistics') return `statistics ${quoteRelation(on)}`;
  return 'name' in on ? `${on.on} ${on.name}` : on.on;
}

function commentedObject(relation: Relation, on: Commented): string {
  switch (on.on) {
    case 'relation':
      return typedRelation(relation);
    case 'column':
      return `COLUMN ${quoteRelation(relation.name)}.${quoteIdentifier(on.name)}`;
    case 'type':
      return `TYPE ${quoteRelation(relation.name)}`;
    case 'array type':
      return `TYPE ${quoteRelation(relation.name)}[]`;
    case 'index':
    case 'statistics':
      return `${on.on.toUpperCase()} ${quoteRelation(on)}`;
    case 'rule':
    case 'trigger':
      return `${on.on.toUpperCase()} ${quoteIdentifier(on.name)} ON ${quoteRelation(relation.name)}`;
  }
}

/** Kinds of attachments in the order in which a file holds them and a plan makes them. */
export const attachmentKinds = [
  'access method',
  'option',
  'tablespace',
  'populated',
  'owner',
  'default',
  'rule',
  'trigger',
  'index',
  'index tablespace',
  'cluster',
  'statistics',
  'statistics owner',
  'statistics target',
  'storage',
  'compression',
  'column option',
  'replica identity',
  'state',
  'extension',
  'revoke',
  'grant',
  'default privilege',
  'label',
  'comment',
] as const;

/** Kinds that stand inside the CREATE statement. */
export const inlineKinds: readonly string[] = ['access method', 'option', 'tablespace', 'populated'];

/** Kinds whose statement puts the new value over an old one. */
export const overwritingKinds: readonly string[] = [
  ...inlineKinds,
  'owner',
  'default',
  'index tablespace',
  'cluster',
  'statistics owner',
  'statistics target',
  'storage',
  'compression',
  'column option',
  'replica identity',
  'label',
  'comment',
];

const kindPositions: ReadonlyMap<string, number> = new Map(attachmentKinds.map((kind, position) => [kind, position]));

function kindPosition({ kind }: Attachment): number {
  return kindPositions.get(kind) ?? attachmentKinds.length;
}

const keepsOrder: ReadonlySet<string> = new Set(['grant', 'option', 'default privilege']);

const columnOf = ({ key }: Attachment) => key.slice(0, key.lastIndexOf(' '));

/** Options of a view, of its TOAST table and of a column: the server keeps each of these lists in the order in which its members were set. */
export function orderGroup(attachment: Attachment): string | undefined {
  if (attachment.kind === 'column option') return `column ${columnOf(attachment)}`;
  if (attachment.kind !== 'option') return undefined;
  return attachment.key.includes('.') ? 'TOAST table' : 'view';
}

/**
 * Orders attachments as a file holds them: by kind, then by key. Options, each column's too, and grants keep the server's order, which is the one of a dump, and in
 * which whoever passes a right on has received it before.
 */
function byKindAndKey(left: Attachment, right: Attachment): number {
  const byKind = kindPosition(left) - kindPosition(right);
  if (byKind === 0 && left.kind === 'column option') return compareText(columnOf(left), columnOf(right));
  return byKind !== 0 || keepsOrder.has(left.kind) ? byKind : compareText(left.key, right.key);
}

/** The attachments of a view in the order in which its file holds them. */
export function sortAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments.toSorted(byKindAndKey);
}
