import { randomBytes } from 'node:crypto';
import type { Step } from '../../core/plan.ts';
import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { Scratch, ScratchRequest } from '../scratch.ts';
import type { StepFailure, Warehouse } from '../warehouse.ts';
import { databasesQuery, mayCreateQuery, sessionsQuery } from './catalog-queries.ts';
import { connectCluster } from './connect.ts';
import { keepJournal } from './journal.ts';
import { quoteIdentifier } from './names.ts';
import { readOptions } from './options.ts';
import { makeStandIns } from './stand-ins.ts';

type OpenWarehouse = (connection: Connection) => Promise<Warehouse>;

/**
 * `Adapter.openScratch`: a database of its own on the cluster, where users, groups and roles are the right ones, and every name is the one that it has in
 * the files. https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_DATABASE.html
 */
export async function openScratch(request: ScratchRequest, openWarehouse: OpenWarehouse): Promise<Scratch> {
  if (request.place === 'embedded') throw noEmbedded();
  const host = await connectTo(request);
  try {
    await requireCreate(host);
    await dropLeftovers(host);
    const name = `viewsync_drill_${host.backend}_${randomBytes(4).toString('hex')}`;
    await host.run(`CREATE DATABASE ${quoteIdentifier(name)}`);
    return await openDatabase(request, { host, name }, openWarehouse);
  } catch (error) {
    await host.close();
    throw error;
  }
}

function connectTo({ options, environment }: ScratchRequest, database?: string): Promise<Connection> {
  return connectCluster(readOptions(options), environment, { command: 'drill', ...(database === undefined ? {} : { database }) });
}

function noEmbedded(): ViewsyncError {
  return new ViewsyncError('USAGE', {
    message: 'There is no Redshift to start for a drill: it is done in a database of its own on the cluster. Nothing was done.',
    suggestions: ['viewsync drill --on server'],
  });
}

async function requireCreate(host: Connection): Promise<void> {
  const [row] = await host.query<{ allowed: boolean; role: string }>(mayCreateQuery);
  if (row?.allowed) return;
  throw new ViewsyncError('PRIVILEGE_MISSING', {
    message: `No scratch database can be made beside ${host.place}: the user "${row?.role}" may not create databases. Nothing was changed.`,
    suggestions: [`ALTER USER ${quoteIdentifier(row?.role ?? '')} CREATEDB`, 'viewsync drill --on TARGET   (another target of viewsync.yaml, whose user may)'],
  });
}

/** Those of drills that were killed. One that cannot be dropped now is dropped by a later drill. */
async function dropLeftovers(host: Connection): Promise<void> {
  const sessions = await host.query<{ process: number | string; database: string }>(sessionsQuery);
  const running = new Set(sessions.map(({ process }) => String(process)));
  const used = new Set(sessions.map(({ database }) => database.trim()));
  const databases = await host.query<{ name: string }>(databasesQuery);
  for (const { name } of databases) {
    if (used.has(name) || running.has(name.split('_')[2] ?? '')) continue;
    await host.run(`DROP DATABASE ${quoteIdentifier(name)}`).catch(ignoreRefusal);
  }
}

function ignoreRefusal(error: unknown): void {
  if (!isServerError(error)) throw error;
}

interface Place {
  readonly host: Connection;
  readonly name: string;
}

async function openDatabase(request: ScratchRequest, { host, name }: Place, openWarehouse: OpenWarehouse): Promise<Scratch> {
  const drop = () => host.run(`DROP DATABASE ${quoteIdentifier(name)}`);
  let connection: Connection | undefined;
  try {
    connection = await connectTo(request, name);
    const opened = connection;
    const warehouse = await openWarehouse(opened);
    return toScratch(opened, { place: `the scratch database "${name}" beside ${host.place}`, warehouse, remove: () => remove(opened, host, drop) });
  } catch (error) {
    await connection?.close();
    await drop();
    throw error;
  }
}

/** A statement that still runs there is ended with its session, without which the database cannot be dropped. */
async function remove(connection: Connection, host: Connection, drop: () => Promise<void>): Promise<void> {
  await host.query(`SELECT pg_terminate_backend(${connection.backend})`).catch(ignoreRefusal);
  await connection.close().catch(() => undefined);
  try {
    await drop();
  } finally {
    await host.close();
  }
}

interface ScratchParts {
  readonly place: string;
  readonly warehouse: Warehouse;
  readonly remove: () => Promise<void>;
}

function toScratch(connection: Connection, { place, warehouse, remove: removeOnce }: ScratchParts): Scratch {
  let removal: Promise<void> | undefined;
  return {
    place,
    warehouse,
    furnish: (standIns) => makeStandIns(connection, standIns),
    rehearse: (steps) => rehearse(connection, steps),
    remove: () => {
      removal ??= removeOnce();
      return removal;
    },
  };
}

/** A step that is refused voids the transaction: what came before is done once more, without it. */
async function rehearse(connection: Connection, steps: readonly Step[]): Promise<readonly StepFailure[]> {
  const failures: StepFailure[] = [];
  await connection.run('BEGIN');
  const journal = keepJournal(connection);
  try {
    for (const [index, { sql }] of steps.entries()) {
      const position = journal.position();
      try {
        await journal.connection.run(sql);
      } catch (error) {
        if (!isServerError(error)) throw error;
        failures.push({ index, code: error.code, message: error.message });
        await journal.returnTo(position);
      }
    }
    return failures;
  } finally {
    await connection.run('ROLLBACK').catch(() => undefined);
  }
}
