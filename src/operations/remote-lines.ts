import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { liveRef } from './live-line.ts';

/** What became of asking the remote for the live line. */
export type FetchOutcome = 'no remote' | 'up to date' | 'moved' | { readonly failed: string };

/** Takes over the remote's live line where it is ahead of ours. A remote that does not answer is no reason to stop: it is told in the outcome. */
export async function fetchLiveLine(project: Project, target: Target): Promise<FetchOutcome> {
  const { history } = project;
  const remote = await history.remoteOf((await history.head()).branch);
  if (remote === undefined) return 'no remote';
  try {
    const theirs = (await history.fetch({ remote, refs: [liveRef(target)] })).get(liveRef(target));
    return theirs === undefined ? 'up to date' : await followLiveLine(project, target, theirs);
  } catch (error) {
    if (error instanceof ViewsyncError && error.code === 'REMOTE_FAILED') return { failed: error.message };
    throw error;
  }
}

async function followLiveLine({ history }: Project, target: Target, theirs: ObjectId): Promise<FetchOutcome> {
  const ours = await history.tip(liveRef(target));
  if (ours === theirs) return 'up to date';
  if (ours !== undefined && !(await history.isAncestor(ours, theirs))) {
    if (await history.isAncestor(theirs, ours)) return 'up to date';
    throw new ViewsyncError('REMOTE_MOVED', {
      message: `The live line of "${target.name}" went two ways: this clone recorded states that the remote does not have, and the remote others. Nothing was changed.`,
      suggestions: [`git update-ref refs/viewsync-aside/${target.name} ${ours} && git update-ref ${liveRef(target)} ${theirs}`],
    });
  }
  await history.moveRef(liveRef(target), theirs, ours);
  return 'moved';
}

/** Pushes the given refs in one atomic push. `REMOTE_MOVED` when the remote is ahead, `REMOTE_FAILED` when there is none. */
export async function pushLines({ history }: Project, refs: readonly string[]): Promise<void> {
  const remote = await history.remoteOf((await history.head()).branch);
  if (remote === undefined) {
    throw new ViewsyncError('REMOTE_FAILED', { message: 'There is no remote to push to. The commits are in this repository.', suggestions: ['git remote add origin URL'] });
  }
  const tips = await Promise.all(refs.map(async (ref) => ({ ref, commit: await history.tip(ref) })));
  const pushed = tips.flatMap(({ ref, commit }) => (commit === undefined ? [] : [{ ref, commit }]));
  if ((await history.push(remote, pushed)) === 'pushed') return;
  throw new ViewsyncError('REMOTE_MOVED', {
    message: `The remote "${remote}" has commits that this clone does not have. Nothing was pushed; the commits are in this repository.`,
    suggestions: ['git pull --rebase', 'viewsync export --push'],
  });
}
