import { findReaders, reach } from '../core/graph.ts';
import type { HazardName, Plan } from '../core/plan.ts';
import { readsOf } from '../core/rebuild.ts';
import { parseRelationKey, type RelationName, relationKey } from '../core/relation.ts';
import type { ApplyReport } from '../core/report.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import type { PushOptions } from './branch-point.ts';
import { describeInterruptedRun, endingCommands, requireNotRunning } from './interrupted-run.ts';
import { findUnfit, tellLeavingOut } from './leave-out.ts';
import { type PlannedRevision, type PlanOptions, planFetched, planWish, type Wish } from './plan-revision.ts';
import { prepareRun } from './prepare-run.ts';
import { endInterruptedRun, finishRun, type RecordedRun, type StartedRun } from './record-run.ts';
import { requireFilled } from './refresh-later.ts';
import { type FetchOutcome, fetchLiveLine } from './remote-lines.ts';
import { type RunOptions, type RunOutcome, runPlan } from './run-plan.ts';
import type { BrokenView } from './running-script.ts';
import { undisturbed } from './undisturbed.ts';

export interface ApplyOptions extends PlanOptions, RunOptions, PushOptions {
  /** Shown the plan before anything is written or run; false stops. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
}

export interface ApplyResult extends Partial<RecordedRun> {
  readonly target: string;
  readonly command: string;
  readonly revision: string;
  readonly plan: Plan;
  readonly report: ApplyReport;
  readonly run?: string;
  readonly remote: FetchOutcome;
  readonly pushed: boolean;
  /** What a person has to know of the branch here, such as that it could not follow. */
  readonly notes: readonly string[];
  /** Views that were left out since they do not fit; their files stay in git. */
  readonly broken?: readonly BrokenView[];
}

/** Raises `PLAN_IMPOSSIBLE` or `HAZARD` when the plan must not run. */
export function requireRunnable(plan: Plan, allowed: readonly HazardName[]): void {
  if (plan.refusals.length > 0) {
    const suggestions = plan.refusals.flatMap(({ suggestion }) => suggestion ?? []);
    const message = `This plan cannot run: ${plan.refusals.map(({ because }) => because).join(' ')} Nothing was changed.`;
    throw new ViewsyncError('PLAN_IMPOSSIBLE', { message, suggestions: [...new Set(suggestions)], details: { refusals: plan.refusals } });
  }
  const stopping = plan.hazards.filter(({ name }) => !allowed.includes(name));
  if (stopping.length === 0) return;
  const names = [...new Set(stopping.map(({ name }) => name))];
  throw new ViewsyncError('HAZARD', {
    message: `This plan does what has to be allowed by name: ${stopping.map(({ because }) => because).join(' ')} Nothing was changed.`,
    suggestions: [`Add ${names.map((name) => `--allow ${name}`).join(' ')} to the command.`],
    details: { hazards: stopping },
  });
}

interface Executed {
  readonly started: StartedRun;
  readonly outcome: RunOutcome;
}

/** The live views with the touched ones as they are now. */
function inspectionNow({ inspection, plan }: PlannedRevision, now: readonly View[]): Inspection {
  const touched = new Set([...plan.before, ...plan.after].map(({ name }) => relationKey(name)));
  const rest = (views: readonly View[]) => views.filter(({ name }) => !touched.has(relationKey(name)));
  return { ...inspection, snapshot: { ...inspection.snapshot, views: [...rest(inspection.snapshot.views), ...now] }, outside: rest(inspection.outside) };
}

/** Views that the plan leaves alone and that read one that it touches, directly or not; those of a view that goes are not expected to work. */
function findReadersOf({ steps, after }: Plan, live: readonly View[]): readonly RelationName[] {
  const readers = findReaders(readsOf(live));
  const touched = new Set(steps.map(({ view }) => relationKey(view)));
  const kept = new Set(after.map(({ name }) => relationKey(name)));
  const lost = reach(
    [...touched].filter((key) => !kept.has(key)),
    readers,
  );
  const reached = reach(touched, readers);
  return live.map(({ name }) => name).filter((name) => reached.has(relationKey(name)) && !touched.has(relationKey(name)) && !lost.has(relationKey(name)));
}

/** How to undo a run half way, and who reads what it touches. */
function findWayBack(planned: PlannedRevision, options: ApplyOptions): Pick<RunOptions, 'planBack' | 'readers'> {
  const { plan, inspection, reading } = planned;
  const live = [...inspection.snapshot.views, ...inspection.outside];
  const known = new Set(plan.before.map(({ name }) => relationKey(name)));
  return {
    readers: findReadersOf(plan, live),
    planBack: (now, changed) => {
      const isOurs = (name: RelationName) => changed.has(relationKey(name));
      const drops = now.map(({ name }) => name).filter((name) => isOurs(name) && !known.has(relationKey(name)));
      const wish: Wish = { wanted: plan.before.filter(({ name }) => isOurs(name)), drops, orphans: 'leave', kept: [], available: plan.before };
      return planWish(reading, wish, { inspection: inspectionNow(planned, now), tip: planned.recorded.tip, options });
    },
  };
}

