import { relationKey } from '../core/relation.ts';
import type { Container, Snapshot } from '../core/snapshot.ts';
import { isView, type View } from '../core/view.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';

interface Wanted {
  readonly wanted: readonly View[];
  /** By `relationKey`. */
  readonly live: ReadonlyMap<string, View>;
}

/** The containers with what is granted by default in those where a view is to be created, where the warehouse is asked for that apart. */
export async function readDefaults(
  { containers }: Pick<Snapshot, 'containers'>,
  { wanted, live }: Wanted,
  warehouse: Warehouse,
): Promise<readonly Container[]> {
  const fresh = wanted.filter((view) => isView(view) && live.get(relationKey(view.name))?.kind !== view.kind);
  if (!warehouse.findDefaults || fresh.length === 0) return containers;
  const places = new Set(fresh.map(({ name: { catalog, schema } }) => JSON.stringify([catalog, schema])));
  const asked = containers.filter(({ catalog, name }) => places.has(JSON.stringify([catalog, name])));
  const answers = await warehouse.findDefaults(asked);
  const known = new Map(asked.map((container, index) => [container, answers[index] ?? container]));
  return containers.map((container) => known.get(container) ?? container);
}
