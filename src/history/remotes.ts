import type { GitError, SimpleGit } from 'simple-git';
import { ViewsyncError } from '../errors.ts';
import { explainFailure, telling, withoutCredentials } from './git-failure.ts';
import type { ObjectId, PushedRef, RemoteRequest } from './history.ts';
import { openPorcelain } from './porcelain.ts';
import type { Repository } from './repository.ts';

/** `History.remoteOf`. */
export async function remoteOf(repository: Repository, branch: string | undefined): Promise<string | undefined> {
  const porcelain = await openPorcelain(repository);
  const settings = (await porcelain.listConfig()).all;
  const isRemote = (name: string) => Object.keys(settings).some((key) => key.startsWith(`remote.${name}.`));
  const own = [settings[`branch.${branch?.replace(/^refs\/heads\//, '')}.remote`]].flat().at(-1);
  return [own, 'origin'].find((name): name is string => name !== undefined && isRemote(name));
}

/** `History.fetch`. */
export async function fetchRefs(repository: Repository, request: RemoteRequest): Promise<ReadonlyMap<string, ObjectId>> {
  const porcelain = await openPorcelain(repository);
  return reaching(request.remote, async () => {
    const found = await listRemote(porcelain, request);
    if (found.size === 0) return found;
    const targets = [...found.keys()].map((ref) => `+${ref}:${trackingRef(request.remote, ref)}`);
    await porcelain.raw(['fetch', '--no-tags', '--no-write-fetch-head', ...(await deepening(porcelain)), request.remote, ...targets]);
    return readTracked(porcelain, request.remote, [...found.keys()]);
  });
}

/** `History.push`. */
export async function pushRefs(repository: Repository, remote: string, refs: readonly PushedRef[]): Promise<'pushed' | 'moved'> {
  const porcelain = await openPorcelain(repository);
  const targets = refs.map(({ ref, commit }) => `${commit}:${ref}`);
  try {
    await porcelain.raw(['push', '--atomic', '--porcelain', remote, ...targets]);
    return 'pushed';
  } catch (error) {
    if (hasMoved(error)) return 'moved';
    throw explainRemote(remote, error);
  }
}

/** Where the user's own refs never are: `refs/viewsync-remote/origin/heads/main`. */
function trackingRef(remote: string, ref: string): string {
  return `refs/viewsync-remote/${remote}/${ref.replace(/^refs\//, '')}`;
}

async function listRemote(porcelain: SimpleGit, request: RemoteRequest): Promise<ReadonlyMap<string, ObjectId>> {
  const listing = await porcelain.raw(['ls-remote', request.remote, ...request.refs]);
  const found = listing.split('\n').map((line) => line.split('\t'));
  // ls-remote matches the end of names, so refs/heads/main is found as refs/mirror/refs/heads/main too.
  return new Map(found.flatMap(([id, ref]) => (id && ref && request.refs.includes(ref) ? [[ref, id] as const] : [])));
}

async function deepening(porcelain: SimpleGit): Promise<readonly string[]> {
  const isShallow = await porcelain.revparse(['--is-shallow-repository']);
  return isShallow === 'true' ? ['--unshallow'] : [];
}

async function readTracked(porcelain: SimpleGit, remote: string, refs: readonly string[]): Promise<ReadonlyMap<string, ObjectId>> {
  const ids = await Promise.all(refs.map((ref) => porcelain.revparse(['--verify', trackingRef(remote, ref)])));
  return new Map(refs.map((ref, index) => [ref, ids[index] ?? '']));
}

/** A ref of the remote is ahead, or was moved while we pushed. */
function hasMoved(error: unknown): boolean {
  const refusal =
    /\((?:non-fast-forward|fetch first|needs force|stale info|already exists)\)|incorrect old value|cannot lock ref|reference already exists|failed to update ref/;
  return isGitError(error) && refusal.test(error.message);
}

async function reaching<Result>(remote: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw explainRemote(remote, error);
  }
}

function explainRemote(remote: string, error: unknown): unknown {
  if (!isGitError(error)) return error;
  const known = explainFailure('remote', error.message);
  if (known.code !== 'GIT_FAILED' && known.code !== 'NOT_A_REPOSITORY') return known;
  const words = telling(withoutCredentials(error.message));
  return new ViewsyncError('REMOTE_FAILED', {
    message: `The remote "${remote}" could not be reached or refused: ${words}. Nothing changed there.`,
    suggestions: [`git ls-remote ${remote}`, `git remote get-url ${remote}`],
    details: { stderr: withoutCredentials(error.message) },
  });
}

/** What simple-git raises; asking its class would load the library with every command. */
function isGitError(error: unknown): error is GitError {
  return error instanceof Error && 'task' in error;
}
