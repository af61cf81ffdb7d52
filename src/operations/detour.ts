import type { Plan, Step } from '../core/plan.ts';
import { type PlanRequest, planChanges } from '../core/planner.ts';
import { type RelationName, relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import { isView, type View } from '../core/view.ts';
import type { Inspection, Session, Warehouse } from '../warehouses/warehouse.ts';

/** What every plan of a detour shares: views are dropped, something else happens, and they are made again. */
export type Surroundings = Pick<PlanRequest, 'target' | 'dialect' | 'containers' | 'losses' | 'roles' | 'sizes' | 'allowed'> &
  Partial<Pick<PlanRequest, 'lockLimit' | 'role' | 'powers' | 'watchers'>> &
  Pick<PlanRequest, 'rowSecurity'> &
  Pick<Session, 'watching'>;

export function surroundingsOf(target: string, { dialect }: Pick<Warehouse, 'dialect'>, { snapshot, session, sizes }: Inspection): Surroundings {
  const { containers, losses } = snapshot;
  const { roles, role, rowSecurity, lockLimit, powers, watchers, watching = [] } = session;
  const known = { ...(lockLimit === undefined ? {} : { lockLimit }), ...(powers === undefined ? {} : { powers }) };
  return { target, dialect, containers, losses, roles, role, rowSecurity, sizes, allowed: [], watchers, watching, ...known };
}

const nothing = { wanted: [], drops: [], kept: [], described: new Map(), available: new Set<string>(), relations: new Set<string>(), exported: new Map() };

/** What the views read and what bystanders stand on: it is there, or the server will say. */
function findFoundations(views: readonly View[]): ReadonlySet<string> {
  return new Set(
    views.flatMap(({ name: { object, ...name }, reads }) => [
      ...reads.map(relationKey),
      ...(object?.on === undefined ? [] : [relationKey({ ...name, name: object.on })]),
    ]),
  );
}

const absence = 'it does not exist';

/** The plan with a better reason for what is made than that it is not there. */
export function withReason(plan: Plan, because: string): Plan {
  return { ...plan, steps: plan.steps.map((step): Step => (step.because === absence ? { ...step, because } : step)) };
}

/** Makes views again that are to be dropped, as they are. Its refusals name what could not be made, and by whom. See `withReason`. */
export function planWayBack(views: readonly View[], surroundings: Surroundings): Plan {
  // What comes back as it was gives nobody anything new.
  const exported = new Map(views.map((view) => [relationKey(view.name), view]));
  return planChanges({ ...surroundings, ...nothing, live: [], wanted: views, relations: findFoundations(views), exported });
}

/** Makes these views, none of which exists, as they were. */
export function planMaking(views: readonly View[], because: string, surroundings: Surroundings): Plan {
  return withReason(planWayBack(views, surroundings), because);
}

/** Drops exactly these live views, in the order that the server allows. Its refusals name what would be lost. */
export function planDropping(views: readonly View[], because: string, surroundings: Surroundings): Plan {
  const plan = planChanges({ ...surroundings, ...nothing, live: views, drops: views.map(({ name }) => name) });
  return { ...plan, steps: plan.steps.map((step): Step => ({ ...step, because })) };
}

type MendingOptions = Surroundings & Pick<PlanRequest, 'relations'> & { readonly because: string };

/** Gives these views and bystanders, which were made just now, what the wanted ones have and they lack, and takes what these have not. */
export function planMending(live: readonly View[], wanted: readonly View[], { because, ...surroundings }: MendingOptions): Plan {
  const relations = new Set([...surroundings.relations, ...findFoundations(wanted)]);
  const plan = planChanges({ ...nothing, ...surroundings, relations, live, wanted, bystanders: 'mend' });
  return { ...plan, steps: plan.steps.map((step): Step => ({ ...step, because })) };
}

/** The surroundings once a script has run: it may have given rights and made schemas. */
export function withoutPowers({ powers: _, ...surroundings }: Surroundings): Surroundings {
  return surroundings;
}

/** What is no view and hangs on one, in scope or not, which of it each view needs, and all views. */
export function hangingOf({ snapshot, outside }: Inspection): {
  readonly bystanders: readonly View[];
  readonly before: readonly View[];
  readonly needs: ReadonlyMap<string, readonly RelationName[]>;
} {
  const bystanders = [...snapshot.bystanders, ...outside.filter(({ kind }) => kind === 'bystander')];
  const needs = [...objectsOf(snapshot), ...outside].map((view) => [relationKey(view.name), view.needs ?? []] as const);
  return { bystanders, before: [...snapshot.views, ...outside.filter(isView)], needs: new Map(needs) };
}
