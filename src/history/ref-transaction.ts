import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { explainFailure } from './git-failure.ts';
import { ended, startGit, whenFree } from './git-process.ts';
import type { ObjectId } from './history.ts';
import { type Repository, zeroId } from './repository.ts';

export interface RefMove {
  /** Full name, or `HEAD` for a detached one. */
  readonly ref: string;
  readonly to: ObjectId;
  /** Where the ref must stand; undefined: it must not exist. */
  readonly from: ObjectId | undefined;
  /** For the reflog. */
  readonly reason: string;
}

/**
 * Moves a ref by compare and swap, and does `meanwhile` between locking it (the comparison) and moving it. When that
 * fails, or this process is killed, git gives the lock back and the ref stays. `BRANCH_MOVED`, `GIT_BUSY`.
 */
export async function moveLocked(repository: Repository, move: RefMove, meanwhile: () => Promise<void>): Promise<void> {
  const command = `update ${move.ref} ${move.to} ${move.from ?? zeroId(repository)}`;
  const transaction = await whenFree(() => prepare(repository, command, move.reason));
  try {
    await meanwhile();
  } catch (error) {
    await finish(transaction, 'abort');
    throw error;
  }
  await finish(transaction, 'commit');
}

/** Does `action` while nobody can move the ref, which must be where it is said to be. `BRANCH_MOVED`, `GIT_BUSY`. */
export async function whileLocked(
  repository: Repository,
  { ref, at }: { readonly ref: string; readonly at: ObjectId | undefined },
  action: () => Promise<void>,
): Promise<void> {
  const transaction = await whenFree(() => prepare(repository, `verify ${ref} ${at ?? zeroId(repository)}`));
  await action().finally(() => finish(transaction, 'abort'));
}

interface Transaction {
  readonly child: ChildProcessWithoutNullStreams;
  readonly exited: Promise<number>;
  stderr: string;
}

/** https://git-scm.com/docs/git-update-ref: `prepare` creates the lock files and verifies the old value. */
async function prepare(repository: Repository, command: string, reason = ''): Promise<Transaction> {
  const child = startGit(repository, ['update-ref', ...(reason === '' ? [] : ['-m', reason]), '--stdin']);
  const transaction: Transaction = { child, exited: ended(child, repository), stderr: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (transaction.stderr += text));
  child.stdin.write(`start\noption no-deref\n${command}\nprepare\n`);
  await Promise.race([answered(child, 'prepare: ok'), transaction.exited.then(() => failed(transaction))]);
  return transaction;
}

function answered(child: ChildProcessWithoutNullStreams, answer: string): Promise<void> {
  let output = '';
  return new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes(answer)) resolve();
    });
  });
}

async function finish(transaction: Transaction, command: 'commit' | 'abort'): Promise<void> {
  transaction.child.stdin.end(`${command}\n`);
  if ((await transaction.exited) !== 0) failed(transaction);
}

function failed(transaction: Transaction): never {
  throw explainFailure('update-ref', transaction.stderr);
}
