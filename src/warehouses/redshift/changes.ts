import type { Replaceability } from '../../core/dialect.ts';
import type { Permission } from '../../core/powers.ts';
import { type Attachment, type Column, ownerKind, type View } from '../../core/view.ts';
import { isLateBinding, ownerAttachment } from './attachments.ts';
import { quoteIdentifier } from './names.ts';

/** The owner's name, where the attachments say it. */
export function ownerOf({ attachments }: Pick<View, 'attachments'>): string | undefined {
  return attachments.find(({ kind }) => kind === ownerKind)?.value;
}

// `bob SELECT`, `GROUP "my group" SELECT (price)`, `ROLE reader own_rows`: the grantee comes first.
const grantKey = /^((?:GROUP |ROLE )?(?:"(?:[^"]|"")*"|[^ "]+)) /;

/** Whom a grant or policy is for, as GRANT spells it. */
export function granteeOf({ key }: Attachment): string {
  return grantKey.exec(key)?.[1] ?? '';
}

const grantedKinds = ['grant', 'row policy', 'masking policy'];

const isGranted = ({ kind }: Attachment) => grantedKinds.includes(kind);

/** Users, groups and roles that the attachments of a view name, as GRANT spells them, sorted. */
export function rolesOf(view: View): readonly string[] {
  const owner = ownerOf(view);
  const grantees = view.attachments.filter(isGranted).map(granteeOf);
  return [...new Set([...(owner === undefined ? [] : [quoteIdentifier(owner)]), ...grantees])].filter((name) => name !== 'PUBLIC').sort();
}

/** `Dialect.keepRoles`. */
export function keepRoles({ attachments }: View, known: ReadonlySet<string>): readonly Attachment[] {
  const nameIn = (attachment: Attachment) => (attachment.kind === ownerKind ? quoteIdentifier(attachment.value) : granteeOf(attachment));
  return attachments.filter(
    (attachment) => ![...grantedKinds, ownerKind].includes(attachment.kind) || nameIn(attachment) === 'PUBLIC' || known.has(nameIn(attachment)),
  );
}

/** `Dialect.permit`. Users are no members of other users: only a superuser may change what belongs to somebody else. */
export function permit(permission: Permission): string {
  const to = quoteIdentifier(permission.to);
  return 'createIn' in permission ? `GRANT USAGE, CREATE ON SCHEMA ${quoteIdentifier(permission.createIn)} TO ${to}` : `ALTER USER ${to} CREATEUSER`;
}

/** What the attachments become once the view has another owner, who needs no grants. */
export function attachmentsAfter(view: View, { owner }: { readonly owner?: string }): readonly Attachment[] {
  if (owner === undefined) return view.attachments;
  const others = view.attachments.filter((attachment) => attachment.kind !== 'grant' || granteeOf(attachment) !== quoteIdentifier(owner));
  return others.map((attachment) => (attachment.kind === ownerKind ? ownerAttachment(view, owner) : attachment));
}

function firstDifference(live: readonly Column[], wanted: readonly Column[]): string | undefined {
  if (live.length !== wanted.length) return `it has ${live.length} columns and has to have ${wanted.length}`;
  return live.flatMap((column, index) => {
    const other = wanted[index];
    if (other?.name !== column.name) return `its column ${index + 1} is "${column.name}" and has to be "${other?.name}"`;
    return other.type === column.type ? [] : `its column "${column.name}" is ${column.type} and has to be ${other.type}`;
  })[0];
}

/**
 * Whether a definition can be put over another one: names, types and number of the columns must be the same. Whether that holds for late-binding
 * views too is not written down: those are made anew unless both lists are known and the same. https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
 */
export function canReplace(live: View, wanted: View): Replaceability {
  if (live.kind !== wanted.kind) return { possible: false, because: `it is a ${live.kind} and has to be a ${wanted.kind}` };
  if (live.kind === 'materialized view') return { possible: false, because: 'a materialized view cannot be replaced in place' };
  const [wasLate, isLate] = [isLateBinding(live), isLateBinding(wanted)];
  if (wasLate !== isLate) return { possible: false, because: wasLate ? 'it is late-binding and has to be bound' : 'it is bound and has to be late-binding' };
  if (wanted.columns.length === 0 && !isLate) return { possible: true };
  if (wanted.columns.length === 0 || live.columns.length === 0) return { possible: false, because: 'the columns of the late-binding view are not known' };
  const because = firstDifference(live.columns, wanted.columns);
  return because === undefined ? { possible: true } : { possible: false, because };
}
