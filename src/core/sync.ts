/** State of one view between git, the live state last recorded, and the warehouse. */
export type SyncState = 'in sync' | 'drift' | 'pending' | 'conflict';

export interface Sides<Value> {
  /** As the branch's file has it; undefined when there is none. */
  readonly git: Value | undefined;
  /** As the live state was when the branch last took it in; `unknown` when nothing was ever recorded. */
  readonly base: Value | undefined | 'unknown';
  readonly live: Value | undefined;
}

/**
 * The three-way table: what a view's state is, given how two sides are compared. Without a base a view that differs is a conflict, and one
 * that only the warehouse has is drift.
 */
export function compareSides<Value>(sides: Sides<Value>, isAlike: (left: Value, right: Value) => boolean): SyncState {
  const { git, base, live } = sides;
  const alike = (left: Value | undefined, right: Value | undefined) => (left === undefined || right === undefined ? left === right : isAlike(left, right));
  if (alike(git, live)) return 'in sync';
  if (base === 'unknown') return git === undefined ? 'drift' : 'conflict';
  if (alike(git, base)) return 'drift';
  return alike(live, base) ? 'pending' : 'conflict';
}
