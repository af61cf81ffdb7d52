import { findWidenedAccess } from './access.ts';
import type { Hazard } from './plan.ts';
import type { Situation } from './planner.ts';
import { relationKey } from './relation.ts';
import type { View } from './view.ts';

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** `12 MB`. */
export function describeSize(bytes: number | undefined): string {
  if (bytes === undefined) return 'size unknown';
  const power = Math.min(units.length - 1, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)));
  return `${Math.round(bytes / 1024 ** power)} ${units[power]}`;
}

function findDeletions({ drops, live }: Situation): Hazard[] {
  return [...drops].flatMap((key) => {
    const view = live.get(key);
    return view ? [{ name: 'DELETES_VIEW' as const, view: view.name, because: `Drops ${key}, which the commit does not hold.` }] : [];
  });
}

function findRebuiltMaterializedViews({ rebuild, live, request, treatments }: Situation): Hazard[] {
  const replaced = [...treatments].flatMap(([key, treatment]) => (treatment.how === 'replace' ? [[key, treatment.because] as const] : []));
  const reasons = new Map([...replaced, ...[...rebuild.recreated.keys()].map((key) => [key, rebuild.dropped.get(key) ?? ''] as const)]);
  return [...reasons].flatMap(([key, reason]) => {
    const view = live.get(key);
    if (!view || (view.kind !== 'materialized view' && view.kind !== 'dynamic table')) return [];
    const act = rebuild.recreated.has(key) ? 'Drops' : 'Replaces';
    const because = `${act} ${key} (${describeSize(request.sizes.get(key))}) and computes it again: ${reason}.`;
    return [{ name: 'REBUILDS_MATERIALIZED_VIEW' as const, view: view.name, because }];
  });
}

function findBrokenStreams({ request, treatments, drops, rebuild }: Situation): Hazard[] {
  const isNew = (key: string) => treatments.get(key)?.how === 'replace' || drops.has(key) || rebuild.dropped.has(key);
  return (request.streams ?? []).flatMap(({ description, of }) =>
    of.flatMap((view) => {
      const because = `${description} watches ${relationKey(view)} and goes stale when that is replaced or dropped; it has to be made again, and what it had not handed over is lost.`;
      return isNew(relationKey(view)) ? [{ name: 'BREAKS_STREAM' as const, view, because }] : [];
    }),
  );
}

/** Views that will be made or altered and name a role that the server lacks. */
function findMissingRoles({ request, wanted, treatments, rebuild }: Situation): Hazard[] {
  const known = new Set(request.roles);
  const changing = ({ name }: View) => rebuild.recreated.has(relationKey(name)) || !['nothing', 'leave'].includes(treatments.get(relationKey(name))?.how ?? '');
  return [...wanted.values()].filter(changing).flatMap((view) => {
    const missing = request.dialect.rolesOf(view).filter((role) => !known.has(role));
    return missing.map((role) => ({
      name: 'MISSING_ROLE' as const,
      view: view.name,
      because: `${relationKey(view.name)} names the role "${role}", which the server does not have; allowed, its lines are left out.`,
    }));
  });
}

/** Every hazard of the situation, allowed or not; those of a role left out are no longer seen once they are allowed. */
export function findHazards(situation: Situation): readonly Hazard[] {
  return [
    ...findDeletions(situation),
    ...findRebuiltMaterializedViews(situation),
    ...findBrokenStreams(situation),
    ...findMissingRoles(situation),
    ...findWidenedAccess(situation),
  ];
}
