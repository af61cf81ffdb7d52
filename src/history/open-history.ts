import { ViewsyncError } from '../errors.ts';
import { readAttributes } from './attributes.ts';
import { askGit, type Environment } from './git-process.ts';
import { gitReader } from './git-reader.ts';
import type { History } from './history.ts';
import { type Interruption, neverInterrupted } from './interruption.ts';
import { moveRef } from './move-ref.ts';
import { record, requireRecordable } from './record.ts';
import { fetchRefs, pushRefs, remoteOf } from './remotes.ts';
import { findRepository, isAncestor, type Repository, readHead, readTip } from './repository.ts';
import { listCarriers } from './trailers.ts';
import { listEdited, type WorkTree } from './work-tree.ts';
import { writeCommit } from './write-commit.ts';
import { writeFiles } from './write-files.ts';

/**
 * The history that a folder belongs to. Without a git command it can be read but not written: commits, trees and files, and every
 * other member raises `GIT_MISSING`. An interruption waits until refs, index and work tree agree. `NOT_A_REPOSITORY`, `REPOSITORY_NOT_TRUSTED`.
 */
export async function openHistory(directory: string, environment: Environment, interruption: Interruption = neverInterrupted): Promise<History> {
  try {
    return gitHistory(await findRepository(directory, environment), interruption);
  } catch (error) {
    if (!(error instanceof ViewsyncError) || error.code !== 'GIT_MISSING') throw error;
    const { readOnlyHistory } = await import('./read-only-history.ts');
    return readOnlyHistory(directory);
  }
}

function gitHistory(repository: Repository, { complete }: Interruption): History {
  return {
    reader: gitReader(repository),
    root: repository.root,
    prefix: repository.prefix,
    identity: async () => (await askGit(repository, ['var', 'GIT_COMMITTER_IDENT'])).replace(/ \d+ [-+]\d+$/, ''),
    head: () => readHead(repository),
    tip: (ref) => readTip(repository, ref),
    listEdited: async (folder) => (repository.root === undefined ? [] : complete(() => listEdited(repository as WorkTree, folder))),
    record: (request) => complete(() => record(repository, request)),
    requireRecordable: (ref) => requireRecordable(repository, ref),
    write: (request) => writeCommit(repository, request),
    writeFiles: (changes) => writeFiles(repository.root, changes),
    listCarriers: (from, line) => listCarriers(repository, { from, line }),
    readAttributes: (paths) => readAttributes(repository, paths),
    remoteOf: (branch) => remoteOf(repository, branch),
    fetch: (request) => fetchRefs(repository, request),
    push: (remote, refs) => pushRefs(repository, remote, refs),
    isShallow: async () => (await askGit(repository, ['rev-parse', '--is-shallow-repository'])) === 'true',
    isAncestor: (ancestor, descendant) => isAncestor(repository, ancestor, descendant),
    moveRef: (ref, to, from) => complete(() => moveRef(repository, { ref, to, from, reason: 'viewsync: fast-forward' })),
  };
}
