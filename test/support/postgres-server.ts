import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { inject } from 'vitest';
import { findEmbeddedBinaries, type Server, serverPlatform, startServer } from '../../src/warehouses/postgres/embedded-server.ts';

const run = promisify(execFile);

/** A server that runs for the whole vitest run, made by `global-setup.ts`. */
export interface RunningServer {
  /** Major version, which tells them apart: 18, 15. */
  readonly version: number;
  readonly fullVersion: string;
  readonly url: string;
  readonly binaries: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    postgresServers: readonly RunningServer[];
  }
}

/** Major versions of an ordinary run; `VIEWSYNC_POSTGRES` names others, as `npm run test:matrix` does. */
function wantedVersions(): readonly number[] {
  return (process.env['VIEWSYNC_POSTGRES'] ?? '18,17,15').split(',').map(Number);
}

/** One server for each wanted version, in that order. */
export async function startAllServers(): Promise<readonly { readonly server: Server; readonly running: RunningServer }[]> {
  const folders = wantedVersions().map(findBinaries);
  const started = await Promise.all(folders.map(async (binaries) => ({ binaries, server: await startServer({ binaries }) })));
  return started.map(({ binaries, server }) => ({ server, running: toRunning(server, binaries) }));
}

/** The system's server where there is one, since pg_dump comes with it; otherwise one from a package. */
function findBinaries(version: number): string {
  const system = `/usr/lib/postgresql/${version}/bin`;
  if (existsSync(`${system}/initdb`)) return system;
  if (version === 18) return findEmbeddedBinaries();
  const name = `postgres-${version}-${serverPlatform}`;
  const matrix = fileURLToPath(new URL(`../matrix/node_modules/${name}/dist/index.js`, import.meta.url));
  return findEmbeddedBinaries(existsSync(matrix) ? matrix : name);
}

function toRunning(server: Server, binaries: string): RunningServer {
  return { version: Number.parseInt(server.version, 10), fullVersion: server.version, url: server.url, binaries };
}

/** Every server of this run, for what has to hold on each of them. */
export function allPostgresServers(): readonly RunningServer[] {
  return inject('postgresServers');
}

/** The newest server of this run and the oldest, between which versions differ most: for laws about what a server prints and restores. */
export function postgresServers(): readonly RunningServer[] {
  const servers = allPostgresServers();
  return servers.length < 3 ? servers : [...servers.slice(0, 1), ...servers.slice(-1)];
}

/** The newest server of this run, for what viewsync does and no version does otherwise; `npm run test:oldest` and `test:matrix` run it on others. */
export function newestServer(): RunningServer {
  const [newest] = allPostgresServers();
  if (newest === undefined) throw new Error('No PostgreSQL server runs.');
  return newest;
}

// biome-ignore lint/suspicious/noExplicitAny: a test knows what its query returns
type Row = Record<string, any>;

export interface TestDatabase extends AsyncDisposable {
  readonly version: number;
  readonly name: string;
  /** For the superuser `postgres`. */
  readonly url: string;
  /** The same database as another role; every role may log in without a password. */
  urlFor(role: string): string;
  /** Runs one or more statements on a connection of their own and returns the rows of the last one. */
  query(sql: string): Promise<Row[]>;
  /** Loads a file of `test/fixtures/`; its roles are made when they do not exist yet, since roles belong to the whole server. */
  load(fixture: string): Promise<void>;
}

let count = 0;

/** A fresh database on the server of that major version (the newest when left out); dropped when disposed of. */
export async function createDatabase(version?: number): Promise<TestDatabase> {
  const server = allPostgresServers().find((each) => version === undefined || each.version === version);
  if (server === undefined) throw new Error(`No PostgreSQL ${version ?? ''} server runs.`);
  const name = `test_${process.pid}_${Math.trunc(performance.timeOrigin + performance.now())}_${count++}`;
  // Copied as files, which versions before 15 always do, it is there in a third of the time.
  await runSql(server.url, `CREATE DATABASE ${name}${server.version < 15 ? '' : ' STRATEGY file_copy'}`);
  const url = withPath(server.url, name);
  return {
    version: server.version,
    name,
    url,
    urlFor: (role) => withUser(url, role),
    query: (sql) => runSql(url, sql),
    load: (fixture) => loadFixture(url, fixture, server.version),
    [Symbol.asyncDispose]: () => dropDatabase(server.url, name),
  };
}

async function dropDatabase(url: string, name: string): Promise<void> {
  await runSql(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

/** Without what the server does not know yet: the lines that say from which version on they load, and an option. */
function forVersion(sql: string, version: number): string {
  const known = sql.replaceAll(/^.* -- (\d+) and later$/gm, (line, since: string) => (version < Number(since) ? '' : line));
  return version < 15 ? known.replaceAll('security_invoker=true, ', '') : known;
}

async function loadFixture(url: string, fixture: string, version: number): Promise<void> {
  const { readFile } = await import('node:fs/promises');
  const sql = await readFile(new URL(`../fixtures/${fixture}`, import.meta.url), 'utf8');
  await runSql(
    url,
    forVersion(sql, version).replaceAll(/CREATE ROLE ("[^"]+"|\w+)([^;]*);/g, (_, role: string, rest: string) => createRole(role, rest)),
  );
}

/** Makes a role unless it exists, also when another test makes it at the same moment. */
export function createRole(role: string, rest = ''): string {
  return `DO $do$ BEGIN CREATE ROLE ${role}${rest}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $do$;`;
}

function withPath(url: string, database: string): string {
  return url.replace('/postgres?', `/${encodeURIComponent(database)}?`);
}

function withUser(url: string, role: string): string {
  return url.replace('user=postgres', `user=${encodeURIComponent(role)}`);
}

async function runSql(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result: unknown = await client.query(sql);
    const last: unknown = Array.isArray(result) ? result.at(-1) : result;
    return (last as { readonly rows: Row[] }).rows;
  } finally {
    await client.end();
  }
}

/** `pg_dump --schema-only` without its random `\restrict` lines; undefined when no pg_dump of that major version is installed. */
export async function pgDump(version: number, url: string): Promise<string | undefined> {
  const program = `/usr/lib/postgresql/${version}/bin/pg_dump`;
  if (!existsSync(program)) return undefined;
  const { stdout } = await run(program, ['--schema-only', '--dbname', url], { maxBuffer: 1 << 28 });
  return stdout.replaceAll(/^\\(un)?restrict .*\n/gm, '');
}

/** A port of the loopback interface that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('No port.');
  return address.port;
}
