import { ViewsyncError } from '../errors.ts';
import { trailerOf } from '../history/commit-text.ts';
import type { Head, ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { liveRef } from './live-line.ts';
import { trailerKeys } from './trailer-keys.ts';

/** What became of asking the remote for the live line. */
export type FetchOutcome = 'no remote' | 'up to date' | 'moved' | { readonly failed: string };

/** Where a branch and a target's live line stand on a remote. */
export interface RemoteState {
  readonly name: string;
  readonly branch: ObjectId | undefined;
  readonly live: ObjectId | undefined;
}

/** Asks the remote that a branch follows; undefined when there is none. The commits are here afterwards. `REMOTE_FAILED`. */
export async function askRemote({ history }: Project, target: Target, branch: string | undefined): Promise<RemoteState | undefined> {
  const name = await history.remoteOf(branch);
  if (name === undefined) return undefined;
  const found = await history.fetch({ remote: name, refs: [liveRef(target), ...(branch === undefined ? [] : [branch])] });
  return { name, branch: found.get(branch ?? ''), live: found.get(liveRef(target)) };
}

/**
 * Takes over the remote's live line where it is ahead of ours. A remote that does not answer is no reason to stop: it is told in the
 * outcome. Where the line went two ways, only one who is about to `write` joins the two. `REMOTE_MOVED`.
 */
export async function fetchLiveLine(project: Project, target: Target, purpose: 'read' | 'write', head?: Head): Promise<FetchOutcome> {
  try {
    const { branch } = head ?? (await project.history.head());
    const remote = await askRemote(project, target, branch);
    return remote === undefined ? 'no remote' : await followLiveLine(project, target, { theirs: remote.live, purpose });
  } catch (error) {
    if (!(error instanceof ViewsyncError)) throw error;
    if (error.code === 'GIT_MISSING' && purpose === 'read') return 'no remote';
    if (error.code === 'REMOTE_FAILED') return { failed: error.message };
    throw error;
  }
}

/** Brings our live line to where it holds every state that the remote's holds. `REMOTE_MOVED`. */
export async function followLiveLine(
  project: Project,
  target: Target,
  { theirs, purpose }: { readonly theirs: ObjectId | undefined; readonly purpose: 'read' | 'write' },
): Promise<'up to date' | 'moved'> {
  const { history } = project;
  const ours = await history.tip(liveRef(target));
  if (theirs === undefined || ours === theirs) return 'up to date';
  if (ours !== undefined && (await history.isAncestor(theirs, ours))) return 'up to date';
  const isBehind = ours === undefined || (await history.isAncestor(ours, theirs));
  if (!isBehind && purpose === 'read') return 'up to date';
  await history.moveRef(liveRef(target), isBehind ? theirs : await joinLines(project, target, { ours, theirs }), ours);
  return 'moved';
}

/** A live commit behind both ends of a line that went two ways, so that every state that was live can still be reached by its id. */
async function joinLines(project: Project, target: Target, { ours, theirs }: { readonly ours: ObjectId; readonly theirs: ObjectId }): Promise<ObjectId> {
  const ends = await Promise.all([ours, theirs].map((end) => project.history.reader.readCommit(end)));
  if (ends.some((end) => trailerOf(end, trailerKeys.state) === 'started')) throw runOnOtherSide(target);
  const message = `${target.name}: join two lines of live states\n\n${trailerKeys.target}: ${target.name}\n`;
  return project.history.write({ parent: theirs, joined: [ours], changes: new Map(), message });
}

function runOnOtherSide(target: Target): ViewsyncError {
  return new ViewsyncError('REMOTE_MOVED', {
    message: `The live line of "${target.name}" went two ways, and one of them ends in a run that has not finished. Nothing was changed.`,
    suggestions: [`Run the command again when that run has ended: git log ${liveRef(target)}`],
  });
}

/** Pushes the live line alone, before anything is destroyed. `REMOTE_MOVED`, `REMOTE_FAILED`. */
export async function pushLiveLine({ history }: Project, target: Target): Promise<void> {
  const [remote, commit] = [await history.remoteOf((await history.head()).branch), await history.tip(liveRef(target))];
  if (remote === undefined) throw noRemote();
  if (commit === undefined || (await history.push(remote, [{ ref: liveRef(target), commit }])) === 'pushed') return;
  throw remoteMoved(remote);
}

export function noRemote(): ViewsyncError {
  return new ViewsyncError('REMOTE_FAILED', {
    message: 'There is no remote to push to. Nothing was pushed.',
    suggestions: ['git remote add origin URL', 'Leave out --push.'],
  });
}

export function remoteMoved(remote: string): ViewsyncError {
  return new ViewsyncError('REMOTE_MOVED', {
    message: `Others push to "${remote}" faster than we can follow. Nothing was pushed.`,
    suggestions: ['Run the command again.'],
  });
}
