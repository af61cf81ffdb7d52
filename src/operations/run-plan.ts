import { randomUUID } from 'node:crypto';
import { diffViews, isSameView } from '../core/compare.ts';
import { countViews, describeChange } from '../core/commit-message.ts';
import type { Plan, Step } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import type { ApplyReport } from '../core/report.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { ExecuteOutcome, StepFailure, Transaction, Warehouse } from '../warehouses/warehouse.ts';
import { findLikeness } from './likeness.ts';

export interface RunOptions {
  /** Milliseconds. */
  readonly lockTimeout: number;
  readonly attempts: number;
  /** `skip` leaves out the comparison of what was made with what was planned. */
  readonly verify: 'verify' | 'skip';
  readonly onStep?: (done: number, total: number) => void;
  /** See `TransactionOptions.prepare`. */
  readonly prepare?: () => Promise<void>;
  readonly onWait?: (event: { readonly attempt: number; readonly holder?: string }) => void;
}

/** What a run came to: the touched views as they are now, and the report. */
export interface RunOutcome {
  readonly views: readonly View[];
  readonly report: ApplyReport;
}

export function createRunId(): string {
  return randomUUID();
}

const namesOf = (plan: Plan) => [...new Map([...plan.before, ...plan.after].map(({ name }) => [relationKey(name), name])).values()];

/** Raises `WAREHOUSE_MOVED` when what the plan starts from is no longer so. */
async function requirePlanned(plan: Plan, transaction: Transaction, { dialect }: Warehouse): Promise<void> {
  const now = new Map((await transaction.inspect(plan.before.map(({ name }) => name))).map((view) => [relationKey(view.name), view]));
  const moved = plan.before.filter((view) => {
    const found = now.get(relationKey(view.name));
    return !found || !isSameView(view, found, dialect);
  });
  if (moved.length === 0) return;
  throw new ViewsyncError('WAREHOUSE_MOVED', {
    message: `Changed by somebody else since the plan was made: ${moved.map(({ name }) => relationKey(name)).join(', ')}. Rolled back; nothing changed.`,
    suggestions: ['Run the same command again: it makes a new plan.'],
  });
}

function reportSteps(steps: readonly Step[], outcome: ExecuteOutcome, done: 'applied' | 'rolled back'): ApplyReport['steps'] {
  return steps.map((step, index) => {
    const result = outcome.results[index];
    if (result) return { step, outcome: done, milliseconds: result.milliseconds };
    return { step, outcome: outcome.failure?.index === index ? 'failed' : 'not run', milliseconds: 0 };
  });
}

function failStep(plan: Plan, outcome: ExecuteOutcome, failure: StepFailure): ViewsyncError {
  const step = plan.steps[failure.index];
  const parts = [failure.message, failure.detail, failure.hint].filter((part) => part !== undefined && part !== '');
  const report: ApplyReport = {
    steps: reportSteps(plan.steps, outcome, 'rolled back'),
    failure: { ...(step ? { step } : {}), message: failure.message, ...(failure.code === undefined ? {} : { code: failure.code }) },
  };
  return new ViewsyncError('ROLLED_BACK', {
    message: `Step ${failure.index + 1} of ${plan.steps.length} (${step?.kind} ${step ? relationKey(step.view) : ''}) was refused: ${parts.join(' ')} Rolled back; nothing changed.`,
    suggestions: ['viewsync plan shows every step with its SQL.'],
    details: { report, code: failure.code, sql: step?.sql },
  });
}

/** Raises `ROLLED_BACK` when the warehouse does not hold exactly what was planned. */
async function verify(plan: Plan, views: readonly View[], { transaction, warehouse }: { transaction: Transaction; warehouse: Warehouse }): Promise<void> {
  const { dialect } = warehouse;
  const likeness = await findLikeness(views, [plan.after], { dialect, settle: transaction.settle.bind(transaction) });
  const found = new Map(views.map((view) => [relationKey(view.name), view]));
  const wrong = plan.after.filter((wanted) => {
    const view = found.get(relationKey(wanted.name));
    return !view || !likeness.isAlike(wanted, view);
  });
  const left = views.filter((view) => !plan.after.some(({ name }) => relationKey(name) === relationKey(view.name)));
  if (wrong.length === 0 && left.length === 0) return;
  const changes = diffViews(wrong, wrong.flatMap((view) => found.get(relationKey(view.name)) ?? []), { dialect, ...likeness });
  const differences = [...changes.map((change) => `${relationKey(change.view)}: ${describeChange(change)}`), ...left.map(({ name }) => `${relationKey(name)}: still there`)];
  throw new ViewsyncError('ROLLED_BACK', {
    message: `After the last step the warehouse did not hold what was planned (${differences.slice(0, 5).join('; ')}). Rolled back; nothing changed.`,
    suggestions: ['viewsync plan', 'viewsync diff'],
    details: { differences },
  });
}

/**
 * Runs a plan in one transaction: everything is locked, compared with the plan once more, changed, and compared with what was planned.
 * `ROLLED_BACK`, `WAREHOUSE_MOVED`, `LOCK_TIMEOUT`, `RUN_IN_PROGRESS`, and `CONNECTION_LOST` when it is not known how it ended.
 */
export async function runPlan(warehouse: Warehouse, plan: Plan, options: RunOptions): Promise<RunOutcome> {
  const { lockTimeout, attempts, onWait, prepare } = options;
  const total = plan.steps.length;
  return warehouse.transact({ lockTimeout, attempts, locks: plan.before, ...(onWait ? { onWait } : {}), ...(prepare ? { prepare } : {}) }, async (transaction) => {
    await requirePlanned(plan, transaction, warehouse);
    const outcome = await transaction.execute(plan.steps, (index) => options.onStep?.(index + 1, total));
    if (outcome.failure) throw failStep(plan, outcome, outcome.failure);
    const views = await transaction.inspect(namesOf(plan));
    if (options.verify === 'verify') await verify(plan, views, { transaction, warehouse });
    return { views, report: { steps: reportSteps(plan.steps, outcome, 'applied') } };
  });
}

/** What a run is told of in one line: `apply HEAD~1, 3 views`. */
export function summarizeRun(command: string, revision: string, plan: Plan): string {
  const touched = new Set(plan.steps.map(({ view }) => relationKey(view))).size;
  return `${[command, revision].filter((word) => word !== '').join(' ')}, ${countViews(touched)}`;
}
