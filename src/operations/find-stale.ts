import { relationKey } from '../core/relation.ts';
import type { StaleView, StaleViews } from '../warehouses/standing.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';

/** Asks the server about the views that may have gone stale; it is asked nothing where there is none. */
export async function findStale(warehouse: Pick<Warehouse, 'findStale'>, { suspects = [] }: Inspection): Promise<StaleViews> {
  if (suspects.length === 0 || !warehouse.findStale) return { stale: [], broken: [] };
  return warehouse.findStale(suspects);
}

const list = (names: readonly string[]) => names.map((name) => `"${name}"`).join(', ');

/** What happened to a view, in words: which columns its query gives that it does not show, and the other way round. */
export function describeStale({ view, columns }: StaleView): string {
  const [shown, given] = [view.columns.map(({ name }) => name), columns.map(({ name }) => name)];
  const [more, less] = [given.filter((name) => !shown.includes(name)), shown.filter((name) => !given.includes(name))];
  const changes = [...(more.length > 0 ? [`it now gives ${list(more)}`] : []), ...(less.length > 0 ? [`it no longer gives ${list(less)}`] : [])];
  return `its columns are no longer those of its query${changes.length > 0 ? `: ${changes.join(', ')}` : ', in order or type'}`;
}

/** By `relationKey`, for people. */
export function describeStaleViews({ stale, broken }: StaleViews): readonly { readonly view: string; readonly because: string }[] {
  return [
    ...stale.map((each) => ({ view: relationKey(each.view.name), because: `${describeStale(each)}; viewsync apply makes it again` })),
    ...broken.map(({ name, reason }) => ({ view: relationKey(name), because: `it can no longer be queried, whether it is made again or not: ${reason}` })),
  ];
}
