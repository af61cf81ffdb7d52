import type { RelationName } from '../../core/relation.ts';
import type { Attachment } from '../../core/view.ts';
import {
  commentAttachment,
  defaultAttachment,
  indexAttachment,
  optionAttachment,
  ownerAttachment,
  populatedAttachment,
  type Relation,
  ruleAttachment,
  sortAttachments,
  triggerAttachment,
} from './attachments.ts';
import type { CatalogRows } from './catalog.ts';
import type { AttributeRow, CommentRow, PartRow, PrivilegeRow, ViewRow } from './catalog-rows.ts';
import { typePrivilege } from './grant-attachments.ts';
import { labelAttachment } from './label-attachments.ts';
import { aclAttachments, typeAclAttachments } from './privileges.ts';
import { statisticsAttachment, statisticsOwnerAttachment, statisticsTargetAttachment } from './statistics-attachments.ts';
import {
  accessMethodAttachment,
  clusterAttachment,
  columnOptionAttachment,
  compressionAttachment,
  extensionAttachment,
  indexTablespaceAttachment,
  type ReplicaIdentity,
  replicaIdentityAttachment,
  storageAttachment,
  tablespaceAttachment,
} from './storage-attachments.ts';
import { type PrintedText, type Texts, textOf } from './texts.ts';

/** The rows about one view. */
export type OwnRows = Omit<CatalogRows, 'views'>;

export interface Printout {
  readonly texts: Texts;
  /** Major version of the server. */
  readonly version: number;
}

/** Everything that belongs to a view beside its definition, in the order of its file. */
export function toAttachments(
  relation: Relation,
  { row, own, texts, version }: Printout & { readonly row: ViewRow; readonly own: OwnRows },
): readonly Attachment[] {
  return sortAttachments([
    ...row.options.map((option) => toOption(relation, option)),
    ...(row.kind === 'm' ? [populatedAttachment(relation, row.populated ? 'populated' : 'unpopulated')] : []),
    ownerAttachment(relation, row.owner),
    ...own.parts.flatMap((part) => toPart(relation, part, textOf(texts, part.kind, part.oid))),
    ...own.attributes.map((attribute) => toAttribute(relation, attribute)),
    ...toRights(relation, row, { entries: own.privileges, version }),
    ...own.comments.map((comment) => toComment(relation, comment)),
  ]);
}

function splitOption(option: string): { readonly name: string; readonly value: string } {
  const separator = option.indexOf('=');
  return { name: option.slice(0, separator), value: option.slice(separator + 1) };
}

function toOption(relation: Relation, option: string): Attachment {
  const { name, value } = splitOption(option);
  return optionAttachment(relation, name, value);
}

/** The rights on relations that a server of this version knows. https://www.postgresql.org/docs/current/ddl-priv.html */
function listPrivileges(version: number): readonly string[] {
  const always = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
  return version < 17 ? always : [...always, 'MAINTAIN'];
}

function toRights(
  relation: Relation,
  { owner, guarded }: ViewRow,
  { entries, version }: { readonly entries: readonly PrivilegeRow[]; readonly version: number },
): readonly Attachment[] {
  const { onType = [], onView = [] } = Object.groupBy(entries, ({ privilege }) => (privilege === typePrivilege ? 'onType' : 'onView'));
  return [
    ...aclAttachments(relation, { owner, entries: onView, serverPrivileges: listPrivileges(version) }),
    ...(guarded ? typeAclAttachments(relation, { owner, entries: onType }) : []),
  ];
}

function nameOf(relation: Relation, { schema, name }: { readonly schema: string | null; readonly name: string | null }): RelationName {
  return { schema: schema ?? relation.name.schema, name: name ?? '' };
}

function toPart(relation: Relation, part: PartRow, printed: PrintedText): readonly Attachment[] {
  if ('failure' in printed) return [];
  switch (part.kind) {
    case 'default':
      return [defaultAttachment(relation, part.name, printed.text)];
    case 'rule':
      return [ruleAttachment(relation, part.name, printed.text)];
    case 'trigger':
      return [triggerAttachment(relation, part.name, printed.text)];
    case 'index':
      return [indexAttachment(relation, nameOf(relation, part), printed.text)];
    case 'statistics':
      return [statisticsAttachment(nameOf(relation, part), printed.text)];
  }
}

function toAttribute(relation: Relation, row: AttributeRow): Attachment {
  const { name, value, usual } = { name: row.name ?? '', value: row.value ?? '', usual: row.usual ?? '' };
  switch (row.kind) {
    case 'access method':
      return accessMethodAttachment(relation, value);
    case 'tablespace':
      return tablespaceAttachment(relation, value, usual);
    case 'index tablespace':
      return indexTablespaceAttachment(nameOf(relation, row), value, usual);
    case 'cluster':
      return clusterAttachment(relation, name);
    case 'replica identity':
      return replicaIdentityAttachment(relation, value as ReplicaIdentity);
    case 'statistics target':
      return statisticsTargetAttachment(relation, toSampled(relation, row), Number(value));
    case 'statistics owner':
      return statisticsOwnerAttachment(nameOf(relation, row), value);
    case 'storage':
      return storageAttachment(relation, name, { storage: value, usual });
    case 'compression':
      return compressionAttachment(relation, name, value);
    case 'column option':
      return columnOptionAttachment(relation, name, splitOption(value));
    case 'extension':
      return toExtension(relation, row, value);
    case 'label':
      return toLabel(relation, row, { provider: usual, label: value });
  }
}

function toSampled(relation: Relation, row: AttributeRow): Parameters<typeof statisticsTargetAttachment>[1] {
  if (row.on === 'index') return { of: 'index', index: nameOf(relation, row), number: row.number };
  return row.on === 'statistics' ? { of: 'statistics', statistics: nameOf(relation, row) } : { of: 'column', name: row.name ?? '' };
}

function toExtension(relation: Relation, row: AttributeRow, extension: string): Attachment {
  if (row.on === 'index') return extensionAttachment(relation, { on: 'index', ...nameOf(relation, row) }, extension);
  return extensionAttachment(relation, row.on === 'trigger' ? { on: 'trigger', name: row.name ?? '' } : { on: 'relation' }, extension);
}

function toLabel(relation: Relation, row: AttributeRow, said: { readonly provider: string; readonly label: string }): Attachment {
  if (row.on === 'column') return labelAttachment(relation, { on: 'column', name: row.name ?? '' }, said);
  return labelAttachment(relation, { on: row.on === 'type' ? 'type' : 'relation' }, said);
}

function toComment(relation: Relation, { on, schema, name, text }: CommentRow): Attachment {
  switch (on) {
    case 'relation':
    case 'type':
    case 'array type':
      return commentAttachment(relation, { on }, text);
    case 'index':
    case 'statistics':
      return commentAttachment(relation, { on, ...nameOf(relation, { schema, name }) }, text);
    default:
      return commentAttachment(relation, { on, name: name ?? '' }, text);
  }
}
