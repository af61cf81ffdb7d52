import { randomUUID } from 'node:crypto';
import { countObjects, describeChange } from '../core/commit-message.ts';
import { diffViews, isSameView } from '../core/compare.ts';
import type { Plan } from '../core/plan.ts';
import { type RelationName, relationKey } from '../core/relation.ts';
import type { ApplyReport } from '../core/report.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Transaction, Warehouse } from '../warehouses/warehouse.ts';
import { brokenOff, failedRun, failedVerification, leavesSomething, refusedRun } from './failed-run.ts';
import { completeViews } from './keep-unseen.ts';
import { findLikeness } from './likeness.ts';
import { type PlanBack, putBack } from './put-back.ts';
import { refreshLater, withoutPopulated, withoutRefreshes } from './refresh-later.ts';
import { reportSteps, runSteps, type StepsOptions } from './run-steps.ts';

export interface RunOptions extends StepsOptions {
  /** Milliseconds. */
  readonly lockTimeout: number;
  readonly attempts: number;
  /** `skip` leaves out the comparison of what was made with what was planned. */
  readonly verify: 'verify' | 'skip';
  /** `later`: materialized views are filled after the commit, where DDL is transactional. */
  readonly refresh?: 'inside' | 'later';
  /** See `TransactionOptions.prepare`. */
  readonly prepare?: () => Promise<void>;
  /** How to undo the steps of a run that failed where nothing rolls back; without it they stay. */
  readonly planBack?: PlanBack;
  /** Views that the plan leaves alone and that read one that it touches: they must still work afterwards. */
  readonly readers?: readonly RelationName[];
  readonly onWait?: (event: { readonly attempt: number; readonly holder?: string }) => void;
}

/** What a run came to: the touched views as they are now, and the report. */
export interface RunOutcome {
  readonly views: readonly View[];
  readonly report: ApplyReport;
  /** Materialized views that were to be filled after the commit and could not be. */
  readonly unfilled?: readonly RelationName[];
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
    message: `Changed by somebody else since the plan was made: ${moved.map(({ name }) => relationKey(name)).join(', ')}. Nothing was changed.`,
    suggestions: ['Run the same command again: it makes a new plan.'],
  });
}

interface Running {
  readonly transaction: Transaction;
  readonly warehouse: Warehouse;
}

/** Raises `ROLLED_BACK` or `STEP_FAILED` when the warehouse does not hold exactly what was planned. */
async function verify(plan: Plan, views: readonly View[], { transaction, warehouse }: Running): Promise<void> {
  const { dialect } = warehouse;
  const likeness = await findLikeness(views, [plan.after], { dialect, settle: transaction.settle.bind(transaction) });
  const found = new Map(views.map((view) => [relationKey(view.name), view]));
  const wrong = plan.after.filter((wanted) => {
    const view = found.get(relationKey(wanted.name));
    return !view || !likeness.isAlike(wanted, view);
  });
  const wanted = new Set(plan.after.map(({ name }) => relationKey(name)));
  const left = views.filter(({ name }) => !wanted.has(relationKey(name)));
  if (wrong.length === 0 && left.length === 0) return;
  const changes = diffViews(
    wrong,
    wrong.flatMap((view) => found.get(relationKey(view.name)) ?? []),
    { dialect, ...likeness },
  );
  const differences = [
    ...changes.map((change) => `${relationKey(change.view)}: ${describeChange(change)}`),
    ...left.map(({ name }) => `${relationKey(name)}: still there`),
  ];
  throw failedVerification(plan, differences, dialect);
}

/** The readers that work before the first step: one that did not is not to be mended by this run. */
async function findWorking({ transaction }: Running, { readers = [], verify: how }: RunOptions): Promise<readonly RelationName[]> {
  if (readers.length === 0 || how === 'skip') return [];
  const broken = new Set((await transaction.findBroken?.(readers))?.map(({ name }) => relationKey(name)));
  return readers.filter((name) => !broken.has(relationKey(name)));
}

/** Raises `STEP_FAILED` when a view that the plan touches, or one that reads such a view, cannot be queried any more. */
async function requireWorking(plan: Plan, names: readonly RelationName[], { transaction, warehouse }: Running): Promise<void> {
  const broken = (await transaction.findBroken?.(names)) ?? [];
  if (broken.length === 0) return;
  const differences = broken.map(({ name, reason }) => `${relationKey(name)} cannot be queried: ${reason}`);
  throw failedVerification(plan, differences, warehouse.dialect);
}

