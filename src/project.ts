import type { Scope } from './core/snapshot.ts';
import type { History } from './history/history.ts';

/** One entry of `viewsync.yaml`, validated, its `${VARIABLE}`s still in place until it is connected to. */
export interface Target {
  readonly name: string;
  /** A name in the adapter registry. */
  readonly warehouse: string;
  readonly scope: Scope;
  /** Globs over `schema.name` of views whose unreadable definition is no failure. */
  readonly allowUnreadable: readonly string[];
  /** The adapter's own keys, such as `url`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A folder with a `viewsync.yaml`, inside a git repository. */
export interface Project {
  /** Absolute folder of `viewsync.yaml`. */
  readonly directory: string;
  /** The views folder relative to the root of the repository, with `/`: `views`, `analytics/views`. */
  readonly viewsFolder: string;
  readonly targets: readonly Target[];
  readonly history: History;
  readonly environment: Readonly<Record<string, string | undefined>>;
}