/** Runs the plan; the start stands on the live line before anything is locked. */
async function execute(planned: PlannedRevision, command: string, options: ApplyOptions): Promise<Executed> {
  const preparation = prepareRun(planned, command, options);
  try {
    const outcome = await runPlan(options.warehouse, planned.plan, {
      signal: planned.reading.project.interruption.signal,
      ...options,
      ...findWayBack(planned, options),
      prepare: preparation.prepare,
    });
    return { outcome, started: preparation.started() as StartedRun };
  } catch (error) {
    throw await preparation.giveUp(error);
  }
}

function notRecorded(cause: ViewsyncError, { started }: Executed): ViewsyncError {
  const isRecorded = cause.code === 'REMOTE_FAILED' || cause.code === 'REMOTE_MOVED';
  return new ViewsyncError(cause.code, {
    message: `All ${started.planned.plan.steps.length} steps were applied and verified, but ${isRecorded ? 'not pushed' : 'could not be recorded'}: ${cause.message}`,
    suggestions: [...cause.suggestions, 'viewsync status'],
    cause,
  });
}

async function recordFinish(executed: Executed, options: ApplyOptions): Promise<RecordedRun> {
  try {
    const { broken = [] } = executed.started.planned;
    const { unfilled = [] } = executed.outcome;
    const kept = [...broken.flatMap(({ view }) => parseRelationKey(view) ?? []), ...unfilled];
    return await finishRun(executed.started, { ...options, kept, outcome: executed.outcome });
  } catch (cause) {
    throw cause instanceof ViewsyncError ? notRecorded(cause, executed) : cause;
  }
}

const nothingDone: ApplyReport = { steps: [] };

/** Runs a plan that was made and agreed to: live line, warehouse, live line, branch, in this order. */
export async function carryOut(planned: PlannedRevision, command: string, options: ApplyOptions): Promise<Omit<ApplyResult, 'remote'>> {
  const { plan, reading, revision, recorded, broken = [] } = planned;
  const described = { target: reading.target.name, command, revision, plan, ...(broken.length > 0 ? { broken } : {}) };
  const { interrupted } = recorded.line;
  // What was left out is recorded, too: no export may take it for dropped.
  if (plan.steps.length === 0 && (broken.length === 0 || interrupted)) {
    return { ...described, report: nothingDone, pushed: false, notes: [], ...(interrupted ? await endInterruptedRun(planned, interrupted, options) : {}) };
  }
  if (!(await options.confirm(plan))) {
    throw new ViewsyncError('NOT_CONFIRMED', { message: 'Not confirmed. Nothing was changed.', suggestions: ['Add --yes to go ahead without a question.'] });
  }
  return undisturbed(reading.project, options.warehouse, async () => {
    const executed = await execute(planned, command, options);
    const written = await recordFinish(executed, options);
    requireFilled(executed.outcome.report, revision);
    return { ...described, run: executed.started.id, report: executed.outcome.report, ...written };
  });
}

/** Raises `RUN_IN_PROGRESS`, or `INTERRUPTED_RUN` unless this is the command that was interrupted, asked for again. */
async function requireSameRun({ recorded, revision }: PlannedRevision, warehouse: Warehouse): Promise<void> {
  const { interrupted } = recorded.line;
  await requireNotRunning(recorded.line, warehouse);
  if (!interrupted || interrupted.revision === revision) return;
  throw new ViewsyncError('INTERRUPTED_RUN', {
    message: `${describeInterruptedRun(interrupted)} Nothing was changed now.`,
    suggestions: endingCommands(interrupted),
  });
}

/**
 * Brings the warehouse to a revision: the state before is recorded, the plan runs in one transaction, the result is compared with what was
 * planned, and both lines of history get a commit. `PLAN_IMPOSSIBLE`, `HAZARD`, `CONFLICT`, `NOT_CONFIRMED`, `ROLLED_BACK`, `LOCK_TIMEOUT`;
 * `STEP_FAILED` leaves the run open on the live line, for `rollback` or the same command again to end.
 */
export async function applyRevision(project: Project, target: Target, options: ApplyOptions): Promise<ApplyResult> {
  const remote = await fetchLiveLine(project, target, 'write');
  return { ...(await applyFitting(project, target, options)), remote };
}

/** Once more without a view of which a rule, a default or the like is refused: that is known only when it is made. */
async function applyFitting(project: Project, target: Target, options: ApplyOptions): Promise<Omit<ApplyResult, 'remote'>> {
  const planned = await planFetched(project, target, options);
  await requireSameRun(planned, options.warehouse);
  requireRunnable(planned.plan, options.allowed);
  try {
    return await carryOut(planned, 'apply', options);
  } catch (error) {
    const [unfit, known] = [findUnfit(error), options.unfit ?? []];
    if (unfit === undefined || known.some(({ view }) => view === unfit.view)) throw error;
    if (options.misfits !== 'skip') throw tellLeavingOut(error as ViewsyncError, unfit);
    return applyFitting(project, target, { ...options, unfit: [...known, unfit] });
  }
}
