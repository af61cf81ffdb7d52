import { diffAttachments } from './compare.ts';
import type { Dialect } from './dialect.ts';
import type { Course, Making } from './making.ts';
import type { Situation } from './planner.ts';
import { findMentions } from './references.ts';
import { compareText, relationKey } from './relation.ts';
import { type Attachment, isView, ownerKind, type View } from './view.ts';

export interface MadeAttachment {
  readonly attachment: Attachment;
  readonly because: string;
}

/** What has to happen to the attachments of one view. */
export interface Alteration {
  readonly view: View;
  /** Removed before anything is dropped or replaced, because they stand in the way; made again with `made`. */
  readonly released: readonly Attachment[];
  readonly removed: readonly Attachment[];
  readonly made: readonly MadeAttachment[];
}

function restatedKinds(view: View, making: 'create' | 'replace', dialect: Dialect): readonly string[] {
  return dialect.restatedKinds?.(view, making) ?? dialect.inlineKinds;
}

function alterFresh(view: View, { request }: Situation): Alteration {
  const restated = restatedKinds(view, 'create', request.dialect);
  const made = view.attachments.filter(({ kind }) => !restated.includes(kind));
  return { view, released: [], removed: [], made: made.map((attachment) => ({ attachment, because: 'it belongs to the view' })) };
}

/** What a view that stays becomes through its new owner and its renamed columns alone. */
function attachmentsBefore(live: View, wanted: View, { request, treatments }: Situation): readonly Attachment[] {
  if (!isView(live)) return live.attachments;
  const { dialect } = request;
  const treatment = treatments.get(relationKey(live.name));
  const owner = dialect.ownerOf(wanted);
  return dialect.attachmentsAfter(live, {
    ...(owner === undefined || owner === dialect.ownerOf(live) ? {} : { owner }),
    ...(treatment?.how === 'rename columns' ? { renamed: treatment.renamed } : {}),
  });
}

function findReleased(live: View, wanted: View, { situation, making }: { situation: Situation; making: Making | undefined }): Attachment[] {
  const { dialect } = situation.request;
  const { droppedNames: dropped } = situation.rebuild;
  const blocks = ({ kind, make }: Attachment) => dialect.readingKinds.includes(kind) && findMentions(make, dialect, dropped).length > 0;
  const blocking = dropped.size === 0 ? [] : live.attachments.filter(blocks);
  const clearing = making === 'replace' ? dialect.clearsBeforeReplace(live, wanted) : [];
  return [...new Set([...blocking, ...clearing])];
}

function isOneOf({ kind, key }: Attachment, others: readonly Attachment[]): boolean {
  return others.some((other) => other.kind === kind && other.key === key);
}

function hangsOnOne(attachment: Attachment, others: readonly Attachment[], dialect: Dialect): boolean {
  return others.some((other) => dialect.hangsOn(attachment, other));
}

/** What is left when some are removed, which takes along what hangs on them. */
function leave(attachments: readonly Attachment[], removed: readonly Attachment[], dialect: Dialect): readonly Attachment[] {
  return attachments.filter((attachment) => !isOneOf(attachment, removed) && !hangsOnOne(attachment, removed, dialect));
}

/** What is not wanted, and what has to be made anew to be changed; what hangs on one of these goes by itself. */
function findRemoved(before: readonly Attachment[], wanted: readonly Attachment[], dialect: Dialect): readonly Attachment[] {
  const { removed, changed } = diffAttachments(before, wanted, dialect);
  const all = [...removed, ...changed.map(({ from }) => from).filter(({ kind }) => !dialect.overwritingKinds.includes(kind))];
  return all.filter((attachment) => !hangsOnOne(attachment, all, dialect));
}

function becauseAdded(attachment: Attachment, removed: readonly Attachment[]): string {
  return `its ${attachment.kind} ${attachment.key} ${isOneOf(attachment, removed) ? 'differs' : 'is missing'}`;
}

function becauseChanged(from: Attachment, to: Attachment): string {
  return from.make === to.make ? `its ${to.kind} ${to.key} stands in another place` : `its ${to.kind} ${to.key} differs`;
}

function inOrderOf(order: readonly Attachment[], made: readonly MadeAttachment[]): readonly MadeAttachment[] {
  return made.toSorted((left, right) => order.indexOf(left.attachment) - order.indexOf(right.attachment));
}

function alterStanding(live: View, wanted: View, { situation, making }: { situation: Situation; making: Making | undefined }): Alteration {
  const { dialect } = situation.request;
  const released = findReleased(live, wanted, { situation, making });
  const restated = making === 'replace' ? restatedKinds(wanted, making, dialect) : [];
  const lost = making === 'replace' ? (dialect.lostByReplace?.(live, situation.request.role ?? '') ?? []) : [];
  const counts = ({ kind }: Attachment) => !restated.includes(kind);
  const before = leave(attachmentsBefore(live, wanted, situation).filter(counts), [...released, ...lost], dialect);
  const after = wanted.attachments.filter(counts);
  const removed = findRemoved(before, after, dialect);
  const owners = diffAttachments(live.attachments, wanted.attachments, dialect).changed.filter(({ to }) => to.kind === ownerKind);
  const change = diffAttachments(leave(before, removed, dialect), after, dialect);
  return {
    view: wanted,
    released,
    removed,
    made: [
      ...owners.map(({ from, to }) => ({ attachment: to, because: `its owner is ${from.value}` })),
      ...lost
        .filter(({ kind }) => kind === ownerKind && owners.length === 0)
        .map((attachment) => ({ attachment, because: 'a replace makes this role its owner' })),
      ...inOrderOf(after, [
        ...change.added.map((attachment) => ({ attachment, because: isOneOf(attachment, lost) ? 'a replace loses it' : becauseAdded(attachment, removed) })),
        ...change.changed.filter(({ to }) => to.kind !== ownerKind).map(({ from, to }) => ({ attachment: to, because: becauseChanged(from, to) })),
      ]),
    ],
  };
}

function alterView(key: string, situation: Situation, { makings }: Course): Alteration[] {
  const { live, wanted, rebuild, treatments } = situation;
  const making = makings.get(key);
  if (making?.making === 'create') return [alterFresh(making.view, situation)];
  const standing = live.get(key);
  const after = wanted.get(key) ?? standing;
  const how = treatments.get(key)?.how;
  if (!standing || !after || (!isView(standing) && how !== 'alter') || rebuild.dropped.has(key)) return [];
  if (how === 'refuse' || (how === 'nothing' && rebuild.dropped.size === 0)) return [];
  const alteration = alterStanding(standing, after, { situation, making: making?.making });
  return alteration.released.length + alteration.removed.length + alteration.made.length > 0 ? [alteration] : [];
}

/** Views whose attachments change: the made ones in the order of making, then the others by name. */
export function findAlterations(situation: Situation, course: Course): readonly Alteration[] {
  const { makings, order } = course;
  const made = order.flatMap(({ members }) => members);
  const touchesOthers = situation.rebuild.dropped.size > 0;
  const others = touchesOthers ? situation.live.keys() : situation.wanted.keys();
  const standing = [...new Set(others)].filter((key) => !makings.has(key)).sort(compareText);
  return [...made, ...standing].flatMap((key) => alterView(key, situation, course));
}
