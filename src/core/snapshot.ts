import type { RelationName } from './relation.ts';
import type { View } from './view.ts';

/** The schema or dataset that views live in. */
export interface Container {
  /** Where names have a catalog part. */
  readonly catalog?: string;
  readonly name: string;
  /** Grantees who would get rights on a relation that our role creates in it, through default privileges; everybody as the dialect calls them, which no role can be called (`public` on PostgreSQL). */
  readonly defaultGrantees: readonly string[];
}

/** An object that is no view but hangs on one: a function over its row type, a policy that reads it, a table's column of its type. */
export interface Bystander {
  /** In words, fully named: "function app.f_v3()", "policy pol on table app.p". */
  readonly description: string;
  /** The views that it hangs on. */
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
}

/** Which schemas belong to a target: globs over schema names; a leading `!` excludes. `["*"]` is every schema but the system's. */
export interface Scope {
  readonly schemas: readonly string[];
}

export type Origin = { readonly from: 'warehouse' } | { readonly from: 'commit'; readonly commit: string } | { readonly from: 'worktree' };

/** All views of a target in scope at one moment; views sorted by name and unique. */
export interface Snapshot {
  readonly origin: Origin;
  readonly description: TargetDescription;
  readonly views: readonly View[];
  /** Every schema but the system's, in scope or not: the closure of a drop may reach beyond the scope. */
  readonly containers: readonly Container[];
  /** Of all views, in scope or not. */
  readonly bystanders: readonly Bystander[];
}
