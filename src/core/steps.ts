import { type Alteration, findAlterations } from './alterations.ts';
import { dropInOrder, placeholderStep, splitCircle } from './drop-order.ts';
import type { Component } from './graph.ts';
import { joinSteps } from './join-steps.ts';
import type { Course, CourseMaking } from './making.ts';
import type { Step } from './plan.ts';
import type { Situation } from './planner.ts';
import { refreshSteps } from './refreshes.ts';
import { compareText, relationKey } from './relation.ts';
import type { Container } from './snapshot.ts';
import { ownerKind, populatedKind, type View } from './view.ts';

function pick(views: ReadonlyMap<string, View>, keys: Iterable<string>): ReadonlyMap<string, View> {
  return new Map([...keys].flatMap((key) => (views.has(key) ? [[key, views.get(key) as View] as const] : [])));
}

function dropSteps({ live, rebuild, request }: Situation): Step[] {
  return dropInOrder({
    views: pick(live, rebuild.dropped.keys()),
    dialect: request.dialect,
    because: (key) => `must be re-created: ${rebuild.dropped.get(key)}`,
  });
}

/** What pruned views hold under a name that something made here is to have, such as an index that its view was renamed with. */
function freeNameSteps({ live, rebuild, drops, request }: Situation, alterations: readonly Alteration[]): Step[] {
  const needed = new Set(alterations.flatMap(({ made }) => made.map(({ attachment }) => attachment.unmake)));
  const pruned = [...drops].flatMap((key) => (rebuild.dropped.has(key) ? [] : (live.get(key) ?? [])));
  return pruned.flatMap((view) => {
    const taken = view.attachments.filter(({ unmake }) => unmake !== '' && needed.has(unmake));
    const named = taken.filter((attachment) => !taken.some((other) => request.dialect.hangsOn(attachment, other)));
    return named.map(({ kind, key, unmake }): Step => ({ kind: 'alter', view: view.name, sql: unmake, because: `the name of the ${kind} ${key} is needed` }));
  });
}

/** Views to prune that nothing forced out before; last, when nothing that stays reads them any more. */
function pruneSteps({ live, rebuild, drops, request }: Situation): Step[] {
  const left = [...drops].filter((key) => !rebuild.dropped.has(key));
  return dropInOrder({ views: pick(live, left), dialect: request.dialect, because: () => 'the commit does not hold it' });
}

function becauseMade(key: string, { rebuild, treatments }: Situation): string {
  const dropped = rebuild.dropped.get(key);
  const treatment = treatments.get(key);
  if (dropped !== undefined) return `was dropped: ${dropped}`;
  return treatment && 'because' in treatment ? treatment.because : '';
}

function renameSteps(view: View, situation: Situation): Step[] {
  const treatment = situation.treatments.get(relationKey(view.name));
  if (treatment?.how !== 'rename columns') return [];
  return treatment.renamed.map((renamed) => ({
    kind: 'alter',
    view: view.name,
    sql: situation.request.dialect.renameColumn(view, renamed),
    because: treatment.because,
  }));
}

/** Whether a placeholder has to stand for a view of a circle first: it is not there, or lacks columns that another member reads. */
function needsPlaceholder({ view, making }: CourseMaking, { live }: Situation): boolean {
  return view.kind === 'view' && (making === 'create' || (making === 'replace' && live.get(relationKey(view.name))?.columns.length !== view.columns.length));
}

function inCircleOrder(members: readonly View[]): readonly View[] {
  if (members.length === 1) return members;
  const { fixed, plain } = splitCircle(members);
  return [...fixed, ...plain];
}

function makeComponent(component: Component, { makings }: Course, situation: Situation): Step[] {
  const { dialect } = situation.request;
  const members = component.members.flatMap((key) => makings.get(key) ?? []);
  const fresh = component.isCircular ? members.filter((member) => needsPlaceholder(member, situation)) : [];
  const placeholders = fresh.flatMap(({ view, making }) =>
    placeholderStep(view, dialect).map((step): Step => ({ ...step, kind: making === 'create' ? 'create' : 'replace' })),
  );
  const made = inCircleOrder(members.map(({ view }) => view)).flatMap((view): Step[] => {
    const key = relationKey(view.name);
    const making = makings.get(key)?.making ?? 'create';
    if (making === 'rename columns') return renameSteps(view, situation);
    const kind = component.isCircular && view.kind === 'view' ? 'replace' : making;
    return [{ kind, view: view.name, sql: dialect.createView(view, kind), because: becauseMade(key, situation) }];
  });
  return [...placeholders, ...made];
}

