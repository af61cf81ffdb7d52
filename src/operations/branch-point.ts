import { ViewsyncError } from '../errors.ts';
import { trailerOf } from '../history/commit-text.ts';
import type { Head, ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { liveRef } from './live-line.ts';
import { askRemote, type FetchOutcome, fetchLiveLine, followLiveLine, noRemote, type RemoteState, remoteMoved } from './remote-lines.ts';
import { trailerKeys } from './trailer-keys.ts';

export interface PushOptions {
  readonly push: 'push' | 'keep';
  /** Short name of the branch on the remote; needed where HEAD is detached, and only there. */
  readonly pushedBranch?: string;
}

/** Where the next commit on the branch is made. */
export interface BranchPoint {
  /** The branch here, and the commit to build on. */
  readonly head: Head;
  /** `commit`: the files of that commit alone, since the branch here stands elsewhere and cannot follow. */
  readonly files: 'work tree' | 'commit';
  /** Where to push; undefined: nowhere. */
  readonly remote?: RemoteState & { readonly ref: string };
  /** Why nothing can be pushed although it was asked for. */
  readonly failure?: ViewsyncError;
  readonly fetched: FetchOutcome;
  /** For people: why the branch here does not follow. */
  readonly note?: string;
}

/** The full name of the branch to push to. `USAGE` when HEAD is detached and none is named, or another one than HEAD's. */
function nameBranch({ branch }: Head, named: string | undefined): string {
  const wanted = named === undefined ? branch : `refs/heads/${named}`;
  if (wanted !== undefined && (branch === undefined || branch === wanted)) return wanted;
  const [message, suggestion] =
    branch === undefined
      ? ['HEAD is detached, so it has to be said which branch to push to.', '--branch main']
      : [`"${branch.replace('refs/heads/', '')}" is checked out, and --branch names another one.`, `git switch ${named}`];
  throw new ViewsyncError('USAGE', { message: `${message} Nothing was changed.`, suggestions: [suggestion] });
}

/**
 * Looks at the remote and brings the branch and the live line here up to it where that is a fast-forward. What somebody has committed and
 * not pushed stays theirs: the next commit is then made on the remote's tip. `USAGE`, `REMOTE_MOVED`.
 */
export async function chooseBranchPoint(project: Project, target: Target, options: PushOptions): Promise<BranchPoint> {
  const head = await project.history.head();
  if (options.push === 'keep') return { head, files: 'work tree', fetched: await fetchLiveLine(project, target, 'write', head) };
  const ref = nameBranch(head, options.pushedBranch);
  try {
    const remote = await askRemote(project, target, ref);
    if (remote === undefined) return { head, files: 'work tree', fetched: 'no remote', failure: noRemote() };
    const fetched = await followLiveLine(project, target, { theirs: remote.live, purpose: 'write' });
    return { ...(await standOn(project, head, remote)), remote: { ...remote, ref }, fetched };
  } catch (error) {
    if (!(error instanceof ViewsyncError) || error.code !== 'REMOTE_FAILED') throw error;
    return { head, files: 'work tree', fetched: { failed: error.message }, failure: error };
  }
}

type Stand = Pick<BranchPoint, 'head' | 'files' | 'note'>;

async function standOn(project: Project, head: Head, { name, branch: theirs }: RemoteState): Promise<Stand> {
  const { history } = project;
  const here: Stand = { head, files: 'work tree' };
  if (theirs === undefined || theirs === head.commit) return here;
  const there: Stand = { head: { ...head, commit: theirs }, files: 'commit' };
  if (head.commit === undefined || (await history.isAncestor(head.commit, theirs))) {
    const hindrance = await follow(project, head, theirs);
    return hindrance === undefined ? { ...there, files: 'work tree' } : { ...there, note: hindrance };
  }
  if (await isOurs(project, head.commit, theirs)) return here;
  return {
    ...there,
    note: `The branch here has commits that "${name}" does not have; they were not pushed, and the commit was made on the branch there: git pull.`,
  };
}

/** Whether everything from the commit down to the remote's tip was written by a run, and can go along. */
async function isOurs({ history }: Project, commit: ObjectId, theirs: ObjectId): Promise<boolean> {
  for await (const next of history.reader.listCommits({ from: commit })) {
    if (next.id === theirs) return true;
    if (trailerOf(next, trailerKeys.live) === undefined || next.parents.length > 1) return false;
  }
  return false;
}

/** Fast-forwards the branch here; why not, where what the user is in the middle of stands against it. */
async function follow({ history }: Project, head: Head, to: ObjectId): Promise<string | undefined> {
  try {
    await history.moveRef(head.branch ?? 'HEAD', to, head.commit);
    return undefined;
  } catch (error) {
    const hindrances = ['PATH_TAKEN', 'MERGE_IN_PROGRESS', 'BRANCH_ELSEWHERE', 'BRANCH_MOVED'];
    if (!(error instanceof ViewsyncError) || !hindrances.includes(error.code)) throw error;
    return `The branch here could not follow the one on the remote: ${error.message}`;
  }
}

/** Commits that no ref leads to yet. */
export interface Unpublished {
  readonly live: ObjectId | undefined;
  /** Where the live line stood. */
  readonly from: ObjectId | undefined;
  readonly commit: ObjectId | undefined;
}

/** Takes over what was written: the live line always, the branch where its files are the ones here. */
async function settleRefs(project: Project, target: Target, { point, written }: { point: BranchPoint; written: Unpublished }): Promise<string | undefined> {
  const { live, from, commit } = written;
  if (live !== undefined && live !== from) await project.history.moveRef(liveRef(target), live, from);
  return commit === undefined || point.files === 'commit' ? point.note : follow(project, point.head, commit);
}

export interface Published {
  readonly pushed: boolean;
  readonly notes: readonly string[];
}

/**
 * One atomic push of branch and live line; the refs here follow when it has landed, and also when the remote cannot be reached or refuses.
 * `REMOTE_MOVED` with nothing changed when somebody was faster, `REMOTE_FAILED` when what was written is only here.
 */
export async function publish(project: Project, target: Target, { point, written }: { point: BranchPoint; written: Unpublished }): Promise<Published> {
  const { remote } = point;
  if (remote === undefined) {
    if (point.failure) throw notPushed(point.failure);
    return { pushed: false, notes: [] };
  }
  const wanted = [
    { ref: remote.ref, commit: written.commit ?? point.head.commit, there: remote.branch },
    { ref: liveRef(target), commit: written.live, there: remote.live },
  ];
  const refs = wanted.flatMap(({ ref, commit, there }) => (commit === undefined || commit === there ? [] : [{ ref, commit }]));
  const settle = () => settleRefs(project, target, { point, written });
  if (refs.length > 0) await push(project, { refs, remote: remote.name, settle });
  const note = await settle();
  return { pushed: refs.length > 0, notes: note === undefined ? [] : [note] };
}

interface Push {
  readonly refs: Parameters<Project['history']['push']>[1];
  readonly remote: string;
  readonly settle: () => Promise<unknown>;
}

async function push({ history }: Project, { refs, remote, settle }: Push): Promise<void> {
  const outcome = await history.push(remote, refs).catch(async (error: unknown) => {
    await settle();
    throw error instanceof ViewsyncError ? notPushed(error) : error;
  });
  if (outcome === 'moved') throw remoteMoved(remote);
}

// What hosts say to a push to a branch that takes pull requests alone: GH006 and GH013 of GitHub, GitLab, Bitbucket, Azure.
const isProtected = /GH0(?:06|13)|protected branch|pre-receive hook declined|TF40\d{4}/i;

function notPushed(cause: ViewsyncError): ViewsyncError {
  const aside = isProtected.test(cause.message) ? ['Where the branch takes pull requests alone: git switch --create views, then viewsync export --push'] : [];
  return new ViewsyncError(cause.code, {
    message: `What was read is recorded in this repository, but not pushed: ${cause.message}`,
    suggestions: [...cause.suggestions, 'viewsync export --push', ...aside],
    details: cause.details,
    cause,
  });
}
