import { type Component, orderByReads, type Reads, reach } from './graph.ts';
import { findNeeds, rankOf } from './needs.ts';
import type { Situation } from './planner.ts';
import { readsOf } from './rebuild.ts';
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

export interface CourseMaking {
  readonly view: View;
  readonly making: Making;
}

/** The views that get a new definition, and the order in which that happens. */
export interface Course {
  readonly makings: ReadonlyMap<string, CourseMaking>;
  readonly order: readonly Component[];
}

/**
 * The needs with those of views between them that stay as they are: where nothing keeps a view from being dropped under its readers, one that
 * stays may not work before what it reads is back.
 */
function throughStanding(needs: Reads, { live, request }: Situation): Reads {
  if (request.dialect.isTransactional) return needs;
  const standing = readsOf([...live].filter(([key]) => !needs.has(key)).map(([, view]) => view));
  return new Map([...needs].map(([key, reads]) => [key, [...reach(reads, standing).keys()]]));
}

/** Finds that order. */
export function findCourse(situation: Situation): Course {
  const makings = findMakings(situation);
  const needs = findNeeds(
    [...makings.values()].map(({ view }) => view),
    situation.request.dialect,
  );
  return { makings, order: orderByReads(throughStanding(needs, situation), rankOf) };
}
