import type { AttachmentChange, Change, ColumnChange } from './change.ts';
import type { Dialect } from './dialect.ts';
import { countedAttachments } from './ignore.ts';
import { compareText, relationKey } from './relation.ts';
import { sameTokens } from './tokens.ts';
import { attachmentsSeen } from './unseen.ts';
import { type Attachment, type Column, ownerKind, type View } from './view.ts';

interface Compared {
  readonly definition: string;
  readonly dialect: Dialect;
  readonly isSame: boolean;
}

// A live view is compared with the same text while reading, while asking the server and while planning.
const compared = new WeakMap<View, Compared>();

/** Whether two definitions have the same tokens. Comments count only where the warehouse keeps them. */
export function isSameDefinition(left: View, { definition }: View, dialect: Dialect): boolean {
  const last = compared.get(left);
  if (last !== undefined && last.definition === definition && last.dialect === dialect) return last.isSame;
  const isSame = left.definition === definition || sameTokens(left.definition, definition, dialect);
  compared.set(left, { definition, dialect, isSame });
  return isSame;
}

/** Whether two attachments say the same: in the same tokens, or as far as the warehouse was asked. */
export function isSameAttachment(left: Attachment, right: Attachment, dialect: Dialect): boolean {
  const known = (text: string) => dialect.equivalents?.get(text) ?? text;
  return known(left.make) === known(right.make) || sameTokens(left.make, right.make, dialect);
}

/** Whether texts of two views of one name differ that the warehouse may hold for the same. */
export function hasOpenTexts(left: View, right: View, dialect: Dialect): boolean {
  const { changed } = diffAttachments(left.attachments, right.attachments, dialect);
  return changed.some(({ to }) => dialect.printedKinds?.includes(to.kind));
}

const attachmentId = (attachment: Attachment) => `${attachment.kind}\0${attachment.key}`;

type Pair = AttachmentChange['changed'][number];

function pairUp(from: readonly Attachment[], to: readonly Attachment[]): readonly Pair[] {
  const before = new Map(from.map((attachment) => [attachmentId(attachment), attachment]));
  return to.flatMap((attachment) => {
    const old = before.get(attachmentId(attachment));
    return old ? [{ from: old, to: attachment }] : [];
  });
}

/** Those of a group whose order counts that stand where they have to: the first ones, in their order. What is set once more comes behind all others. */
function findPlaced(
  group: readonly Pair[],
  wanted: readonly Attachment[],
  { from, dialect }: { from: readonly Attachment[]; dialect: Dialect },
): readonly Pair[] {
  const placed: Pair[] = [];
  let last = -1;
  for (const attachment of wanted) {
    const pair = group.find(({ to }) => to === attachment);
    const position = pair ? from.indexOf(pair.from) : -1;
    if (!pair || position <= last || !isSameAttachment(pair.from, pair.to, dialect)) return placed;
    placed.push(pair);
    last = position;
  }
  return placed;
}

/** Pairs that have the same value and stand in another order, where the warehouse keeps one. */
function findMisplaced(pairs: readonly Pair[], from: readonly Attachment[], { to, dialect }: { to: readonly Attachment[]; dialect: Dialect }): readonly Pair[] {
  const groupOf = (attachment: Attachment) => dialect.orderGroup?.(attachment);
  const groups = Map.groupBy(
    pairs.filter((pair) => groupOf(pair.to) !== undefined),
    (pair) => groupOf(pair.to),
  );
  return [...groups].flatMap(([name, group]) => {
    const wanted = to.filter((attachment) => groupOf(attachment) === name);
    const placed = findPlaced(group, wanted, { from, dialect });
    return group.filter((pair) => !placed.includes(pair));
  });
}

/** Whether what stands on both lists, and whose order counts, is in the same order on both. */
export function hasSameOrder(left: readonly Attachment[], right: readonly Attachment[], dialect: Dialect): boolean {
  return findMisplaced(pairUp(left, right), left, { to: right, dialect }).length === 0;
}

/** Whether two lists say the same in the same places, as nearly all do. */
function isListedAlike(left: readonly Attachment[], right: readonly Attachment[]): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  return left.every(({ kind, key, make }, index) => {
    const other = right[index];
    return other?.kind === kind && other.key === key && other.make === make;
  });
}

/**
 * What has to be added, removed and changed to come from one list of attachments to the other; order of the lists kept. An owner that only one
 * side names is no difference, nor is another optional attachment, nor what cannot be absent: a hand-written file may leave it to the warehouse.
 * What the target ignores does not count. Where the warehouse keeps an order, what stands too early counts as changed.
 */
