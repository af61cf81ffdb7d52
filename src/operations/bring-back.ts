import { diffColumns, hasColumnChange } from '../core/compare.ts';
import { findReaders, orderByReads, reach } from '../core/graph.ts';
import type { Plan, Step } from '../core/plan.ts';
import { readsOf } from '../core/rebuild.ts';
import { relationKey } from '../core/relation.ts';
import { withArticle } from '../core/sentence.ts';
import { isView, type View } from '../core/view.ts';
import type { StaleViews } from '../warehouses/standing.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import { hangingOf, planMaking, surroundingsOf, withoutPowers } from './detour.ts';
import { emptyPlan, type MigrationOptions } from './migration.ts';
import { runPlan } from './run-plan.ts';
import { restoreViews, type ScriptOutcome } from './run-script.ts';
import type { BrokenView } from './running-script.ts';

/** What came back of some views, and what does not fit any more. */
export interface Restoration extends Pick<ScriptOutcome, 'acts' | 'restored' | 'broken'> {
  /** What was left out of them, in whole sentences. */
  readonly notes?: readonly string[];
}

export interface RestorationOptions extends Omit<MigrationOptions, 'warehouse' | 'misfits'> {
  readonly target: string;
  readonly inspection: Inspection;
}

/** The views that the warehouse refuses now, those that are known to be refused, and all that read them, each with the reason. */
export async function findRefused(warehouse: Warehouse, views: readonly View[], known: readonly BrokenView[] = []): Promise<readonly BrokenView[]> {
  const settled = await warehouse.settle(views.filter(isView).map((wanted) => ({ wanted })));
  const refused = [...settled].flatMap(([key, answer]) => (answer.outcome === 'refused' ? [[key, answer.because] as const] : []));
  const reasons = new Map([...known.map(({ view, because }) => [view, because] as const), ...refused]);
  const reached = reach(reasons.keys(), findReaders(readsOf(views)));
  return [...reached].map(([view, through]) => ({ view, because: reasons.get(view) ?? `it reads ${through}, which does not fit` }));
}

/** Standing views that no longer work, and those whose columns are no longer the ones that they show. */
interface Standing {
  readonly broken: readonly BrokenView[];
  readonly stale: readonly View[];
}

