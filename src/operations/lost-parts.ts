import { relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import type { Attachment, View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Part } from '../warehouses/parts.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import { bringBack, type Restoration, type RestorationOptions, run } from './bring-back.ts';
import { planMending, surroundingsOf, withoutPowers } from './detour.ts';
import type { BrokenView } from './running-script.ts';

const isWhole = ({ kind }: Pick<Part, 'kind'>) => kind === 'view' || kind === 'bystander';

/** The views and bystanders among them, as they were. */
function findLostObjects(lost: readonly Part[], { snapshot, outside }: Inspection): readonly View[] {
  const keys = new Set(lost.filter(isWhole).map(({ view }) => relationKey(view)));
  return [...objectsOf(snapshot), ...outside].filter(({ name }) => keys.has(relationKey(name)));
}

/**
 * Makes again what was dropped for a command and what that took along. Of the latter, a view or routine that does not fit went for good with what it read or
 * called; what stood on a table that is still there, such as a policy, is told like what was dropped.
 */
export async function bringBackAll(
  warehouse: Warehouse,
  { dropped, lost }: { readonly dropped: readonly View[]; readonly lost: readonly Part[] },
  options: RestorationOptions & { readonly before: Inspection },
): Promise<Restoration> {
  const known = new Set(dropped.map(({ name }) => relationKey(name)));
  const also = findLostObjects(lost, options.before).filter(({ name }) => !known.has(relationKey(name)));
  const back = await bringBack(warehouse, [...dropped, ...also], options);
  const gone = new Set(also.filter(({ name }) => name.object?.on === undefined).map(({ name }) => relationKey(name)));
  return { ...back, broken: back.broken.filter(({ view }) => !gone.has(view)) };
}

/** Whether it is that part, or something of it: its comment, its owner, its place. */
function isOf({ kind, key, value }: Attachment, part: Part): boolean {
  if (kind === part.kind) return key === part.key;
  const label = `${part.kind} ${part.key}`;
  return key === label || key.startsWith(`${label} `) || (kind.startsWith(part.kind) && key === part.key) || (kind === 'cluster' && value === part.key);
}

/** The view as it is now, with what it has lost. */
function withLost(now: View, before: View, parts: readonly Part[]): View {
  const present = new Set(now.attachments.map(({ kind, key }) => `${kind} ${key}`));
  const lost = before.attachments.filter((attachment) => !present.has(`${attachment.kind} ${attachment.key}`) && parts.some((part) => isOf(attachment, part)));
  return { ...now, attachments: [...now.attachments, ...lost] };
}

interface Mending {
  readonly now: View;
  readonly wanted: View;
}

function findMendings(lost: readonly Part[], before: Inspection, { snapshot, outside }: Inspection): readonly Mending[] {
  const [old, now] = [before, { snapshot, outside }].map(
    (inspection) => new Map([...inspection.snapshot.views, ...inspection.outside].map((view) => [relationKey(view.name), view])),
  );
  const parts = Map.groupBy(
    lost.filter((part) => !isWhole(part)),
    ({ view }) => relationKey(view),
  );
  return [...parts].flatMap(([key, taken]) => {
    const [view, known] = [now?.get(key), old?.get(key)];
    if (!view || !known) return [];
    const wanted = withLost(view, known, taken);
    return wanted.attachments.length > view.attachments.length ? [{ now: view, wanted }] : [];
  });
}

async function mend(warehouse: Warehouse, { now, wanted }: Mending, options: RestorationOptions): Promise<Restoration> {
  const { target, inspection } = options;
  const surroundings = withoutPowers(surroundingsOf(target, warehouse, inspection));
  const view = relationKey(now.name);
  try {
    const acts = await run(
      warehouse,
      planMending([now], [wanted], { ...surroundings, relations: inspection.relations, because: 'the migration took it along' }),
      options,
    );
    return { acts, restored: [view], broken: [] };
  } catch (error) {
    if (!(error instanceof ViewsyncError) || error.code !== 'ROLLED_BACK') throw error;
    return { acts: [], restored: [], broken: [{ view, because: toReason(error) }] };
  }
}

/** What the server said, without what our own message adds to it. */
function toReason({ details, message }: ViewsyncError): BrokenView['because'] {
  const report = details['report'] as { readonly failure?: { readonly message: string } } | undefined;
  return report?.failure?.message ?? message;
}

/** Gives standing views back what was taken from them; each on its own, and what no longer fits is told. */
export async function mendViews(
  warehouse: Warehouse,
  lost: readonly Part[],
  options: RestorationOptions & { readonly before: Inspection },
): Promise<Restoration> {
  const done: Restoration[] = [];
  for (const mending of findMendings(lost, options.before, options.inspection)) done.push(await mend(warehouse, mending, options));
  return { acts: done.flatMap(({ acts }) => acts), restored: done.flatMap(({ restored }) => restored), broken: done.flatMap(({ broken }) => broken) };
}
