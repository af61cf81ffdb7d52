import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import { askGit, runGit, whenFree } from './git-process.ts';
import type { EditedFile, ObjectId } from './history.ts';
import { openPorcelain } from './porcelain.ts';
import { type Repository, zeroId } from './repository.ts';

/** A repository with files. */
export type WorkTree = Repository & { readonly root: string };

/** What a path becomes when one tree follows another. */
interface TreeChange {
  readonly path: string;
  readonly isNew: boolean;
  readonly mode: string;
  /** Undefined when the path is deleted. */
  readonly id: ObjectId | undefined;
}

/** Files below a folder whose content in work tree or index differs from HEAD, by path. */
export async function listEdited(tree: WorkTree, folder: string): Promise<readonly EditedFile[]> {
  const porcelain = await openPorcelain(tree);
  const status = await porcelain.status(['--untracked-files=all', '--no-renames', '--ignore-submodules', '--', folder || '.']);
  return Promise.all(
    status.files.map(async ({ path, index }) => ({ path, text: await readText(tree, path), isTracked: index !== '?' })),
  );
}

/**
 * Brings index and work tree from one tree to another, for the paths that differ between the two and no others.
 * A path that already holds the new bytes is taken over. `PATH_TAKEN` when one is edited otherwise; then nothing has changed.
 */
export async function followTree(tree: WorkTree, from: ObjectId, to: ObjectId): Promise<void> {
  const changes = await listChanges(tree, from, to);
  if (changes.length === 0) return;
  const ours = await takeOver(tree, changes);
  const before = await readIndex(tree, ours);
  await writeIndex(tree, ours.map((change) => indexLine(tree, change)));
  try {
    await whenFree(() => runGit(tree, ['read-tree', '-m', '-u', '--no-recurse-submodules', from, to]));
  } catch (error) {
    await writeIndex(tree, before);
    throw error;
  }
  if (ours.length > 0) await runGit(tree, ['update-index', '-q', '--refresh'], { accept: [0, 1] });
}

async function listChanges(tree: WorkTree, from: ObjectId, to: ObjectId): Promise<readonly TreeChange[]> {
  const raw = (await runGit(tree, ['diff-tree', '-r', '-z', '--no-renames', from, to])).stdout.toString().split('\0');
  return raw.flatMap((header, index) => {
    const [, oldMode, mode, , id, status] = /^:(\d+) (\d+) (\w+) (\w+) ([A-Z])/.exec(header) ?? [];
    if (mode === undefined) return [];
    return [{ path: raw[index + 1] ?? '', isNew: oldMode === '000000', mode, id: status === 'D' ? undefined : id }];
  });
}

/** The changes whose files already are as they will be, although git does not know. */
async function takeOver(tree: WorkTree, changes: readonly TreeChange[]): Promise<readonly TreeChange[]> {
  const edited = new Set((await listDirty(tree, commonFolder(changes.map((change) => change.path)))));
  const touched = changes.filter((change) => edited.has(change.path) || (change.isNew && exists(tree, change.path)));
  for (const change of touched) {
    if ((await hashFile(tree, change.path)) !== change.id) throw pathTaken(change.path);
  }
  return touched;
}

async function listDirty(tree: WorkTree, folder: string): Promise<readonly string[]> {
  const args = ['status', '--porcelain', '-z', '--no-renames', '--ignore-submodules', '--untracked-files=no', '--', folder || '.'];
  const records = (await runGit(tree, args)).stdout.toString().split('\0');
  return records.map((record) => record.slice(3));
}

/** The deepest folder that holds all the paths; empty for the root. */
export function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split('/').slice(0, -1));
  const first = folders[0] ?? [];
  const length = first.findIndex((part, depth) => folders.some((folder) => folder[depth] !== part));
  return (length === -1 ? first : first.slice(0, length)).join('/');
}

function exists(tree: WorkTree, path: string): boolean {
  return lstatSync(join(tree.root, path), { throwIfNoEntry: false }) !== undefined;
}

/** The id that the file's bytes have as a blob; undefined when there is no file, and no id at all for what is no regular file. */
async function hashFile(tree: WorkTree, path: string): Promise<ObjectId | undefined> {
  const stat = lstatSync(join(tree.root, path), { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return stat.isFile() ? hashBlob(tree, await readFile(join(tree.root, path))) : 'no regular file';
}

/** The id of a blob with these contents. */
export function hashBlob(repository: Repository, contents: Buffer): ObjectId {
  return createHash(repository.hash).update(`blob ${contents.length}\0`).update(contents).digest('hex');
}

async function readText(tree: WorkTree, path: string): Promise<string | undefined> {
  try {
    return await readFile(join(tree.root, path), 'utf8');
  } catch {
    return undefined;
  }
}

/** https://git-scm.com/docs/git-update-index#_using_index_info: mode 0 removes the path. */
function indexLine(tree: WorkTree, change: Omit<TreeChange, 'isNew'>): string {
  if (change.id === undefined) return `0 ${zeroId(tree)}\t${change.path}`;
  return `${change.mode} ${change.id} 0\t${change.path}`;
}

/** What the index holds at the paths now, as lines that put it back. */
async function readIndex(tree: WorkTree, changes: readonly TreeChange[]): Promise<readonly string[]> {
  if (changes.length === 0) return [];
  const listing = await askGit(tree, ['ls-files', '--stage', '-z', '--', commonFolder(changes.map((each) => each.path)) || '.']);
  const lines = new Map(listing.split('\0').map((line) => [line.slice(line.indexOf('\t') + 1), line]));
  return changes.map(({ path }) => lines.get(path) ?? indexLine(tree, { path, mode: '0', id: undefined }));
}

async function writeIndex(tree: WorkTree, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await whenFree(() => runGit(tree, ['update-index', '-z', '--index-info'], { input: `${lines.join('\0')}\0` }));
}

/** The refusal to write over a file that somebody else made or changed. */
export function pathTaken(path: string): ViewsyncError {
  return new ViewsyncError('PATH_TAKEN', {
    message: `The file "${path}" holds changes of your own that the commit would overwrite. Nothing changed.`,
    suggestions: [`git status -- "${path}"`, 'Commit, move or discard that file, then run the command again.'],
    details: { path },
  });
}
