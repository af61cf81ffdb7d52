import type { RelationName } from './relation.ts';
import type { View } from './view.ts';

export const hazardNames = [
  'DELETES_VIEW',
  'REBUILDS_MATERIALIZED_VIEW',
  'WIDENS_ACCESS',
  'MISSING_ROLE',
  'OTHER_WAREHOUSE',
  'MANY_DELETIONS',
  'BREAKS_STREAM',
] as const;
export type HazardName = (typeof hazardNames)[number];

/** A named reason to stop unless `--allow NAME` was typed. */
export interface Hazard {
  readonly name: HazardName;
  readonly view?: RelationName;
  /** What would happen, a whole sentence. */
  readonly because: string;
}

export type StepKind = 'create' | 'replace' | 'alter' | 'drop' | 'refresh';

/** One act on one view, bystander or container. `sql` is final, without trailing semicolon, and one right behind it ends it: what `plan` prints is what `apply` sends. */
export interface Step {
  readonly kind: StepKind;
  readonly view: RelationName;
  readonly sql: string;
  /** Why this step is needed, in words. */
  readonly because: string;
}

/** Something that makes the plan impossible: nothing runs, and each is named. */
export interface Refusal {
  readonly view: RelationName;
  /** Every view that it concerns, where these are several. */
  readonly views?: readonly RelationName[];
  /** A whole sentence. */
  readonly because: string;
  readonly suggestion?: string;
}

/** The ordered steps from the live Snapshot to the wanted one. A plain value: printed, compared, executed as it is. */
export interface Plan {
  readonly target: string;
  readonly steps: readonly Step[];
  readonly hazards: readonly Hazard[];
  readonly refusals: readonly Refusal[];
  /** What may refuse a step for reasons of its own, in whole sentences; nothing when there is no step. */
  readonly watchers: readonly string[];
  /** Live views as they are before, of everything that a step touches. */
  readonly before: readonly View[];
  /** The same views as they must be afterwards; absent here and present in `before`: dropped. */
  readonly after: readonly View[];
  /** Live views that the wanted Snapshot does not hold and that stay. */
  readonly kept: readonly RelationName[];
  /** Bystanders and containers that are there otherwise than wanted, each with the reason why they stay as they are. */
  readonly left: readonly { readonly view: RelationName; readonly because: string }[];
  /** Views whose two texts the server holds for the same view. */
  readonly reprinted: readonly RelationName[];
  /** Views for which that could not be found out, with the reason; planned as a replace. */
  readonly unproven: readonly { readonly view: RelationName; readonly because: string }[];
}
