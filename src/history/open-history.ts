import { ViewsyncError } from '../errors.ts';
import { gitReader } from './git-reader.ts';
import type { Environment } from './git-process.ts';
import type { History } from './history.ts';
import { moveRef } from './move-ref.ts';
import { record } from './record.ts';
import { findRepository, isAncestor, readHead, readTip, type Repository } from './repository.ts';
import { findTrailer } from './trailers.ts';
import { writeFiles } from './write-files.ts';
import { listEdited, type WorkTree } from './work-tree.ts';

/**
 * The history that a folder belongs to. Without a git command it can be read but not written: commits, trees and files, and every
 * other member raises `GIT_MISSING`. `NOT_A_REPOSITORY`, `REPOSITORY_NOT_TRUSTED`.
 */
export async function openHistory(directory: string, environment: Environment = process.env): Promise<History> {
  try {
    return gitHistory(await findRepository(directory, environment));
  } catch (error) {
    if (!(error instanceof ViewsyncError) || error.code !== 'GIT_MISSING') throw error;
    const { readOnlyHistory } = await import('./read-only-history.ts');
    return readOnlyHistory(directory);
  }
}

function gitHistory(repository: Repository): History {
  return {
    reader: gitReader(repository),
    root: repository.root,
    prefix: repository.prefix,
    head: () => readHead(repository),
    tip: (ref) => readTip(repository, ref),
    listEdited: async (folder) => (repository.root === undefined ? [] : listEdited(repository as WorkTree, folder)),
    record: (request) => record(repository, request),
    writeFiles: (changes) => writeFiles(repository.root, changes),
    findTrailer: (from, key, where = {}) => findTrailer(repository, { from, key, where }),
    remoteOf: async (branch) => (await loadRemotes()).remoteOf(repository, branch),
    fetch: async (request) => (await loadRemotes()).fetchRefs(repository, request),
    push: async (remote, refs) => (await loadRemotes()).pushRefs(repository, remote, refs),
    isAncestor: (ancestor, descendant) => isAncestor(repository, ancestor, descendant),
    moveRef: (ref, to, from) => moveRef(repository, { ref, to, from, reason: 'viewsync: fast-forward' }),
  };
}

/** simple-git comes with it, whose import takes longer than most git commands. */
function loadRemotes(): Promise<typeof import('./remotes.ts')> {
  return import('./remotes.ts');
}
