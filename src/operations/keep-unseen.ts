import { relationKey } from '../core/relation.ts';
import { describeUnseen, keepUnseen } from '../core/unseen.ts';
import type { View } from '../core/view.ts';
import type { Inspection, Progress, Warehouse } from '../warehouses/warehouse.ts';
import { type Position, pathOf, type Reading, type Recorded, readRecorded } from './gather-sources.ts';
import { readLiveFiles, viewOf } from './view-files.ts';

/** An inspection in which nothing is missing only because our role may not see it. */
export interface Completed extends Inspection {
  /** What was not seen and is as it was last recorded, in sentences. */
  readonly unseen: readonly string[];
}

/**
 * Puts what our role may not see of live views in as it was last recorded: what is not visible is not gone. The state that an interrupted run
 * was to bring about may never have been, so then that before it counts.
 */
export async function completeInspection(reading: Reading, { line, tip }: Pick<Recorded, 'line' | 'tip'>, inspection: Inspection): Promise<Completed> {
  const { snapshot, outside } = inspection;
  if ([...snapshot.views, ...outside].every((view) => view.unseen === undefined)) return { ...inspection, unseen: [] };
  const known = line.interrupted === undefined ? tip : await readLiveFiles(reading, line.interrupted.before);
  // Most files are those of the live views, which takes little time to see.
  reading.parser.expect(new Map([...snapshot.views, ...outside].map((view) => [pathOf(reading, view.name), view])));
  const complete = (view: View) => (view.unseen ? keepUnseen(view, viewOf(known.views.get(pathOf(reading, view.name))), reading.dialect) : view);
  const views = snapshot.views.map(complete);
  const unseen = describeUnseen(views.map((view, index) => [snapshot.views[index] ?? view, view]));
  return { ...inspection, snapshot: { ...snapshot, views }, outside: outside.map(complete), unseen };
}

/** Reads git and the warehouse side by side: what both lines hold at that position, and the inspection completed by it. */
export async function readBoth(
  reading: Reading,
  position: Position,
  { warehouse, progress }: { readonly warehouse: Warehouse; readonly progress?: Progress | undefined },
): Promise<{ readonly recorded: Recorded; readonly inspection: Completed }> {
  const [recorded, seen] = await Promise.all([readRecorded(reading, position), warehouse.inspect(reading.target.scope, progress)]);
  return { recorded, inspection: await completeInspection(reading, recorded, seen) };
}

/** Views as a transaction shows them, with what our role may not see as the first of these lists has it that holds the view at all. */
export function completeViews(reading: Pick<Reading, 'dialect'>, views: readonly View[], known: readonly (readonly View[])[]): readonly View[] {
  const byKey = known.map((list) => new Map(list.map((view) => [relationKey(view.name), view])));
  return views.map((view) =>
    keepUnseen(
      view,
      byKey.map((list) => list.get(relationKey(view.name))).find((found) => found !== undefined),
      reading.dialect,
    ),
  );
}
