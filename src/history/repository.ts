import { askGit, type Environment, type Place, runGit } from './git-process.ts';
import type { Commit, Head, ObjectId } from './history.ts';

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
  const { exitCode, stdout } = await runGit(place, ['rev-parse', ...facts, '--show-toplevel', '--show-prefix'], { accept: [0, 128] });
  const [gitDirectory = '', hash, , root, prefix = ''] = stdout.toString().split('\n');
  if (exitCode !== 0 || root === undefined) return findBare(place);
  return { environment, gitDirectory, hash: hashOf(hash), directory: root, root, prefix: prefix.replace(/\/$/, '') };
}

const facts = ['--absolute-git-dir', '--show-object-format', '--is-inside-work-tree'];

const hashOf = (name: string | undefined) => (name === 'sha256' ? 'sha256' : 'sha1');

/** A repository without a work tree, or the reason why there is none. */
async function findBare(place: Place): Promise<Repository> {
  const [gitDirectory = '', hash] = (await askGit(place, ['rev-parse', ...facts])).split('\n');
  return { environment: place.environment, gitDirectory, hash: hashOf(hash), directory: gitDirectory, root: undefined, prefix: '' };
}

/** The id that stands for "nothing" in this repository. */
export function zeroId(repository: Repository): ObjectId {
  return '0'.repeat(repository.hash === 'sha256' ? 64 : 40);
}

/** The id of the tree without entries, written to the repository. */
export function emptyTree(repository: Repository): Promise<ObjectId> {
  return askGit(repository, ['hash-object', '-t', 'tree', '-w', '--stdin']);
}

const trees = new WeakMap<Place, Map<ObjectId, ObjectId>>();

/** Remembers the tree of a commit, which is the same for ever. */
export function learnTree(place: Place, { id, tree }: Pick<Commit, 'id' | 'tree'>): void {
  const known = trees.get(place) ?? new Map();
  trees.set(place, known.set(id, tree));
}

/** The tree of a commit. */
export async function treeOf(repository: Repository, commit: ObjectId): Promise<ObjectId> {
  const known = trees.get(repository)?.get(commit);
  if (known !== undefined) return known;
  const tree = await askGit(repository, ['rev-parse', '--verify', `${commit}^{tree}`]);
  learnTree(repository, { id: commit, tree });
  return tree;
}

export async function readHead(repository: Repository): Promise<Head> {
  const { exitCode, stdout } = await runGit(repository, ['rev-parse', 'HEAD^{commit}', '--symbolic-full-name', 'HEAD'], { accept: [0, 128] });
  const [commit = '', name = ''] = stdout.toString().trimEnd().split('\n');
  if (exitCode === 0 && name === 'HEAD') return { commit };
  if (exitCode === 0 && name.startsWith('refs/heads/')) return { branch: name, commit };
  return readUnusualHead(repository);
}

/** A branch without a commit, or a HEAD that is something else to git, too. */
async function readUnusualHead(repository: Repository): Promise<Head> {
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
