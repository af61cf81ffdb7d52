import type { Step } from '../../core/plan.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import type { ExecuteOutcome, StepFailure, StepResult, Transaction, TransactionOptions } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { inspectNames } from './inspect.ts';
import { type Lock, type LockTimes, lockRun } from './lock.ts';
import { isServerError } from './server-error.ts';
import { settle } from './settle.ts';
import { findBroken } from './stale.ts';

function gone(names: readonly RelationName[]): ViewsyncError {
  return new ViewsyncError('WAREHOUSE_MOVED', {
    message: `Dropped or hidden since the plan was made: ${names.map(relationKey).join(', ')}. Nothing was changed.`,
    suggestions: ['Run the same command again: it makes a new plan.'],
  });
}

/** What is there is exact here, so one that cannot be read must not pass for one that is gone. */
async function inspectExactly(connection: Connection, names: readonly RelationName[]) {
  const { views, unreadable } = await inspectNames(connection, names);
  const [first] = unreadable;
  if (!first) return views;
  throw new ViewsyncError('LISTING_INCOMPLETE', { message: `${relationKey(first.name)} cannot be read: ${first.reason}.`, suggestions: ['viewsync status'] });
}

const words = (message: string) => message.replaceAll(/\s+/g, ' ').trim();

async function runStep(connection: Connection, step: Step, signal: AbortSignal | undefined): Promise<Omit<StepFailure, 'index'> | undefined> {
  try {
    await connection.query(step.sql, { repeat: 'harmful', signal });
    return undefined;
  } catch (error) {
    if (isServerError(error)) return { message: words(error.message), code: error.code };
    if (error instanceof ViewsyncError && error.code === 'CONNECTION_LOST') return { message: error.message, isUncertain: true };
    throw error;
  }
}

async function execute(session: Running, steps: readonly Step[], onStep?: (index: number) => void): Promise<ExecuteOutcome> {
  const results: StepResult[] = [];
  for (const [index, step] of steps.entries()) {
    session.lock.requireHeld();
    const from = performance.now();
    const failure = await runStep(session.connection, step, session.signal);
    if (failure) return { results, failure: { index, ...failure } };
    results.push({ milliseconds: performance.now() - from });
    onStep?.(index);
  }
  return { results };
}

interface Running {
  readonly connection: Connection;
  readonly lock: Lock;
  readonly signal: AbortSignal | undefined;
}

function toTransaction(session: Running): Transaction {
  const { connection } = session;
  return {
    inspect: (names) => inspectExactly(connection, names),
    settle: (requests) => settle(connection, requests),
    execute: (steps, onStep) => execute(session, steps, onStep),
    findBroken: (names) => findBroken(connection, names),
  };
}

/** `Warehouse.transact`, with a lock that is held already where there is one: nothing is rolled back, and no other run of the same user begins meanwhile. */
export async function runTransaction<T>(
  connection: Connection,
  { times, held, ...options }: TransactionOptions & { readonly times: LockTimes; readonly held: Lock | undefined },
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const lock = held ?? (await lockRun(connection, times));
  try {
    await options.prepare?.();
    const names = options.locks.map(({ name }) => name);
    const found = new Set(names.length === 0 ? [] : (await inspectExactly(connection, names)).map(({ name }) => relationKey(name)));
    const missing = names.filter((name) => !found.has(relationKey(name)));
    if (missing.length > 0) throw gone(missing);
    return await work(toTransaction({ connection, lock, signal: options.signal }));
  } finally {
    if (!held) await lock.release();
  }
}
