import { diffColumns, hasColumnChange } from '../core/compare.ts';
import { findReaders, orderByReads, reach } from '../core/graph.ts';
import type { Plan, Step } from '../core/plan.ts';
import { readsOf } from '../core/rebuild.ts';
import { relationKey } from '../core/relation.ts';
import { isView, type View } from '../core/view.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import { hangingOf, planMaking, surroundingsOf, withoutPowers } from './detour.ts';
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

/** Standing views that no longer work, and those whose columns are no longer the ones that they show. */
interface Standing {
  readonly broken: readonly BrokenView[];
  readonly stale: readonly View[];
}

async function examineStanding({ settle, dialect }: Warehouse, views: readonly View[]): Promise<Standing> {
  // With its columns unknown, a view is asked about although its definition is the one that is there.
  const settled = views.length === 0 ? new Map() : await settle(views.map((wanted) => ({ wanted, live: { ...wanted, columns: [] } })));
  const stale = views.flatMap((view): readonly View[] => {
    const answer = settled.get(relationKey(view.name));
    const columns = answer && 'columns' in answer ? answer.columns : [];
    const fresh = hasColumnChange(diffColumns(view.columns, columns)) ? dialect.refreshColumns?.(view, 'those that it reads') : undefined;
    return fresh ? [{ ...fresh, columns }] : [];
  });
  const reasons = [...settled].flatMap(([view, answer]) => (answer.outcome === 'refused' ? [{ view, because: answer.because }] : []));
  return { broken: reasons, stale };
}

/** Puts views over themselves, so that the server finds their columns anew. */
function planRefreshing(plan: Plan, stale: readonly View[], { dialect }: Warehouse): Plan {
  const byKey = new Map(stale.map((view) => [relationKey(view.name), view]));
  const order = orderByReads(readsOf(stale)).flatMap(({ members }) => members.flatMap((key) => byKey.get(key) ?? []));
  const because = 'its columns are no longer those of its query';
  const steps = order.map((view): Step => ({ kind: 'replace', view: view.name, sql: dialect.createView(view, 'replace'), because }));
  return { ...plan, steps: [...plan.steps, ...steps], before: [...plan.before, ...stale], after: [...plan.after, ...stale] };
}

/** Step by step, where a transaction takes nothing back. */
async function restoreInSteps(warehouse: Warehouse, { missing, present }: Concerned, options: RestorationOptions): Promise<Restoration> {
  const refused = await findRefused(warehouse, missing);
  const standing = await examineStanding(warehouse, present);
  const broken = [...refused, ...standing.broken];
  const unfit = new Set(broken.map(({ view }) => view));
  const fitting = missing.filter(({ name }) => !unfit.has(relationKey(name)));
  const surroundings = withoutPowers(surroundingsOf(options.target, warehouse, options.inspection));
  const plan = planRefreshing(planMaking(fitting, 'it was dropped for the migration', surroundings), standing.stale, warehouse);
  const { report } = await runPlan(warehouse, plan, { ...options, afterFailure: 'keep going' });
  const acts = report.steps.map(({ step: { sql, because, view }, milliseconds }) => ({
    origin: 'viewsync' as const,
    sql,
    because,
    view: relationKey(view),
    milliseconds,
  }));
  return { acts, restored: [...fitting, ...standing.stale].map(({ name }) => relationKey(name)), broken };
}

/** The views that a migration may have taken along. */
interface Concerned {
  readonly missing: readonly View[];
  /** As they are now, where nothing keeps a view from being broken under its readers. */
  readonly present: readonly View[];
}

function findConcerned(views: readonly View[], { snapshot, outside, relations }: Inspection, { dialect }: Warehouse): Concerned {
  const keys = new Set(views.map(({ name }) => relationKey(name)));
  const present = [...snapshot.views, ...outside].filter(({ name }) => keys.has(relationKey(name)));
  return { missing: views.filter(({ name }) => !relations.has(relationKey(name))), present: dialect.readersStand ? present : [] };
}

/** Makes views again that are not there, and mends what was left stale; what has taken the name of one stays. Views that do not fit are left out and told. */
export async function bringBack(warehouse: Warehouse, views: readonly View[], options: RestorationOptions): Promise<Restoration> {
  const concerned = findConcerned(views, options.inspection, warehouse);
  const { missing, present } = concerned;
  if (missing.length + present.length === 0) return { acts: [], restored: [], broken: [] };
  if (!warehouse.dialect.isTransactional) return restoreInSteps(warehouse, concerned, options);
  const { lockTimeout, attempts, onWait, verify, target, inspection } = options;
  const surroundings = surroundingsOf(target, warehouse, inspection);
  return warehouse.transact({ lockTimeout, attempts, locks: [], ...(onWait ? { onWait } : {}) }, (transaction) =>
    restoreViews(transaction, missing, { surroundings, ...hangingOf(inspection), verify, misfits: 'skip' }),
  );
}
