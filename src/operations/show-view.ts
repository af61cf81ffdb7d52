import type { Dialect } from '../core/dialect.ts';
import { nearest } from '../core/nearest.ts';
import { relationKey } from '../core/relation.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { startReading } from './gather-sources.ts';
import { worktreeRevision } from './plan-revision.ts';
import { readBranchFiles, readRevisionFiles, type TargetFiles, targetMissing, type ViewFile, viewOf } from './view-files.ts';

export interface ShowOptions {
  /** By `relationKey`, or the bare name where only one schema has it. */
  readonly view: string;
  /** A revision, or `worktree`. */
  readonly at: string;
  readonly dialect: Dialect;
}

export interface ShownView {
  readonly view: string;
  readonly path: string;
  readonly commit: ObjectId | undefined;
  /** The file, byte for byte. */
  readonly text: string;
}

function findFile(files: TargetFiles, wanted: string): ViewFile | undefined {
  const all = [...files.views.values()];
  const exact = all.find((file) => file.path === wanted || keyOf(file) === wanted);
  if (exact) return exact;
  const byName = all.filter((file) => {
    const name = viewOf(file)?.name;
    return name?.object === undefined && name?.name === wanted;
  });
  return byName.length === 1 ? byName[0] : undefined;
}

function keyOf(file: ViewFile): string | undefined {
  const view = viewOf(file);
  return view && relationKey(view.name);
}

/** A view's file as a revision holds it. Needs no connection. `VIEW_UNKNOWN`, `TARGET_NOT_IN_REVISION`, `REVISION_UNKNOWN`. */
export async function showView(project: Project, target: Target, { view, at, dialect }: ShowOptions): Promise<ShownView> {
  const reading = startReading(project, target, dialect);
  const commit = at === worktreeRevision ? undefined : await project.history.reader.resolve(at);
  const files = commit === undefined ? await readBranchFiles(reading, (await project.history.head()).commit) : await readRevisionFiles(reading, commit);
  if (commit !== undefined && files.targetText === undefined) throw targetMissing(files, { from: 'commit', commit }, target);
  const file = findFile(files, view);
  if (file) return { view: keyOf(file) ?? view, path: file.path, commit, text: file.text };
  const names = [...files.views.values()].flatMap((known) => keyOf(known) ?? []);
  const meant = nearest(view, names);
  throw new ViewsyncError('VIEW_UNKNOWN', {
    message: `There is no view "${view}" of "${target.name}" at ${at}. Nothing was changed.`,
    suggestions: [...(meant === undefined ? [] : [`viewsync show '${meant}'`]), `viewsync log '${view}'`],
  });
}
