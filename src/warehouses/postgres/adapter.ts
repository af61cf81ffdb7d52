import { ViewsyncError } from '../../errors.ts';
import { connect } from '../postgres-family/connect.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import type { Adapter, Warehouse } from '../warehouse.ts';
import { postgresDialect } from './dialect.ts';
import { examineServer } from './examine.ts';
import { inspectDatabase } from './inspect.ts';
import type { Memory } from './known.ts';
import { isLockDenied, lockedOut } from './lock.ts';
import { openParts } from './parts.ts';
import { isRunLocked, runAlone } from './run-lock.ts';
import { readServer, type ServerFacts } from './server.ts';
import { settle } from './settle.ts';
import { listStandIns } from './stand-ins.ts';
import { runTransaction } from './transaction.ts';

/** PostgreSQL 13 and later. Options: `url`, which may be left out where libpq's environment variables or service file say it all. */
export const postgres: Adapter = {
  dialect: postgresDialect,
  validateOptions: (options) => Object.entries(options).flatMap(([key, value]) => validateOption(key, value)),
  connect: async (options, environment) => {
    const connection = await connect(typeof options['url'] === 'string' ? options['url'] : undefined, environment);
    return openWarehouse(connection);
  },
  openScratch: async (request) => {
    const { openScratch } = await import('./scratch.ts');
    return openScratch(request, openWarehouse);
  },
};

/** The warehouse behind a connection, which is closed when it is none of ours. */
async function openWarehouse(connection: Connection): Promise<Warehouse> {
  try {
    return toWarehouse(connection, await named(connection, () => readServer(connection)));
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function validateOption(key: string, value: unknown): ReturnType<Adapter['validateOptions']> {
  if (key !== 'url') return [{ path: [key], message: `"${key}" is not an option of a postgres target; "url" is.` }];
  if (typeof value !== 'string') return [{ path: [key], message: '"url" must be text, such as ${DATABASE_URL}.' }];
  return [];
}

function toWarehouse(connection: Connection, server: ServerFacts): Warehouse {
  const parts = openParts(connection);
  const memory: Memory = { known: undefined };
  let isAlone = false;
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isAlone) return work();
    isAlone = true;
    return runAlone(connection, work).finally(() => {
      isAlone = false;
    });
  };
  return {
    dialect: postgresDialect,
    inspect: (scope, progress) => named(connection, () => inspectDatabase(connection, { server, scope, progress, memory })),
    settle: (requests) => named(connection, () => settle(connection, server, requests)),
    runAlone: (work) => named(connection, () => alone(work)),
    transact: (options, work) => named(connection, () => alone(() => runTransaction(connection, { server, memory, ...options }, work))),
    examine: () => named(connection, () => examineServer(connection, server)),
    listStandIns: (held) => named(connection, () => listStandIns(connection, server, held)),
    parts: { listParts: (bystanders) => named(connection, () => parts.listParts(bystanders)), findGone: (ids) => named(connection, () => parts.findGone(ids)) },
    isBusy: () => named(connection, () => isRunLocked(connection)),
    close: () => connection.close(),
  };
}

/** Answers of the server that nobody expected become an error of ours. */
async function named<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isServerError(error)) throw error;
    throw isLockDenied(error) ? await lockedOut(connection, error) : queryFailed(connection.place, error);
  }
}

function queryFailed(place: string, error: ServerError): ViewsyncError {
  const more = [error.detail, error.hint].filter((text) => text !== undefined).map((text) => ` ${text}`);
  return new ViewsyncError('QUERY_FAILED', {
    message: `${place} refused a query: ${error.message} (SQLSTATE ${error.code}).${more.join('')} Nothing was changed.`,
    suggestions: ['viewsync doctor'],
    details: { code: error.code },
    cause: error,
  });
}
