import { type RelationName, relationKey } from '../../core/relation.ts';
import type { Unreadable } from '../../core/snapshot.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Transaction, TransactionOptions } from '../warehouse.ts';
import { type Client, mapBounded } from './client.ts';
import type { ListedDataset } from './datasets.ts';
import { executeSteps } from './execute.ts';
import { inspectNames, type Reading } from './inspect.ts';
import { dryRun } from './jobs.ts';
import { lockRun } from './lock.ts';
import { quoteRelation } from './names.ts';
import { isServerError } from './server-error.ts';
import { type PlaceOf, settle } from './settle.ts';
import { createTables } from './tables.ts';

/** A project as a run sees it. */
export interface Session {
  readonly client: Client;
  readonly reading: Reading;
  readonly placeOf: PlaceOf;
  /** Whether this connection keeps other runs away already. */
  isAlone: boolean;
  /** Where a run may be locked, in this order. */
  listDatasets(): Promise<readonly ListedDataset[]>;
}

function gone(names: readonly RelationName[]): ViewsyncError {
  return new ViewsyncError('WAREHOUSE_MOVED', {
    message: `Dropped by somebody else since the plan was made: ${names.map(relationKey).join(', ')}. Nothing was changed.`,
    suggestions: ['Run the same command again: it makes a new plan.'],
  });
}

/** Views that a dry run refuses; one that could not be asked about counts as well. */
async function findBroken({ client, placeOf }: Session, names: readonly RelationName[]): Promise<readonly Unreadable[]> {
  const found = await mapBounded(names, async (name): Promise<readonly Unreadable[]> => {
    try {
      await dryRun(client, `SELECT * FROM ${quoteRelation(name)}`, { place: await placeOf(name), syntax: 'standard' });
      return [];
    } catch (error) {
      if (!isServerError(error)) throw error;
      return isQueryable(error.message) ? [] : [{ name, reason: error.message }];
    }
  });
  return found.flat();
}

/** A view that wants a filter on its partitions, or that is in legacy SQL, works for those who ask it rightly. */
function isQueryable(message: string): boolean {
  return /without a filter over column|legacy SQL view/i.test(message);
}

/** `Warehouse.runAlone`. */
export async function runAlone<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const lock = await lockRun(session.client, await session.listDatasets());
  session.isAlone = true;
  try {
    return await work();
  } finally {
    session.isAlone = false;
    await lock.release();
  }
}

/** `Warehouse.transact`: nothing is rolled back, and no other run begins meanwhile. */
export async function runTransaction<T>(session: Session, options: TransactionOptions, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const { client } = session;
  const lock = session.isAlone ? undefined : await lockRun(client, await session.listDatasets());
  client.signal = options.signal;
  try {
    await options.prepare?.();
    const tables = createTables(client);
    const missing = await tables.remember(options.locks.map(({ name }) => name));
    if (missing.length > 0) throw gone(missing);
    const executor = { client, tables, locationOf: async (name: RelationName) => (await session.placeOf(name)).location };
    return await work({
      inspect: (names) => inspectNames(client, names, session.reading),
      settle: (requests) => settle(client, requests, session.placeOf),
      execute: (steps, onStep) => executeSteps(executor, steps, onStep),
      findBroken: (names) => findBroken(session, names),
    });
  } finally {
    client.signal = undefined;
    await lock?.release();
  }
}
