import { chmod, chown, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server as TcpServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgres } from '../../../src/warehouses/postgres/adapter.ts';
import { findServerAccount, type Server, startServer } from '../../../src/warehouses/postgres/embedded-server.ts';
import { connect } from '../../../src/warehouses/postgres-family/connect.ts';
import type { Environment } from '../../../src/warehouses/postgres-family/libpq.ts';
import { createDatabase, findFreePort, postgresServers } from '../../support/postgres-server.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/tls/${name}`, import.meta.url));
const authority = fixture('authority.crt');

// Each database is open in one way only.
const rules = [
  'hostssl encrypted all all trust',
  'hostnossl plain all all trust',
  'host locked all all scram-sha-256',
  'host postgres all all trust',
  'host missing all all trust',
];

let secure: Server;
let open: Server;
let home: string;

beforeAll(async () => {
  const account = await findServerAccount();
  home = await mkdtemp('/tmp/viewsync-home-');
  await chmod(home, 0o755);
  const key = join(home, 'server.key');
  await copyFile(fixture('server.key'), key);
  await copyFile(fixture('server.crt'), join(home, 'server.crt'));
  await chmod(key, 0o600);
  if (account !== undefined) await chown(key, account.uid, account.gid);
  const [binaries = ''] = postgresServers().map((server) => server.binaries);
  secure = await startServer({
    binaries,
    tcp: { port: await findFreePort(), authentication: rules },
    settings: { ssl: 'on', ssl_cert_file: join(home, 'server.crt'), ssl_key_file: key },
  });
  open = await startServer({ binaries, tcp: { port: await findFreePort(), authentication: ['host all keeper all scram-sha-256', 'host all all all trust'] } });
  const setup = await connect(secure.url, {});
  for (const name of ['encrypted', 'plain', 'locked']) await setup.run(`CREATE DATABASE ${name}`);
  // 13 would keep an MD5 of it, which SCRAM cannot use.
  await setup.run("SET password_encryption = 'scram-sha-256'; CREATE ROLE keeper LOGIN PASSWORD 'p@ss:w0rd'");
  await setup.close();
});

afterAll(async () => {
  await Promise.all([secure?.stop(), open?.stop()]);
  await rm(home, { recursive: true, force: true });
});

interface Where {
  readonly server?: Server;
  readonly host?: string;
  readonly user?: string;
  readonly database?: string;
}

const url = (parameters: string, { server = secure, host = 'localhost', user = 'postgres', database = 'postgres' }: Where = {}): string =>
  `postgresql://${user}@${host}:${server.port}/${database}?${parameters}`;

async function isEncrypted(address: string, environment: Environment = {}): Promise<boolean> {
  const connection = await connect(address, { HOME: home, ...environment });
  const [row] = await connection.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  await connection.close();
  return row?.ssl ?? false;
}

/** The error, which never holds the password. */
async function failure(address: string, environment: Environment = {}): Promise<unknown> {
  const error: unknown = await isEncrypted(address, environment).catch((caught: unknown) => caught);
  expect(JSON.stringify(error, ['message', 'suggestions', 'details'])).not.toContain('w0rd');
  return error;
}

describe('sslmode is what libpq makes of it', () => {
  test.each([
    ['disable', false],
    ['allow', false],
    ['prefer', true],
    ['require', true],
    [`verify-ca&sslrootcert=${authority}`, true],
    [`verify-full&sslrootcert=${authority}`, true],
  ])('%s', async (mode, encrypted) => {
    expect(await isEncrypted(url(`sslmode=${mode}`))).toBe(encrypted);
  });

  test('without one TLS is used where the server has it', async () => {
    expect(await isEncrypted(url(''))).toBe(true);
    expect(await isEncrypted(url('', { server: open }))).toBe(false);
    expect(await isEncrypted(url('', { server: open }), { PGSSLMODE: 'disable' })).toBe(false);
  });

  test('allow turns to TLS, and prefer away from it, where the server insists', async () => {
    expect(await isEncrypted(url('sslmode=allow', { database: 'encrypted' }))).toBe(true);
    expect(await isEncrypted(url('sslmode=prefer', { database: 'plain' }))).toBe(false);
  });

  test('require checks nothing without a root certificate and the authority with one', async () => {
    const other = `sslmode=require&sslrootcert=${fixture('other-authority.crt')}`;
    expect(await failure(url(other))).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('certificate'),
      suggestions: [expect.stringContaining('sslrootcert')],
    });
  });

  test('verify-ca takes any name that the authority signed, verify-full only the right one', async () => {
    const byAddress = (mode: string) => url(`sslmode=${mode}&sslrootcert=${authority}`, { host: '127.0.0.1' });
    expect(await isEncrypted(byAddress('verify-ca'))).toBe(true);
    expect(await failure(byAddress('verify-full'))).toMatchObject({
      code: 'CONNECTION_FAILED',
      suggestions: expect.arrayContaining([expect.stringContaining('verify-ca')]),
    });
  });

  test('verify-full needs a root certificate, and a system one needs verify-full', async () => {
    expect(await failure(url('sslmode=verify-full'))).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('.postgresql/root.crt') });
    expect(await failure(url('sslmode=require&sslrootcert=system'))).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await failure(url('sslrootcert=system'))).toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('verify-full') });
    expect(await failure(url('sslmode=strict'))).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('"strict"') });
  });
});

