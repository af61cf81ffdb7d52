import { relationKey } from '../core/relation.ts';
import { withObjects } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection } from '../warehouses/warehouse.ts';
import { gatherSources, readRecorded, requireSameWarehouse, startReading } from './gather-sources.ts';
import { describeInterruptedRun, endingCommands, requireNotRunning } from './interrupted-run.ts';
import { completeInspection } from './keep-unseen.ts';
import type { LiveLine, Run } from './live-line.ts';
import { restoreAndRecord } from './migrate-around.ts';
import type { MigrateResult } from './migrate-script.ts';
import { emptyPlan, type MigrationOptions, migrateCommand } from './migration.ts';
import { closeRun, holdsFiles, type StartedRun } from './record-run.ts';
import { fetchLiveLine } from './remote-lines.ts';
import { type RunMemory, readMemory } from './run-memory.ts';
import { undisturbed } from './undisturbed.ts';
import { objectsIn, readLiveFiles } from './view-files.ts';

export interface ContinueOptions extends Omit<MigrationOptions, 'misfits'> {
  /** Shown the views that are missing before any of them is made; false stops. */
  readonly confirm: (missing: readonly string[]) => Promise<boolean>;
}

function requireMigration({ interrupted }: LiveLine): Run {
  if (!interrupted) {
    throw new ViewsyncError('NOTHING_TO_CONTINUE', { message: 'No migration was interrupted. Nothing was changed.', suggestions: ['viewsync status'] });
  }
  if (interrupted.command === migrateCommand) return interrupted;
  throw new ViewsyncError('INTERRUPTED_RUN', {
    message: `${describeInterruptedRun(interrupted)} It is no migration.`,
    suggestions: endingCommands(interrupted),
  });
}

/** The run as it was when it stopped. */
async function resume(project: Project, target: Target, { warehouse, allowed, progress }: ContinueOptions): Promise<StartedRun> {
  const reading = startReading(project, target, warehouse.dialect);
  const recorded = await readRecorded(reading);
  const run = requireMigration(recorded.line);
  await requireNotRunning(recorded.line, warehouse);
  const inspection = await completeInspection(reading, recorded, await warehouse.inspect(target.scope, progress));
  if (!allowed.includes('OTHER_WAREHOUSE')) requireSameWarehouse(recorded, inspection.snapshot.description, target);
  const beforeFiles = await readLiveFiles(reading, run.before);
  const sources = await gatherSources(reading, { recorded, inspection }, { settle: warehouse.settle.bind(warehouse) });
  const commit = recorded.head.commit ?? '';
  const planned = { plan: emptyPlan(target.name), revision: run.revision, commit, reading, inspection, recorded, sources, files: recorded.tip };
  return { id: run.id, command: run.command, planned, before: run.before, started: run.started, beforeFiles, plannedFiles: recorded.tip };
}

/** What the run had dropped: it is in the state before, and not in the state that the run began with. Where it drops nothing, all that was there. */
function findDropped({ beforeFiles, plannedFiles, planned }: StartedRun): readonly View[] {
  if (planned.reading.dialect.readersStand) return objectsIn(beforeFiles);
  const left = new Set(objectsIn(plannedFiles).map(({ name }) => relationKey(name)));
  return objectsIn(beforeFiles).filter(({ name }) => !left.has(relationKey(name)));
}

/** Everything out of scope as it was before: what the run dropped there is known from its memory alone. */
function outsideBefore({ outside }: Inspection, remembered: readonly View[]): readonly View[] {
  const known = new Set(remembered.map(({ name }) => relationKey(name)));
  return [...outside.filter(({ name }) => !known.has(relationKey(name))), ...remembered];
}

/** The same run, compared with the state before it and not with what was found when it was resumed. */
function sinceBefore(run: StartedRun, { outside }: RunMemory): StartedRun {
  const { planned, beforeFiles } = run;
  const { inspection } = planned;
  const snapshot = withObjects(inspection.snapshot, objectsIn(beforeFiles));
  return { ...run, planned: { ...planned, inspection: { ...inspection, snapshot, outside: outsideBefore(inspection, outside) } } };
}

/**
 * Ends a migration that was interrupted: what it had dropped and what is missing comes back, and the state is recorded; closed as it was when
 * nothing had happened yet. `NOTHING_TO_CONTINUE`, `INTERRUPTED_RUN`, `RUN_IN_PROGRESS`, `NOT_CONFIRMED`.
 */
export async function continueMigration(project: Project, target: Target, options: ContinueOptions): Promise<MigrateResult> {
  const remote = await fetchLiveLine(project, target, 'write');
  const run = await resume(project, target, options);
  const { planned } = run;
  const memory = readMemory(run.plannedFiles, planned.reading);
  const isAway = ({ name }: View) => !planned.inspection.relations.has(relationKey(name));
  const described = { target: target.name, command: migrateCommand, revision: planned.revision, isRehearsal: false, remote };
  if (holdsFiles(planned, run.beforeFiles) && !memory.outside.some(isAway)) {
    const live = await closeRun(run);
    return {
      ...described,
      acts: [],
      restored: [],
      dropped: [],
      changes: [],
      broken: [],
      run: run.id,
      live,
      pushed: false,
      notes: ['Nothing had happened yet.'],
    };
  }
  const dropped = [...findDropped(run), ...memory.outside];
  const missing = dropped.filter(isAway).map(({ name }) => relationKey(name));
  if (!(await options.confirm(missing))) {
    throw new ViewsyncError('NOT_CONFIRMED', { message: 'Not confirmed. Nothing was changed.', suggestions: ['Add --yes to go ahead without a question.'] });
  }
  const ended = await undisturbed(project, options.warehouse, () => restoreAndRecord(sinceBefore(run, memory), dropped, { ...options, parts: memory.parts }));
  return { ...described, ...ended };
}
