import type { Dialect } from './dialect.ts';
import { matchGlobs } from './glob.ts';
import type { Attachment, View } from './view.ts';

/** Metadata that changes with every run of somebody's tool and is nobody's intention: it stays out of files and never counts as drift. */
export interface Ignored {
  /** Regular expressions; a comment in which one is found is ignored as a whole. */
  readonly comments: readonly string[];
  /** Globs over the names of labels and tags. */
  readonly labels: readonly string[];
}

const labelKinds: readonly string[] = ['label', 'tag'];
const commentKinds: readonly string[] = ['comment', 'column comment'];

/** The same dialect, which knows that some attachments do not count. */
export function ignoring(dialect: Dialect, { comments, labels }: Ignored): Dialect {
  const patterns = comments.map((pattern) => new RegExp(pattern, 'su'));
  const isLabel = matchGlobs(labels);
  const isIgnored = ({ kind, key, value }: Attachment) =>
    (commentKinds.includes(kind) && patterns.some((pattern) => pattern.test(value))) || (labelKinds.includes(kind) && isLabel(key));
  return { ...dialect, isIgnored };
}

/** The dialect for which everything counts again: a plan must not lose what files leave out. */
export function countingAll(dialect: Dialect): Dialect {
  if (!dialect.isIgnored) return dialect;
  const { isIgnored: _, ...rest } = dialect;
  return rest;
}

/** The attachments that count. */
export function countedAttachments(attachments: readonly Attachment[], { isIgnored }: Pick<Dialect, 'isIgnored'>): readonly Attachment[] {
  return isIgnored ? attachments.filter((attachment) => !isIgnored(attachment)) : attachments;
}

export function withoutIgnored(view: View, dialect: Pick<Dialect, 'isIgnored'>): View {
  return dialect.isIgnored ? { ...view, attachments: countedAttachments(view.attachments, dialect) } : view;
}

/** The wanted view with what is ignored as the live one has it, so that a replace restates it and nothing of it is lost. */
export function keepIgnored(wanted: View, live: View | undefined, { isIgnored, attachmentKinds }: Dialect): View {
  if (!isIgnored) return wanted;
  const kept = live?.attachments.filter(isIgnored) ?? [];
  const attachments = [...countedAttachments(wanted.attachments, { isIgnored }), ...kept];
  const order = ({ kind }: Attachment) => attachmentKinds.indexOf(kind);
  return { ...wanted, attachments: attachments.toSorted((left, right) => order(left) - order(right)) };
}
