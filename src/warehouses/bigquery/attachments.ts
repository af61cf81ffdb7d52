import { compareText } from '../../core/relation.ts';
import { writeReservedLine } from '../../core/reserved-line.ts';
import type { Attachment, View } from '../../core/view.ts';
import { writeString } from './literals.ts';
import { plainName, quoteIdentifier, quoteRelation } from './names.ts';

/** The view that an attachment belongs to. */
export type Relation = Pick<View, 'name' | 'kind'>;

/** Kinds of attachments in the order in which a file holds them and a plan makes them. */
export const attachmentKinds = [
  'columns',
  'legacy SQL',
  'partition',
  'cluster',
  'option',
  'comment',
  'label',
  'column comment',
  'policy tag',
  'grant',
  'authorization',
] as const;

/** Those that stand inside the CREATE statement of a file. */
export const inlineKinds: readonly string[] = ['columns', 'legacy SQL', 'partition', 'cluster', 'option', 'comment', 'label'];

/** Those that belong to columns. They are lost when the query is patched, since the columns are then found anew. */
export const columnKinds: readonly string[] = ['column comment', 'policy tag'];

/** `VIEW p.d.v` or `MATERIALIZED VIEW p.d.v`, as ALTER and DROP want it. */
export function typedRelation({ name, kind }: Relation): string {
  return `${kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW'} ${quoteRelation(name)}`;
}

/** What a line says about a view. */
function line({ name }: Relation, content: Readonly<Record<string, unknown>>): string {
  return writeReservedLine({ view: plainName(name), ...content });
}

/** The list of column names behind the name of a view: its columns have these names, whatever its query calls them. */
export function columnsAttachment(relation: Relation, names: readonly string[]): Attachment {
  const value = names.map(quoteIdentifier).join(', ');
  return { kind: 'columns', key: '', value, make: line(relation, { columns: names }), unmake: line(relation, { columns: null }) };
}

/** A view in legacy SQL, which no statement can make. https://cloud.google.com/bigquery/docs/views#view_limitations */
export function legacyAttachment(relation: Relation): Attachment {
  return { kind: 'legacy SQL', key: '', value: 'true', make: line(relation, { legacySql: true }), unmake: line(relation, { legacySql: false }) };
}

/** The expression behind PARTITION BY, or the columns behind CLUSTER BY, of a materialized view; never changed alone. */
export function layoutAttachment(relation: Relation, kind: 'partition' | 'cluster', value: string): Attachment {
  return { kind, key: '', value, make: line(relation, { [kind]: value }), unmake: line(relation, { [kind]: null }) };
}

/** An option of the CREATE statement; `value` is SQL. */
export function optionAttachment(relation: Relation, name: string, value: string): Attachment {
  const set = (text: string) => `ALTER ${typedRelation(relation)} SET OPTIONS (${name} = ${text})`;
  return { kind: 'option', key: name, value, make: set(value), unmake: set('NULL') };
}

/** The description of a view. */
export function commentAttachment(relation: Relation, text: string): Attachment {
  const { make, unmake } = optionAttachment(relation, 'description', writeString(text));
  return { kind: 'comment', key: '', value: text, make, unmake };
}

/** One label. OPTIONS sets all labels at once; the interface sets one and leaves the others alone. */
export function labelAttachment(relation: Relation, key: string, value: string): Attachment {
  return { kind: 'label', key, value, make: line(relation, { labels: { [key]: value } }), unmake: line(relation, { labels: { [key]: null } }) };
}

/**
 * The description of a column, or of a field of one (`address.street`), for which there is no statement.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#alter_column_set_options_statement
 */
export function columnCommentAttachment(relation: Relation, path: string, text: string): Attachment {
  const attachment = { kind: 'column comment', key: path, value: text };
  if (relation.kind === 'materialized view' || path.includes('.')) {
    const make = line(relation, { column: path, description: text });
    return { ...attachment, make, unmake: line(relation, { column: path, description: null }) };
  }
  const set = (value: string) => `ALTER ${typedRelation(relation)} ALTER COLUMN ${quoteIdentifier(path)} SET OPTIONS (description = ${value})`;
  return { ...attachment, make: set(writeString(text)), unmake: set('NULL') };
}

/** The policy tags of a column. https://cloud.google.com/bigquery/docs/column-level-security */
export function policyTagAttachment(relation: Relation, path: string, tags: readonly string[]): Attachment {
  const make = line(relation, { column: path, policyTags: tags });
  return { kind: 'policy tag', key: path, value: tags.join(', '), make, unmake: line(relation, { column: path, policyTags: [] }) };
}

/** A role that somebody has on the view; `member` as in a policy: `user:ada@example.com`, `allUsers`. */
export function grantAttachment({ name }: Relation, role: string, member: string): Attachment {
  const user = /^all(?:AuthenticatedU|U)sers$/.test(member) ? `specialGroup:${member}` : member;
  const on = `ON VIEW ${quoteRelation(name)}`;
  return {
    kind: 'grant',
    key: `${member} ${role}`,
    value: '',
    make: `GRANT ${quoteIdentifier(role)} ${on} TO ${writeString(user)}`,
    unmake: `REVOKE ${quoteIdentifier(role)} ${on} FROM ${writeString(user)}`,
  };
}

/** A dataset that lets the view read it, whoever asks. https://cloud.google.com/bigquery/docs/authorized-views */
export function authorizationAttachment(relation: Relation, dataset: string): Attachment {
  const make = line(relation, { authorizedBy: dataset });
  return { kind: 'authorization', key: dataset, value: '', make, unmake: line(relation, { notAuthorizedBy: dataset }) };
}

const positions: ReadonlyMap<string, number> = new Map(attachmentKinds.map((kind, position) => [kind, position]));

/** The attachments of a view in the order in which its file holds them. */
export function sortAttachments(attachments: readonly Attachment[]): readonly Attachment[] {
  const position = ({ kind }: Attachment) => positions.get(kind) ?? positions.size;
  return attachments.toSorted((left, right) => position(left) - position(right) || compareText(left.key, right.key));
}