/** A change of an attachment as a step of its view. */
function attach(alteration: Alteration, sql: string, because: string): Step {
  return { kind: 'alter', view: alteration.view.name, sql, because };
}

function releaseSteps(alterations: readonly Alteration[]): Step[] {
  return alterations.flatMap((alteration) =>
    alteration.released.map((attachment) =>
      attach(alteration, attachment.unmake, `the ${attachment.kind} ${attachment.key} stands in the way and is made again`),
    ),
  );
}

/** The container of a name. One that this plan makes gives at most what others give. */
function findContainer({ catalog, schema }: View['name'], containers: readonly Container[]): Container | undefined {
  const found = containers.find((container) => container.catalog === catalog && container.name === schema);
  if (found || containers.length === 0) return found;
  const union = (lists: readonly (readonly string[])[]) => [...new Set(lists.flat())].sort(compareText);
  const known = (key: 'routineGrantees' | 'containerGrantees') =>
    containers.some((each) => each[key]) ? { [key]: union(containers.map((each) => each[key] ?? [])) } : {};
  return {
    name: schema,
    defaultGrantees: union(containers.map(({ defaultGrantees }) => defaultGrantees)),
    ...known('routineGrantees'),
    ...known('containerGrantees'),
    ...(containers.some(({ ownerRights }) => ownerRights === 'altered') ? { ownerRights: 'altered' } : {}),
  };
}

function ownerSteps(alteration: Alteration, { request, rebuild, live }: Situation): Step[] {
  const key = relationKey(alteration.view.name);
  const owner = alteration.made.filter(({ attachment }) => attachment.kind === ownerKind);
  const steps = owner.map(({ attachment, because }) => attach(alteration, attachment.make, because));
  const isFresh = rebuild.recreated.has(key) || !live.has(key);
  const container = isFresh ? findContainer(alteration.view.name, request.containers) : undefined;
  if (!container) return steps;
  const revokes = request.dialect.revokeDefaults(alteration.view, container);
  return [...steps, ...revokes.map((sql) => attach(alteration, sql, 'default privileges gave rights that the view must not have'))];
}

function removalSteps(alterations: readonly Alteration[], kinds: readonly string[]): Step[] {
  return kinds.toReversed().flatMap((kind) =>
    alterations.flatMap((alteration) =>
      alteration.removed
        .filter((attachment) => attachment.kind === kind)
        .toReversed()
        .map((attachment) => attach(alteration, attachment.unmake, `the ${kind} ${attachment.key} is not wanted`)),
    ),
  );
}

function attachSteps(alterations: readonly Alteration[], kinds: readonly string[]): Step[] {
  return kinds.flatMap((kind) =>
    alterations.flatMap((alteration) =>
      alteration.made.filter(({ attachment }) => attachment.kind === kind).map(({ attachment, because }) => attach(alteration, attachment.make, because)),
    ),
  );
}

/** What runs functions when it is made, and may need the data of materialized views. */
const isLate = (key: string) => /^(?:check|index) /.test(key);

/**
 * All steps in the order in which they run: what stands in the way goes, the closure is dropped, views and bystanders are made, then owners,
 * rights taken away, attachments by kind, data (as the owner, who needs the grants), what needs data, and last the views that are pruned.
 */
export function buildSteps(situation: Situation, course: Course): readonly Step[] {
  const alterations = findAlterations(situation, course);
  const [early, late] = [alterations.filter(({ view }) => !isLate(relationKey(view.name))), alterations.filter(({ view }) => isLate(relationKey(view.name)))];
  const make = (components: readonly Component[]) => components.flatMap((component) => makeComponent(component, course, situation));
  const kinds = situation.request.dialect.attachmentKinds.filter((kind) => kind !== ownerKind && kind !== populatedKind);
  const steps = [
    ...releaseSteps(alterations),
    ...freeNameSteps(situation, alterations),
    ...dropSteps(situation),
    ...make(course.order.filter(({ members }) => !members.every(isLate))),
    ...early.flatMap((alteration) => ownerSteps(alteration, situation)),
    ...removalSteps(alterations, kinds),
    ...attachSteps(early, kinds),
    ...refreshSteps(course, situation),
    ...make(course.order.filter(({ members }) => members.every(isLate))),
    ...attachSteps(late, kinds),
    ...pruneSteps(situation),
  ];
  return joinSteps(steps, situation.request.dialect);
}
