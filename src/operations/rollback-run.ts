import { isSameView } from '../core/compare.ts';
import { relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection } from '../warehouses/warehouse.ts';
import { type ApplyOptions, type ApplyResult, carryOut, requireRunnable } from './apply-revision.ts';
import { gatherSources, type Reading, type Recorded, readRecorded, requireSameWarehouse, startReading } from './gather-sources.ts';
import { requireNotRunning } from './interrupted-run.ts';
import { completeInspection } from './keep-unseen.ts';
import { findLastRun, type Run } from './live-line.ts';
import { migrateCommand } from './migration.ts';
import { type PlannedRevision, planWish, type Wish } from './plan-revision.ts';
import { fetchLiveLine } from './remote-lines.ts';
import { readMemory } from './run-memory.ts';
import { objectsIn, readLiveFiles } from './view-files.ts';

export type RollbackOptions = Omit<ApplyOptions, 'revision' | 'select' | 'exclude' | 'absent' | 'overwrite'>;

async function findRun(project: Project, target: Target, { line }: Recorded): Promise<Run> {
  const run = line.interrupted ?? (await findLastRun(project, target));
  if (run) return run;
  throw new ViewsyncError('NOTHING_TO_ROLL_BACK', {
    message: `Nothing was ever applied to "${target.name}", so there is nothing to undo. Nothing was changed.`,
    suggestions: ['viewsync log', 'viewsync apply HEAD~1'],
  });
}

const byKey = (views: readonly View[]) => new Map(views.map((view) => [relationKey(view.name), view]));

/** What the run touched, as it was before: views to bring back, and views that the run made and that go again. A container never goes. */
function wishBack(before: readonly View[], after: readonly View[], { dialect }: Reading): Wish {
  const [old, made] = [byKey(before), byKey(after)];
  const wanted = before.filter((view) => {
    const later = made.get(relationKey(view.name));
    return !later || !isSameView(view, later, dialect);
  });
  const drops = after.filter(({ name, kind }) => kind !== 'container' && !old.has(relationKey(name))).map(({ name }) => name);
  return { wanted, drops, orphans: 'leave', kept: [], available: before, undone: made };
}

/**
 * Between two steps a view may lack what it has both before and after, so a run that stopped there gives no view up; nor does one that stopped while a command
 * of somebody else's was at work.
 */
async function readWish(reading: Reading, { before, started, finished, command }: Run): Promise<Wish> {
  const [old, made] = [objectsIn(await readLiveFiles(reading, before)), objectsIn(await readLiveFiles(reading, finished ?? started))];
  const wish = wishBack(old, made, reading);
  const mayHoldAnything = !reading.dialect.isTransactional || command === migrateCommand;
  return finished === undefined && mayHoldAnything ? { ...wish, wanted: old } : wish;
}

/** What the run dropped out of scope is in its memory alone, which only its own command reads. */
function requireNothingOutside(reading: Reading, { tip }: Recorded, { relations }: Inspection): void {
  const away = readMemory(tip, reading)
    .outside.map(({ name }) => relationKey(name))
    .filter((key) => !relations.has(key));
  if (away.length === 0) return;
  throw new ViewsyncError('PLAN_IMPOSSIBLE', {
    message: `The migration that was interrupted has dropped what is out of scope, which no rollback brings back: ${away.join(', ')}. Nothing was changed.`,
    suggestions: ['viewsync migrate --continue'],
  });
}

async function planRollback(reading: Reading, recorded: Recorded, { run, options }: { run: Run; options: RollbackOptions }): Promise<PlannedRevision> {
  const { warehouse } = options;
  const inspection = await completeInspection(reading, recorded, await warehouse.inspect(reading.target.scope, options.progress));
  if (!options.allowed.includes('OTHER_WAREHOUSE')) requireSameWarehouse(recorded, inspection.snapshot.description, reading.target);
  requireNothingOutside(reading, recorded, inspection);
  const wish = await readWish(reading, run);
  const live = byKey(objectsOf(inspection.snapshot));
  const drops = wish.drops.filter((name) => live.has(relationKey(name)));
  const plan = await planWish(reading, { ...wish, drops }, { inspection, tip: recorded.tip, options });
  const sources = await gatherSources(reading, { recorded, inspection }, { settle: warehouse.settle.bind(warehouse) });
  return { plan, revision: run.before, commit: run.before, reading, inspection, recorded, sources, files: await readLiveFiles(reading, run.before) };
}

/**
 * Brings back what the last run touched, as it was before that run; views that the run made are dropped. Done twice it undoes itself. It
 * also ends a run that was interrupted. `NOTHING_TO_ROLL_BACK` and the errors of `applyRevision`.
 */
export async function rollbackRun(project: Project, target: Target, options: RollbackOptions): Promise<ApplyResult> {
  const remote = await fetchLiveLine(project, target, 'write');
  const reading = startReading(project, target, options.warehouse.dialect);
  const recorded = await readRecorded(reading);
  await requireNotRunning(recorded.line, options.warehouse);
  const run = await findRun(project, target, recorded);
  const planned = await planRollback(reading, recorded, { run, options });
  requireRunnable(planned.plan, [...options.allowed, 'DELETES_VIEW']);
  const whole: ApplyOptions = { ...options, revision: run.before, select: [], exclude: [], absent: 'drop', overwrite: [] };
  return { ...(await carryOut(planned, 'rollback', whole)), remote };
}