export function diffAttachments(allFrom: readonly Attachment[], allTo: readonly Attachment[], dialect: Dialect): AttachmentChange {
  if (isListedAlike(allFrom, allTo)) return { added: [], removed: [], changed: [] };
  const [from, to] = [countedAttachments(allFrom, dialect), countedAttachments(allTo, dialect)];
  const isOptional = ({ kind }: Attachment) => kind === ownerKind || dialect.optionalKinds?.includes(kind) === true;
  const [before, after] = [from, to].map((side) => new Set(side.map(attachmentId)));
  const pairs = pairUp(from, to);
  const misplaced = findMisplaced(pairs, from, { to, dialect });
  return {
    added: to.filter((attachment) => !isOptional(attachment) && !before?.has(attachmentId(attachment))),
    removed: from.filter((attachment) => !isOptional(attachment) && attachment.unmake !== '' && !after?.has(attachmentId(attachment))),
    changed: pairs.filter((pair) => !isSameAttachment(pair.from, pair.to, dialect) || misplaced.includes(pair)),
  };
}

/** The same for what belongs to two views, as far as our role sees it of both. */
export function diffBelongings(from: View, to: View, dialect: Dialect): AttachmentChange {
  return diffAttachments(attachmentsSeen(from, to), attachmentsSeen(to, from), dialect);
}

export function hasAttachmentChange(change: AttachmentChange): boolean {
  return change.added.length + change.removed.length + change.changed.length > 0;
}

/** What differs between two lists of columns; nothing when either is unknown. */
export function diffColumns(from: readonly Column[], to: readonly Column[]): ColumnChange {
  if (from.length === 0 || to.length === 0) return { added: [], removed: [], retyped: [], reordered: false };
  const before = new Map(from.map((column) => [column.name, column.type]));
  const after = new Map(to.map((column) => [column.name, column.type]));
  const common = (columns: readonly Column[]) => columns.map((column) => column.name).filter((name) => before.has(name) && after.has(name));
  return {
    added: to.filter((column) => !before.has(column.name)),
    removed: from.filter((column) => !after.has(column.name)),
    retyped: to.flatMap(({ name, type }) => {
      const old = before.get(name);
      return old === undefined || old === type ? [] : [{ name, from: old, to: type }];
    }),
    reordered: common(from).join('\0') !== common(to).join('\0'),
  };
}

export function hasColumnChange(change: ColumnChange): boolean {
  return change.added.length + change.removed.length + change.retyped.length > 0 || change.reordered;
}

/** Whether two views are the same by model: kind, tokens of the definition, attachments. Columns follow from the definition and do not count. */
export function isSameView(left: View, right: View, dialect: Dialect): boolean {
  return left.kind === right.kind && isSameDefinition(left, right, dialect) && hasSameAttachments(left, right, dialect);
}

export function hasSameAttachments(left: View, right: View, dialect: Dialect): boolean {
  return !hasAttachmentChange(diffBelongings(left, right, dialect));
}

/** How two Snapshots' texts are compared beyond their tokens. */
export interface Sameness {
  readonly dialect: Dialect;
  /** Views, by `relationKey`, whose two definitions the server holds for the same. */
  readonly reprinted: ReadonlySet<string>;
  /** Views, by `relationKey`, whose earlier definition the server refuses now. */
  readonly refused?: ReadonlySet<string>;
}

function diffView(from: View, to: View, sameness: Sameness): Change | undefined {
  const attachments = diffBelongings(from, to, sameness.dialect);
  const columns = diffColumns(from.columns, to.columns);
  const definition = compareDefinitions(from, to, sameness);
  const kindChanged = from.kind !== to.kind;
  if (definition === 'same' && !kindChanged && !hasAttachmentChange(attachments) && !hasColumnChange(columns)) return undefined;
  return { view: to.name, change: 'modified', definition, kindChanged, columns, attachments };
}

function compareDefinitions(from: View, to: View, { dialect, reprinted, refused }: Sameness): Change['definition'] {
  if (isSameDefinition(from, to, dialect)) return 'same';
  if (refused?.has(relationKey(to.name))) return 'follows base';
  return reprinted.has(relationKey(to.name)) ? 'reprinted' : 'different';
}

const nothing: Pick<Change, 'definition' | 'kindChanged' | 'columns'> = {
  definition: 'different',
  kindChanged: false,
  columns: { added: [], removed: [], retyped: [], reordered: false },
};

function added(view: View): Change {
  return { ...nothing, view: view.name, change: 'added', attachments: { added: view.attachments, removed: [], changed: [] } };
}

function deleted(view: View): Change {
  return { ...nothing, view: view.name, change: 'deleted', attachments: { added: [], removed: view.attachments, changed: [] } };
}

/** The changes that lead from one list of views to the other, sorted by name. A view that is only reprinted counts as one, with `definition: 'reprinted'`. */
export function diffViews(from: readonly View[], to: readonly View[], sameness: Sameness): readonly Change[] {
  const before = new Map(from.map((view) => [relationKey(view.name), view]));
  const after = new Set(to.map((view) => relationKey(view.name)));
  const kept = to.flatMap((view) => {
    const old = before.get(relationKey(view.name));
    return old ? (diffView(old, view, sameness) ?? []) : added(view);
  });
  const gone = from.filter((view) => !after.has(relationKey(view.name))).map(deleted);
  return [...kept, ...gone].sort((left, right) => compareText(relationKey(left.view), relationKey(right.view)));
}
