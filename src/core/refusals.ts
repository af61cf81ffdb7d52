import type { Dialect } from './dialect.ts';
import type { Course } from './making.ts';
import type { Plan, Refusal, Step } from './plan.ts';
import type { Situation } from './planner.ts';
import { findPowerless } from './powers.ts';
import { type RelationName, relationKey } from './relation.ts';
import { withArticle } from './sentence.ts';
import { isView, type View } from './view.ts';

function isDropped({ rebuild, drops, live }: Situation, key: string): boolean {
  return rebuild.dropped.has(key) || (drops.has(key) && live.has(key));
}

function droppedViews(situation: Situation): View[] {
  return [...situation.live].filter(([key]) => isDropped(situation, key)).map(([, view]) => view);
}

/** Attributes and objects that would go with a view and that no file holds. */
function findLosses(situation: Situation): Refusal[] {
  const attributes = droppedViews(situation).flatMap((view) =>
    view.unrestorable.map((what) => ({
      view: view.name,
      because: `${relationKey(view.name)} would have to be dropped, and with it ${what}, which viewsync cannot restore yet.`,
    })),
  );
  const objects = (situation.request.losses ?? []).flatMap(({ description, of }) => {
    const through = of.find((name) => isDropped(situation, relationKey(name)));
    if (!through) return [];
    const because = `${relationKey(through)} would have to be dropped, and ${description} depends on it, which viewsync cannot restore.`;
    return [{ view: through, because }];
  });
  return [...attributes, ...objects];
}

/** Definitions that the server refuses as things stand. */
function findMisfits({ treatments, wanted }: Situation): Refusal[] {
  return [...treatments].flatMap(([key, treatment]) => {
    const view = wanted.get(key);
    if (treatment.how !== 'refuse' || !view) return [];
    return [{ view: view.name, because: `${key} does not fit the warehouse as it is now: ${treatment.because}` }];
  });
}

/** Views that no warehouse of the kind would have. */
function findFaults({ request, wanted, live, treatments }: Situation): Refusal[] {
  return [...wanted].flatMap(([key, view]) => {
    const how = treatments.get(key)?.how;
    if (how === undefined || how === 'nothing' || how === 'leave' || how === 'refuse') return [];
    const fault = request.dialect.findFault?.(view, { live: live.get(key), now: request.now ?? 0 });
    return fault === undefined ? [] : [{ view: view.name, because: `${key} cannot be had as wanted: ${fault}` }];
  });
}

/** The table that a bystander stands on. */
function tableOf({ name }: View): RelationName[] {
  const { object, ...place } = name;
  return object?.on === undefined ? [] : [{ ...place, name: object.on }];
}

/** Relations that a view or bystander to be made reads or stands on, that do not exist, and that this plan does not make. */
function findMissingReads({ request, wanted, treatments }: Situation): Refusal[] {
  return [...wanted].flatMap(([key, view]) => {
    const how = treatments.get(key)?.how;
    if ((how !== 'create' && how !== 'replace' && how !== 'rebuild') || request.dialect.mayReadAbsent?.(view) === true) return [];
    const isMissing = (read: RelationName) =>
      !request.relations.has(relationKey(read)) && !wanted.has(relationKey(read)) && request.dialect.isUnlisted?.(read, request.relations) !== true;
    const missing = [...view.reads, ...tableOf(view)].filter(isMissing).map(relationKey);
    return missing.map((read) => refuseMissing(view, read, request.available.has(read)));
  });
}

function refuseMissing(view: View, read: string, isAvailable: boolean): Refusal {
  const key = relationKey(view.name);
  const because = `${key} ${view.kind === 'bystander' ? 'hangs on' : 'reads'} ${read}, which does not exist.`;
  if (isAvailable) return { view: view.name, because, suggestion: `Select it too: --select '+${key}'` };
  return view.kind === 'bystander' ? { view: view.name, because, suggestion: `Leave it out: --exclude '${key}'` } : { view: view.name, because };
}

