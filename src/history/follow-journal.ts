import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainFailure } from './git-failure.ts';
import { askGit, runGit, whenFree } from './git-process.ts';
import { gitReader } from './git-reader.ts';
import type { ObjectId } from './history.ts';
import { indexLine, listChanges, readIndex, type TreeChange, writeIndex } from './index-entries.ts';
import type { WorkTree } from './work-tree.ts';
import { readBytes } from './work-tree-files.ts';

/** A work tree on its way from one tree to another. */
export interface Journal {
  readonly from: ObjectId;
  readonly to: ObjectId;
  /** The paths whose files were the user's own already, with the line that the index had for each. */
  readonly takenOver: Readonly<Record<string, string>>;
}

/** Whether a run was killed while it brought the work tree from one tree to another, or is at it now. */
export function isUnderWay(tree: WorkTree): boolean {
  return existsSync(journalPath(tree));
}

/** Does `action`, which brings the work tree from one tree to another, and takes it back when it fails, or by `undoInterrupted` when it is killed. */
export async function journalled(tree: WorkTree, journal: Journal, action: () => Promise<void>): Promise<void> {
  writeFileSync(journalPath(tree), JSON.stringify(journal));
  try {
    await action();
  } catch (error) {
    // Where not even this can be done, such as on a full disk, the journal stays for the next run.
    await undo(tree, journal).then(
      () => closeJournal(tree, journal.to),
      () => undefined,
    );
    throw error;
  }
}

/** Ends what `journalled` began, once the ref has moved to `to` or the work tree is back where it was; another run's stays. */
export function closeJournal(tree: WorkTree, to: ObjectId): void {
  if (readJournal(tree)?.to === to) rmSync(journalPath(tree), { force: true });
}

/**
 * Takes back what a killed run did to index and work tree: paths that hold its bytes, or the beginning of them, since git
 * truncates a file before it writes it. Everything else there is the user's. The caller holds the lock of the branch.
 */
export async function undoInterrupted(tree: WorkTree): Promise<void> {
  const journal = readJournal(tree);
  // A git that outlived the run that started it may still be writing files.
  await whenFree(async () => refuseLocked(tree));
  if (journal !== undefined && (await headTree(tree)) === journal.from) await undo(tree, journal);
  rmSync(journalPath(tree), { force: true });
}

function refuseLocked(tree: WorkTree): void {
  const path = join(tree.gitDirectory, 'index.lock');
  if (existsSync(path)) throw explainFailure('read-tree', `Unable to create '${path}': File exists`);
}

async function undo(tree: WorkTree, journal: Journal): Promise<void> {
  const changes = await listChanges(tree, journal.from, journal.to);
  const written = await gitReader(tree).readBlobs(changes.flatMap(({ to }) => (to === undefined ? [] : [to.id])));
  const isOurs = await Promise.all(changes.map(({ path, to }) => holdsBeginning(tree, path, written.get(to?.id ?? ''))));
  const ours = changes.filter(({ path }, index) => isOurs[index] && journal.takenOver[path] === undefined);
  await undoIndex(tree, changes, journal);
  for (const { path, from } of ours) if (from === undefined) rmSync(join(tree.root, path), { force: true });
  await checkOut(
    tree,
    ours.flatMap(({ path, from }) => (from === undefined ? [] : [path])),
  );
}

/** Puts back what the index had, except where the user has staged something since. */
async function undoIndex(tree: WorkTree, changes: readonly TreeChange[], { takenOver }: Journal): Promise<void> {
  const now = await readIndex(
    tree,
    changes.map(({ path }) => path),
  );
  const moved = changes.filter(({ path, to }, index) => now[index] === indexLine(tree, path, to));
  await writeIndex(
    tree,
    moved.map(({ path, from }) => takenOver[path] ?? indexLine(tree, path, from)),
  );
}

async function checkOut(tree: WorkTree, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const args = ['checkout-index', '--force', '--index', '-z', '--stdin'];
  await whenFree(() => runGit(tree, args, { input: `${paths.join('\0')}\0` }));
}

/** Whether the file holds what was to be written there, or its beginning. */
async function holdsBeginning(tree: WorkTree, path: string, written: string | undefined): Promise<boolean> {
  const bytes = await readBytes(tree.root, path);
  if (bytes === 'no file') return true;
  if (bytes === 'no regular file' || written === undefined) return false;
  return Buffer.from(written).subarray(0, bytes.length).equals(bytes);
}

/** Undefined when there is none, or when its writer was killed before it had touched anything. */
function readJournal(tree: WorkTree): Journal | undefined {
  try {
    return JSON.parse(readFileSync(journalPath(tree), 'utf8')) as Journal;
  } catch {
    return undefined;
  }
}

async function headTree(tree: WorkTree): Promise<ObjectId> {
  const found = await askGit(tree, ['rev-parse', '--verify', '--quiet', 'HEAD^{tree}'], { accept: [0, 1] });
  return found || askGit(tree, ['hash-object', '-t', 'tree', '--stdin']);
}

function journalPath(tree: WorkTree): string {
  return join(tree.gitDirectory, 'viewsync-journal');
}
