import type { RowSecurity } from './access.ts';
import { classifyViews, type Treatment } from './classify.ts';
import { isSameDefinition } from './compare.ts';
import type { Dialect } from './dialect.ts';
import { findHazards } from './hazards.ts';
import { findCourse } from './making.ts';
import type { HazardName, Plan } from './plan.ts';
import type { Powers } from './powers.ts';
import { findRebuilds, type Rebuild } from './rebuild.ts';
import { findRefusals } from './refusals.ts';
import { compareText, type RelationName, relationKey } from './relation.ts';
import type { Container, Loss } from './snapshot.ts';
import { findStale } from './stale.ts';
import { buildSteps } from './steps.ts';
import type { View } from './view.ts';

/** What the server said of a wanted definition; the planner's half of `Settled` in the warehouse contract. */
export type Description =
  | { readonly outcome: 'same'; readonly columns: View['columns'] }
  | { readonly outcome: 'different'; readonly columns: View['columns']; readonly renamed?: readonly { readonly from: string; readonly to: string }[] }
  | { readonly outcome: 'refused'; readonly because: string }
  | { readonly outcome: 'unproven'; readonly because: string };

/** Everything a plan is made from; all of it was read before. */
export interface PlanRequest {
  readonly target: string;
  readonly dialect: Dialect;
  /** Every live view and bystander, in and out of scope: the closure of a drop must see all of them. Containers that have a state. */
  readonly live: readonly View[];
  /** The views, bystanders and containers to bring about, already selected. */
  readonly wanted: readonly View[];
  /** Live views to drop. */
  readonly drops: readonly RelationName[];
  /** `leave`: what is dropped was made by a run that is undone, and before it the views that read it stood without it, where the warehouse lets them. Else such a drop is refused. */
  readonly orphans?: 'refuse' | 'leave';
  /** `mend`: this run has made them, and they get what belongs to them as views do. Else what exists of them is left alone. */
  readonly bystanders?: 'leave' | 'mend';
  /** Live views in scope that the wanted Snapshot does not hold and that stay. */
  readonly kept: readonly RelationName[];
  /** What the server says of wanted definitions that differ from the live ones, by `relationKey`. */
  readonly described: ReadonlyMap<string, Description>;
  readonly containers: readonly Container[];
  readonly losses?: readonly Loss[] | undefined;
  /** What stops working when the view that it watches is replaced or dropped. */
  readonly streams?: readonly Loss[] | undefined;
  readonly roles: readonly string[];
  /** The role that will run the plan. */
  readonly role?: string;
  /** Names of all relations of the warehouse, and of what could be a bystander, by `relationKey`. */
  readonly relations: ReadonlySet<string>;
  /** Views that the wanted commit holds, selected or not, by `relationKey`. */
  readonly available: ReadonlySet<string>;
  /** Size in bytes of materialized views, by `relationKey`. */
  readonly sizes: ReadonlyMap<string, number>;
  /** See `Plan.watchers`. */
  readonly watchers?: readonly string[] | undefined;
  readonly lockLimit?: number;
  /** Views as they were at the last export, by `relationKey`; of those that are wanted. */
  readonly exported: ReadonlyMap<string, View>;
  /** Where a run is undone: what it touched, as it left it, by `relationKey`. */
  readonly undone?: ReadonlyMap<string, View>;
  /** Live views of which the query gives other columns than they show, with these columns, by `relationKey`. */
  readonly stale?: ReadonlyMap<string, View['columns']>;
  readonly rowSecurity: RowSecurity;
  /** Milliseconds since 1970, by our clock; without it no moment has passed. */
  readonly now?: number;
  /** Absent where nothing is denied to our role, or nothing is known of it. */
  readonly powers?: Powers;
  readonly allowed: readonly HazardName[];
}

/** The request as the parts of the planner share it. */
export interface Situation {
  readonly request: PlanRequest;
  readonly live: ReadonlyMap<string, View>;
  /** Wanted views with their columns described, by `relationKey`. */
  readonly wanted: ReadonlyMap<string, View>;
  readonly drops: ReadonlySet<string>;
  /** How each wanted view is brought about. */
  readonly treatments: ReadonlyMap<string, Treatment>;
  readonly rebuild: Rebuild;
}

