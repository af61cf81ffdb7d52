import { describe, expect, test } from 'vitest';
import type { Step } from '../../../src/core/plan.ts';
import { relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { postgres } from '../../../src/warehouses/postgres/adapter.ts';
import { connect } from '../../../src/warehouses/postgres-family/connect.ts';
import type { TransactionOptions, Warehouse } from '../../../src/warehouses/warehouse.ts';
import { createDatabase, createRole, newestServer, type TestDatabase } from '../../support/postgres-server.ts';

const shop = `
  CREATE SCHEMA shop; CREATE TABLE shop.t (a int);
  CREATE VIEW shop.v AS SELECT a FROM shop.t; CREATE VIEW shop.w AS SELECT a FROM shop.v; CREATE MATERIALIZED VIEW shop.m AS SELECT a FROM shop.t`;

interface Open extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly warehouse: Warehouse;
  readonly views: readonly View[];
  view(key: string): View;
}

async function open(version: number, role?: string): Promise<Open> {
  const database = await createDatabase(version);
  await database.query(shop);
  const warehouse = await postgres.connect({ url: role === undefined ? database.url : database.urlFor(role) }, {});
  const { snapshot } = await warehouse.inspect({ schemas: ['*'] });
  const view = (key: string): View => {
    const found = snapshot.views.find((each) => relationKey(each.name) === key);
    if (found === undefined) throw new Error(`There is no view ${key}.`);
    return found;
  };
  const close = async (): Promise<void> => {
    await warehouse.close();
    await database[Symbol.asyncDispose]();
  };
  return { database, warehouse, views: snapshot.views, view, [Symbol.asyncDispose]: close };
}

const step = (sql: string): Step => ({ kind: 'alter', view: { schema: 'shop', name: 'v' }, sql, because: 'the test says so' });
const brief: Omit<TransactionOptions, 'locks'> = { lockTimeout: 300, attempts: 1 };

