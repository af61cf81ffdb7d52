import { findReaders, type Reads, reach } from './graph.ts';
import { callingOf } from './leaning.ts';
import type { Situation } from './planner.ts';
import { relationKey } from './relation.ts';
import type { View } from './view.ts';

/** What has to be dropped so that something can be made anew. */
export interface Rebuild {
  /** Live views to drop first, by `relationKey`, each with the reason. */
  readonly dropped: ReadonlyMap<string, string>;
  /** The same views as they are made again: the wanted one, else the live one. Pruned views are not among them. */
  readonly recreated: ReadonlyMap<string, View>;
  /** How SQL calls what is dropped: as `relationKey`, without kind and arguments. */
  readonly droppedNames: ReadonlySet<string>;
}

/** What each view reads and which bystanders it needs, by `relationKey`. */
export function readsOf(views: Iterable<View>): Reads {
  return new Map([...views].map(({ name, reads, needs = [] }) => [relationKey(name), [...reads, ...needs].map(relationKey)]));
}

function becauseOf(key: string, through: string | undefined, { treatments, live }: Pick<Situation, 'treatments' | 'live'>): string {
  const own = treatments.get(key);
  if (own?.how === 'rebuild') return own.because;
  const verb = live.get(key)?.kind === 'bystander' ? 'hangs on' : live.get(through ?? '')?.kind === 'bystander' ? 'needs' : 'reads';
  return `it ${verb} ${through}, which has to be dropped and made again`;
}

/** The closure that the engine forces: every view that has to be re-created, and every view and bystander that reads it in the live warehouse. */
export function findRebuilds({ live, wanted, drops, treatments }: Omit<Situation, 'rebuild' | 'request'>): Rebuild {
  const start = [...treatments].filter(([, treatment]) => treatment.how === 'rebuild').map(([key]) => key);
  const reached = reach(start, findReaders(readsOf(live.values())));
  const dropped = new Map([...reached].flatMap(([key, through]) => (live.has(key) ? [[key, becauseOf(key, through, { treatments, live })] as const] : [])));
  const recreated = [...dropped.keys()].flatMap((key) => {
    const view = drops.has(key) ? undefined : (wanted.get(key) ?? live.get(key));
    return view ? [[key, view] as const] : [];
  });
  return { dropped, recreated: new Map(recreated), droppedNames: new Set([...dropped.keys()].flatMap((key) => callingOf(live.get(key)))) };
}
