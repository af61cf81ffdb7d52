import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import { hasTrailers, trailerOf } from './commit-text.ts';
import { askGit } from './git-process.ts';
import { logCommits } from './git-reader.ts';
import type { Commit, History, ObjectId } from './history.ts';
import type { Repository } from './repository.ts';

export interface TrailerSearch {
  readonly from: ObjectId;
  readonly key: string;
  /** Trailers that the commit must carry too. */
  readonly where: Readonly<Record<string, string>>;
}

/** `History.findTrailer`, git handing over only the commits whose message has a line that looks like the trailer. */
export async function findTrailer(repository: Repository, search: TrailerSearch): ReturnType<History['findTrailer']> {
  const filter = ['--extended-regexp', '--regexp-ignore-case', `--grep=^${search.key}[ \t]*:`];
  const found = await firstWith(logCommits(repository, [...filter, '--end-of-options', search.from]), search);
  if (found === undefined && (await endsAtGraft(repository, search.from))) throw shallowHistory(search.key);
  return found;
}

/** The first of the commits that carries what is searched. */
export async function firstWith(commits: AsyncIterable<Commit>, { key, where }: TrailerSearch): ReturnType<History['findTrailer']> {
  for await (const commit of commits) {
    const value = trailerOf(commit, key);
    if (value !== undefined && hasTrailers(commit, where)) return { commit: commit.id, value };
  }
  return undefined;
}

async function endsAtGraft(repository: Repository, from: ObjectId): Promise<boolean> {
  const file = resolve(repository.directory, await askGit(repository, ['rev-parse', '--git-path', 'shallow']));
  if (!existsSync(file)) return false;
  const grafts = new Set((await readFile(file, 'utf8')).split('\n'));
  const roots = await askGit(repository, ['rev-list', '--max-parents=0', '--end-of-options', from]);
  return roots.split('\n').some((root) => grafts.has(root));
}

/** The refusal to take a history that was cut off for one that has no such commit. */
export function shallowHistory(key: string): ViewsyncError {
  return new ViewsyncError('SHALLOW_HISTORY', {
    message: `No commit with the trailer "${key}" was found, but this is a shallow clone: its history was cut off before one came. Nothing changed.`,
    suggestions: ['git fetch --unshallow', 'In a GitHub workflow, give actions/checkout "fetch-depth: 0".'],
  });
}
