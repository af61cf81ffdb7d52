import { findReaders, reach } from '../core/graph.ts';
import type { HazardName, Plan, Refusal } from '../core/plan.ts';
import { readsOf } from '../core/rebuild.ts';
import { relationKey } from '../core/relation.ts';
import type { View } from '../core/view.ts';
import type { Project, Target } from '../project.ts';
import type { Scratch } from '../warehouses/scratch.ts';
import type { Inspection, Progress, StepFailure } from '../warehouses/warehouse.ts';
import { type Reading, startReading } from './gather-sources.ts';
import { planWish } from './plan-revision.ts';
import { runPlan } from './run-plan.ts';
import type { TargetFiles } from './view-files.ts';

export interface ScratchRestore {
  readonly project: Project;
  readonly target: Target;
  readonly scratch: Scratch;
  readonly wanted: readonly View[];
  readonly files: TargetFiles;
  readonly progress?: Progress | undefined;
}

/** What became of the wanted views in the scratch database. */
export interface Restored {
  readonly server: string;
  /** Why views could not be made, by `relationKey`: in the server's words, or a view that they read and that was not made. */
  readonly failed: ReadonlyMap<string, string>;
  /** Roles that views name and that the server lacks, by `relationKey`; these lines were left out. */
  readonly missingRoles: ReadonlyMap<string, readonly string[]>;
  /** What is there now. */
  readonly inspection: Inspection;
}

/** How the reason ends where a view fails with one that it reads. */
export const notRestored = ', which was not restored';

const everything = { schemas: ['*'] };

/** Nothing in a scratch database can be lost, and nobody gets at anything through it. */
const allowed: readonly HazardName[] = ['WIDENS_ACCESS', 'MISSING_ROLE', 'REBUILDS_MATERIALIZED_VIEW', 'DELETES_VIEW'];

function becauseRefused({ refusals }: Plan): ReadonlyMap<string, string> {
  const keysOf = ({ view, views }: Refusal) => (views ?? [view]).map(relationKey);
  return new Map(
    refusals.flatMap((refusal) =>
      keysOf(refusal).map((key) => [key, refusal.suggestion ? `${refusal.because} (${refusal.suggestion})` : refusal.because] as const),
    ),
  );
}

/** The first failure of each view. */
function becauseFailed({ steps }: Plan, failures: readonly StepFailure[]): ReadonlyMap<string, string> {
  const pairs = failures.flatMap(({ index, message, hint }) => {
    const step = steps[index];
    return step ? [[relationKey(step.view), hint ? `${message}. ${hint}` : message] as const] : [];
  });
  return new Map(pairs.toReversed());
}

/** Failures that are not of the kind that a view below has failed; all of them when they hold each other up. */
function findRoots(found: ReadonlyMap<string, string>, views: readonly View[]): ReadonlyMap<string, string> {
  const reads = readsOf(views);
  const isRoot = (key: string) => ![...reach(reads.get(key) ?? [], reads).keys()].some((read) => read !== key && found.has(read));
  const roots = new Map([...found].filter(([key]) => isRoot(key)));
  return roots.size === 0 ? found : roots;
}

/** The views that fail with these, because they read them. */
function findFollowers(roots: ReadonlyMap<string, string>, views: readonly View[]): ReadonlyMap<string, string> {
  const reached = reach([...roots.keys()], findReaders(readsOf(views)));
  const keys = [...reached].filter(([key]) => !roots.has(key));
  return new Map(keys.map(([key, through]) => [key, `${through ?? ''}${notRestored}`]));
}

/** Plans and rehearses; undefined when nothing fails any more. */
async function findFailures(plan: Plan, scratch: Scratch): Promise<ReadonlyMap<string, string> | undefined> {
  const refused = becauseRefused(plan);
  if (refused.size > 0) return refused;
  const failed = becauseFailed(plan, await scratch.rehearse(plan.steps));
  return failed.size > 0 ? failed : undefined;
}

function findMissingRoles(views: readonly View[], { session }: Inspection, { dialect }: Reading): Restored['missingRoles'] {
  const known = new Set(session.roles);
  const missing = views.map((view) => [relationKey(view.name), dialect.rolesOf(view).filter((role) => !known.has(role))] as const);
  return new Map(missing.filter(([, roles]) => roles.length > 0));
}

/** A commit that is too large for one transaction of a server would fail there, too, but the server for the drill may be a smaller one. */
function withoutLockLimit({ session: { lockLimit: _, ...session }, ...inspection }: Inspection): Inspection {
  return { ...inspection, session };
}

/**
 * Makes the wanted views with the planner and the executor of an apply. Each round leaves out what cannot be made and what reads it, until a
 * rehearsal of all the steps succeeds.
 */
export async function restoreInScratch({ project, target, scratch, wanted, files, progress }: ScratchRestore): Promise<Restored> {
  const reading = startReading(project, target, scratch.warehouse.dialect);
  const before = withoutLockLimit(await scratch.warehouse.inspect(everything));
  const failed = new Map<string, string>();
  for (;;) {
    const left = wanted.filter(({ name }) => !failed.has(relationKey(name)));
    const wish = { wanted: left, drops: [], kept: [], available: left };
    const plan = await planWish(reading, wish, { inspection: before, tip: files, options: { warehouse: scratch.warehouse, allowed } });
    progress?.({ what: 'Views', done: 0, total: left.length });
    const found = await findFailures(plan, scratch);
    if (found === undefined) {
      await runPlan(scratch.warehouse, plan, { lockTimeout: 60_000, attempts: 1, verify: 'skip' });
      const inspection = await scratch.warehouse.inspect(everything);
      return { server: inspection.session.server, failed, missingRoles: findMissingRoles(wanted, before, reading), inspection };
    }
    const roots = findRoots(found, left);
    for (const [key, because] of [...findFollowers(roots, left), ...roots]) failed.set(key, because);
  }
}