async function examineStanding({ settle, dialect, findStale }: Warehouse, views: readonly View[]): Promise<Standing> {
  if (findStale) return mendStanding(await findStale(views), dialect);
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

/** What names or protects its own columns cannot be mended by making it again. */
function mendStanding({ stale, broken }: StaleViews, { refreshColumns }: Warehouse['dialect']): Standing {
  const mended = stale.map(({ view, columns }) => ({ view, fresh: refreshColumns?.({ ...view, columns }, 'those that it reads'), columns }));
  return {
    stale: mended.flatMap(({ fresh, columns }) => (fresh ? [{ ...fresh, columns }] : [])),
    broken: [
      ...broken.map(({ name, reason }) => ({ view: relationKey(name), because: reason })),
      ...mended.flatMap(({ view, fresh }) =>
        fresh ? [] : [{ view: relationKey(view.name), because: 'its query gives other columns than those that it names or protects itself' }],
      ),
    ],
  };
}

/** Puts views over themselves, so that the server finds their columns anew. */
function planRefreshing(stale: readonly View[], { target, inspection, dialect }: RestorationOptions & { readonly dialect: Warehouse['dialect'] }): Plan {
  const byKey = new Map(stale.map((view) => [relationKey(view.name), view]));
  const order = orderByReads(readsOf(stale)).flatMap(({ members }) => members.flatMap((key) => byKey.get(key) ?? []));
  const because = 'its columns are no longer those of its query';
  const steps = order.flatMap((view): readonly Step[] => [
    { kind: 'replace', view: view.name, sql: dialect.createView(view, 'replace'), because },
    ...(dialect.lostByReplace?.(view, inspection.session.role) ?? []).map(
      ({ make }): Step => ({ kind: 'alter', view: view.name, sql: make, because: 'a replace loses it' }),
    ),
  ]);
  return { ...emptyPlan(target), steps, before: stale, after: stale };
}

/** Runs a plan; what it did, for the report. */
export async function run(warehouse: Warehouse, plan: Plan, options: RestorationOptions): Promise<Restoration['acts']> {
  if (plan.steps.length === 0) return [];
  const { report } = await runPlan(warehouse, plan, { ...options, afterFailure: 'keep going' });
  return report.steps.map(({ step: { sql, because, view }, milliseconds }) => ({
    origin: 'viewsync' as const,
    sql,
    because,
    view: relationKey(view),
    milliseconds,
  }));
}

/** Mends the standing views that making again helps; the others are broken, as things stand. */
async function refresh(warehouse: Warehouse, present: readonly View[], options: RestorationOptions): Promise<Restoration> {
  const { stale, broken } = await examineStanding(warehouse, present);
  const acts = await run(warehouse, planRefreshing(stale, { ...options, dialect: warehouse.dialect }), options);
  return { acts, restored: stale.map(({ name }) => relationKey(name)), broken };
}

async function make(warehouse: Warehouse, missing: readonly View[], options: RestorationOptions): Promise<Restoration> {
  const broken = await findRefused(warehouse, missing);
  const unfit = new Set(broken.map(({ view }) => view));
  const fitting = missing.filter(({ name }) => !unfit.has(relationKey(name)));
  const surroundings = withoutPowers(surroundingsOf(options.target, warehouse, options.inspection));
  const acts = await run(warehouse, planMaking(fitting, 'it was dropped for the migration', surroundings), options);
  return { acts, restored: fitting.map(({ name }) => relationKey(name)), broken };
}

/** Step by step, where a transaction takes nothing back: what is missing may read what is stale, and what does not work may read what is missing. */
async function restoreInSteps(warehouse: Warehouse, { missing, present }: Concerned, options: RestorationOptions): Promise<Restoration> {
  const mended = await refresh(warehouse, present, options);
  const made = await make(warehouse, missing, options);
  const left = new Set(mended.broken.map(({ view }) => view));
  const changes = mended.acts.length + made.acts.length;
  const again = changes === 0 ? [] : present.filter(({ name }) => left.has(relationKey(name)));
  const last = again.length === 0 ? mended : await refresh(warehouse, again, options);
  return {
    acts: [...mended.acts, ...made.acts, ...(last === mended ? [] : last.acts)],
    restored: [...made.restored, ...new Set([...mended.restored, ...last.restored])],
    broken: [...made.broken, ...last.broken],
  };
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

/** Views whose names something else has now. */
function findReplaced(views: readonly View[], { occupied = new Map() }: Inspection): readonly BrokenView[] {
  return views.filter(isView).flatMap(({ name }) => {
    const what = occupied.get(relationKey(name));
    return what === undefined ? [] : [{ view: relationKey(name), because: `${withArticle(what)} has its name` }];
  });
}

interface WithoutRoles {
  readonly views: readonly View[];
  readonly notes: readonly string[];
}

/** A role that was dropped has no rights any more. Who owned a view is not to be guessed: that one does not fit. */
function withoutGoneRoles(views: readonly View[], { session }: Inspection, { ownerOf, rolesOf, keepRoles }: Warehouse['dialect']): WithoutRoles {
  const known = new Set(session.roles);
  const notes: string[] = [];
  const kept = views.map((view) => {
    const gone = rolesOf(view).filter((role) => !known.has(role));
    const owner = ownerOf(view);
    if (gone.length === 0 || (owner !== undefined && !known.has(owner))) return view;
    notes.push(`Rights on ${relationKey(view.name)} that name ${gone.map((role) => `"${role}"`).join(', ')} were left out: no such role exists any more.`);
    return { ...view, attachments: keepRoles(view, known) };
  });
  return { views: kept, notes };
}

/** Makes views again that are not there, and mends what was left stale; what has taken the name of one stays. Views that do not fit are left out and told. */
export async function bringBack(warehouse: Warehouse, views: readonly View[], options: RestorationOptions): Promise<Restoration> {
  const concerned = findConcerned(views, options.inspection, warehouse);
  const { missing, present } = concerned;
  const broken = warehouse.dialect.isTransactional ? findReplaced(views, options.inspection) : [];
  if (missing.length + present.length === 0) return { acts: [], restored: [], broken };
  if (!warehouse.dialect.isTransactional) return restoreInSteps(warehouse, concerned, options);
  const { lockTimeout, attempts, onWait, verify, target, inspection } = options;
  const surroundings = surroundingsOf(target, warehouse, inspection);
  const wanted = withoutGoneRoles(missing, inspection, warehouse.dialect);
  const outcome = await warehouse.transact({ lockTimeout, attempts, locks: [], ...(onWait ? { onWait } : {}) }, (transaction) =>
    restoreViews(transaction, wanted.views, { surroundings, ...hangingOf(inspection), verify, misfits: 'skip' }),
  );
  return { ...outcome, broken: [...broken, ...outcome.broken], notes: wanted.notes };
}
