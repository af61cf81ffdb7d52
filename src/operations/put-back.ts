import type { Plan } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Transaction, Warehouse } from '../warehouses/warehouse.ts';
import { completeViews } from './keep-unseen.ts';
import { findLikeness } from './likeness.ts';
import { type Execution, runSteps } from './run-steps.ts';

export interface ViewAfter {
  /** Its `relationKey`. */
  readonly view: string;
  readonly state: 'as before' | 'as planned' | 'in between';
}

/** What was done about the steps of a failed run that had taken effect, and where that leaves every view that the plan touches. */
export type Aftermath = { readonly views: readonly ViewAfter[] } & (
  | { readonly outcome: 'put back' | 'left' }
  | { readonly outcome: 'failed'; readonly because: string }
);

/**
 * Makes the plan that leads from the views as they are now back to what they were. Only the `changed` ones, by `relationKey`, are ours to put back: what
 * stopped the run may be that somebody else has just made another one of them.
 */
export type PlanBack = (now: readonly View[], changed: ReadonlySet<string>) => Promise<Plan>;

/** A run that stopped half way. */
export interface Stopped {
  readonly plan: Plan;
  readonly execution: Execution;
}

interface Running {
  readonly transaction: Transaction;
  readonly warehouse: Warehouse;
}

const byKey = (views: readonly View[]) => new Map(views.map((view) => [relationKey(view.name), view]));

const namesOf = ({ before, after }: Plan) => [...byKey([...before, ...after]).values()].map(({ name }) => name);

/** Where each touched view stands between the state before and the planned one; a view that is gone is like one that is not wanted. */
async function placeViews(plan: Plan, now: readonly View[], { transaction, warehouse }: Running): Promise<readonly ViewAfter[]> {
  const settle = transaction.settle.bind(transaction);
  const likeness = await findLikeness(now, [plan.before, plan.after], { dialect: warehouse.dialect, settle });
  const [before, after, live] = [byKey(plan.before), byKey(plan.after), byKey(now)];
  const isAs = (views: ReadonlyMap<string, View>, key: string) => {
    const [wanted, found] = [views.get(key), live.get(key)];
    return wanted === undefined || found === undefined ? wanted === found : likeness.isAlike(wanted, found);
  };
  return namesOf(plan).map((name) => {
    const view = relationKey(name);
    return { view, state: isAs(before, view) ? 'as before' : isAs(after, view) ? 'as planned' : 'in between' };
  });
}

/** The views that a step has changed, or may have. */
function findChanged({ plan, execution: { steps, failures } }: Stopped): ReadonlySet<string> {
  const uncertain = new Set(failures.flatMap(({ index, isUncertain }) => (isUncertain ? [index] : [])));
  return new Set(plan.steps.flatMap(({ view }, index) => (steps[index]?.outcome === 'applied' || uncertain.has(index) ? [relationKey(view)] : [])));
}

async function runBack(stopped: Stopped, planBack: PlanBack, { transaction, warehouse }: Running): Promise<string | undefined> {
  const { plan } = stopped;
  const changed = findChanged(stopped);
  const now = await transaction.inspect(namesOf(plan));
  // What cannot be seen of a view that a step may have changed is taken for what the step was to make of it, so that it is put back.
  const isChanged = ({ name }: View) => changed.has(relationKey(name));
  const back = await planBack(completeViews(warehouse, now, [plan.after.filter(isChanged), plan.before]), changed);
  if (back.refusals.length > 0) return back.refusals.map(({ because }) => because).join(' ');
  const { failures } = await runSteps(back, transaction, { isTransactional: false, afterFailure: 'keep going' });
  return failures.length === 0 ? undefined : failures.map(({ message }) => message).join(' ');
}

/** Puts back what the applied steps of a failed run changed, as far as that can be done, and looks where every view stands then. Never throws an error of ours. */
export async function putBack(stopped: Stopped, planBack: PlanBack | undefined, running: Running): Promise<Aftermath> {
  const { plan } = stopped;
  let because: string | undefined;
  let views: readonly ViewAfter[] = [];
  try {
    because = planBack && (await runBack(stopped, planBack, running));
    views = await placeViews(plan, await running.transaction.inspect(namesOf(plan)), running);
  } catch (error) {
    if (!(error instanceof ViewsyncError)) throw error;
    return { outcome: 'failed', because: error.message, views };
  }
  if (because !== undefined) return { outcome: 'failed', because, views };
  if (!planBack) return { outcome: 'left', views };
  const changed = findChanged(stopped);
  const isBack = views.every(({ view, state }) => state === 'as before' || !changed.has(view));
  return isBack ? { outcome: 'put back', views } : { outcome: 'failed', because: 'the views are not what they were.', views };
}
