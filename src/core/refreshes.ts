import { orderByReads, type Reads, reach } from './graph.ts';
import type { Course } from './making.ts';
import { findNeeds } from './needs.ts';
import type { Step } from './plan.ts';
import type { Situation } from './planner.ts';
import { relationKey } from './relation.ts';
import { populatedKind, type View } from './view.ts';

/** Every view as it is once the plan has run, by `relationKey`. */
function viewsAfter({ live, wanted, rebuild, drops }: Situation): ReadonlyMap<string, View> {
  const after = new Map([...live, ...rebuild.recreated, ...wanted]);
  for (const key of drops) after.delete(key);
  return after;
}

/** What has to be filled or emptied, in sets of keys. */
interface Fillings {
  readonly filled: ReadonlySet<string>;
  readonly emptied: ReadonlySet<string>;
}

function findFillings({ makings }: Course, { wanted, live, request }: Situation): Fillings {
  const { isPopulated } = request.dialect;
  const fresh = [...makings].filter(([, { view, making }]) => making === 'create' && isPopulated(view)).map(([key]) => key);
  const switched = [...wanted].filter(([key, view]) => {
    const before = makings.has(key) ? undefined : live.get(key);
    return before !== undefined && isPopulated(before) !== isPopulated(view);
  });
  const into = (populated: boolean) => switched.filter(([, view]) => isPopulated(view) === populated).map(([key]) => key);
  return { filled: new Set([...fresh, ...into(true)]), emptied: new Set(into(false)) };
}

/** What every object needs while the ones of `filled` are computed; what already holds data is read as it is. */
function readsWhileFilling(after: ReadonlyMap<string, View>, { filled }: Fillings, { live, request }: Situation): (key: string) => readonly string[] {
  const changed = [...after].filter(([key, view]) => live.get(key) !== view).map(([, view]) => view);
  const needs = findNeeds(changed, request.dialect);
  return (key) => {
    const view = after.get(key);
    if (!view || (view.kind === 'materialized view' && request.dialect.isPopulated(view) && !filled.has(key))) return [];
    return [...view.reads, ...(view.needs ?? [])].map(relationKey).concat(needs.get(key) ?? []);
  };
}

function traverse(start: ReadonlySet<string>, readsOf: (key: string) => readonly string[]): Reads {
  const reads = new Map<string, readonly string[]>();
  const waiting = [...start];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    if (reads.has(key)) continue;
    reads.set(key, readsOf(key));
    waiting.push(...readsOf(key));
  }
  return reads;
}

/** Filling a materialized view needs data in the ones that it reads, also in those that are to hold none: these are filled for a while. */
function findBorrowed(after: ReadonlyMap<string, View>, reads: Reads, { fillings, situation }: { fillings: Fillings; situation: Situation }): string[] {
  const { isPopulated } = situation.request.dialect;
  const isEmpty = (key: string) => {
    const view = after.get(key);
    return view?.kind === 'materialized view' && !isPopulated(view) && !fillings.emptied.has(key);
  };
  return [...reach(fillings.filled, reads).keys()].filter(isEmpty);
}

/**
 * Fills the materialized views that are made or have to hold data from now on, each after the ones that it reads, and empties others last. One
 * that holds data may read one that holds none.
 */
export function refreshSteps(course: Course, situation: Situation): Step[] {
  const { dialect } = situation.request;
  const fillings = findFillings(course, situation);
  if (fillings.filled.size + fillings.emptied.size === 0) return [];
  const after = viewsAfter(situation);
  const reads = traverse(fillings.filled, readsWhileFilling(after, fillings, situation));
  const borrowed = new Set(findBorrowed(after, reads, { fillings, situation }));
  const step = (view: View, because: string): Step => ({ kind: 'refresh', view: view.name, sql: dialect.refreshView(view), because });
  const withData = (view: View): View => ({ ...view, attachments: view.attachments.filter(({ kind }) => kind !== populatedKind) });
  const order = orderByReads(reads).flatMap(({ members }) => members);
  const fill = order.flatMap((key) => {
    const view = after.get(key);
    if (!view || !(fillings.filled.has(key) || borrowed.has(key))) return [];
    return [step(withData(view), borrowed.has(key) ? 'one that is filled reads it' : 'it held data')];
  });
  const empty = [...order.filter((key) => borrowed.has(key)).toReversed(), ...fillings.emptied];
  return [...fill, ...empty.flatMap((key) => (after.has(key) ? [step(after.get(key) as View, 'it held no data')] : []))];
}
