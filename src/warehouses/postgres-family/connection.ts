import type { Client, ClientConfig } from 'pg';
import { ViewsyncError } from '../../errors.ts';
import { findRefused, loadSender } from './statements-together.ts';

/** The part of the server's answer to a failed statement that we use; as libpq calls it. */
export interface ServerError {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
  readonly detail?: string;
  readonly hint?: string;
  readonly position?: string;
  /** The call stack of what the server ran, as text; absent when the statement itself was refused. */
  readonly where?: string;
}

/** The statement of a message that the server refused; none behind it has run. */
export interface RefusedStatement {
  readonly index: number;
  /** How many have run: all before it, or none where it cannot be parsed. */
  readonly completed: number;
  readonly error: ServerError;
}

/** One connection whose statements are pipelined: sent at once, answered in order. */
export interface Connection {
  /** Where we are, without credentials: `shop on db.example.com`. */
  readonly place: string;
  /** The number of the server's process that serves us. */
  readonly backend: number;
  /** How many statements were sent that return rows, on this connection and those that it opened. */
  count(): number;
  /** Another connection to the same database as the same role. Raises what the driver raises; the caller closes it. */
  connectAgain(): Promise<Connection>;
  /** Rows of one statement. Throws a `ServerError` as the driver raises it, or `CONNECTION_LOST`. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Runs statements without parameters, in one message. Throws as `query` does. */
  run(sql: string): Promise<void>;
  /** Runs texts of one statement each, without a semicolon behind it, in one message. Throws `CONNECTION_LOST`. */
  runTogether(statements: readonly string[]): Promise<RefusedStatement | undefined>;
  close(): Promise<void>;
}

const inFailedTransaction = '25P02';

const sqlState = /^[0-9A-Z]{5}$/;

/** Whether the server itself answered with an error, so that the connection may still be used. */
export function isServerError(error: unknown): error is ServerError {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return false;
  return typeof error.code === 'string' && sqlState.test(error.code) && !isEndOfSession(error.code);
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions and the server's shutdown. */
function isEndOfSession(code: string): boolean {
  return code.startsWith('08') || ['57P01', '57P02', '57P03', '57P05', '25P03', '25P04'].includes(code);
}

/** Connects with the driver's own configuration; errors come as the driver raises them. */
export async function openClient(configuration: ClientConfig): Promise<Client> {
  const { Client } = (await import('pg')).default;
  const client = new Client(configuration);
  // Without a listener a connection that dies while nothing runs would end the process; the next query tells.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

interface ConnectionParts {
  readonly place: string;
  readonly reopen: () => Promise<Client>;
  /** Told of every statement that returns rows. */
  readonly onQuery?: () => void;
}

/** A client as a connection; `reopen` makes another client like it. */
export async function toConnection(client: Client, { place, reopen, onQuery }: ConnectionParts): Promise<Connection> {
  const send = await loadSender(client);
  let queries = 0;
  const countQuery = () => {
    queries += 1;
    onQuery?.();
  };
  let failed: ServerError | undefined;
  const toServerError = (error: unknown): ServerError => {
    if (!isServerError(error)) throw connectionLost(error, place);
    // Of pipelined statements the ones behind a failed one say no more than that.
    if (error.code === inFailedTransaction && failed !== undefined) return failed;
    failed = error;
    return error;
  };
  const raise = (error: unknown): never => {
    throw toServerError(error);
  };
  return {
    place,
    backend: (client as Client & { readonly processID: number }).processID,
    count: () => queries,
    connectAgain: async () => toConnection(await reopen(), { place, reopen, onQuery: countQuery }),
    query: async (sql, parameters) => {
      countQuery();
      const result = await client.query({ text: sql, values: parameters === undefined ? [] : [...parameters] }).catch(raise);
      return result.rows;
    },
    run: async (sql) => {
      await client.query(sql).catch(raise);
    },
    runTogether: async (statements) => {
      const { completed, error } = await send(statements);
      if (error === undefined) return undefined;
      const refused = toServerError(error);
      return { index: findRefused(error as ServerError, completed, statements), completed, error: refused };
    },
    close: () => client.end(),
  };
}

function connectionLost(error: unknown, place: string): ViewsyncError {
  return new ViewsyncError('CONNECTION_LOST', {
    message: `The connection to ${place} was lost: ${error instanceof Error ? error.message : String(error)}. What ran in an open transaction is rolled back by the server.`,
    suggestions: ['viewsync status'],
    cause: error,
  });
}