describe.each([newestServer()])('a transaction on PostgreSQL $version', ({ version }) => {
  test('holds the lock of every view that it asked for, and no table', async () => {
    await using it = await open(version);
    await it.warehouse.transact({ ...brief, locks: it.views }, async () => {
      const held = await it.database.query(`
        SELECT c.relname AS name, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
        WHERE l.granted AND c.relnamespace = 'shop'::regnamespace ORDER BY 1`);
      expect(held).toEqual(['m', 'v', 'w'].map((name) => ({ name, mode: 'AccessExclusiveLock' })));
    });
  });

  test('runs steps byte for byte, several statements in one among them', async () => {
    await using it = await open(version);
    const steps = ["COMMENT ON VIEW shop.v IS 'one; two';\nCOMMENT ON COLUMN shop.v.a IS $x$;$x$", 'CREATE VIEW shop.fresh AS SELECT a FROM shop.v'].map(step);
    const done: number[] = [];
    const { results, failure } = await it.warehouse.transact({ ...brief, locks: [it.view('shop.v')] }, (transaction) =>
      transaction.execute(steps, (index) => done.push(index)),
    );
    expect(failure).toBeUndefined();
    expect(results).toHaveLength(2);
    expect(done).toEqual([0, 1]);
    const { snapshot } = await it.warehouse.inspect({ schemas: ['shop'] });
    const comments = snapshot.views.find(({ name }) => name.name === 'v')?.attachments.filter(({ kind }) => kind === 'comment');
    expect(comments?.map(({ value }) => value)).toEqual(['one; two', ';']);
  });

  test('a failed step says what the server said, and everything is rolled back', async () => {
    await using it = await open(version);
    const steps = [step("COMMENT ON VIEW shop.v IS 'gone again'"), step('DROP VIEW shop.v'), step('DROP VIEW shop.w')];
    const work = it.warehouse.transact({ ...brief, locks: it.views }, async (transaction) => {
      const { failure, results } = await transaction.execute(steps);
      expect(results).toHaveLength(1);
      expect(failure).toMatchObject({ index: 1, code: '2BP01', detail: expect.stringContaining('shop.w'), hint: expect.any(String) });
      throw new Error('stop here');
    });
    await expect(work).rejects.toThrow('stop here');
    expect((await it.warehouse.inspect({ schemas: ['*'] })).snapshot.views).toEqual(it.views);
  });

  test('names the failed one of steps that were sent together, also one that cannot be parsed', async () => {
    await using it = await open(version);
    const harmless = step("COMMENT ON VIEW shop.v IS '𝕧' -- and so on");
    const several = step("COMMENT ON VIEW shop.v IS 'one'; COMMENT ON VIEW shop.nowhere IS 'two'");
    const [unknown, unreadable] = [step('DROP VIEW shop.nowhere'), step('DROP VEEW shop.v')];
    const last = { [unknown.sql]: '42P01', [unreadable.sql]: '42601', [several.sql]: '42P01' };
    const run = async (steps: readonly Step[]) => {
      const done: number[] = [];
      const work = it.warehouse.transact({ ...brief, locks: [] }, async (transaction) => {
        const { failure } = await transaction.execute(steps, (index) => done.push(index));
        throw Object.assign(new Error('roll back'), { code: failure?.code, index: failure?.index });
      });
      const { code, index } = await work.catch((error) => error);
      return { code, index, isNext: done.every((each) => each < index) };
    };
    for (const failing of [unknown, unreadable, several]) {
      for (const before of [0, 1, 7, 19, 20, 21, 700]) {
        const steps = [...Array.from({ length: before }, () => harmless), failing, ...Array.from({ length: 30 }, () => harmless)];
        expect(await run(steps), `${before} steps before ${failing.sql}`).toEqual({ code: last[failing.sql], index: before, isNext: true });
      }
    }
  });

  test('is not committed when a step failed, even if the work returns', async () => {
    await using it = await open(version);
    const work = it.warehouse.transact({ ...brief, locks: [] }, (transaction) => transaction.execute([step('DROP VIEW shop.w'), step('nonsense')]));
    await expect(work).rejects.toMatchObject({ code: 'QUERY_FAILED' });
    expect((await it.warehouse.inspect({ schemas: ['*'] })).snapshot.views).toEqual(it.views);
  });

  test('what it inspects and settles is what the steps left, and settling leaves nothing', async () => {
    await using it = await open(version);
    await it.warehouse.transact({ ...brief, locks: it.views }, async (transaction) => {
      await transaction.execute([step('CREATE OR REPLACE VIEW shop.v AS SELECT a, a + 1 AS b FROM shop.t')]);
      const [live] = await transaction.inspect([
        { schema: 'shop', name: 'v' },
        { schema: 'shop', name: 'absent' },
      ]);
      expect(live?.columns).toEqual([
        { name: 'a', type: 'integer' },
        { name: 'b', type: 'integer' },
      ]);
      const wanted = { ...it.view('shop.v'), definition: 'select a, (a + 1) as b from shop.t' };
      const settled = await transaction.settle(live === undefined ? [] : [{ wanted, live }]);
      expect(settled.get('shop.v')).toMatchObject({ outcome: 'same' });
      expect((await transaction.execute([step('DROP VIEW shop.w')])).failure).toBeUndefined();
    });
    expect((await it.warehouse.inspect({ schemas: ['*'] })).snapshot.views.map(({ name }) => name.name)).toEqual(['m', 'v']);
  });

  test('waits for no lock longer than it said, names the holder, and has changed nothing', async () => {
    await using it = await open(version);
    const reader = await connect(it.database.url, {});
    await reader.run('BEGIN; SELECT * FROM shop.w');
    const [own] = await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const waits: unknown[] = [];
    const started = performance.now();
    const work = it.warehouse.transact({ lockTimeout: 200, attempts: 2, locks: it.views, onWait: (event) => waits.push(event) }, async () => undefined);
    await expect(work).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      exitCode: 75,
      message: expect.stringContaining(`process ${own?.pid} (postgres, viewsync)`),
    });
    expect(performance.now() - started).toBeLessThan(2000);
    expect(waits).toEqual([{ view: { schema: 'shop', name: 'v' }, attempt: 1, holder: expect.stringContaining('process') }]);
    const [left] = await it.database.query(
      "SELECT count(*)::int AS locks FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() WHERE l.locktype = 'advisory'",
    );
    expect(left).toEqual({ locks: 0 });
    await reader.close();
  });

  test('all locks together take no longer than one lock timeout', async () => {
    await using it = await open(version);
    const readers = await Promise.all(['shop.m', 'shop.v', 'shop.w'].map(() => connect(it.database.url, {})));
    await Promise.all(readers.map((reader, index) => reader.run(`BEGIN; SELECT * FROM shop.${['m', 'v', 'w'][index]}`)));
    const ends = readers.map((reader, index) => new Promise((resolve) => setTimeout(resolve, 350 * (index + 1))).then(() => reader.run('ROLLBACK')));
    const started = performance.now();
    const work = it.warehouse.transact({ lockTimeout: 500, attempts: 1, locks: it.views }, async () => undefined);
    await expect(work).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    expect(performance.now() - started).toBeLessThan(800);
    await Promise.all(ends);
    await Promise.all(readers.map((reader) => reader.close()));
  });

  test('tries again with nothing locked in between, and gets through', async () => {
    await using it = await open(version);
    const reader = await connect(it.database.url, {});
    await reader.run('BEGIN; SELECT * FROM shop.w');
    const onWait = () => void reader.run('ROLLBACK');
    const work = it.warehouse.transact({ lockTimeout: 100, attempts: 3, locks: it.views, onWait }, (transaction) =>
      transaction.execute([step('DROP VIEW shop.w')]),
    );
    await expect(work).resolves.toMatchObject({ results: [{}] });
    await reader.close();
  });

  test('an owner changed while it waited is not put back', async () => {
    await using it = await open(version);
    await it.database.query(createRole('transaction_other'));
    const other = await connect(it.database.url, {});
    await other.run('BEGIN; ALTER VIEW shop.v OWNER TO transaction_other');
    const commit = new Promise((resolve) => setTimeout(resolve, 150)).then(() => other.run('COMMIT'));
    const work = it.warehouse.transact({ lockTimeout: 2000, attempts: 1, locks: [it.view('shop.v')] }, async () => undefined);
    await expect(work).rejects.toMatchObject({ code: 'WAREHOUSE_MOVED' });
    await commit;
    const [owner] = await it.database.query("SELECT relowner::regrole::text AS owner FROM pg_class WHERE oid = 'shop.v'::regclass");
    expect(owner).toEqual({ owner: 'transaction_other' });
    await other.close();
    await it.database.query('ALTER VIEW shop.v OWNER TO postgres');
  });

  test('a role that may not change a view is told so by name before anything runs', async () => {
    const role = 'transaction_nobody';
    await using setup = await createDatabase(version);
    await setup.query(createRole(role, ' LOGIN'));
    await using it = await open(version, role);
    const work = it.warehouse.transact({ ...brief, locks: [it.view('shop.w')] }, async () => undefined);
    await expect(work).rejects.toMatchObject({ code: 'QUERY_FAILED', message: expect.stringMatching(/"shop\.w" belongs to the role "postgres".*42501/) });
  });

  test('a connection that dies in the middle is an error and no crash, and nothing is changed', async () => {
    await using it = await open(version);
    const work = it.warehouse.transact({ ...brief, locks: it.views }, async (transaction) => {
      await transaction.execute([step('DROP VIEW shop.w')]);
      await it.database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'viewsync'");
      return transaction.execute([step('DROP VIEW shop.v')]);
    });
    await expect(work).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
    const second = await postgres.connect({ url: it.database.url }, {});
    expect((await second.inspect({ schemas: ['*'] })).snapshot.views).toEqual(it.views);
    await second.close();
  });

  test('a connection that dies while nothing runs is an error at its next use', async () => {
    await using it = await open(version);
    await it.database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'viewsync'");
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(it.warehouse.inspect({ schemas: ['*'] })).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('no step keeps others waiting longer than the lock timeout', async () => {
    await using it = await open(version);
    const other = await connect(it.database.url, {});
    await other.run('BEGIN; LOCK TABLE shop.t');
    const work = it.warehouse.transact({ ...brief, locks: [it.view('shop.v')] }, async (transaction) => {
      const { failure } = await transaction.execute([step('CREATE OR REPLACE VIEW shop.v AS SELECT a FROM shop.t WHERE a > 0')]);
      expect(failure).toMatchObject({ index: 0, code: '55P03' });
      throw new Error('stop here');
    });
    await expect(work).rejects.toThrow('stop here');
    await other.close();
  });

  test('a materialized view is refreshed under the path that its functions were written for, until the server sets its own in 17', async () => {
    await using database = await createDatabase(version);
    await database.query(`
      CREATE SCHEMA shop; CREATE TABLE shop.t (a int); ALTER DATABASE ${database.name} SET search_path = shop;
      CREATE FUNCTION shop.count_all() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM t); END';
      SET search_path = shop; CREATE MATERIALIZED VIEW shop.m AS SELECT shop.count_all() AS n WITH NO DATA`);
    const warehouse = await postgres.connect({ url: database.url }, {});
    const refresh: Step = { ...step('REFRESH MATERIALIZED VIEW shop.m'), kind: 'refresh' };
    const run = warehouse.transact({ ...brief, locks: [] }, (transaction) => transaction.execute([refresh, step('SELECT count(*) FROM shop.t')]));
    expect((await run).failure?.code).toBe(version < 17 ? undefined : '42P01');
    await warehouse.close();
  });

  test('what the server refuses at the commit is rolled back and said so', async () => {
    await using it = await open(version);
    await it.database.query('CREATE TABLE shop.p (id int PRIMARY KEY); CREATE TABLE shop.c (id int REFERENCES shop.p DEFERRABLE INITIALLY DEFERRED)');
    const work = it.warehouse.transact({ ...brief, locks: [] }, (transaction) =>
      transaction.execute([step('DROP VIEW shop.w'), step('INSERT INTO shop.c VALUES (1)')]),
    );
    await expect(work).rejects.toMatchObject({ code: 'ROLLED_BACK' });
    expect((await it.warehouse.inspect({ schemas: ['*'] })).snapshot.views).toEqual(it.views);
  });
});
