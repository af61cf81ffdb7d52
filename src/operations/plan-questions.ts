import { hasOpenTexts, isSameDefinition } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { reach } from '../core/graph.ts';
import { readsOf } from '../core/rebuild.ts';
import { relationKey } from '../core/relation.ts';
import { isView, type View } from '../core/view.ts';
import type { SettleRequest } from '../warehouses/warehouse.ts';

/** What a plan is made for. */
interface Listed {
  readonly dialect: Dialect;
  /** Keys of every relation that was listed. */
  readonly relations: ReadonlySet<string>;
}

/** Wanted views that are not live and that a differing view reads, directly or not: they have to be described with it. */
function findNewSources(differing: readonly View[], wanted: readonly View[], live: ReadonlyMap<string, View>): View[] {
  const fresh = wanted.filter((view) => isView(view) && !live.has(relationKey(view.name)));
  const reached = reach(
    differing.map((view) => relationKey(view.name)),
    readsOf(wanted),
  );
  return fresh.filter((view) => reached.has(relationKey(view.name)));
}

/** New views that read what no listing can say to be there: the server has to. */
function findDoubtful(wanted: readonly View[], live: ReadonlyMap<string, View>, { dialect, relations }: Listed): View[] {
  const { isUnlisted } = dialect;
  if (isUnlisted === undefined) return [];
  return wanted.filter(({ name, reads }) => !live.has(relationKey(name)) && reads.some((read) => isUnlisted(read, relations)));
}

/** Questions about every wanted definition that differs from the live one, and about what only the server knows. */
export function findQuestions(wanted: readonly View[], live: readonly View[], listed: Listed): SettleRequest[] {
  const { dialect } = listed;
  const byKey = new Map(live.map((view) => [relationKey(view.name), view]));
  const differing = wanted.flatMap((view) => {
    const known = byKey.get(relationKey(view.name));
    const isOpen = known && view.kind !== 'container' && (!isSameDefinition(known, view, dialect) || (isView(view) && hasOpenTexts(known, view, dialect)));
    return isOpen ? [{ wanted: view, live: known }] : [];
  });
  const asked = [...differing.map((request) => request.wanted), ...findDoubtful(wanted, byKey, listed)];
  const fresh = findNewSources(asked, wanted, byKey);
  return [...differing, ...fresh.map((view) => ({ wanted: view }))];
}
