import { isSameDefinition } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { findMentions } from '../core/references.ts';
import { bareKey, relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import { isView, type View } from '../core/view.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import { findRefused } from './bring-back.ts';
import type { Wish } from './plan-revision.ts';
import type { BrokenView } from './running-script.ts';

/** What is wanted without what does not fit the tables as they are. */
export interface FittingWish {
  readonly wish: Wish;
  readonly broken: readonly BrokenView[];
}

/** Views that would be made or replaced, and the bystanders that would be made with them. */
function findNew({ wanted }: Wish, { snapshot, outside }: Inspection, dialect: Dialect): readonly View[] {
  const live = new Map([...objectsOf(snapshot), ...outside].map((view) => [relationKey(view.name), view]));
  return wanted.filter((view) => {
    const known = live.get(relationKey(view.name));
    return !known || (isView(view) && !isSameDefinition(known, view, dialect));
  });
}

/** A text that calls a routine which is made with it can only be told once that is there. */
function callsNewRoutine(view: View, routines: ReadonlySet<string>, dialect: Dialect): boolean {
  return routines.size > 0 && findMentions(view.definition, dialect, routines).length > 0;
}

/** Leaves out what the warehouse refuses as things stand, and all that depends on it. */
export async function leaveOutBroken(wish: Wish, inspection: Inspection, warehouse: Warehouse): Promise<FittingWish> {
  const fresh = findNew(wish, inspection, warehouse.dialect);
  const routines = new Set(fresh.filter(({ name }) => name.object?.arguments !== undefined).map(({ name }) => bareKey(name)));
  const broken = await findRefused(
    warehouse,
    fresh.filter((view) => !callsNewRoutine(view, routines, warehouse.dialect)),
  );
  const unfit = new Set(broken.map(({ view }) => view));
  return { wish: { ...wish, wanted: wish.wanted.filter(({ name }) => !unfit.has(relationKey(name))) }, broken };
}
