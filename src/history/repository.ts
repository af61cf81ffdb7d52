import { askGit, type Environment, type Place, runGit } from './git-process.ts';
import type { Head, ObjectId } from './history.ts';

/** A repository as git found it. Its `directory` is the root of the work tree, or the git directory where there is none. */
export interface Repository extends Place {
  /** Of this work tree: `.git`, or `.git/worktrees/<name>` of a linked one. */
  readonly gitDirectory: string;
  readonly root: string | undefined;
  readonly prefix: string;
  /** The hash function of its ids, by its name in node:crypto. */
  readonly hash: 'sha1' | 'sha256';
}

/** The repository that a folder belongs to. `NOT_A_REPOSITORY`, `REPOSITORY_NOT_TRUSTED`, `GIT_MISSING`. */
export async function findRepository(directory: string, environment: Environment): Promise<Repository> {
  const place = { directory, environment };
  const facts = await askGit(place, ['rev-parse', '--absolute-git-dir', '--show-object-format', '--is-inside-work-tree']);
  const [gitDirectory = '', hash, inside] = facts.split('\n');
  const found = { environment, gitDirectory, hash: hash === 'sha256' ? 'sha256' : 'sha1' } as const;
  if (inside !== 'true') return { ...found, directory: gitDirectory, root: undefined, prefix: '' };
  const [root, prefix] = await Promise.all([askGit(place, ['rev-parse', '--show-toplevel']), askGit(place, ['rev-parse', '--show-prefix'])]);
  return { ...found, directory: root, root, prefix: prefix.replace(/\/$/, '') };
}

/** The id that stands for "nothing" in this repository. */
export function zeroId(repository: Repository): ObjectId {
  return '0'.repeat(repository.hash === 'sha256' ? 64 : 40);
}

/** The id of the tree without entries, written to the repository. */
export function emptyTree(repository: Repository): Promise<ObjectId> {
  return askGit(repository, ['hash-object', '-t', 'tree', '-w', '--stdin']);
}

export async function readHead(repository: Repository): Promise<Head> {
  const [branch, commit] = await Promise.all([askGit(repository, ['symbolic-ref', '--quiet', 'HEAD'], { accept: [0, 1] }), readTip(repository, 'HEAD')]);
  return { ...(branch === '' ? {} : { branch }), ...(commit === undefined ? {} : { commit }) };
}

/** Where a ref, given by its full name, stands. */
export async function readTip(repository: Repository, ref: string): Promise<ObjectId | undefined> {
  const tip = await askGit(repository, ['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], { accept: [0, 1] });
  return tip === '' ? undefined : tip;
}

export async function isAncestor(repository: Repository, ancestor: ObjectId, descendant: ObjectId): Promise<boolean> {
  const { exitCode } = await runGit(repository, ['merge-base', '--is-ancestor', ancestor, descendant], { accept: [0, 1] });
  return exitCode === 0;
}
