import { isSameView } from '../core/compare.ts';
import type { HazardName, Plan } from '../core/plan.ts';
import { type RelationName, relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection, Progress, Warehouse } from '../warehouses/warehouse.ts';
import type { PushOptions } from './branch-point.ts';
import { exportViews } from './export-views.ts';
import { gatherSources, readPosition, requireSameWarehouse, startReading } from './gather-sources.ts';
import { requireNoInterruptedRun } from './interrupted-run.ts';
import { completeInspection, readBoth } from './keep-unseen.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { finishRun, type RecordedRun, type StartedRun } from './record-run.ts';

/** The command as the live line calls it. */
export const migrateCommand = 'migrate';

/** What both ways of migrating share. */
export interface MigrationOptions extends PushOptions {
  readonly warehouse: Warehouse;
  readonly allowed: readonly HazardName[];
  /** Milliseconds. */
  readonly lockTimeout: number;
  readonly attempts: number;
  readonly verify: 'verify' | 'skip';
  /** Whether a view that no longer fits stops everything, or is left out and stays in git. */
  readonly misfits: 'stop' | 'skip';
  readonly progress?: Progress;
  readonly onWait?: (event: { readonly attempt: number; readonly holder?: string }) => void;
}

export function emptyPlan(target: string): Plan {
  return { target, steps: [], hazards: [], refusals: [], before: [], after: [], kept: [], left: [], watchers: [], reprinted: [], unproven: [] };
}

/** The first state of a target that nobody has exported: a migration does not begin without a backup. */
async function exportFirst(project: Project, target: Target, { warehouse, allowed, progress, push, pushedBranch }: MigrationOptions): Promise<void> {
  const branch = pushedBranch === undefined ? {} : { pushedBranch };
  await exportViews(project, target, {
    warehouse,
    commit: 'commit',
    reformat: 'new',
    overwrite: [],
    allowed,
    push,
    ...branch,
    ...(progress ? { progress } : {}),
  });
}

/** Warehouse, branch and live line as they are before a migration; no run may be open. `INTERRUPTED_RUN`, `OTHER_WAREHOUSE`. */
export async function readBefore(
  project: Project,
  target: Target,
  { warehouse, allowed, progress, label }: MigrationOptions & { readonly label: string },
): Promise<PlannedRevision> {
  const reading = startReading(project, target, warehouse.dialect);
  const position = await readPosition(reading);
  await requireNoInterruptedRun(position.line, warehouse);
  const { recorded, inspection } = await readBoth(reading, position, { warehouse, progress });
  if (!allowed.includes('OTHER_WAREHOUSE')) requireSameWarehouse(recorded, inspection.snapshot.description, target);
  const sources = await gatherSources(reading, { recorded, inspection }, { settle: warehouse.settle.bind(warehouse) });
  const commit = recorded.head.commit ?? '';
  return { plan: emptyPlan(target.name), revision: label, commit, reading, inspection, recorded, sources, files: recorded.tip };
}

/** The same, once there is a backup of some sort: a target that the branch does not hold is exported first. */
export async function readExported(project: Project, target: Target, options: MigrationOptions & { readonly label: string }): Promise<PlannedRevision> {
  const planned = await readBefore(project, target, options);
  if (planned.recorded.branch.description) return planned;
  await exportFirst(project, target, options);
  return readBefore(project, target, options);
}

const viewsOf = ({ snapshot }: Inspection) => new Map(objectsOf(snapshot).map((view) => [relationKey(view.name), view]));

/** What a migration came to, as a plan that says what was there before and what is there now. */
function describeOutcome({ inspection, plan, reading }: PlannedRevision, after: Inspection, touched: ReadonlySet<string>): Plan {
  const [old, now] = [viewsOf(inspection), viewsOf(after)];
  const differs = (view: View, other: View | undefined) => other === undefined || !isSameView(view, other, reading.dialect);
  const isTouched = (key: string, view: View, other: View | undefined) => touched.has(key) || differs(view, other);
  return {
    ...plan,
    before: [...old].filter(([key, view]) => isTouched(key, view, now.get(key))).map(([, view]) => view),
    after: [...now].filter(([key, view]) => isTouched(key, view, old.get(key))).map(([, view]) => view),
  };
}

export interface Ending extends PushOptions {
  readonly warehouse: Warehouse;
  /** Views that could not be made again and whose files stay. */
  readonly kept: readonly RelationName[];
  /** Views that were made again, by `relationKey`, whether or not anything of theirs changed. */
  readonly touched: ReadonlySet<string>;
  readonly progress?: Progress;
}

/** The migration as it was recorded. */
export interface RecordedMigration extends RecordedRun {
  readonly plan: Plan;
}

/** Reads what is there after the migration and puts it on both lines. The error says that the migration itself took effect. */
export async function recordAfter(started: StartedRun, ending: Ending): Promise<RecordedMigration> {
  const { planned } = started;
  try {
    const seen = await ending.warehouse.inspect(planned.reading.target.scope, ending.progress);
    const inspection = await completeInspection(planned.reading, planned.recorded, seen);
    const plan = describeOutcome(planned, inspection, ending.touched);
    const run: StartedRun = { ...started, planned: { ...planned, plan, inspection } };
    return { plan, ...(await finishRun(run, { ...ending, outcome: { views: plan.after, report: { steps: [] } } })) };
  } catch (cause) {
    throw cause instanceof ViewsyncError ? notRecorded(cause) : cause;
  }
}

function notRecorded(cause: ViewsyncError): ViewsyncError {
  const isRecorded = cause.code === 'REMOTE_FAILED' || cause.code === 'REMOTE_MOVED';
  return new ViewsyncError(cause.code, {
    message: `The migration took effect, but ${isRecorded ? 'is not pushed' : 'could not be recorded'}: ${cause.message}`,
    suggestions: [...cause.suggestions, isRecorded ? 'viewsync export --push' : 'viewsync migrate --continue'],
    cause,
  });
}
