import { ViewsyncError } from '../../errors.ts';
import type { Scratch, ScratchRequest } from '../scratch.ts';
import type { Adapter, Caller, Warehouse } from '../warehouse.ts';
import { findAuthors } from './authors.ts';
import { type Connection, type Deadlines, openConnection } from './connection.ts';
import { findDefaults } from './defaults.ts';
import { snowflakeDialect } from './dialect.ts';
import { examineAccount } from './examine.ts';
import { inspectAccount } from './inspect.ts';
import { defaultLockTimes, isRunLocked, type Lock, type LockTimes, lockRun } from './lock.ts';
import { readOptions, validateOptions } from './options.ts';
import { openScratch } from './scratch.ts';
import { isServerError } from './server-error.ts';
import { type Account, readAccount } from './session.ts';
import type { Environment } from './settings.ts';
import { settle } from './settle.ts';
import { findStale } from './stale.ts';
import { listStandIns } from './stand-ins.ts';
import { runTransaction } from './transaction.ts';

/** How long things may take; for tests. */
export interface Patience {
  readonly lock?: LockTimes;
  readonly deadlines?: Deadlines;
}

/** Connects as the registry's adapter does, with a patience of one's own. `CONNECTION_FAILED`, `CONFIG_INVALID`, `DRIVER_MISSING`. */
export async function connectAccount(
  options: Readonly<Record<string, unknown>>,
  environment: Environment,
  { caller = { command: 'library' }, patience = {} }: { readonly caller?: Caller; readonly patience?: Patience } = {},
): Promise<Warehouse> {
  const settings = await readOptions(options, environment, caller);
  const place = `"${settings.username ?? ''}" on ${settings.account}`;
  try {
    const connection = await openConnection(settings, patience.deadlines);
    return toWarehouse(connection, await readAccount(connection), patience.lock ?? defaultLockTimes);
  } catch (error) {
    throw error instanceof ViewsyncError ? error : connectionFailed(place, error);
  }
}

/** Snowflake. Options: see `docs/snowflake.md`; what they leave out comes from `SNOWFLAKE_*` variables and `connections.toml`. */
export const snowflake: Adapter = {
  dialect: snowflakeDialect,
  drivers: ['snowflake-sdk'],
  validateOptions,
  openScratch: (request) => openDrill(request),
  connect: (options, environment, caller) => connectAccount(options, environment, caller ? { caller } : {}),
};

/** `Adapter.openScratch`, with a patience of one's own. `USAGE`, `PRIVILEGE_MISSING`. */
export async function openDrill({ options, environment, place }: ScratchRequest, { lock, deadlines }: Patience = {}): Promise<Scratch> {
  if (place === 'embedded') {
    throw new ViewsyncError('USAGE', {
      message: 'There is no Snowflake to start for a drill: it is done in databases of its own on the account. Nothing was done.',
      suggestions: ['viewsync drill --on server'],
    });
  }
  const connection = await openConnection(await readOptions(options, environment, { command: 'drill' }), deadlines);
  return named(connection, async () => openScratch({ connection, account: await readAccount(connection), times: lock ?? defaultLockTimes }));
}

function toWarehouse(connection: Connection, account: Account, times: LockTimes): Warehouse {
  let held: Lock | undefined;
  const runAlone = async <T>(work: () => Promise<T>): Promise<T> => {
    const lock = await lockRun(connection, times);
    held = lock;
    try {
      return await work();
    } finally {
      held = undefined;
      await lock.release();
    }
  };
  return {
    dialect: snowflakeDialect,
    inspect: (scope, progress) => named(connection, () => inspectAccount(connection, { account, scope, progress })),
    settle: (requests) => named(connection, () => settle(connection, requests)),
    transact: (options, work) => named(connection, () => runTransaction(connection, { times, held, ...options }, work)),
    runAlone: (work) => named(connection, () => runAlone(work)),
    examine: () => named(connection, () => examineAccount(connection, account)),
    findStale: (views) => named(connection, () => findStale(connection, views)),
    isBusy: () => named(connection, () => isRunLocked(connection, times, held)),
    listStandIns: (held) => named(connection, () => listStandIns(connection, held)),
    findAuthors: (names) => named(connection, () => findAuthors(connection, names)),
    findDefaults: (containers) => named(connection, () => findDefaults(connection, containers)),
    close: () => connection.close(),
  };
}

/** The driver's message names the account and the user, and never what they sign in with. */
function connectionFailed(place: string, error: unknown): ViewsyncError {
  return new ViewsyncError('CONNECTION_FAILED', {
    message: `Cannot connect as ${place}: ${error instanceof Error ? error.message : String(error)} Nothing was done.`,
    suggestions: ['Look at the target in viewsync.yaml, at SNOWFLAKE_* variables and at ~/.snowflake/connections.toml', 'viewsync doctor'],
    cause: error,
  });
}

/** Answers of the server that nobody expected become an error of ours. */
async function named<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isServerError(error)) throw error;
    throw new ViewsyncError('QUERY_FAILED', {
      message: `${connection.place}: Snowflake refused a query: ${error.message.replaceAll(/\s+/g, ' ').trim()} (${error.code}). Nothing was changed.`,
      suggestions: ['viewsync doctor'],
      details: { code: error.code },
      cause: error,
    });
  }
}
