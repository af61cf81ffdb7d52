import { createReadStream, existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Client } from 'pg';
import { type Connection, openClient, toConnection } from './connection.ts';
import { connectionFailed, PasswordMissing } from './connection-errors.ts';
import { type Environment, homeOf, type Parameters, readParameters } from './libpq.ts';
import { type Attempt, listAttempts, readTlsMode } from './tls.ts';

const defaultTimeout = 30;

/** How a kind of server differs from what libpq takes for granted. */
export interface ConnectOptions {
  readonly defaultPort?: string;
  /** What is known better than the url and the environment know it, such as credentials that were just made. */
  readonly known?: Parameters;
  /** Whether statements are sent before the earlier ones were answered. */
  readonly sending?: 'pipelined' | 'one by one';
  readonly applicationName?: string;
}

/** Opens a connection as libpq would. `CONNECTION_FAILED` names what to change, and never a password. */
export async function connect(url: string | undefined, environment: Environment, options: ConnectOptions = {}): Promise<Connection> {
  const read = { ...(await readParameters(url, environment, options.defaultPort)), ...options.known };
  const host = read['host'] ?? findSocketFolder(read['port'] ?? '');
  const parameters: Located = { ...read, host };
  const place = `the database "${read['dbname']}" on ${host}`;
  const attempts = await listAttempts(parameters, environment);
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      const reopen = () => open(parameters, attempt, { environment, ...options });
      return toConnection(await reopen(), { place, reopen });
    } catch (error) {
      failure = failure === undefined || isWithoutTls(failure) ? error : failure;
      if (!isWorthAnotherAttempt(error)) break;
    }
  }
  throw connectionFailed(failure, { place, parameters, tlsMode: readTlsMode(parameters) });
}

/** libpq's default host: the folder of the server's socket where there is one. */
function findSocketFolder(port: string): string {
  const folders = ['/var/run/postgresql', '/tmp'];
  return folders.find((folder) => existsSync(`${folder}/.s.PGSQL.${port}`)) ?? 'localhost';
}

/** With and without TLS can end differently when the server refuses the one (28000: pg_hba.conf) or the handshake fails, not when nobody answers. */
function isWorthAnotherAttempt(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return !['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', '28P01', '3D000', '53300'].includes(code);
}

/** A server without TLS says nothing about why the attempt without it failed too. */
function isWithoutTls(error: unknown): boolean {
  return error instanceof Error && error.message.includes('does not support SSL');
}

type Located = Parameters & { readonly host: string };

type OpenOptions = ConnectOptions & { readonly environment: Environment };

async function open(parameters: Located, attempt: Attempt, { environment, sending = 'pipelined', applicationName = 'viewsync' }: OpenOptions): Promise<Client> {
  const password = parameters['password'] ?? (await readPasswordFile(parameters, environment));
  const seconds = Number(parameters['connect_timeout'] ?? defaultTimeout);
  return openClient({
    host: parameters.host,
    port: Number(parameters['port']),
    database: parameters['dbname'],
    user: parameters['user'],
    password: () => password ?? Promise.reject(new PasswordMissing()),
    ssl: attempt.tls,
    ...(parameters['sslnegotiation'] === 'direct' ? { sslnegotiation: 'direct' as const } : {}),
    ...(parameters['options'] === undefined ? {} : { options: parameters['options'] }),
    connectionTimeoutMillis: seconds * 1000,
    application_name: applicationName,
    keepAlive: true,
    pipeline: sending === 'pipelined',
  });
}

/** https://www.postgresql.org/docs/current/libpq-pgpass.html: a socket in a folder counts as `localhost` where that folder is the default. */
async function readPasswordFile(parameters: Located, environment: Environment): Promise<string | undefined> {
  const { getFileName, getPassword, usePgPass } = (await import('pgpass/lib/helper.js')).default;
  const file = parameters['passfile'] ?? getFileName({ ...environment, HOME: homeOf(environment) });
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || !usePgPass(found, file)) return undefined;
  const host = ['/var/run/postgresql', '/tmp'].includes(parameters.host) ? 'localhost' : parameters.host;
  const connection = { host, port: Number(parameters['port']), database: parameters['dbname'] ?? '', user: parameters['user'] ?? '' };
  return new Promise((resolve) => getPassword(connection, createReadStream(file), resolve));
}