describe('a connection that fails says what to change', () => {
  test('TLS is asked for and the server has none', async () => {
    expect(await failure(url('sslmode=require', { server: open }))).toMatchObject({
      code: 'CONNECTION_FAILED',
      exitCode: 69,
      suggestions: expect.arrayContaining([expect.stringContaining('sslmode=prefer')]),
    });
  });

  test('the server takes nothing but TLS', async () => {
    expect(await failure(url('sslmode=disable', { database: 'encrypted' }))).toMatchObject({
      code: 'CONNECTION_FAILED',
      suggestions: [expect.stringContaining('sslmode=require')],
    });
  });

  test('the password is missing or wrong', async () => {
    const locked = { user: 'keeper', database: 'locked' };
    expect(await failure(url('', locked))).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('asks "keeper" for a password'),
      suggestions: expect.arrayContaining([expect.stringContaining('PGPASSWORD')]),
    });
    expect(await failure(url('', { server: open, user: 'keeper' }))).toMatchObject({ message: expect.stringContaining('asks "keeper" for a password') });
    expect(await failure(url('', { ...locked, user: 'keeper:wr0ng-w0rd' }))).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('the password of "keeper" is wrong'),
    });
  });

  test('the host, the port or the database is not there', async () => {
    expect(await failure('postgresql://u:w0rd@no-such-host.invalid/shop')).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringMatching(/"shop" on no-such-host\.invalid: there is no host/),
    });
    expect(await failure(`postgresql://u@127.0.0.1:${await findFreePort()}/shop`)).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('nothing listens'),
    });
    expect(await failure('postgresql:///shop?host=/tmp/no-such-folder')).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('nothing listens'),
    });
    expect(await failure(url('', { database: 'missing' }))).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('no database "missing"'),
    });
  });

  test('nobody answers in time', async () => {
    const silent = await listenSilently();
    expect(await failure(`postgresql://u:w0rd@127.0.0.1:${silent.port}/shop?connect_timeout=1&sslmode=disable`)).toMatchObject({
      code: 'CONNECTION_FAILED',
      message: expect.stringContaining('does not answer'),
    });
    silent.server.close();
  });

  test('what cannot be honoured is refused, not ignored', async () => {
    for (const parameters of ['sslcrl=/x', 'channel_binding=require', 'requirepeer=postgres']) {
      expect(await failure(url(parameters))).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 78 });
    }
    expect(await failure(url('nonsense=1'))).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('"nonsense"') });
    expect(await failure('mysql://u:w0rd@h/d')).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await failure('postgresql://u:w0rd@a:1,b:2/d')).toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

async function listenSilently(): Promise<{ readonly server: TcpServer; readonly port: number }> {
  const port = await findFreePort();
  const server = createServer((socket) => void socket.unref().on('error', () => undefined))
    .listen(port, '127.0.0.1')
    .unref();
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, port };
}

describe('what the url leaves out is found where libpq looks', () => {
  const locked = { user: 'keeper', database: 'locked' };
  const variables = (): Environment => ({ PGHOST: 'localhost', PGPORT: String(secure.port), PGUSER: 'keeper', PGDATABASE: 'locked', PGPASSWORD: 'p@ss:w0rd' });

  test('a password in the url, percent-encoded', async () => {
    expect(await isEncrypted(url('', { ...locked, user: 'keeper:p%40ss%3Aw0rd' }))).toBe(true);
  });

  test('environment variables, without any url', async () => {
    const connection = await connect(undefined, { HOME: home, ...variables() });
    expect(await connection.query('SELECT current_user::text AS role, current_database()::text AS name')).toEqual([{ role: 'keeper', name: 'locked' }]);
    expect(await connection.query("SELECT current_setting('application_name') AS name")).toEqual([{ name: 'viewsync' }]);
    await connection.close();
  });

  test('a password file that only its owner can read', async () => {
    const file = join(home, 'pgpass');
    await writeFile(file, `# comment\nlocalhost:${secure.port}:*:someone:no\nlocalhost:*:locked:keeper:p@ss\\:w0rd\n`, { mode: 0o600 });
    expect(await isEncrypted(url('', locked), { PGPASSFILE: file })).toBe(true);
    expect(await isEncrypted(url(`passfile=${file}`, locked))).toBe(true);
    expect(await failure(url('', { ...locked, user: 'other' }), { PGPASSFILE: file })).toMatchObject({ message: expect.stringContaining('asks "other"') });
  });

  test('a service file', async () => {
    const file = join(home, 'services');
    await writeFile(file, `[other]\nhost=nowhere\n[mine]\nhost=localhost\nport=${secure.port}\ndbname=locked\nuser=keeper\npassword=p@ss:w0rd\n`);
    const environment = { PGSERVICEFILE: file, PGDATABASE: 'postgres' };
    expect(await isEncrypted('postgresql:///?service=mine', environment)).toBe(true);
    expect(await failure('postgresql:///?service=absent', environment)).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('"absent"') });
  });

  test('a socket in a folder, where TLS is never asked for', async () => {
    await using database = await createDatabase();
    expect(await isEncrypted(`${database.url}&sslmode=require`)).toBe(false);
  });
});

test('a server that is no PostgreSQL of a known version is refused by name', async () => {
  await using database = await createDatabase();
  await database.query(
    "CREATE SCHEMA fake; CREATE FUNCTION fake.version() RETURNS text LANGUAGE sql AS $$SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, Redshift 1.0.1'$$",
  );
  await database.query(`ALTER DATABASE ${database.name} SET search_path = fake, pg_catalog`);
  await expect(postgres.connect({ url: database.url }, {})).rejects.toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringContaining('Redshift') });
});
