import type { Unreadable } from '../core/snapshot.ts';
import type { Column, View } from '../core/view.ts';

/** A standing view whose query gives other columns than it shows. */
export interface StaleView {
  readonly view: View;
  /** What the query gives now. */
  readonly columns: readonly Column[];
}

/** Views that the server no longer queries: those that would work again once they are made again, and those that would not. */
export interface StaleViews {
  readonly stale: readonly StaleView[];
  readonly broken: readonly Unreadable[];
}
