import { formatDefinition } from '../../src/core/format.ts';
import { viewPath } from '../../src/core/path.ts';
import { hazardNames, type Plan } from '../../src/core/plan.ts';
import { relationKey } from '../../src/core/relation.ts';
import { objectsOf, type Snapshot } from '../../src/core/snapshot.ts';
import { isView, type View } from '../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../src/core/view-file.ts';
import { ViewsyncError } from '../../src/errors.ts';
import { startReading } from '../../src/operations/gather-sources.ts';
import { planWish } from '../../src/operations/plan-revision.ts';
import { runPlan } from '../../src/operations/run-plan.ts';
import { noFiles } from '../../src/operations/view-files.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import type { Place } from '../support/workplace.ts';

/** Texts by path, as an export writes them. */
export async function writeFiles(snapshot: Snapshot, { dialect }: Warehouse): Promise<ReadonlyMap<string, string>> {
  const texts = objectsOf(snapshot).map(async (view) => {
    const definition = isView(view) ? await formatDefinition(view.definition, dialect) : view.definition;
    return [viewPath({ viewsFolder: 'views', target: 'prod' }, view.name, dialect), writeViewFile({ ...view, definition }, dialect)] as const;
  });
  return new Map(await Promise.all(texts));
}

/** The plan that leads from what is there to what the files say, as `apply --prune` makes it. */
export async function planFiles(place: Place, files: ReadonlyMap<string, string>, warehouse: Warehouse): Promise<Plan> {
  const inspection = await warehouse.inspect({ schemas: ['*'] });
  const wanted = [...files].map(([path, text]): View => readViewFile(text, path, warehouse.dialect).view);
  const known = new Set(wanted.map(({ name }) => relationKey(name)));
  const drops = inspection.snapshot.views.map(({ name }) => name).filter((name) => !known.has(relationKey(name)));
  const options = { warehouse, allowed: [...hazardNames] };
  const wish = { wanted, drops, kept: [], available: wanted };
  return planWish(startReading(place.project, place.target, warehouse.dialect), wish, { inspection, tip: noFiles, options });
}

/** Runs it, or raises why it cannot run. */
export async function restoreFiles(place: Place, files: ReadonlyMap<string, string>, warehouse: Warehouse): Promise<void> {
  const plan = await planFiles(place, files, warehouse);
  if (plan.refusals.length > 0) throw new ViewsyncError('PLAN_IMPOSSIBLE', { message: plan.refusals.map(({ because }) => because).join(' ') });
  await runPlan(warehouse, plan, { lockTimeout: 5000, attempts: 1, verify: 'verify' });
}
