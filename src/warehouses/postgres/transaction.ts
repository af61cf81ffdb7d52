import { setTimeout as sleep } from 'node:timers/promises';
import { relationKey } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import { interruptible } from '../postgres-family/interruptible.ts';
import { type AtomicTransaction, type Denied, LockNotGranted, type Transaction, type TransactionOptions } from '../warehouse.ts';
import { executeSteps } from './execute-steps.ts';
import { inspectBystanders, inspectNames } from './inspect.ts';
import { type Memory, withoutObjects } from './known.ts';
import { lockViews } from './lock.ts';
import { createLockBudget, type LockBudget } from './lock-budget.ts';
import { markRun } from './run-lock.ts';
import { openScript } from './script-session.ts';
import type { ServerFacts } from './server.ts';
import { beginWriting } from './session.ts';
import { settleInside } from './settle.ts';

interface Options extends TransactionOptions {
  readonly server: ServerFacts;
  readonly memory: Memory;
}

/** Runs `work` in one transaction that holds all locks, starting over with nothing locked while others hold some; see `Warehouse.transact`. */
export async function runTransaction<T>(
  connection: Connection,
  { server, memory, ...options }: Options,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { signal } = options;
  if (server.isStandby) throw standby(connection);
  for (let attempt = 1; ; attempt++) {
    const outcome = await runOnce(connection, { server, memory, ...options }, work);
    if ('result' in outcome) return outcome.result;
    const { view, holder } = outcome.denied;
    if (attempt >= options.attempts) throw lockTimeout(outcome.denied, options);
    options.onWait?.({ ...(view === undefined ? {} : { view }), attempt, ...(holder === undefined ? {} : { holder }) });
    await interruptible(connection, signal, () => sleep(options.lockTimeout * attempt, undefined, signal && { signal }));
  }
}

function standby({ place }: Connection): ViewsyncError {
  return new ViewsyncError('PRIVILEGE_MISSING', {
    message: `${place} is a standby: views can be read there and not changed. Nothing was changed.`,
    suggestions: ['Let `url` of the target in viewsync.yaml lead to the primary server.'],
  });
}

type Outcome<T> = { readonly result: T } | { readonly denied: Denied };

async function runOnce<T>(
  connection: Connection,
  { server, memory, locks, lockTimeout, prepare, signal }: Options,
  work: (transaction: Transaction) => Promise<T>,
): Promise<Outcome<T>> {
  const names = locks.map(({ name }) => name);
  const budget = createLockBudget(lockTimeout);
  const script = { isOpen: false };
  try {
    const result = await interruptible(connection, signal, async () => {
      await connection.run(beginWriting);
      await markRun(connection);
      await prepare?.();
      await budget.spend((left) => lockViews(connection, names, left));
      return work(toTransaction(connection, { server, memory, budget, script }));
    });
    // What a script has set for its session would stay; behind a pooler another session answers once this is committed.
    if (script.isOpen) await connection.run('RESET SESSION AUTHORIZATION; RESET ALL');
    await commit(connection);
    if (memory.known) memory.known = script.isOpen ? withoutObjects(memory.known) : undefined;
    return { result };
  } catch (error) {
    memory.known = undefined;
    await rollBack(connection, error);
    if (error instanceof LockNotGranted) return { denied: error.denied };
    throw error;
  }
}

function lockTimeout({ view, what, holder }: Denied, { attempts, lockTimeout }: TransactionOptions): ViewsyncError {
  const because = holder === undefined ? '' : `: ${holder} holds it`;
  return new ViewsyncError('LOCK_TIMEOUT', {
    message: `${what} could not be locked within ${lockTimeout} ms, tried ${attempts === 1 ? 'once' : `${attempts} times`}${because}. Rolled back; nothing changed.`,
    suggestions: ['Run it again.', 'Or wait longer with --lock-timeout.'],
    details: { view: view && relationKey(view), holder },
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
    suggestions: ['viewsync plan', 'viewsync status'],
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

interface Means {
  readonly server: ServerFacts;
  readonly memory: Memory;
  readonly budget: LockBudget;
  /** Whether a script is run, which may change whatever it likes. */
  readonly script: { isOpen: boolean };
}

function toTransaction(connection: Connection, means: Means): Transaction {
  const { server, memory, script } = means;
  return {
    inspect: (names) => inspectNames(connection, { server, memory, afterwards: script.isOpen ? 'inspected' : 'left' }, names),
    settle: (requests) => settleInside(connection, requests),
    listBystanders: () => inspectBystanders(connection),
    execute: (steps, onStep) => {
      // What was made is read for real, and nothing is inspected afterwards that could be spared.
      if (!script.isOpen) memory.known = undefined;
      return executeSteps(connection, steps, { onStep, version: server.version });
    },
    atomic: toAtomic(connection, means),
  };
}

function toAtomic(connection: Connection, { budget, memory, script }: Means): AtomicTransaction {
  return {
    lock: (names) => budget.spend((left) => lockViews(connection, names, left)),
    attempt: (work) => attempt(connection, memory, work),
    openScript: async () => {
      script.isOpen = true;
      const session = await openScript(connection, budget);
      const takeBack = () => {
        memory.known = undefined;
        return session.takeBack();
      };
      return { ...session, takeBack };
    },
  };
}

async function attempt<T>(connection: Connection, memory: Memory, work: () => Promise<T>): Promise<T> {
  await connection.run('SAVEPOINT viewsync_attempt');
  try {
    const result = await work();
    await connection.run('RELEASE SAVEPOINT viewsync_attempt');
    return result;
  } catch (error) {
    memory.known = undefined;
    if (!(error instanceof LockNotGranted)) await connection.run('ROLLBACK TO SAVEPOINT viewsync_attempt; RELEASE SAVEPOINT viewsync_attempt');
    throw error;
  }
}
