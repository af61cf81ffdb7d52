import type { Plan, Step } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import type { ApplyReport } from '../core/report.ts';
import { populatedKind, type View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';

type ReportedStep = ApplyReport['steps'][number];

const isRefresh = ({ kind }: Step): boolean => kind === 'refresh';

/** Views of which it does not count whether they hold data, as long as that is still to come. */
export function withoutPopulated(views: readonly View[]): readonly View[] {
  return views.map((view) => ({ ...view, attachments: view.attachments.filter(({ kind }) => kind !== populatedKind) }));
}

/** A plan without the steps that fill and empty materialized views. */
export function withoutRefreshes(plan: Plan): Plan {
  return { ...plan, steps: plan.steps.filter((step) => !isRefresh(step)), after: withoutPopulated(plan.after) };
}

interface LaterOptions {
  readonly lockTimeout: number;
  readonly attempts: number;
}

async function refresh(warehouse: Warehouse, step: Step, options: LaterOptions): Promise<ReportedStep & { readonly message?: string }> {
  const { results, failure } = await warehouse.transact({ ...options, locks: [] }, (transaction) => transaction.execute([step]));
  const milliseconds = results[0]?.milliseconds ?? 0;
  return failure ? { step, milliseconds, outcome: 'failed', message: failure.message } : { step, milliseconds, outcome: 'applied' };
}

/** What became of the refreshes of a plan. */
export interface Refreshed {
  readonly steps: readonly ReportedStep[];
  /** By `relationKey`, with what the server said. */
  readonly failed: ReadonlyMap<string, string>;
}

/**
 * Fills and empties materialized views after everything else was committed, each in a transaction of its own, so that who reads the views does not
 * wait for it. What fails is tried again behind the others as long as that helps.
 */
export async function refreshLater(warehouse: Warehouse, plan: Plan, options: LaterOptions): Promise<Refreshed> {
  const steps: ReportedStep[] = [];
  let waiting = plan.steps.filter(isRefresh);
  for (;;) {
    const failed: (ReportedStep & { readonly message?: string })[] = [];
    for (const step of waiting) {
      const result = await refresh(warehouse, step, options);
      (result.outcome === 'failed' ? failed : steps).push(result);
    }
    if (failed.length === 0 || failed.length === waiting.length) {
      const messages = failed.map(({ step, message = '' }) => [relationKey(step.view), message] as const);
      return { steps: [...steps, ...failed], failed: new Map(messages) };
    }
    waiting = failed.map(({ step }) => step);
  }
}

/** Raises `STEP_FAILED` for materialized views that could not be filled although everything else was done and recorded. */
export function requireFilled(report: ApplyReport, revision: string): void {
  const { failure } = report;
  if (failure === undefined) return;
  throw new ViewsyncError('STEP_FAILED', {
    message: `Everything was applied and recorded, but not every materialized view could be filled: ${failure.message}. They are there and hold no data.`,
    suggestions: [`viewsync apply ${revision}`],
  });
}
