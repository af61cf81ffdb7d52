import { findReaders, reach } from '../core/graph.ts';
import { readsOf } from '../core/rebuild.ts';
import { relationKey } from '../core/relation.ts';
import { isView, type View } from '../core/view.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import { planMaking, surroundingsOf, withoutPowers } from './detour.ts';
import type { MigrationOptions } from './migration.ts';
import { runPlan } from './run-plan.ts';
import { restoreViews, type ScriptOutcome } from './run-script.ts';
import type { BrokenView } from './running-script.ts';

/** What came back of some views, and what does not fit any more. */
export type Restoration = Pick<ScriptOutcome, 'acts' | 'restored' | 'broken'>;

export interface RestorationOptions extends Omit<MigrationOptions, 'warehouse' | 'misfits'> {
  readonly target: string;
  readonly inspection: Inspection;
}

/** The views that the warehouse refuses now and all that read them, each with the reason. */
export async function findRefused(warehouse: Warehouse, views: readonly View[]): Promise<readonly BrokenView[]> {
  const settled = await warehouse.settle(views.filter(isView).map((wanted) => ({ wanted })));
  const reasons = new Map([...settled].flatMap(([key, answer]) => (answer.outcome === 'refused' ? [[key, answer.because] as const] : [])));
  const reached = reach(reasons.keys(), findReaders(readsOf(views)));
  return [...reached].map(([view, through]) => ({ view, because: reasons.get(view) ?? `it reads ${through}, which does not fit` }));
}

/** Step by step, where a transaction takes nothing back. */
async function restoreInSteps(warehouse: Warehouse, views: readonly View[], options: RestorationOptions): Promise<Restoration> {
  const broken = await findRefused(warehouse, views);
  const unfit = new Set(broken.map(({ view }) => view));
  const fitting = views.filter(({ name }) => !unfit.has(relationKey(name)));
  const surroundings = withoutPowers(surroundingsOf(options.target, warehouse, options.inspection));
  const plan = planMaking(fitting, 'it was dropped for the migration', surroundings);
  const { report } = await runPlan(warehouse, plan, { ...options, afterFailure: 'keep going' });
  const acts = report.steps.map(({ step: { sql, because, view }, milliseconds }) => ({
    origin: 'viewsync' as const,
    sql,
    because,
    view: relationKey(view),
    milliseconds,
  }));
  return { acts, restored: fitting.map(({ name }) => relationKey(name)), broken };
}

/** Makes views again that are not there; what has taken the name of one stays. Views that do not fit are left out and told. */
export async function bringBack(warehouse: Warehouse, views: readonly View[], options: RestorationOptions): Promise<Restoration> {
  const missing = views.filter(({ name }) => !options.inspection.relations.has(relationKey(name)));
  if (missing.length === 0) return { acts: [], restored: [], broken: [] };
  if (!warehouse.dialect.isTransactional) return restoreInSteps(warehouse, missing, options);
  const { lockTimeout, attempts, onWait, verify, target, inspection } = options;
  const surroundings = surroundingsOf(target, warehouse, inspection);
  return warehouse.transact({ lockTimeout, attempts, locks: [], ...(onWait ? { onWait } : {}) }, (transaction) =>
    restoreViews(transaction, missing, { surroundings, verify, misfits: 'skip' }),
  );
}
