import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import type { Adapter, Warehouse } from '../warehouse.ts';
import { findAuthors } from './authors.ts';
import { connectCluster } from './connect.ts';
import { redshiftDialect } from './dialect.ts';
import { examineServer } from './examine.ts';
import { inspectDatabase } from './inspect.ts';
import { readOptions, validateOptions } from './options.ts';
import { isRunMarked, keepRunMark } from './run-mark.ts';
import { openScratch } from './scratch.ts';
import { readServer, type ServerFacts } from './server.ts';
import { settle } from './settle.ts';
import { findStale } from './stale.ts';
import { listStandIns } from './stand-ins.ts';
import { runTransaction } from './transaction.ts';

/** Amazon Redshift. Options: `url` as for PostgreSQL, and `iam` for temporary credentials. */
export const redshift: Adapter = {
  dialect: redshiftDialect,
  validateOptions,
  connect: async (options, environment, { command } = { command: 'library' }) => {
    const connection = await connectCluster(readOptions(options), environment, { command });
    try {
      return await openWarehouse(connection, command);
    } catch (error) {
      await connection.close();
      throw error;
    }
  },
  openScratch: (request) => openScratch(request, (connection) => openWarehouse(connection, 'drill')),
};

async function openWarehouse(connection: Connection, command: string): Promise<Warehouse> {
  return toWarehouse(connection, await named(connection, () => readServer(connection, command)));
}

function toWarehouse(connection: Connection, server: ServerFacts): Warehouse {
  const runAlone = keepRunMark(connection);
  return {
    dialect: redshiftDialect,
    inspect: (scope, progress) => named(connection, () => inspectDatabase(connection, { server, scope, progress })),
    settle: (requests) => named(connection, () => settle(connection, server, requests)),
    findStale: (views) => named(connection, () => findStale(connection, views)),
    transact: (options, work) => named(connection, () => runTransaction(connection, { server, runAlone, ...options }, work)),
    runAlone: (work) => named(connection, () => runAlone(work)),
    examine: () => named(connection, () => examineServer(connection)),
    isBusy: () => named(connection, () => isRunMarked(connection)),
    findAuthors: (names) => named(connection, () => findAuthors(connection, names)),
    listStandIns: (held) => named(connection, () => listStandIns(connection, held)),
    close: () => connection.close(),
  };
}

/** Answers of the server that nobody expected become an error of ours. */
async function named<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isServerError(error) ? queryFailed(connection.place, error) : error;
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
