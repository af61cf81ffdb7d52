import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { type Server, startServer } from '../../src/warehouses/postgres/embedded-server.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { postgresServers, type TestDatabase } from '../support/postgres-server.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement, requireSound } from './laws.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;`;

const drift = (above: number) => `CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > ${above}`;

async function query(url: string, sql: string) {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows ?? [];
  } finally {
    await client.end();
  }
}

/** A server that nobody else uses. What it has committed outlasts it, as long as the machine goes on. */
async function openShop(): Promise<{ readonly place: Workplace; readonly server: Server }> {
  const [{ binaries = '' } = {}] = postgresServers();
  const server = await startServer({ binaries, settings: { synchronous_commit: 'on', full_page_writes: 'on' } });
  onTestFinished(() => server.stop());
  const { url } = server;
  const database: TestDatabase = {
    version: Number.parseInt(server.version, 10),
    name: 'postgres',
    url,
    urlFor: () => url,
    query: (sql) => query(url, sql),
    load: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
  const place = await openWorkplace({ database, connections: 'fresh' });
  await database.query(shop);
  await place.export();
  return { place, server };
}

const isAnswering = (url: string) =>
  query(url, 'SELECT 1').then(
    () => true,
    () => false,
  );

/** One process of the server is killed, whereupon it ends all its sessions and recovers. */
async function crash({ url }: Server): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  const witness = new Client({ connectionString: url });
  const ended = new Promise((resolve) => witness.on('error', () => undefined).once('end', resolve));
  await witness.connect();
  process.kill(Number(rows[0].pid), 'SIGKILL');
  await ended;
  await client.end().catch(() => undefined);
}

/** What `pg_ctl stop -m immediate` and `pg_ctl start` do. */
async function restart({ binaries, ...server }: Server): Promise<void> {
  const data = join(server.socketDirectory, 'data');
  const lock = join(data, 'postmaster.pid');
  process.kill(Number(readFileSync(lock, 'utf8').split('\n')[0]), 'SIGQUIT');
  // It goes when all sessions have ended.
  await expect.poll(() => existsSync(lock), { timeout: 30_000 }).toBe(false);
  const { uid, gid } = statSync(data);
  const child = spawn(join(binaries, 'postgres'), ['-D', data], { uid, gid, cwd: data, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGQUIT'));
}

/** A connection under which the server goes away: while it inspects, or when everything has run and nothing is committed. */
async function doomed(place: Workplace, when: 'inspect' | 'commit', stop: () => Promise<void>): Promise<Warehouse> {
  const warehouse = await place.connect();
  onTestFinished(() => warehouse.close());
  if (when === 'inspect') {
    return {
      ...warehouse,
      inspect: async (scope, progress) => {
        await stop();
        return warehouse.inspect(scope, progress);
      },
    };
  }
  const transact: Warehouse['transact'] = (options, work) =>
    warehouse.transact(options, async (transaction) => {
      const result = await work(transaction);
      await stop();
      return result;
    });
  return { ...warehouse, transact };
}

test.each(['crashes', 'is stopped and started'])('a server that %s during an export, an apply and a rollback costs nothing but the command', async (how) => {
  const { place, server } = await openShop();
  const stop = () => (how === 'crashes' ? crash(server) : restart(server));
  await place.database.query(drift(1));
  await place.apply('HEAD');
  const acts = [
    ['inspect', (warehouse: Warehouse) => place.export({ warehouse })],
    ['commit', (warehouse: Warehouse) => place.apply('HEAD', { warehouse })],
    ['commit', (warehouse: Warehouse) => place.rollback({ warehouse })],
  ] as const;
  for (const [index, [when, act]] of acts.entries()) {
    await place.database.query(drift(index + 2));
    const [catalog, head] = [await describeCatalog(place.database.url), place.git('rev-parse', 'HEAD')];
    const outcome = await act(await doomed(place, when, stop)).catch((error) => error);
    expectTold(outcome, { code: 'CONNECTION_LOST', exitCode: 69, because: /connection .*was lost/, next: 'viewsync status' }, `${how} ${index}`);
    await expect.poll(() => isAnswering(server.url), { timeout: 60_000 }).toBe(true);
    expect([place.git('rev-parse', 'HEAD'), place.git('status', '--porcelain')]).toEqual([head, '']);
    requireSound(place.directory);
    // The server may have committed in its last moment: the run is open then, and one command ends it.
    if ((await place.status()).run) await place.rollback();
    else expect(await describeCatalog(place.database.url)).toEqual(catalog);
    await place.apply('HEAD');
    await expectAgreement(place);
  }
  if (how !== 'crashes') await holdAsStandby(place, server);
});

/** A standby can be backed up and looked at; nothing is changed there, and it is said why. */
async function holdAsStandby(place: Workplace, server: Server): Promise<void> {
  await place.database.query(drift(9));
  writeFileSync(join(server.socketDirectory, 'data/standby.signal'), '');
  await restart(server);
  await expect.poll(() => isAnswering(server.url), { timeout: 60_000 }).toBe(true);
  expect((await place.export()).subject).toBe('prod: 1 view changed');
  expect((await place.plan('HEAD~1')).plan.unproven).toMatchObject([{ because: expect.stringContaining('standby') }]);
  const refs = place.git('for-each-ref');
  await expect(place.apply('HEAD~1')).rejects.toMatchObject({
    code: 'PRIVILEGE_MISSING',
    exitCode: 3,
    message: expect.stringMatching(/is a standby.*Nothing was changed\.$/),
    suggestions: [expect.stringContaining('primary')],
  });
  expect(place.git('for-each-ref')).toBe(refs);
}
