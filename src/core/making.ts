import { type Component, orderByReads } from './graph.ts';
import type { Situation } from './planner.ts';
import { findMentions } from './references.ts';
import { relationKey } from './relation.ts';
import type { View } from './view.ts';

/** How a view comes about once the drops are done: made under a free name, put over what is there, or given other column names. */
export type Making = 'create' | 'replace' | 'rename columns';

function makingOf(key: string, { treatments, rebuild }: Situation): Making | undefined {
  if (rebuild.recreated.has(key)) return 'create';
  const how = treatments.get(key)?.how;
  return how === 'create' || how === 'replace' || how === 'rename columns' ? how : undefined;
}

/** The views that get a new definition, by `relationKey`, each as it must be. */
function findMakings(situation: Situation): Course['makings'] {
  const views = new Map([...situation.rebuild.recreated, ...situation.wanted]);
  return new Map(
    [...views].flatMap(([key, view]) => {
      const making = makingOf(key, situation);
      return making ? [[key, { view, making }] as const] : [];
    }),
  );
}

/** The views that get a new definition, and the order in which that happens. */
export interface Course {
  readonly makings: ReadonlyMap<string, { readonly view: View; readonly making: Making }>;
  readonly order: readonly Component[];
}

/** Finds that order. A name that stands anywhere in a definition counts: a row type may be named outside of FROM. */
export function findCourse(situation: Situation): Course {
  const makings = findMakings(situation);
  const known = new Set(makings.keys());
  const { dialect } = situation.request;
  const readsOf = ({ view }: { view: View }) => [
    ...view.reads.map(relationKey),
    ...findMentions(view.definition, dialect, known).map(({ name }) => relationKey(name)),
  ];
  return { makings, order: orderByReads(new Map([...makings].map(([key, making]) => [key, readsOf(making)]))) };
}
