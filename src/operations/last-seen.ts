import { relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import { trailerOf } from '../history/commit-text.ts';
import type { ObjectId } from '../history/history.ts';
import type { Inspection } from '../warehouses/warehouse.ts';
import { pathOf, type Reading, type Recorded } from './gather-sources.ts';
import { trailerKeys } from './trailer-keys.ts';
import { type TargetFiles, targetFolder, type ViewFile, viewFile, viewOf } from './view-files.ts';

// What has been gone for longer than this many recorded states counts as new.
const reach = 100;

/** The blobs of some paths as the live line last held them. The tree of a run's start is what was planned, and need never have been live. */
async function findBlobs({ project, target }: Reading, from: ObjectId, paths: readonly string[]): Promise<ReadonlyMap<string, ObjectId>> {
  const { reader } = project.history;
  const found = new Map<string, ObjectId>();
  for await (const commit of reader.listCommits({ from, limit: reach })) {
    if (found.size === paths.length) break;
    if (trailerOf(commit, trailerKeys.state) === 'started') continue;
    const tree = await reader.listTree(commit.id, targetFolder(project, target));
    for (const path of paths) {
      const blob = found.has(path) ? undefined : tree.get(path);
      if (blob !== undefined) found.set(path, blob);
    }
  }
  return found;
}

async function readLastSeen(reading: Reading, from: ObjectId, paths: readonly string[]): Promise<readonly (readonly [string, ViewFile])[]> {
  const blobs = await findBlobs(reading, from, paths);
  const texts = await reading.project.history.reader.readBlobs(new Set(blobs.values()));
  return [...blobs].map(([path, blob]) => [path, viewFile(path, texts.get(blob) ?? '', reading.parser)] as const);
}

/** The files of the last export, and those of wanted objects that it found gone as the last export before held them. */
export async function findExportedFiles(
  reading: Reading,
  { recorded, inspection, wanted }: { readonly recorded: Recorded; readonly inspection: Inspection; readonly wanted: readonly View[] },
): Promise<TargetFiles> {
  const { tip, line } = recorded;
  const live = new Set([...objectsOf(inspection.snapshot), ...inspection.outside].map(({ name }) => relationKey(name)));
  const gone = wanted.filter(({ name }) => !live.has(relationKey(name))).map(({ name }) => pathOf(reading, name));
  const paths = gone.filter((path) => !tip.views.has(path));
  if (line.tip === undefined || paths.length === 0) return tip;
  return { ...tip, views: new Map([...(await readLastSeen(reading, line.tip, paths)), ...tip.views]) };
}

/** The wanted objects as those files have them, by `relationKey`. */
export function findExported(reading: Reading, wanted: readonly View[], files: TargetFiles): ReadonlyMap<string, View> {
  const known = wanted.map(({ name }) => [relationKey(name), viewOf(files.views.get(pathOf(reading, name)))] as const);
  return new Map(known.flatMap(([key, view]) => (view ? [[key, view] as const] : [])));
}
