import { interpolateOptions } from '../config.ts';
import { type Origin, objectsOf } from '../core/snapshot.ts';
import { isView, type View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import { interrupted } from '../history/interruption.ts';
import { adapterOf, connectTarget, type Project, type Target } from '../project.ts';
import type { FailedStandIn, Scratch, ScratchPlace, StandIn } from '../warehouses/scratch.ts';
import type { Progress, Warehouse } from '../warehouses/warehouse.ts';
import { type DrilledView, judgeViews } from './drill-verdicts.ts';
import { startReading } from './gather-sources.ts';
import { worktreeRevision } from './plan-revision.ts';
import { type Restored, restoreInScratch, type ScratchRestore } from './restore-in-scratch.ts';
import { brokenFiles, readBranchFiles, readRevisionFiles, snapshotOf, type TargetFiles, viewOf } from './view-files.ts';

export interface DrillOptions {
  /** Anything git resolves, or `worktree`. */
  readonly revision: string;
  /** `server`, `embedded` or the name of a target; left out: on the server itself where our role may, else on an embedded one. */
  readonly on?: string;
  readonly progress?: Progress;
}

export interface DrillResult {
  readonly target: string;
  readonly revision: string;
  /** Undefined for the work tree. */
  readonly commit: ObjectId | undefined;
  /** Where it was drilled, in words. */
  readonly place: string;
  /** The server that was drilled on. */
  readonly server: string;
  /** Sorted by name, with the bystanders among them. */
  readonly views: readonly DrilledView[];
  /** What could not be stood in, whether or not a view needs it. */
  readonly missing: readonly { readonly what: string; readonly because: string }[];
  readonly restored: number;
  readonly differing: number;
  readonly needing: number;
  readonly milliseconds: number;
}

interface Commit {
  readonly commit: ObjectId | undefined;
  readonly files: TargetFiles;
}

async function readCommit(project: Project, target: Target, revision: string): Promise<Commit> {
  const { dialect } = await adapterOf(target);
  const reading = startReading(project, target, dialect);
  if (revision === worktreeRevision) return { commit: undefined, files: await readBranchFiles(reading, (await project.history.head()).commit) };
  const commit = await project.history.reader.resolve(revision);
  return { commit, files: await readRevisionFiles(reading, commit) };
}

async function using<T>(connect: () => Promise<Warehouse>, work: (warehouse: Warehouse) => Promise<T>): Promise<T> {
  const warehouse = await connect();
  try {
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}

function cannotDrill({ warehouse }: Target): ViewsyncError {
  return new ViewsyncError('USAGE', {
    message: `A ${warehouse} warehouse has no scratch database to restore a commit in. Nothing was done.`,
    suggestions: ['viewsync plan REVISION'],
  });
}

function listStandIns(project: Project, target: Target, views: readonly View[]): Promise<readonly StandIn[]> {
  return using(
    () => connectTarget(project, target),
    ({ listStandIns: list }) => {
      if (!list) throw cannotDrill(target);
      return list(views.map(({ name }) => name));
    },
  );
}

const places: readonly string[] = ['server', 'embedded'] satisfies readonly ScratchPlace[];

/** Where to drill: a word, or another target whose server has to be of the same kind. */
function choosePlace({ targets }: Project, target: Target, on: string | undefined): { readonly target: Target; readonly place: ScratchPlace } {
  if (on === undefined) return { target, place: 'automatic' };
  const other = targets.find(({ name }) => name === on);
  if (other && other.warehouse === target.warehouse) return { target: other, place: 'server' };
  if (!other && places.includes(on)) return { target, place: on as ScratchPlace };
  throw new ViewsyncError('USAGE', {
    message: other
      ? `"${on}" is a ${other.warehouse} warehouse and "${target.name}" is not. Nothing was done.`
      : `There is no target "${on}". Nothing was done.`,
    suggestions: [...places, ...targets.filter(({ warehouse }) => warehouse === target.warehouse).map(({ name }) => name)].map((name) => `--on ${name}`),
  });
}

async function openScratch(project: Project, target: Target, { on, roles }: { on: string | undefined; roles: readonly string[] }): Promise<Scratch> {
  const chosen = choosePlace(project, target, on);
  const adapter = await adapterOf(chosen.target);
  if (!adapter.openScratch) throw cannotDrill(target);
  const { environment } = project;
  return adapter.openScratch({ options: interpolateOptions(chosen.target.options, environment), environment, place: chosen.place, roles });
}

/** The views and bystanders in files that can be read. A schema stands in for its container, since tables have to be there before views. */
function listWanted(files: TargetFiles, commit: ObjectId | undefined, target: Target): readonly View[] {
  const origin: Origin = commit === undefined ? { from: 'worktree' } : { from: 'commit', commit };
  const views = new Map([...files.views].filter(([, file]) => viewOf(file) !== undefined));
  return objectsOf(snapshotOf({ ...files, views }, origin, target)).filter(({ kind }) => kind !== 'container');
}

/** Removes the scratch database however the work ends, and at once when it is interrupted. */
async function usingScratch<T>(scratch: Scratch, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const stop = () => void scratch.remove().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) throw interrupted();
    return await work();
  } finally {
    signal.removeEventListener('abort', stop);
    await scratch.remove();
  }
}

