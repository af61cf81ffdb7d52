import { setTimeout as sleep } from 'node:timers/promises';
import { relationKey } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import type { Transaction, TransactionOptions } from '../warehouse.ts';
import { executeSteps } from './execute-steps.ts';
import { inspectNames } from './inspect.ts';
import { interruptible } from './interruptible.ts';
import { type Denied, lockRun, lockViews } from './lock.ts';
import type { ServerFacts } from './server.ts';
import { beginWriting } from './session.ts';
import { settleInside } from './settle.ts';

/** Runs `work` in one transaction that holds all locks; see `Warehouse.transact`. */
export async function runTransaction<T>(
  connection: Connection,
  { server, ...options }: TransactionOptions & { readonly server: ServerFacts },
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  try {
    const result = await interruptible(connection, options.signal, async () => {
      await beginLocked(connection, options);
      return work(toTransaction(connection, server));
    });
    await commit(connection);
    return result;
  } catch (error) {
    await rollBack(connection, error);
    throw error;
  }
}

/** Leaves a transaction open that holds every lock, starting over with nothing locked while others hold some. */
async function beginLocked(connection: Connection, options: TransactionOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await connection.run(beginWriting);
    const denied = await tryLocks(connection, options);
    if (denied === undefined) return;
    if (attempt >= options.attempts) throw lockTimeout(denied, options);
    options.onWait?.({ ...denied, attempt });
    await sleep(options.lockTimeout * attempt, undefined, options.signal && { signal: options.signal });
  }
}

async function tryLocks(connection: Connection, { locks, lockTimeout, prepare }: TransactionOptions): Promise<Denied | undefined> {
  try {
    await lockRun(connection);
    await prepare?.();
    return await lockViews(connection, locks, lockTimeout);
  } catch (error) {
    await rollBack(connection, error);
    throw error;
  }
}

function lockTimeout({ view, holder }: Denied, { attempts, lockTimeout }: TransactionOptions): ViewsyncError {
  const because = holder === undefined ? '' : `: ${holder} holds it`;
  return new ViewsyncError('LOCK_TIMEOUT', {
    message: `"${relationKey(view)}" could not be locked within ${lockTimeout} ms, tried ${attempts === 1 ? 'once' : `${attempts} times`}${because}. Rolled back; nothing changed.`,
    suggestions: ['Run it again.', 'Or wait longer with --lock-timeout.'],
    details: { view: relationKey(view), holder },
  });
}

/** The first error is the one to tell; a connection that is gone has rolled back by itself. */
async function rollBack(connection: Connection, reason: unknown): Promise<void> {
  await connection.run('ROLLBACK').catch((error: unknown) => {
    if (!(error instanceof ViewsyncError)) throw new AggregateError([reason, error]);
  });
}

async function commit(connection: Connection): Promise<void> {
  const [row] = await connection.query<{ assigned: string | null }>('SELECT pg_current_xact_id_if_assigned()::text AS assigned');
  try {
    await connection.run('COMMIT');
  } catch (error) {
    if (isServerError(error)) throw commitRefused(error);
    throw commitUnknown(row?.assigned ?? undefined, error);
  }
}

function commitRefused(error: ServerError): ViewsyncError {
  return new ViewsyncError('ROLLED_BACK', {
    message: `The server refused to commit: ${error.message} (SQLSTATE ${error.code}). Rolled back; nothing changed.`,
    cause: error,
  });
}

function commitUnknown(transaction: string | undefined, cause: unknown): ViewsyncError {
  return new ViewsyncError('CONNECTION_LOST', {
    message: `The connection was lost while transaction ${transaction ?? ''} was being committed: it took effect as a whole or not at all.`,
    suggestions: ['viewsync status', ...(transaction === undefined ? [] : [`SELECT pg_xact_status('${transaction}')`])],
    details: { transaction: transaction ?? 'unknown' },
    cause,
  });
}

function toTransaction(connection: Connection, server: ServerFacts): Transaction {
  return {
    inspect: (names) => inspectNames(connection, server, names),
    settle: (requests) => settleInside(connection, requests),
    execute: (steps, onStep) => executeSteps(connection, steps, { onStep, version: server.version }),
  };
}
