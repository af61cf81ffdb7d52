import type { Change } from '../core/change.ts';
import { diffViews } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Progress, Warehouse } from '../warehouses/warehouse.ts';
import { composeLiveTexts } from './compose-files.ts';
import { composeSources } from './compose-sources.ts';
import { gatherSources, pathOf, type Reading, readRecorded, requireSameWarehouse, startReading } from './gather-sources.ts';
import { completeInspection } from './keep-unseen.ts';
import { worktreeRevision } from './plan-revision.ts';
import { readBranchFiles, readRevisionFiles, snapshotOf, type TargetFiles } from './view-files.ts';

/** The word that stands for the warehouse as it is now, where a revision is asked for. */
export const liveRevision = 'live';

export interface DiffOptions {
  /** A revision, `worktree` or `live`. */
  readonly from: string;
  readonly to: string;
  /** Only this view, by `relationKey`. */
  readonly view?: string;
  readonly dialect: Dialect;
  /** Connects when one side is `live`. */
  readonly connect: () => Promise<Warehouse>;
  readonly progress?: Progress;
}

export interface FileDifference {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly change: Change;
}

export interface RevisionDifference {
  readonly from: string;
  readonly to: string;
  readonly files: readonly FileDifference[];
}

/** One side of the comparison: views, and the text of each by path. */
interface Side {
  readonly views: readonly View[];
  readonly texts: ReadonlyMap<string, string>;
  readonly reprinted: ReadonlySet<string>;
}

const nothingReprinted: ReadonlySet<string> = new Set();

function sideOf(files: TargetFiles, reading: Reading, origin: Parameters<typeof snapshotOf>[1]): Side {
  const views = objectsOf(snapshotOf(files, origin, reading.target));
  return { views, texts: new Map([...files.views].map(([path, { text }]) => [path, text])), reprinted: nothingReprinted };
}

async function readLiveSide(reading: Reading, options: DiffOptions): Promise<Side> {
  const warehouse = await options.connect();
  try {
    const seen = await warehouse.inspect(reading.target.scope, options.progress);
    const recorded = await readRecorded(reading);
    const inspection = await completeInspection(reading, recorded, seen);
    requireSameWarehouse(recorded, inspection.snapshot.description, reading.target);
    const sources = await gatherSources(reading, { recorded, inspection }, { settle: warehouse.settle.bind(warehouse) });
    const texts = composeLiveTexts(await composeSources(sources, 'new', options.progress));
    return { views: objectsOf(inspection.snapshot), texts, reprinted: sources.likeness.reprinted };
  } finally {
    await warehouse.close();
  }
}

async function readSide(revision: string, reading: Reading, options: DiffOptions): Promise<Side> {
  if (revision === liveRevision) return readLiveSide(reading, options);
  if (revision === worktreeRevision)
    return sideOf(await readBranchFiles(reading, (await reading.project.history.head()).commit), reading, { from: 'worktree' });
  const commit = await reading.project.history.reader.resolve(revision);
  return sideOf(await readRevisionFiles(reading, commit), reading, { from: 'commit', commit });
}

function requireKnown(view: string | undefined, sides: readonly Side[]): void {
  if (view === undefined || sides.some(({ views }) => views.some(({ name }) => relationKey(name) === view))) return;
  throw new ViewsyncError('VIEW_UNKNOWN', { message: `There is no view "${view}" on either side. Nothing was changed.`, suggestions: ['viewsync status'] });
}

/** The views that differ between two revisions, or a revision and the warehouse, each with both texts. Changes nothing. */
export async function diffRevisions(project: Project, target: Target, options: DiffOptions): Promise<RevisionDifference> {
  const reading = startReading(project, target, options.dialect);
  const from = await readSide(options.from, reading, options);
  const to = await readSide(options.to, reading, options);
  requireKnown(options.view, [from, to]);
  const changes = diffViews(from.views, to.views, { dialect: options.dialect, reprinted: new Set([...from.reprinted, ...to.reprinted]) });
  const wanted = changes.filter((change) => options.view === undefined || relationKey(change.view) === options.view);
  const files = wanted.map((change) => {
    const path = pathOf(reading, change.view);
    return { path, before: from.texts.get(path), after: to.texts.get(path), change };
  });
  return { from: options.from, to: options.to, files: files.filter(({ before, after }) => before !== after) };
}
