import { posix } from 'node:path';
import { configurationFile, readViewsFolder } from '../config.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';

type Tree = ReadonlyMap<string, ObjectId>;

interface Place {
  readonly project: Project;
  readonly target: Target;
}

/** The configuration files of a commit that may be today's: the one at the same place, else those that have moved since. */
async function findConfigurations({ project: { history } }: Place, tree: Tree): Promise<readonly string[]> {
  const own = posix.join(history.prefix, configurationFile);
  if (tree.has(own)) return [own];
  const { commit } = await history.head();
  const today = commit === undefined ? new Map() : await history.reader.listTree(commit, '');
  return [...tree.keys()].filter((path) => posix.basename(path) === configurationFile && !today.has(path));
}

/** The targets whose files stand beside those that were looked for in a commit, such as the name that the target had then. */
export async function listNeighbours({ project: { history, viewsFolder } }: Place, commit: ObjectId): Promise<readonly string[]> {
  const paths = await history.reader.listTree(commit, viewsFolder);
  return [...paths.keys()].flatMap((path) => (posix.basename(path) === 'target.json' ? posix.basename(posix.dirname(path)) : [])).sort();
}

/**
 * Where a commit from before the folder of views was moved has the files of a target, by what its own `viewsync.yaml` says; undefined where it does
 * not say so, or where more than one may be meant.
 */
export async function findFormerFolder(place: Place, commit: ObjectId): Promise<string | undefined> {
  const { reader } = place.project.history;
  const tree = await reader.listTree(commit, '');
  const configurations = await findConfigurations(place, tree);
  const texts = await reader.readBlobs(configurations.flatMap((path) => tree.get(path) ?? []));
  const folders = configurations.map((path) => posix.join(posix.dirname(path), readViewsFolder(texts.get(tree.get(path) ?? '') ?? ''), place.target.name));
  const [found, ...more] = folders.filter((folder) => tree.has(`${folder}/target.json`));
  return more.length === 0 ? found : undefined;
}
