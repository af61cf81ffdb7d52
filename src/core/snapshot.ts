import { compareRelations, type RelationName } from './relation.ts';
import { isView, type View } from './view.ts';

/** The schema or dataset that views live in. */
export interface Container {
  /** Where names have a catalog part. */
  readonly catalog?: string;
  readonly name: string;
  /** Grantees who would get rights on a relation that our role creates in it, through default privileges; everybody as the dialect calls them, which no role can be called (`public` on PostgreSQL). */
  readonly defaultGrantees: readonly string[];
  /** Set where our role, through default privileges, lacks rights on what it makes itself, or may pass them on: then so does whoever gets it. */
  readonly ownerRights?: 'altered';
  /** Grantees of new routines likewise; absent where a new one has the rights that the warehouse gives by itself. */
  readonly routineGrantees?: readonly string[];
  /** Grantees of new containers likewise. */
  readonly containerGrantees?: readonly string[];
  /** Its owner, rights and comment, in the shape of a view of kind `container`; absent where the warehouse tells nothing of it. */
  readonly state?: View;
  /** The rights of our role on it, in words, where listings leave out what it may not see. */
  readonly access?: string;
}

/** What would be lost with a view and can be restored from no file: data in a table's column of its row type, a bystander that cannot be read. */
export interface Loss {
  /** In words, fully named: "column a of table app.t". */
  readonly description: string;
  /** The views and bystanders that it hangs on. */
  readonly of: readonly RelationName[];
}

/** A view whose definition could not be read: it is named, and it never counts as deleted. */
export interface Unreadable {
  readonly name: RelationName;
  readonly reason: string;
}

/** What `target.json` holds beside the format version. */
export interface TargetDescription {
  /** Kind of warehouse: a name in the adapter registry. */
  readonly warehouse: string;
  /** Major version of the server where it changes the text of definitions; absent elsewhere. */
  readonly version?: number;
  readonly scope: Scope;
  /** What tells this warehouse from any other: `{ system: "7412…", database: "shop" }`. */
  readonly identity: Readonly<Record<string, string>>;
  readonly unreadable: readonly Unreadable[];
  /** `Container.access` of every container, by `containerKey`; where it has changed, an absent view does not count as dropped. */
  readonly access?: Readonly<Record<string, string>>;
}

/** Which views belong to a target. */
export interface Scope {
  /** Globs over schema names, or over `catalog.schema` and `catalog.schema.name` where names have a catalog; a leading `!` excludes. `["*"]` is every schema but the system's. */
  readonly schemas: readonly string[];
  /** Globs over the last part of names: relations that never belong to it. Absent: what a running dbt makes for a while. */
  readonly leaveOut?: readonly string[];
}

export type Origin = { readonly from: 'warehouse' } | { readonly from: 'commit'; readonly commit: string } | { readonly from: 'worktree' };

/** Everything that has a file: views, bystanders, and the containers that hold one of these. */
export function objectsOf({ containers, views, bystanders }: Pick<Snapshot, 'containers' | 'views' | 'bystanders'>): readonly View[] {
  const keyOf = ({ name: { catalog, schema } }: View) => JSON.stringify([catalog, schema]);
  const held = new Set([...views, ...bystanders].map(keyOf));
  return [...containers.flatMap(({ state }) => (state && held.has(keyOf(state)) ? [state] : [])), ...views, ...bystanders];
}

/** The same Snapshot with other views and bystanders in it, and the states of containers that are among them. */
export function withObjects(snapshot: Snapshot, objects: readonly View[]): Snapshot {
  const sorted = objects.toSorted((left, right) => compareRelations(left.name, right.name));
  const states = sorted.filter(({ kind }) => kind === 'container');
  const known = snapshot.containers.map((container) => {
    const state = states.find(({ name }) => name.catalog === container.catalog && name.schema === container.name);
    return state ? { ...container, state } : container;
  });
  const fresh = states.filter(({ name }) => !known.some((container) => container.catalog === name.catalog && container.name === name.schema));
  const made = fresh.map((state): Container => {
    const { catalog, schema } = state.name;
    return { ...(catalog === undefined ? {} : { catalog }), name: schema, defaultGrantees: [], state };
  });
  return { ...snapshot, containers: [...known, ...made], views: sorted.filter(isView), bystanders: sorted.filter(({ kind }) => kind === 'bystander') };
}

/** All views of a target in scope at one moment; views sorted by name and unique. */
export interface Snapshot {
  readonly origin: Origin;
  readonly description: TargetDescription;
  readonly views: readonly View[];
  /** Every schema but the system's, in scope or not: the closure of a drop may reach beyond the scope. */
  readonly containers: readonly Container[];
  /** What is no view but hangs on one in scope, each as a view of kind `bystander`, sorted by name. */
  readonly bystanders: readonly View[];
  /** Of all views, in scope or not. */
  readonly losses?: readonly Loss[];
}
