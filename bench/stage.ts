import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Server, startServer } from '../src/warehouses/postgres/embedded-server.ts';
import { writeFoundation, writeViews } from './views.ts';

/** A server with the database `bench` of so many views, and a folder for repositories. */
export interface Stage {
  readonly size: number;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Of `pg_dump` and `psql` of the server's own version. */
  readonly binaries: string;
  readonly url: string;
  /** Runs statements in `bench` and returns the rows of a single one. */
  query<Row extends object>(sql: string): Promise<Row[]>;
  /** `bench` as it is without any view. */
  dropViews(): Promise<void>;
  /** A fresh repository with `viewsync.yaml` and nothing else. */
  createRepository(name: string): string;
  close(): Promise<void>;
}

/** The newest PostgreSQL of this machine that has a server, `pg_dump` and `psql`. */
function findPostgres(): string {
  const folders = globSync('/usr/lib/postgresql/*/bin').sort((left, right) => Number(right.split('/')[4]) - Number(left.split('/')[4]));
  const found = folders.find((folder) => ['initdb', 'postgres', 'pg_dump', 'psql'].every((program) => existsSync(join(folder, program))));
  if (found === undefined) throw new Error('The references need pg_dump and psql with their server below /usr/lib/postgresql: apt-get install postgresql.');
  return found;
}

function withDatabase({ url }: Server, name: string): string {
  return url.replace('/postgres?', `/${name}?`);
}

async function runSql<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function buildDatabase(server: Server, size: number): Promise<void> {
  await runSql(server.url, 'CREATE DATABASE bench');
  await runSql(withDatabase(server, 'bench'), writeFoundation());
  await runSql(server.url, 'CREATE DATABASE bench_empty TEMPLATE bench');
  await runSql(withDatabase(server, 'bench'), writeViews(size));
  await runSql(withDatabase(server, 'bench'), 'VACUUM ANALYZE');
}

/** What git runs with: somebody of its own, and none of this machine's settings. */
export function createEnvironment(folder: string): Readonly<Record<string, string>> {
  const person = { GIT_AUTHOR_NAME: 'Bench', GIT_AUTHOR_EMAIL: 'bench@example.com', GIT_COMMITTER_NAME: 'Bench', GIT_COMMITTER_EMAIL: 'bench@example.com' };
  return { PATH: process.env['PATH'] ?? '', HOME: folder, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', ...person };
}

function createRepository(folder: string, url: string, environment: Readonly<Record<string, string>>): string {
  execFileSync('git', ['init', '--quiet', folder], { env: environment });
  writeFileSync(join(folder, 'viewsync.yaml'), `targets:\n  prod:\n    warehouse: postgres\n    url: ${url}\n`);
  return folder;
}

/** Starts the server and builds the database. Settings: many locks, for pg_dump and psql -1 need one for each view; no autovacuum in between. */
export async function openStage(size: number): Promise<Stage> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'viewsync-bench-')));
  const binaries = findPostgres();
  const server = await startServer({ binaries, settings: { max_locks_per_transaction: '1024', autovacuum: 'off' } });
  await buildDatabase(server, size);
  const environment = createEnvironment(folder);
  const url = withDatabase(server, 'bench');
  return {
    size,
    folder,
    environment,
    binaries,
    url,
    query: (sql) => runSql(url, sql),
    dropViews: async () => {
      await runSql(server.url, 'DROP DATABASE bench');
      await runSql(server.url, 'CREATE DATABASE bench TEMPLATE bench_empty');
    },
    createRepository: (name) => createRepository(mkdtempSync(join(folder, `${name}-`)), url, environment),
    close: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
