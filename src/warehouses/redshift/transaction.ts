import { setTimeout as sleep } from 'node:timers/promises';
import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { interruptible } from '../postgres-family/interruptible.ts';
import { retry } from '../retry.ts';
import { LockNotGranted, type Transaction, type TransactionOptions } from '../warehouse.ts';
import { makeAtomic } from './atomic.ts';
import { isConflict } from './conflicts.ts';
import { executeSteps } from './execute-steps.ts';
import { findBroken, findSilent } from './find-broken.ts';
import { inspectNames } from './inspect.ts';
import { type Journal, keepJournal } from './journal.ts';
import { lockTimeout, lockViews } from './lock.ts';
import type { RunAlone } from './run-mark.ts';
import type { ServerFacts } from './server.ts';
import { settleInside } from './settle.ts';

/** Milliseconds in which a transaction that lost against another one is begun again. */
const patience = 60_000;

type Options = TransactionOptions & { readonly server: ServerFacts; readonly runAlone: RunAlone };
type Work<T> = (transaction: Transaction) => Promise<T>;

/**
 * Runs `work` in one transaction; see `Warehouse.transact`. A transaction that the server ends because of another one is run again as a whole,
 * with `work` from its start, later and later until the patience ends.
 */
export async function runTransaction<T>(connection: Connection, options: Options, work: Work<T>): Promise<T> {
  const lost = new WeakSet<object>();
  const attempt = async () => {
    const met: unknown[] = [];
    try {
      return await runOnce(connection, { ...options, onError: (error) => met.push(error) }, work);
    } catch (error) {
      if (error instanceof Error && (isConflict(error) || isConflict(error.cause) || met.some(isConflict))) lost.add(error);
      throw error;
    }
  };
  return options.runAlone(() => {
    // An attempt says by itself that it was interrupted before it began.
    const signal = options.signal?.aborted === true ? undefined : options.signal;
    return retry(attempt, { deadline: patience, firstDelay: 500, isRetryable: (error) => lost.has(error), signal });
  });
}

type OnceOptions = Options & { readonly onError: (error: unknown) => void };

/** Starts over with nothing locked while others hold what is needed. */
async function runOnce<T>(connection: Connection, options: OnceOptions, work: Work<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await interruptible(connection, options.signal, async () => {
        await options.prepare?.();
        await connection.run('BEGIN');
        return work(await lockAll(keepJournal(connection), options));
      });
      await commit(connection);
      return result;
    } catch (error) {
      await rollBack(connection);
      if (!(error instanceof LockNotGranted)) throw error;
      if (attempt >= options.attempts) throw lockTimeout(error.denied, options);
      options.onWait?.({ ...error.denied, attempt });
      await sleep(options.lockTimeout * attempt, undefined, options.signal && { signal: options.signal });
    }
  }
}

async function lockAll(journal: Journal, options: OnceOptions): Promise<Transaction> {
  const denied = await lockViews(journal.connection, options.locks, options.lockTimeout);
  if (denied) throw new LockNotGranted(denied);
  return toTransaction(journal, options);
}

/** A connection that is gone has rolled back by itself. The timeouts of the transaction end with it. */
async function rollBack(connection: Connection): Promise<void> {
  await connection.run('ROLLBACK').catch(ignoreKnown);
  await connection.run('SET statement_timeout TO 0').catch(ignoreKnown);
}

function ignoreKnown(error: unknown): void {
  if (!(error instanceof ViewsyncError)) throw error;
}

async function commit(connection: Connection): Promise<void> {
  try {
    await connection.run('SET statement_timeout TO 0');
    await connection.run('COMMIT');
  } catch (error) {
    if (isConflict(error)) throw error;
    if (isServerError(error)) throw commitRefused(error.message, error);
    throw commitUnknown(error);
  }
}

function commitRefused(message: string, cause: unknown): ViewsyncError {
  const state = 'Rolled back; nothing changed.';
  return new ViewsyncError('ROLLED_BACK', {
    message: `The server refused to commit: ${message} ${state}`,
    suggestions: ['viewsync plan', 'viewsync status'],
    cause,
  });
}

function commitUnknown(cause: unknown): ViewsyncError {
  return new ViewsyncError('CONNECTION_LOST', {
    message: 'The connection was lost while the transaction was being committed: it took effect as a whole or not at all.',
    suggestions: ['viewsync status'],
    cause,
  });
}

function toTransaction(journal: Journal, { server, locks, lockTimeout: timeout, onError }: OnceOptions): Transaction {
  const { connection } = journal;
  let hasBegun = false;
  return {
    inspect: (names) => inspectNames(connection, server, names),
    settle: (requests) => settleInside(journal, server, requests),
    execute: (steps, onStep) => {
      hasBegun = true;
      return executeSteps(connection, steps, { onStep, onError });
    },
    // A query that is refused voids the transaction, so before the first step nothing is asked that might be.
    findBroken: (names) => (hasBegun ? findBroken(connection, server, { names, before: locks }) : findSilent(connection, server, names)),
    atomic: makeAtomic({ journal, server, lockTimeout: timeout }),
  };
}