async function carryOut(plan: Plan, running: Running, options: RunOptions): Promise<RunOutcome> {
  const { transaction, warehouse } = running;
  const { dialect } = warehouse;
  const readers = await findWorking(running, options);
  const execution = await runSteps(plan, transaction, { ...options, isTransactional: dialect.isTransactional });
  const failed = { plan, execution };
  if (execution.failures.length > 0 && !leavesSomething(failed, dialect)) throw refusedRun(failed, dialect);
  if (execution.failures.length > 0) {
    throw failedRun(failed, await putBack(failed, options.afterFailure === 'keep going' ? undefined : options.planBack, running));
  }
  const views = await transaction.inspect(namesOf(plan));
  if (options.verify === 'verify') {
    await verify(plan, options.refresh === 'later' ? withoutPopulated(views) : views, running);
    await requireWorking(plan, [...views.map(({ name }) => name), ...readers], running);
  }
  const complete = completeViews(warehouse, views, [plan.after, plan.before]);
  return { views: complete, report: { steps: reportSteps(plan, execution, 'applied') } };
}

/** What is there and changes: also the tables that get a bystander back. */
function listLocks({ before, after }: Plan): readonly View[] {
  return [...before, ...after.filter(({ name }) => name.object?.on !== undefined)];
}

async function runInside(warehouse: Warehouse, plan: Plan, options: RunOptions): Promise<RunOutcome> {
  const { lockTimeout, attempts, onWait, prepare, signal } = options;
  return warehouse.transact(
    { lockTimeout, attempts, locks: listLocks(plan), signal, ...(onWait ? { onWait } : {}), ...(prepare ? { prepare } : {}) },
    async (transaction) => {
      await requirePlanned(plan, transaction, warehouse);
      return carryOut(plan, { transaction, warehouse }, options).catch((error: unknown) => {
        throw brokenOff(error, warehouse.dialect);
      });
    },
  );
}

/** Everything but the refreshes in one transaction, and then these. */
async function runAndRefresh(warehouse: Warehouse, plan: Plan, options: RunOptions): Promise<RunOutcome> {
  const { report } = await runInside(warehouse, withoutRefreshes(plan), options);
  const refreshed = await refreshLater(warehouse, plan, options);
  const { lockTimeout, attempts } = options;
  const views = await warehouse.transact({ lockTimeout, attempts, locks: [] }, (transaction) => transaction.inspect(namesOf(plan)));
  const all = [...report.steps, ...refreshed.steps];
  const steps = plan.steps.flatMap((step) => all.find((each) => each.step === step) ?? []);
  const message = [...refreshed.failed].map(([key, because]) => `${key} (${because})`).join(', ');
  const unfilled = plan.after.map(({ name }) => name).filter((name) => refreshed.failed.has(relationKey(name)));
  const complete = completeViews(warehouse, views, [plan.after, plan.before]);
  return { views: complete, unfilled, report: { ...report, steps, ...(message === '' ? {} : { failure: { message } }) } };
}

/**
 * Runs a plan in one transaction: everything is locked, compared with the plan once more, changed, and compared with what was planned.
 * `ROLLED_BACK`, `WAREHOUSE_MOVED`, `LOCK_TIMEOUT`, `RUN_IN_PROGRESS`, and `CONNECTION_LOST` when it is not known how it ended; where DDL is
 * not transactional `STEP_FAILED` when steps may have taken effect. With `refresh: 'later'` what could not be filled is the report's failure.
 */
export function runPlan(warehouse: Warehouse, plan: Plan, options: RunOptions): Promise<RunOutcome> {
  const isLater = options.refresh === 'later' && warehouse.dialect.isTransactional;
  return isLater ? runAndRefresh(warehouse, plan, options) : runInside(warehouse, plan, { ...options, refresh: 'inside' });
}

/** What a run is told of in one line: `apply HEAD~1, 3 views`. */
export function summarizeRun(command: string, revision: string, plan: Plan): string {
  const touched = [...plan.steps.map(({ view }) => view), ...namesOf(plan)];
  const names = [...new Map(touched.map((name) => [relationKey(name), name])).values()];
  const short = revision.replace(/^([0-9a-f]{10})[0-9a-f]{30,}$/, '$1');
  return `${[command, short].filter((word) => word !== '').join(' ')}, ${countObjects(names)}`;
}
