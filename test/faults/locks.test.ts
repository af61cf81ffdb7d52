import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { newestServer } from '../support/postgres-server.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement } from './laws.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;
CREATE VIEW shop.other AS SELECT 1 AS n;`;

const lockTimeout = 300;
// What a busy machine may add to a wait that the server ends in time.
const slack = 500;

const waitingForLocks = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'viewsync' AND wait_event_type = 'Lock'";

async function openShop(version: number): Promise<Workplace> {
  const place = await openWorkplace({ version });
  await place.database.query(shop);
  await place.export();
  await place.database.query(
    'CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 5; CREATE OR REPLACE VIEW shop.other AS SELECT 2 AS n',
  );
  return place;
}

async function openSession(place: Workplace): Promise<Client> {
  const session = new Client({ connectionString: place.database.url });
  await session.connect();
  onTestFinished(() => session.end());
  return session;
}

/** Reads a view again and again until told to stop; how much longer one reading took than any that waits for nobody, in milliseconds. */
async function startReader(place: Workplace, sql: string): Promise<() => Promise<number>> {
  const session = await openSession(place);
  let isOver = false;
  let longest = 0;
  let idle = 0;
  const reading = (async () => {
    while (!isOver) {
      const from = performance.now();
      await session.query(sql);
      longest = Math.max(longest, performance.now() - from);
      const read = performance.now();
      await session.query('SELECT 1');
      idle = Math.max(idle, performance.now() - read);
    }
  })();
  return async () => {
    isOver = true;
    await reading;
    return longest - idle;
  };
}

describe.each([newestServer().version])('on PostgreSQL %i', (version) => {
  test('a lock held by a reader stops an apply cleanly, and nobody else waits longer than the lock timeout', async () => {
    const place = await openShop(version);
    const holder = await openSession(place);
    await holder.query('BEGIN; SELECT * FROM shop.big');
    const stop = await startReader(place, 'SELECT * FROM shop.big, shop.other');
    const refused = await place.apply('HEAD', { lockTimeout, attempts: 3 }).catch((error) => error);
    expect(await stop()).toBeLessThan(lockTimeout + slack);
    expectTold(refused, {
      code: 'LOCK_TIMEOUT',
      exitCode: 75,
      because: /^"shop.big" could not be locked within 300 ms, tried 3 times: process \d+.* holds it\. Rolled back; nothing changed\.$/,
      next: '--lock-timeout',
    });
    expect((await place.status()).run).toBeUndefined();
    await holder.query('ROLLBACK');
    await place.apply('HEAD');
    await expectAgreement(place);
  });

  test('a table that someone locks after the views were locked holds up nobody longer than that either', async () => {
    const place = await openShop(version);
    const migration = await openSession(place);
    const warehouse = await place.connect();
    onTestFinished(() => warehouse.close());
    const transact: Warehouse['transact'] = (options, work) =>
      warehouse.transact(options, async (transaction) => {
        await migration.query('BEGIN; LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE');
        return work(transaction);
      });
    const stop = await startReader(place, 'SELECT * FROM shop.other');
    const release = setTimeout(() => void migration.query('ROLLBACK'), 4000);
    const refused = await place.apply('HEAD', { warehouse: { ...warehouse, transact }, lockTimeout, attempts: 1 }).catch((error) => error);
    const longest = await stop();
    clearTimeout(release);
    expect(longest).toBeLessThan(lockTimeout * 2 + slack);
    expectTold(refused, { code: 'LOCK_TIMEOUT', exitCode: 75, because: /locked/, next: 'Run it again' });
    await migration.query('ROLLBACK');
    expect((await place.status()).run).toBeUndefined();
    await place.apply('HEAD');
    await expectAgreement(place);
  });

  test('an export waits for a migration that has locked a table, and records what is there then', async () => {
    const place = await openShop(version);
    const migration = await openSession(place);
    await migration.query('BEGIN; LOCK TABLE shop.orders IN ACCESS EXCLUSIVE MODE; ALTER TABLE shop.orders RENAME total TO amount');
    let isOver = false;
    const running = place.export().finally(() => {
      isOver = true;
    });
    // It waits for a moment at a time, so the waiting is to be seen now and then.
    for (let seen = 0; seen < 2; seen++) await expect.poll(() => place.database.query(waitingForLocks), { timeout: 10_000, interval: 7 }).toHaveLength(1);
    expect(isOver).toBe(false);
    await migration.query('COMMIT');
    await running;
    expect(place.git('show', 'HEAD:views/prod/shop/big.sql')).toContain('amount');
    await expectAgreement(place);
  });

  test('an export that meets a lock holds none of its own, so that a migration which changes one view after the other loses no deadlock', async () => {
    const place = await openWorkplace({ version });
    // What is locked to print a view is what it reads.
    const views = ['a', 'b', 'c'].map((name) => `CREATE VIEW ${name} AS SELECT id FROM t; CREATE VIEW of_${name} AS SELECT id FROM ${name}`);
    await place.database.query(`CREATE TABLE t (id int); ${views.join('; ')}`);
    await place.export();
    const migration = await openSession(place);
    // What the server does to somebody who waits for us while we wait for them.
    await migration.query("SET deadlock_timeout = '200ms'");
    for (const [first, second] of [
      ['c', 'a'],
      ['a', 'c'],
    ] as const) {
      await migration.query(`BEGIN; CREATE OR REPLACE VIEW ${first} AS SELECT id FROM t WHERE id > 1`);
      const running = place.export();
      await expect.poll(() => place.database.query(waitingForLocks), { timeout: 10_000, interval: 7 }).toHaveLength(1);
      await migration.query(`CREATE OR REPLACE VIEW ${second} AS SELECT id FROM t WHERE id > 1; COMMIT`);
      await running;
    }
    await expectAgreement(place);
  });

  test('a migration that waits for a table keeps nobody waiting longer than that, also not for views that it has dropped', async () => {
    const place = await openShop(version);
    await place.export();
    await place.database.query('CREATE TABLE shop.busy (id int); CREATE VIEW shop.of_busy AS SELECT id FROM shop.busy');
    const before = await place.database.query("SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace ORDER BY 1");
    const holder = await openSession(place);
    await holder.query('BEGIN; SELECT * FROM shop.busy');
    const [stop, stopOther] = [await startReader(place, 'SELECT * FROM shop.best'), await startReader(place, 'SELECT * FROM shop.busy')];
    const script = 'ALTER TABLE shop.orders ALTER total TYPE numeric(14,2); ALTER TABLE shop.busy ALTER id TYPE bigint';
    const waits: unknown[] = [];
    const refused = await place.migrate(script, { lockTimeout, attempts: 2, onWait: (event) => waits.push(event) }).catch((error) => error);
    expect(await stop()).toBeLessThan(lockTimeout + slack);
    expect(await stopOther()).toBeLessThan(lockTimeout + slack);
    expectTold(refused, { code: 'LOCK_TIMEOUT', exitCode: 75, because: /process \d+.*nothing changed/, next: '--lock-timeout' });
    expect(waits).toMatchObject([{ attempt: 1, holder: expect.stringContaining('process') }]);
    expect(await place.database.query("SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace ORDER BY 1")).toEqual(before);
    expect((await place.status()).run).toBeUndefined();
    const letGo = () => void holder.query('ROLLBACK');
    expect(await place.migrate(script, { lockTimeout, attempts: 5, onWait: letGo })).toMatchObject({ restored: ['shop.best', 'shop.big', 'shop.of_busy'] });
  });
});
