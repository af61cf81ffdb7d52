import type { RelationName } from '../../core/relation.ts';
import { compareText } from '../../core/relation.ts';
import type { Attachment, View } from '../../core/view.ts';
import { quoteGrantee, quoteIdentifier, quoteRelation, quoteText } from './names.ts';

/** The view that an attachment belongs to. */
export type Relation = Pick<View, 'name' | 'kind'>;

/** What of a view a comment is on. */
export type Commented =
  | { readonly on: 'relation' }
  | { readonly on: 'column' | 'rule' | 'trigger'; readonly name: string }
  | { readonly on: 'index'; readonly schema: string; readonly name: string };

type Populated = 'populated' | 'unpopulated';

/** `VIEW shop.orders` or `MATERIALIZED VIEW shop.orders`, as ALTER, COMMENT and DROP want it. */
export function typedRelation(relation: Relation): string {
  return `${relation.kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW'} ${quoteRelation(relation.name)}`;
}

// Values that the grammar takes without quotes and keeps as they are; every other word could be read as the name of a type.
const bareValue = /^(?:true|false|on|off|auto|local|cascaded|-?(?:0|[1-9]\d*)(?:\.\d+)?)$/;

/** `fillfactor = 70`, as it stands between the parentheses of WITH and SET. */
export function optionAssignment(name: string, value: string): string {
  return `${quoteOption(name)} = ${bareValue.test(value) ? value : quoteText(value)}`;
}

function quoteOption(name: string): string {
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

/** An index of a materialized view; `text` as `pg_get_indexdef` prints it. */
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
    key: on.on === 'relation' ? '' : `${on.on} ${on.name}`,
    value: text,
    make: `${comment} ${quoteText(text)}`,
    unmake: `${comment} NULL`,
  };
}

function commentedObject(relation: Relation, on: Commented): string {
  switch (on.on) {
    case 'relation':
      return typedRelation(relation);
    case 'column':
      return `COLUMN ${quoteRelation(relation.name)}.${quoteIdentifier(on.name)}`;
    case 'index':
      return `INDEX ${quoteRelation(on)}`;
    case 'rule':
    case 'trigger':
      return `${on.on.toUpperCase()} ${quoteIdentifier(on.name)} ON ${quoteRelation(relation.name)}`;
  }
}

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

function asRole(role: string | undefined, sql: string): string {
  return role === undefined ? sql : `SET ROLE ${quoteIdentifier(role)};\n${sql};\nRESET ROLE`;
}

/** What of a view a right is on: `SELECT` or `SELECT (price)`. */
export function quotePrivilege({ privilege, column }: Grant): string {
  return column === undefined ? privilege : `${privilege} (${quoteIdentifier(column)})`;
}

/** A right. Given to the `owner` by itself it only makes the owner's own right one that is shown as grantable. */
export function grantAttachment(relation: Relation, grant: Grant, owner?: string): Attachment {
  const { grantee, grantor, grantable } = grant;
  const [what, who, on] = [quotePrivilege(grant), quoteGrantee(grantee), `ON ${quoteRelation(relation.name)}`];
  const isOwn = grantee === owner && grantor === undefined && grant.column === undefined;
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

/** Kinds of attachments in the order in which a file holds them and a plan makes them. */
export const attachmentKinds = ['option', 'populated', 'owner', 'default', 'rule', 'trigger', 'index', 'revoke', 'grant', 'comment'] as const;

const kindPositions: ReadonlyMap<string, number> = new Map(attachmentKinds.map((kind, position) => [kind, position]));

function kindPosition({ kind }: Attachment): number {
  return kindPositions.get(kind) ?? attachmentKinds.length;
}

/** Orders attachments as a file holds them: by kind, then by key. Grants keep their order, in which whoever passes a right on has received it before. */
function byKindAndKey(left: Attachment, right: Attachment): number {
  const byKind = kindPosition(left) - kindPosition(right);
  return byKind !== 0 || left.kind === 'grant' ? byKind : compareText(left.key, right.key);
}

/** The attachments of a view in the order in which its file holds them. */
export function sortAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  return attachments.toSorted(byKindAndKey);
}
