import { describe, expect, test } from 'vitest';
import { lockedOut } from '../../../src/warehouses/postgres/lock.ts';
import { connect } from '../../../src/warehouses/postgres-family/connect.ts';
import { newestServer, type TestDatabase } from '../../support/postgres-server.ts';
import { database, find, inspect, keys } from './inspecting.ts';

describe.each([newestServer()])('a database that changes while PostgreSQL $version is read', ({ version }) => {
  const shop = 'CREATE TABLE t (a int, b int); CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT b FROM t; CREATE VIEW x AS SELECT 1 AS one';
  const once = (db: TestDatabase, sql: string) => (round: number) => (round === 1 ? db.query(sql) : Promise.resolve());

  test('a renamed base column is printed as it is afterwards', async () => {
    await using db = await database(version, shop);
    const inspection = await inspect(db.url, { meanwhile: once(db, 'ALTER TABLE t RENAME a TO renamed') });
    expect(inspection.snapshot).toEqual((await inspect(db.url)).snapshot);
    expect(find(inspection, 'public.v').definition).toContain('renamed AS a');
  });

  test('a dropped view is absent and not unreadable', async () => {
    await using db = await database(version, shop);
    const inspection = await inspect(db.url, { meanwhile: once(db, 'DROP VIEW v') });
    expect(inspection.snapshot).toEqual((await inspect(db.url)).snapshot);
    expect(keys(inspection)).toEqual(['public.w', 'public.x']);
  });

  test('a replaced, a renamed and a dropped and re-created view are read as they are afterwards', async () => {
    await using db = await database(version, shop);
    const meanwhile = once(
      db,
      'CREATE OR REPLACE VIEW v AS SELECT a, 2 AS c FROM t; ALTER VIEW w RENAME TO w2; DROP VIEW x; CREATE VIEW x AS SELECT 3 AS three',
    );
    expect((await inspect(db.url, { meanwhile })).snapshot).toEqual((await inspect(db.url)).snapshot);
  });

  test('a renamed schema and a renamed function change the texts that name them', async () => {
    await using db = await database(
      version,
      "CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW v AS SELECT a, f() FROM s.t",
    );
    const meanwhile = once(db, 'ALTER SCHEMA s RENAME TO s2; ALTER FUNCTION f() RENAME TO g');
    expect((await inspect(db.url, { meanwhile })).snapshot).toEqual((await inspect(db.url)).snapshot);
  });

  test('a change that was not committed when reading began, made in a subtransaction, is seen', async () => {
    await using db = await database(version, shop);
    const other = await connect(db.url, {});
    await other.run('BEGIN; SAVEPOINT inner_one; ALTER VIEW v RENAME COLUMN a TO renamed; RELEASE SAVEPOINT inner_one');
    // Another transaction that began later and is over makes the open one older than the newest transaction of the snapshot.
    await db.query('COMMENT ON VIEW x IS $$later$$');
    const inspection = await inspect(db.url, { meanwhile: (round) => (round === 1 ? other.run('COMMIT') : Promise.resolve()) });
    await other.close();
    expect(inspection.snapshot).toEqual((await inspect(db.url)).snapshot);
  });

  test('a long transaction of someone else keeps nobody from reading', async () => {
    await using db = await database(version, shop);
    const other = await connect(db.url, {});
    await other.run('BEGIN; CREATE TABLE unfinished (a int)');
    await db.query('CREATE OR REPLACE VIEW x AS SELECT 1 AS one, 2 AS two');
    expect(keys(await inspect(db.url))).toEqual(['public.v', 'public.w', 'public.x']);
    await other.close();
  });

  test('a view that is changed at every look is held still in the end, and whoever changes it has to wait until then', async () => {
    await using db = await database(version, shop);
    let last: Promise<unknown> = Promise.resolve();
    const meanwhile = async (round: number) => {
      const change = db.query(`CREATE OR REPLACE VIEW x AS SELECT ${round} AS one`);
      if (round < 5) return change;
      last = change;
      return undefined;
    };
    expect(find(await inspect(db.url, { meanwhile }), 'public.x').definition).toContain('SELECT 4 AS one');
    await last;
    expect(find(await inspect(db.url), 'public.x').definition).toContain('SELECT 5 AS one');
  });

  test('what changes for the first time after the last look and before things are held still is read as it is then', async () => {
    await using db = await database(version, shop);
    const changes = ['VIEW x AS SELECT 2 AS one', 'VIEW x AS SELECT 3 AS one', 'VIEW x AS SELECT 4 AS one', 'VIEW v AS SELECT a, 4 AS n FROM t'];
    const meanwhile = async (round: number) => (changes[round - 1] === undefined ? undefined : db.query(`CREATE OR REPLACE ${changes[round - 1]}`));
    expect((await inspect(db.url, { meanwhile })).snapshot).toEqual((await inspect(db.url)).snapshot);
  });

  test('what never holds still and cannot be held is an error that names what moves', async () => {
    await using db = await database(
      version,
      `${shop}; CREATE FUNCTION f1() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE OR REPLACE VIEW x AS SELECT f1() AS one`,
    );
    const reading = inspect(db.url, { meanwhile: (round) => db.query(`ALTER FUNCTION f${round}() RENAME TO f${round + 1}`) });
    await expect(reading).rejects.toMatchObject({ code: 'LISTING_MOVED', exitCode: 69, message: expect.stringContaining('"public.x"') });
  });

  test('someone who keeps a table locked is waited for, and then it is an error and no unreadable view', async () => {
    await using db = await database(version, shop);
    const other = await connect(db.url, {});
    await other.run("SET application_name = 'nightly load'; BEGIN; LOCK TABLE t");
    const denied = await inspect(db.url, { lockTimeout: 200 }).catch((error) => error);
    expect(denied).toMatchObject({ code: '55P03' });
    const asker = await connect(db.url, {});
    expect(await lockedOut(asker, denied)).toMatchObject({
      code: 'LOCK_TIMEOUT',
      exitCode: 75,
      message: expect.stringMatching(
        /could not be read, because .* locked by someone else: process \d+ \(\w+, nightly load\) has locked public\.t\. Nothing was changed\.$/,
      ),
      suggestions: ['Run it again when that has ended.'],
    });
    await asker.close();
    setTimeout(() => void other.run('ROLLBACK'), 100);
    expect(keys(await inspect(db.url))).toEqual(['public.v', 'public.w', 'public.x']);
    await other.close();
  });

  test('few locks are held at a time, however many views there are', async () => {
    await using db = await database(
      version,
      `${shop};
      DO $$ BEGIN FOR i IN 1..1500 LOOP EXECUTE format('CREATE TABLE t_%s (a int)', i); EXECUTE format('CREATE VIEW v_%s AS SELECT a FROM t_%s', i, i); END LOOP; END $$`,
    );
    const observer = await connect(db.url, {});
    let peak = 0;
    let isOver = false;
    const reading = inspect(db.url).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const [row] = await observer.query<{ held: number }>(
        "SELECT count(*)::int AS held FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND l.pid <> pg_backend_pid() AND l.locktype = 'relation'",
      );
      peak = Math.max(peak, row?.held ?? 0);
    }
    expect((await reading).snapshot.views).toHaveLength(1503);
    expect(peak).toBeGreaterThan(10);
    expect(peak).toBeLessThan(500);
    await observer.close();
  });
});
