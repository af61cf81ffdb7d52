import type { Dialect } from './dialect.ts';
import { type Component, orderByReads, type Reads } from './graph.ts';
import { attachmentsNaming, callingOf, findLeanings } from './leaning.ts';
import type { Step } from './plan.ts';
import { readsOf } from './rebuild.ts';
import { relationKey } from './relation.ts';
import type { View } from './view.ts';

const circle = 'it is part of a circle of views';

interface Dropping {
  readonly views: ReadonlyMap<string, View>;
  readonly dialect: Dialect;
  readonly because: (key: string) => string;
}

function dropComponent(component: Component, { views, dialect, because }: Dropping): Step[] {
  const members = component.members.flatMap((key) => views.get(key) ?? []);
  const drop = (view: View): Step => ({ kind: 'drop', view: view.name, sql: dialect.dropView(view), because: because(relationKey(view.name)) });
  if (members.length === 1) return members.map(drop);
  const { fixed, plain } = splitCircle(members);
  return [...plain.flatMap((view) => placeholderStep(view, dialect)), ...fixed.toReversed().map(drop), ...plain.map(drop)];
}

/** The members of a circle of views: those for which no placeholder can stand, in the order in which they read each other, and the others. */
export function splitCircle(members: readonly View[]): { readonly fixed: readonly View[]; readonly plain: readonly View[] } {
  const byKey = new Map(members.filter(({ kind }) => kind !== 'view').map((view) => [relationKey(view.name), view]));
  const order = orderByReads(readsOf(byKey.values())).flatMap((component) => component.members);
  return { fixed: order.flatMap((key) => byKey.get(key) ?? []), plain: members.filter(({ kind }) => kind === 'view') };
}

/** The step that has a placeholder stand for a view of a circle. */
export function placeholderStep(view: View, dialect: Dialect): Step[] {
  const sql = dialect.createPlaceholder(view);
  return sql === undefined ? [] : [{ kind: 'replace', view: view.name, sql, because: circle }];
}

const within = (reads: Reads, keys: readonly string[]): Reads =>
  new Map(keys.map((key) => [key, (reads.get(key) ?? []).filter((read) => keys.includes(read))]));

/** What of the members names another member: rules and the like that close a circle, and go first. */
function releaseWithin(members: readonly string[], { views, dialect }: Dropping): Step[] {
  return members.flatMap((key) => {
    const view = views.get(key);
    const names = new Set(members.flatMap((other) => (other === key ? [] : callingOf(views.get(other)))));
    const named = view ? attachmentsNaming(view, names, dialect) : [];
    return named.map(
      ({ kind, key: name, unmake }): Step => ({
        kind: 'alter',
        view: (view as View).name,
        sql: unmake,
        because: `the ${kind} ${name} stands in the way of a drop`,
      }),
    );
  });
}

/** Drops views and what hangs on them, the readers first; what stands on another one through a rule, a default, a trigger or an index counts as a reader. */
export function dropInOrder(dropping: Dropping): Step[] {
  const { views, dialect } = dropping;
  const reads = readsOf(views.values());
  const leanings = findLeanings(views, dialect);
  const all = new Map([...reads].map(([key, own]) => [key, [...own, ...(leanings.get(key) ?? [])]]));
  return orderByReads(all)
    .toReversed()
    .flatMap(({ members, isCircular }) => {
      if (!isCircular) return dropComponent({ members, isCircular }, dropping);
      const components = orderByReads(within(reads, members)).toReversed();
      return [...(components.length > 1 ? releaseWithin(members, dropping) : []), ...components.flatMap((component) => dropComponent(component, dropping))];
    });
}
