import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import { isUnderWay, journalled, undoInterrupted } from './follow-journal.ts';
import { runGit, whenFree } from './git-process.ts';
import type { EditedFile, ObjectId } from './history.ts';
import { commonFolder, indexLine, listChanges, readIndex, type TreeChange, writeIndex } from './index-entries.ts';
import { openPorcelain } from './porcelain.ts';
import { whileLocked } from './ref-transaction.ts';
import { type Repository, readHead } from './repository.ts';
import { readBytes } from './work-tree-files.ts';

/** A repository with files. */
export type WorkTree = Repository & { readonly root: string };

/** Files below a folder whose content in work tree or index differs from HEAD, after taking back what a killed run left there. */
export async function listEdited(tree: WorkTree, folder: string): Promise<readonly EditedFile[]> {
  if (isUnderWay(tree)) await undoLocked(tree);
  const porcelain = await openPorcelain(tree);
  const status = await porcelain.status(['--untracked-files=all', '--no-renames', '--ignore-submodules', '--', folder || '.']);
  return Promise.all(status.files.map(async ({ path, index }) => ({ path, text: await readText(tree, path), isTracked: index !== '?' })));
}

/** A run that is still at work holds the lock of its branch, so this waits for it. */
async function undoLocked(tree: WorkTree): Promise<void> {
  const { branch = 'HEAD', commit } = await readHead(tree);
  await whileLocked(tree, { ref: branch, at: commit }, () => undoInterrupted(tree));
}

/**
 * Brings index and work tree from one tree to another, for the paths that differ between the two and no others, and leaves
 * the journal open until the ref has moved. A path that already holds the new bytes is taken over. The caller holds the lock
 * of the branch. `PATH_TAKEN` when one is edited otherwise; then nothing has changed.
 */
export async function followTree(tree: WorkTree, from: ObjectId, to: ObjectId): Promise<void> {
  if (isUnderWay(tree)) await undoInterrupted(tree);
  const changes = from === to ? [] : await listChanges(tree, from, to);
  if (changes.length === 0) return;
  const ours = await takeOver(tree, changes);
  const before = await readIndex(
    tree,
    ours.map(({ path }) => path),
  );
  const takenOver = Object.fromEntries(ours.map(({ path }, index) => [path, before[index] ?? '']));
  await journalled(tree, { from, to, takenOver }, async () => {
    await writeIndex(
      tree,
      ours.map((change) => indexLine(tree, change.path, change.to)),
    );
    await readTree(tree, from, to);
    if (ours.length > 0) await refreshIndex(tree);
  });
}

/** Has git look at files whose times differ from those that it noted: they may hold the same bytes. */
async function refreshIndex(tree: WorkTree): Promise<void> {
  await runGit(tree, ['update-index', '-q', '--refresh'], { accept: [0, 1] });
}

/** Copied with its repository or written anew with the same bytes, a file looks edited until git has looked at it; edited ones were refused before. */
async function onceMoreWhenRefreshed(tree: WorkTree, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof ViewsyncError) || error.code !== 'PATH_TAKEN') throw error;
    await refreshIndex(tree);
    await work();
  }
}

/** `git read-tree -m` sees a path that the index already holds as wanted, and lets its file alone. */
async function readTree(tree: WorkTree, from: ObjectId, to: ObjectId): Promise<void> {
  await onceMoreWhenRefreshed(tree, () => whenFree(async () => void (await runGit(tree, ['read-tree', '-m', '-u', '--no-recurse-submodules', from, to]))));
}

/** The changes whose files already are as they will be, although git does not know. */
async function takeOver(tree: WorkTree, changes: readonly TreeChange[]): Promise<readonly TreeChange[]> {
  const edited = new Set(await listDirty(tree, commonFolder(changes.map((change) => change.path))));
  const touched = changes.filter(({ path, from }) => edited.has(path) || (from === undefined && exists(tree, path)));
  for (const { path, to } of touched) {
    if ((await hashFile(tree, path)) !== to?.id) throw pathTaken(path);
  }
  return touched;
}

async function listDirty(tree: WorkTree, folder: string): Promise<readonly string[]> {
  const args = ['status', '--porcelain', '-z', '--no-renames', '--ignore-submodules', '--untracked-files=no', '--', folder || '.'];
  const records = (await runGit(tree, args)).stdout.toString().split('\0');
  return records.map((record) => record.slice(3));
}

function exists(tree: WorkTree, path: string): boolean {
  return lstatSync(join(tree.root, path), { throwIfNoEntry: false }) !== undefined;
}

/** The id that the file's bytes have as a blob; undefined when there is no file, and no id at all for what is no regular file. */
async function hashFile(tree: WorkTree, path: string): Promise<ObjectId | undefined> {
  const bytes = await readBytes(tree.root, path);
  if (bytes === 'no file') return undefined;
  return bytes === 'no regular file' ? bytes : hashBlob(tree, bytes);
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

/** The refusal to write over a file that somebody else made or changed. */
export function pathTaken(path: string): ViewsyncError {
  return new ViewsyncError('PATH_TAKEN', {
    message: `The file "${path}" holds changes of your own that the commit would overwrite. Nothing changed.`,
    suggestions: [`git status -- "${path}"`, 'Commit, move or discard that file, then run the command again.'],
    details: { path },
  });
}
