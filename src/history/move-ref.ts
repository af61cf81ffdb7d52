import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import { closeJournal } from './follow-journal.ts';
import { askGit } from './git-process.ts';
import type { ObjectId } from './history.ts';
import { moveLocked, type RefMove } from './ref-transaction.ts';
import { emptyTree, type Repository, readHead, treeOf } from './repository.ts';
import { followTree, type WorkTree } from './work-tree.ts';

/**
 * Moves a ref by compare and swap. When it is what is checked out here, index and work tree follow while the ref is locked and
 * before it moves: with the branch moved and the index left behind, the user's next commit would revert ours.
 */
export async function moveRef(repository: Repository, move: RefMove): Promise<void> {
  const place = await placeOf(repository, move.ref);
  if (place.tree) return moveWithFiles(place.tree, { ...move, ref: place.ref });
  await moveLocked(repository, move, async () => undefined);
}

async function moveWithFiles(tree: WorkTree, move: RefMove): Promise<void> {
  const [from, to] = await treesOf(tree, move);
  await moveLocked(tree, move, () => followTree(tree, from, to));
  closeJournal(tree, to);
}

interface RefPlace {
  /** The name to move: what `HEAD` stands for when it is attached. */
  readonly ref: string;
  /** The work tree that shows the ref. */
  readonly tree?: WorkTree;
}

/** Where a ref is checked out. `BRANCH_ELSEWHERE`, `MERGE_IN_PROGRESS`. */
export async function placeOf(repository: Repository, name: string): Promise<RefPlace> {
  if (name !== 'HEAD' && !name.startsWith('refs/heads/')) return { ref: name };
  const head = await readHead(repository);
  const ref = name === 'HEAD' ? (head.branch ?? 'HEAD') : name;
  const isHere = repository.root !== undefined && ref === (head.branch ?? 'HEAD');
  await refuseElsewhere(repository, ref, isHere);
  if (!isHere) return { ref };
  refuseHalfDone(repository);
  return { ref, tree: repository as WorkTree };
}

function treesOf(repository: Repository, { from, to }: RefMove): Promise<readonly [ObjectId, ObjectId]> {
  return Promise.all([from === undefined ? emptyTree(repository) : treeOf(repository, from), treeOf(repository, to)]);
}

/** A linked work tree has its folder below that of the repository (https://git-scm.com/docs/gitrepository-layout). */
function isOnlyWorkTree({ gitDirectory }: Repository): boolean {
  return !existsSync(join(gitDirectory, 'commondir')) && !existsSync(join(gitDirectory, 'worktrees'));
}

async function refuseElsewhere(repository: Repository, ref: string, isHere: boolean): Promise<void> {
  if (isOnlyWorkTree(repository)) return;
  const blocks = (await askGit(repository, ['worktree', 'list', '--porcelain'])).split('\n\n').map((block) => block.split('\n'));
  const showing = blocks.filter((lines) => lines.includes(`branch ${ref}`) && !lines.some((line) => line.startsWith('prunable')));
  if (showing.length <= (isHere ? 1 : 0)) return;
  const elsewhere = showing.map((lines) => lines[0]?.replace(/^worktree /, '')).find((path) => path !== repository.root);
  throw new ViewsyncError('BRANCH_ELSEWHERE', {
    message: `"${ref}" is checked out in the work tree "${elsewhere}", whose files would be left behind. Nothing changed.`,
    suggestions: [`Run the command in "${elsewhere}".`, 'Check out another branch there.'],
    details: { ref, worktree: elsewhere },
  });
}

const halfDone = [
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
] as const;

function refuseHalfDone(repository: Repository): void {
  const found = halfDone.find(([file]) => existsSync(join(repository.gitDirectory, file)));
  if (!found) return;
  throw new ViewsyncError('MERGE_IN_PROGRESS', {
    message: `A ${found[1]} is in progress in this work tree. Nothing changed.`,
    suggestions: [`git ${found[1]} --continue`, `git ${found[1]} --abort`],
  });
}