const byKey = (views: readonly View[]) => new Map(views.map((view) => [relationKey(view.name), view]));

function withColumns(view: View, { live, described }: { live: View | undefined; described: Description | undefined }): View {
  if (described && 'columns' in described) return { ...view, columns: described.columns };
  return live ? { ...view, columns: live.columns } : view;
}

/** Leaves out what names a role that the server lacks, where that was allowed. */
function withoutMissingRoles(view: View, { dialect, roles, allowed }: PlanRequest): View {
  if (!allowed.includes('MISSING_ROLE')) return view;
  return { ...view, attachments: dialect.keepRoles(view, new Set(roles)) };
}

function describeWanted(request: PlanRequest, live: ReadonlyMap<string, View>): ReadonlyMap<string, View> {
  return byKey(
    request.wanted.map((view) => {
      const key = relationKey(view.name);
      const described = withColumns(view, { live: live.get(key), described: request.described.get(key) });
      return withoutMissingRoles(described, request);
    }),
  );
}

function findReprinted({ wanted, live, request }: Situation): RelationName[] {
  return [...wanted].flatMap(([key, view]) => {
    const old = live.get(key);
    const isReprinted = request.described.get(key)?.outcome === 'same' && old && !isSameDefinition(old, view, request.dialect);
    return isReprinted ? [view.name] : [];
  });
}

function findLeft({ treatments, wanted, rebuild }: Situation): Plan['left'] {
  return [...treatments].flatMap(([key, treatment]) => {
    const view = wanted.get(key);
    return treatment.how === 'leave' && view && !rebuild.dropped.has(key) ? [{ view: view.name, because: treatment.because }] : [];
  });
}

function findUnproven({ request, wanted }: Situation): Plan['unproven'] {
  return [...wanted].flatMap(([key, view]) => {
    const described = request.described.get(key);
    return described?.outcome === 'unproven' ? [{ view: view.name, because: described.because }] : [];
  });
}

/** Live views that a step touches, before and as they must be afterwards. */
function findTouched({ live, wanted, drops, rebuild }: Situation, steps: Plan['steps']): Pick<Plan, 'before' | 'after'> {
  const touched = [...new Set(steps.map((step) => relationKey(step.view)))].sort(compareText);
  return {
    before: touched.flatMap((key) => live.get(key) ?? []),
    after: touched.flatMap((key) => (drops.has(key) ? [] : (wanted.get(key) ?? rebuild.recreated.get(key) ?? live.get(key) ?? []))),
  };
}

/** The ordered steps that lead from the live views to the wanted ones. Pure: the same request gives the same plan, byte for byte. */
export function planChanges(request: PlanRequest): Plan {
  const live = byKey(request.live);
  const asked = describeWanted(request, live);
  const drops = new Set(request.drops.map(relationKey));
  const classified = classifyViews({ request, live, wanted: asked });
  const stale = findStale({ request, live, wanted: asked, drops, treatments: classified });
  const wanted = new Map([...asked, ...[...stale].map(([key, { view }]) => [key, view] as const)]);
  const treatments = new Map([...classified, ...[...stale].map(([key, { treatment }]) => [key, treatment] as const)]);
  const rebuild = findRebuilds({ live, wanted, drops, treatments });
  const situation: Situation = { request, live, wanted, drops, treatments, rebuild };
  const course = findCourse(situation);
  const steps = buildSteps(situation, course);
  return {
    target: request.target,
    steps,
    hazards: findHazards(situation),
    refusals: findRefusals(situation, course, steps),
    ...findTouched(situation, steps),
    kept: request.kept,
    left: findLeft(situation),
    watchers: steps.length === 0 ? [] : (request.watchers ?? []),
    reprinted: findReprinted(situation),
    unproven: findUnproven(situation),
  };
}