/** What to do about something that stays and stands on a view that was to go. */
function adviseOnOrphan(view: View, gone: string, dialect: Dialect): string {
  const keep = `keep the other with --exclude '${gone}'`;
  if (view.kind !== 'bystander') return `Let it go too, or ${keep}.`;
  return `This revision has no file of it, so it is not ours to drop: run ${dialect.dropView(view)}; yourself, or ${keep}.`;
}

/** Views to be made where something that is no view has their name before the first step; `occupied` says what. */
export function findOccupied({ steps, before }: Pick<Plan, 'steps' | 'before'>, occupied: ReadonlyMap<string, string>): readonly Refusal[] {
  const known = new Set(before.map(({ name }) => relationKey(name)));
  const made = steps.filter(({ kind, view }) => kind === 'create' && view.object === undefined && !known.has(relationKey(view)));
  return made.flatMap(({ view }) => {
    const key = relationKey(view);
    const what = occupied.get(key);
    if (what === undefined) return [];
    const because = `${key} exists and is no view but ${withArticle(what)}, which viewsync never touches.`;
    return [{ view, because, suggestion: `Rename or drop it, or leave the view out: --exclude '${key}'` }];
  });
}

/** Views that stay and still read one that goes. */
function findOrphans({ drops, live, wanted, request, rebuild }: Situation): Refusal[] {
  if (request.orphans === 'leave' && !request.dialect.isTransactional) return [];
  return [...live].flatMap(([key, view]) => {
    if (drops.has(key)) return [];
    const after = (isView(view) ? wanted.get(key) : rebuild.recreated.get(key)) ?? view;
    const verb = isView(view) ? 'reads' : 'hangs on';
    const gone = [...after.reads, ...(after.needs ?? [])].map(relationKey).filter((read) => drops.has(read) && live.has(read));
    return gone.map((read) => ({
      view: view.name,
      because: `${read} would be dropped, and ${key}, which stays, ${verb} it.`,
      suggestion: adviseOnOrphan(view, read, request.dialect),
    }));
  });
}

/** Locks that one transaction takes: four for a dropped view, two for a created one (measured on PostgreSQL 15). */
function findLockShortage({ request }: Situation, steps: readonly Step[]): Refusal[] {
  const count = (kind: Step['kind']) => steps.filter((step) => step.kind === kind).length;
  const needed = 4 * count('drop') + 2 * count('create') + count('replace') + count('alter');
  const first = steps[0];
  if (!first || request.lockLimit === undefined || needed <= request.lockLimit) return [];
  const because = `This plan needs about ${needed} locks in one transaction and the server is set up for ${request.lockLimit}.`;
  return [{ view: first.view, because, suggestion: 'Raise max_locks_per_transaction, or apply in parts with --select.' }];
}

/** Views of a circle that have to be made from nothing, and whose columns nobody knows. */
function findOpenCircles({ makings, order }: Course): Refusal[] {
  const circular = order.filter(({ isCircular }) => isCircular).flatMap(({ members }) => members);
  return circular.flatMap((key) => {
    const found = makings.get(key);
    // Only a plain view is ever stood in for.
    if (found?.making !== 'create' || found.view.kind !== 'view' || found.view.columns.length > 0) return [];
    const because = `${key} is part of a circle of views, which can only be made when its columns are known beforehand.`;
    return [{ view: found.view.name, because, suggestion: `Write its columns into the header of its file: -- columns: name type` }];
  });
}

/** Everything that makes the plan impossible, each by name. */
export function findRefusals(situation: Situation, course: Course, steps: readonly Step[]): readonly Refusal[] {
  return [
    ...findOpenCircles(course),
    ...findMisfits(situation),
    ...findFaults(situation),
    ...findMissingReads(situation),
    ...findLosses(situation),
    ...findOrphans(situation),
    ...findLockShortage(situation, steps),
    ...findPowerless(situation, course, steps),
  ];
}