const describeMissing = ({ standIn, because }: FailedStandIn) => ({ what: standIn.what, because });

async function listRoles(target: Target, views: readonly View[]): Promise<readonly string[]> {
  const { dialect } = await adapterOf(target);
  return [...new Set(views.flatMap((view) => dialect.rolesOf(view)))];
}

interface DrillParts extends Omit<ScratchRestore, 'scratch'> {
  readonly standIns: readonly StandIn[];
}

type Drilled = Omit<DrillResult, 'target' | 'revision' | 'commit' | 'milliseconds'>;

interface Furnished {
  readonly restored: Restored;
  readonly missing: readonly FailedStandIn[];
}

/** A table may have a column of a view's row type, and other views may read that one: as long as views make further stand-ins possible, what reads these is tried again. */
async function restoreInRounds(scratch: Scratch, { standIns, ...parts }: DrillParts): Promise<Furnished> {
  const missing = await scratch.furnish(standIns);
  const restored = await restoreInScratch({ ...parts, scratch });
  if (missing.length === 0 || restored.failed.size === 0 || missing.length === standIns.length) return { restored, missing };
  return restoreInRounds(scratch, { ...parts, standIns: missing.map(({ standIn }) => standIn) });
}

async function drillIn(scratch: Scratch, { standIns, ...parts }: DrillParts): Promise<Drilled> {
  parts.progress?.({ what: 'Stand-ins', done: 0, total: standIns.length });
  const [last, first] = [standIns.filter(({ when }) => when === 'last'), standIns.filter(({ when }) => when === undefined)];
  const { missing, restored } = await restoreInRounds(scratch, { ...parts, standIns: first });
  const views = await judgeViews({
    scratch,
    wanted: parts.wanted,
    restored,
    missing,
    broken: brokenFiles(parts.files),
    unreadable: parts.files.description?.unreadable ?? [],
  });
  // What takes or returns a view can be made now, unless the revision has made it.
  const left = (await scratch.furnish([...missing.map(({ standIn }) => standIn), ...last])).filter(({ because }) => !because.includes('already exists'));
  const count = (outcome: DrilledView['outcome']) => views.filter((view) => view.outcome === outcome).length;
  return {
    place: scratch.place,
    server: restored.server,
    views,
    missing: left.map(describeMissing),
    restored: count('restored identical'),
    differing: count('differs'),
    needing: count('needs'),
  };
}

/**
 * Proves that a revision restores: makes every view and bystander of it in a scratch database in which empty stand-ins take the place of all
 * else, reads them back and compares. Of the target's database only the catalogs are read. `PRIVILEGE_MISSING`, `TARGET_NOT_IN_REVISION`.
 */
export async function drillRevision(project: Project, target: Target, options: DrillOptions): Promise<DrillResult> {
  const started = performance.now();
  const { commit, files } = await readCommit(project, target, options.revision);
  const wanted = listWanted(files, commit, target);
  const standIns = await listStandIns(project, target, wanted.filter(isView));
  const drilled = await project.interruption.complete(async () => {
    const scratch = await openScratch(project, target, { on: options.on, roles: await listRoles(target, wanted) });
    return usingScratch(scratch, project.interruption.signal, () => drillIn(scratch, { project, target, files, wanted, standIns, progress: options.progress }));
  });
  return { target: target.name, revision: options.revision, commit, ...drilled, milliseconds: Math.round(performance.now() - started) };
}

/** Whether every view came back as it is in the revision. */
export function isProven({ differing, needing }: Pick<DrillResult, 'differing' | 'needing'>): boolean {
  return differing + needing === 0;
}
