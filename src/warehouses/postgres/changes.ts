import type { RenamedColumn, Replaceability } from '../../core/dialect.ts';
import { splitStatements } from '../../core/statements.ts';
import { type Attachment, ownerKind, type View } from '../../core/view.ts';
import { type Commented, commentAttachment, defaultAttachment, ownerAttachment, sortAttachments } from './attachments.ts';
import { type Grant, typePrivilege } from './grant-attachments.ts';
import { labelAttachment } from './label-attachments.ts';
import { lexicalRules, statementRuns } from './lexical-rules.ts';
import { everybody } from './names.ts';
import { rolesOfObject } from './object-roles.ts';
import { parseGrants } from './parse-grants.ts';
import { type AclEntry, aclAttachments, allows, typeAclAttachments } from './privileges.ts';

/** The owner's role, where the attachments say it. */
export function ownerOf({ attachments }: Pick<View, 'attachments'>): string | undefined {
  return attachments.find(({ kind }) => kind === ownerKind)?.value;
}

/** What a grant says, from its own SQL: that is the only complete form of it. What it is on does not matter. */
function readGrant({ kind, make }: Attachment): Grant | undefined {
  const [statement] = kind === 'grant' ? splitStatements(make, lexicalRules, statementRuns) : [];
  return statement && parseGrants(statement)[0];
}

/** What the grants of a view say. */
export function grantsOf(view: View): readonly Grant[] {
  return view.attachments.flatMap((attachment) => readGrant(attachment) ?? []);
}

/** The role that gives a right, where that is not the owner. */
export function actorOf(attachment: Attachment): string | undefined {
  return readGrant(attachment)?.grantor;
}

/** Roles that the attachments of a view name, sorted. */
export function rolesOf(view: View): readonly string[] {
  const owners = view.attachments.filter(({ kind }) => kind === ownerKind || kind === 'statistics owner' || kind === 'revoke').map(({ value }) => value);
  const granted = grantsOf(view).flatMap(({ grantee, grantor }) => (grantor === undefined ? [grantee] : [grantee, grantor]));
  return [...new Set([...owners, ...granted, ...rolesOfObject(view)])].filter((role) => role !== everybody).sort();
}

/** The part of the view that an attachment is about, as kind and key of that part: `index orders_pkey`. */
function partOf({ kind, key, value }: Attachment): string | undefined {
  switch (kind) {
    case 'comment':
      return key;
    case 'extension':
      return value;
    case 'cluster':
      return `index ${value}`;
    case 'index tablespace':
      return `index ${key}`;
    case 'statistics owner':
      return `statistics ${key}`;
    case 'statistics target':
      return key.startsWith('index ') ? key.slice(0, key.lastIndexOf(' ')) : key;
    default:
      return undefined;
  }
}

/** `Dialect.keepRoles`: whoever does not receive a right any more cannot pass it on either. */
export function keepRoles(view: View, known: ReadonlySet<string>): readonly Attachment[] {
  const inDefinition = rolesOf({ ...view, attachments: [] });
  const isKnown = (attachment: Attachment) => rolesOf({ ...view, attachments: [attachment] }).every((role) => known.has(role) || inDefinition.includes(role));
  let kept = view.attachments.filter(isKnown);
  for (let count = -1; count !== kept.length; ) {
    count = kept.length;
    const grants = grantsOf({ ...view, attachments: kept });
    kept = kept.filter((attachment) => {
      const grant = readGrant(attachment);
      return grant?.grantor === undefined || grants.some((other) => allows(other, grant));
    });
  }
  return kept;
}

/**
 * Whether removing `gone` takes `attachment` along: everything goes with the part that it is about, and a right on the whole view that is
 * revoked goes on its columns too. https://www.postgresql.org/docs/current/sql-revoke.html
 */
export function hangsOn(attachment: Attachment, gone: Attachment): boolean {
  if (partOf(attachment) === `${gone.kind} ${gone.key}`) return true;
  if (attachment.kind !== 'grant' || gone.kind !== 'grant') return false;
  const [right, revoked] = [readGrant(attachment), readGrant(gone)];
  const isSame = right?.privilege === revoked?.privilege && right?.grantee === revoked?.grantee && right?.grantor === revoked?.grantor;
  return isSame && right?.column !== undefined && revoked?.column === undefined;
}

