import type { HazardName, Plan } from '../core/plan.ts';
import type { ApplyReport } from '../core/report.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import { describeInterruptedRun } from './interrupted-run.ts';
import { liveRef } from './live-line.ts';
import { type PlannedRevision, type PlanOptions, planRevision } from './plan-revision.ts';
import { closeRun, endInterruptedRun, finishRun, type RecordedRun, type StartedRun, startRun } from './record-run.ts';
import { fetchLiveLine, type FetchOutcome, pushLines } from './remote-lines.ts';
import { type RunOptions, runPlan } from './run-plan.ts';

export interface ApplyOptions extends PlanOptions, RunOptions {
  readonly push: 'push' | 'keep';
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

/** Whether the run is known to have changed nothing. */
function hasChangedNothing(error: unknown): boolean {
  return error instanceof ViewsyncError && ['ROLLED_BACK', 'WAREHOUSE_MOVED', 'LOCK_TIMEOUT', 'RUN_IN_PROGRESS', 'QUERY_FAILED'].includes(error.code);
}

async function execute(started: StartedRun, options: ApplyOptions): Promise<Awaited<ReturnType<typeof runPlan>>> {
  try {
    return await runPlan(options.warehouse, started.planned.plan, options);
  } catch (error) {
    if (hasChangedNothing(error)) await closeRun(started);
    throw error;
  }
}

async function recordFinish(started: StartedRun, outcome: Awaited<ReturnType<typeof runPlan>>, options: ApplyOptions): Promise<RecordedRun> {
  try {
    return await finishRun(started, outcome, options.warehouse);
  } catch (cause) {
    if (!(cause instanceof ViewsyncError)) throw cause;
    throw new ViewsyncError(cause.code, {
      message: `All ${started.planned.plan.steps.length} steps were applied and verified, but the commit on the branch failed: ${cause.message}`,
      suggestions: [...cause.suggestions, 'viewsync export records the state as it is now.'],
      cause,
    });
  }
}

const nothingDone: ApplyReport = { steps: [] };

/** Runs a plan that was made and agreed to: live line, warehouse, live line, branch, in this order. */
export async function carryOut(planned: PlannedRevision, command: string, options: ApplyOptions): Promise<Omit<ApplyResult, 'remote'>> {
  const { plan, reading, revision, recorded } = planned;
  const { project, target } = reading;
  const described = { target: target.name, command, revision, plan };
  const { interrupted } = recorded.line;
  if (plan.steps.length === 0) return { ...described, report: nothingDone, pushed: false, ...(interrupted ? await endInterruptedRun(planned, interrupted) : {}) };
  if (!(await options.confirm(plan))) {
    throw new ViewsyncError('NOT_CONFIRMED', { message: 'Not confirmed. Nothing was changed.', suggestions: ['Add --yes to go ahead without a question.'] });
  }
  const branch = (await project.history.head()).branch;
  const refs = [...(branch === undefined ? [] : [branch]), liveRef(target)];
  const started = await startRun(planned, command);
  if (options.push === 'push') await pushLines(project, [liveRef(target)]);
  const outcome = await execute(started, options);
  const written = await recordFinish(started, outcome, options);
  if (options.push === 'push') await pushLines(project, refs);
  return { ...described, run: started.id, report: outcome.report, pushed: options.push === 'push', ...written };
}

/** Raises `INTERRUPTED_RUN` unless this is the command that was interrupted, asked for again. */
function requireSameRun({ recorded, revision }: PlannedRevision): void {
  const { interrupted } = recorded.line;
  if (!interrupted || interrupted.revision === revision) return;
  throw new ViewsyncError('INTERRUPTED_RUN', {
    message: `${describeInterruptedRun(interrupted)} Nothing was changed now.`,
    suggestions: ['viewsync rollback', `viewsync apply ${interrupted.revision}`],
  });
}

/**
 * Brings the warehouse to a revision: the state before is recorded, the plan runs in one transaction, the result is compared with what was
 * planned, and both lines of history get a commit. `PLAN_IMPOSSIBLE`, `HAZARD`, `CONFLICT`, `NOT_CONFIRMED`, `ROLLED_BACK`, `LOCK_TIMEOUT`.
 */
export async function applyRevision(project: Project, target: Target, options: ApplyOptions): Promise<ApplyResult> {
  const remote = await fetchLiveLine(project, target);
  const planned = await planRevision(project, target, options);
  requireSameRun(planned);
  requireRunnable(planned.plan, options.allowed);
  return { ...(await carryOut(planned, 'apply', options)), remote };
}
