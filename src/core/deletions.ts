import { type RelationName, relationKey } from './relation.ts';
import type { Container, TargetDescription } from './snapshot.ts';

/** A view that is no longer listed, and why that does not prove that it was dropped. */
export interface UnprovenDeletion {
  readonly name: RelationName;
  readonly because: string;
}

/** What is known of a listing that leaves out what our role may not see. */
export interface Listing {
  /** Views that were recorded and are in scope. */
  readonly recorded: readonly RelationName[];
  /** Those of them that are not listed now. */
  readonly gone: readonly RelationName[];
  readonly containers: readonly Container[];
  /** Our role's rights on each container when it was last recorded; see `TargetDescription.access`. */
  readonly access: TargetDescription['access'];
}

const mostViews = 5;
const largestShare = 0.1;

/** One text for each schema or dataset. */
export function containerKey({ catalog, schema }: Pick<RelationName, 'catalog' | 'schema'>): string {
  return relationKey(catalog === undefined ? { schema: '', name: schema } : { schema: catalog, name: schema }).replace(/^""\./, '');
}

function keyOf({ catalog, name }: Container): string {
  return containerKey(catalog === undefined ? { schema: name } : { catalog, schema: name });
}

/** Our role's rights on each container, as `target.json` keeps them. */
export function accessOf(containers: readonly Container[]): Readonly<Record<string, string>> {
  return Object.fromEntries(containers.flatMap((container) => (container.access === undefined ? [] : [[keyOf(container), container.access]])));
}

/** The rights to write down: of containers with an unproven deletion those of the last time, or the next export would find them unchanged. */
export function keepAccess(now: TargetDescription, before: TargetDescription['access'], unproven: readonly UnprovenDeletion[]): TargetDescription {
  if (now.access === undefined || unproven.length === 0) return now;
  const doubted = [...new Set(unproven.map(({ name }) => containerKey(name)))];
  const kept = doubted.flatMap((key) => (before?.[key] === undefined ? [] : [[key, before[key]]]));
  return { ...now, access: { ...now.access, ...Object.fromEntries(kept) } };
}

function doubt(key: string, { recorded, gone, containers, access = {} }: Listing): string | undefined {
  const container = containers.find((each) => keyOf(each) === key);
  if (!container) return `${key} is not listed any more: it was dropped, or this role may no longer use it`;
  const before = access[key];
  if (before !== undefined && before !== container.access) return `the rights of this role on ${key} were "${before}" and are "${container.access ?? ''}"`;
  const count = (names: readonly RelationName[]) => names.filter((name) => containerKey(name) === key).length;
  const [all, lost] = [count(recorded), count(gone)];
  return all > 1 && lost === all ? `all ${all} views of ${key} are gone at once` : undefined;
}

/**
 * The views that are no longer listed where nothing proves that they were dropped: their schema is gone or our rights on it have changed, none
 * of its views is left, or more than a tenth of all views, and more than five, went at once.
 */
export function findUnprovenDeletions(listing: Listing): readonly UnprovenDeletion[] {
  const { recorded, gone } = listing;
  const isMass = gone.length > mostViews && gone.length > recorded.length * largestShare;
  const doubts = new Map([...new Set(gone.map(containerKey))].map((key) => [key, doubt(key, listing)]));
  return gone.flatMap((name) => {
    const because = doubts.get(containerKey(name)) ?? (isMass ? `${gone.length} of ${recorded.length} views are gone at once` : undefined);
    return because === undefined ? [] : [{ name, because }];
  });
}