/** Whether a definition can be put over another one: columns may only be added at the end. */
export function canReplace(live: View, wanted: View): Replaceability {
  if (live.kind !== wanted.kind) return { possible: false, because: `it is a ${live.kind} and has to be a ${wanted.kind}` };
  if (live.kind === 'materialized view') return { possible: false, because: 'a materialized view cannot be replaced in place' };
  if (wanted.columns.length === 0) return { possible: true };
  const because = live.columns.flatMap((column, index) => {
    const other = wanted.columns[index];
    if (other === undefined) return `its column "${column.name}" goes`;
    if (other.name !== column.name) return `its column ${index + 1} is "${column.name}" and has to be "${other.name}"`;
    return other.type === column.type ? [] : `its column "${column.name}" is ${column.type} and has to be ${other.type}`;
  })[0];
  return because === undefined ? { possible: true } : { possible: false, because };
}

interface ServerChange {
  readonly owner?: string;
  readonly renamed?: readonly RenamedColumn[];
}

/** What attachments become when the server changes the owner and renames columns. */
export function attachmentsAfter(view: View, { owner, renamed = [] }: ServerChange): readonly Attachment[] {
  const names = new Map(renamed.map(({ from, to }) => [from, to]));
  const before = ownerOf(view);
  const rename = (column: string) => names.get(column) ?? column;
  const others = view.attachments.filter(({ kind }) => kind !== 'grant' && kind !== 'revoke').map((attachment) => renameColumn(attachment, view, rename));
  const changed = owner === undefined ? others : others.map((attachment) => (attachment.kind === ownerKind ? ownerAttachment(view, owner) : attachment));
  if (before === undefined) return sortAttachments([...changed, ...view.attachments.filter(({ kind }) => kind === 'grant' || kind === 'revoke')]);
  return sortAttachments([...changed, ...rightsAfter(view, { rename, before, after: owner ?? before })]);
}

function renameColumn(attachment: Attachment, view: View, rename: (column: string) => string): Attachment {
  const { kind, key, value } = attachment;
  if (kind === 'default') return defaultAttachment(view, rename(key), value);
  if (kind === 'label') return renameLabel(attachment, view, rename);
  if (kind !== 'comment' || !key.startsWith('column ')) return attachment;
  const on: Commented = { on: 'column', name: rename(key.slice('column '.length)) };
  return commentAttachment(view, on, value);
}

function renameLabel(attachment: Attachment, view: View, rename: (column: string) => string): Attachment {
  const [provider = '', column] = attachment.key.split(/ column (.*)/s);
  return column === undefined ? attachment : labelAttachment(view, { on: 'column', name: rename(column) }, { provider, label: attachment.value });
}

interface OwnerChange {
  readonly rename: (column: string) => string;
  readonly before: string;
  readonly after: string;
}

/**
 * The rights after a change of the owner: the new one takes the old one's place as grantor and as grantee, and what is then there twice is
 * one, grantable if either was (`aclnewowner` in the server's acl.c).
 */
function rightsAfter(view: View, { rename, before, after }: OwnerChange): readonly Attachment[] {
  const revoked = new Set(view.attachments.filter(({ kind }) => kind === 'revoke').map(({ key }) => key));
  const change = (role: string) => (role === before ? after : role);
  const entries = new Map<string, AclEntry>();
  for (const grant of [...grantsOf(view), ...usualTypeGrants(before, revoked)]) {
    const column = grant.column === undefined ? null : rename(grant.column);
    const grantee = grant.grantee === everybody ? null : change(grant.grantee);
    const entry: AclEntry = { ...grant, column, grantee, grantor: change(grant.grantor ?? before) };
    const id = JSON.stringify([entry.privilege, column, entry.grantee, entry.grantor]);
    entries.set(id, { ...entry, grantable: entry.grantable || entries.get(id)?.grantable === true });
  }
  const [onType, onView] = [[...entries.values()].filter(isOnType), [...entries.values()].filter((entry) => !isOnType(entry))];
  return [
    ...aclAttachments(view, { owner: after, entries: onView, serverPrivileges: [...revoked].filter((key) => !typeRevokes.includes(key)) }),
    ...typeAclAttachments(view, { owner: after, entries: onType }),
  ];
}

const isOnType = ({ privilege }: AclEntry): boolean => privilege === typePrivilege;

const typeRevokes = [typePrivilege, `PUBLIC ${typePrivilege}`];

/** What no grant says, because it is so at first. */
function usualTypeGrants(owner: string, revoked: ReadonlySet<string>): readonly Grant[] {
  const usual = [owner, everybody].map((grantee) => ({ privilege: typePrivilege, grantee, grantable: false }));
  return usual.filter((_, index) => !revoked.has(typeRevokes[index] ?? ''));
}
