import { describe, expect, test } from 'vitest';
import type { Step } from '../../../src/core/plan.ts';
import { relationKey } from '../../../src/core/relation.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import { postgres } from '../../../src/warehouses/postgres/adapter.ts';
import type { Transaction, Warehouse } from '../../../src/warehouses/warehouse.ts';
import { createDatabase, newestServer, type TestDatabase } from '../../support/postgres-server.ts';
import { inspect } from './inspecting.ts';

const all = { schemas: ['*'] };
const many = 100;
const shop = `CREATE TABLE t (a int, b int); CREATE VIEW other AS SELECT b FROM t; COMMENT ON VIEW other IS 'read by nobody';
  DO $$ BEGIN FOR i IN 1..${many} LOOP EXECUTE format('CREATE VIEW v_%s AS SELECT a + %s AS a FROM t', i, i); EXECUTE format('COMMENT ON VIEW v_%s IS ''%s''', i, i); END LOOP; END $$`;

const step = (sql: string): Step => ({ kind: 'alter', view: { schema: 'public', name: 'v_1' }, sql, because: 'the test says so' });
const options = { lockTimeout: 1000, attempts: 1, locks: [] };

/** Runs a transaction of a script in which all views are read once more, and inspects afterwards. */
async function runScript(
  warehouse: Warehouse,
  { snapshot, inside, later }: { snapshot: Snapshot; inside: readonly string[]; later?: readonly string[] },
  afterReading: (transaction: Transaction) => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  await warehouse.transact(options, async (transaction) => {
    await transaction.atomic?.openScript();
    await transaction.execute(inside.map(step));
    await transaction.inspect(snapshot.views.map(({ name }) => name));
    await transaction.execute((later ?? []).map(step));
    await afterReading(transaction);
  });
}

describe.each([newestServer()])('what a connection to PostgreSQL $version has read before', ({ version }) => {
  async function open(): Promise<{ database: TestDatabase; warehouse: Warehouse; snapshot: Snapshot } & AsyncDisposable> {
    const database = await createDatabase(version);
    await database.query(shop);
    const warehouse = await postgres.connect({ url: database.url }, {});
    const { snapshot } = await warehouse.inspect(all);
    const close = async () => {
      await warehouse.close();
      await database[Symbol.asyncDispose]();
    };
    return { database, warehouse, snapshot, [Symbol.asyncDispose]: close };
  }

  test('is not asked for again in a transaction while nothing moves, and all of it when somebody has changed, added or removed anything', async () => {
    await using it = await open();
    const { warehouse, database, snapshot } = it;
    const names = snapshot.views.map(({ name }) => name);
    const readInside = () => warehouse.transact(options, (transaction) => transaction.inspect(names));
    expect(await readInside()).toEqual(snapshot.views);
    const changes = [
      'COMMENT ON VIEW v_7 IS NULL',
      'ALTER TABLE t RENAME a TO c',
      'GRANT SELECT ON v_9 TO PUBLIC; DROP VIEW v_10; CREATE VIEW v_10 AS SELECT 1 AS a',
    ];
    for (const change of changes) {
      await warehouse.inspect(all);
      await database.query(change);
      expect(await readInside(), change).toEqual((await inspect(database.url)).snapshot.views);
    }
  });

  test('is not printed again after the commit, and what somebody else changes between reading and inspecting is', async () => {
    await using it = await open();
    const { warehouse, database, snapshot } = it;
    const inside = ['DROP VIEW public.v_3', 'CREATE VIEW public.v_3 AS SELECT a + 30 AS a FROM public.t', "COMMENT ON VIEW public.v_3 IS 'three'"];
    await runScript(warehouse, { snapshot, inside });
    const first = await warehouse.inspect(all);
    const fresh = await inspect(database.url);
    expect(first.snapshot).toEqual(fresh.snapshot);
    expect(first).toEqual({ ...fresh, milliseconds: first.milliseconds, queries: first.queries });
    const changed = [
      'CREATE OR REPLACE VIEW public.v_3 AS SELECT a + 31 AS a FROM public.t',
      'DROP VIEW public.v_4; CREATE OR REPLACE VIEW public.other AS SELECT b + 0 AS b FROM public.t',
      "COMMENT ON VIEW public.v_7 IS 'of somebody else'",
      'GRANT SELECT (a) ON public.v_8 TO PUBLIC',
      'CREATE VIEW public.v_9_more AS SELECT a FROM public.v_9',
    ];
    for (const [index, change] of changed.entries()) {
      await runScript(warehouse, { snapshot, inside: [`COMMENT ON VIEW public.v_5 IS 'five ${index}'`] });
      await database.query(change);
      expect((await warehouse.inspect(all)).snapshot, change).toEqual((await inspect(database.url)).snapshot);
    }
  });

  test('counts for nothing where the same transaction changes it later, or takes it back', async () => {
    await using it = await open();
    const { warehouse, database, snapshot } = it;
    const replace = (number: number) => `CREATE OR REPLACE VIEW public.v_6 AS SELECT a + ${number} AS a FROM public.t`;
    await runScript(warehouse, { snapshot, inside: [replace(60)], later: [replace(61), "COMMENT ON VIEW public.v_6 IS 'later'"] });
    expect((await warehouse.inspect(all)).snapshot).toEqual((await inspect(database.url)).snapshot);
    const names = snapshot.views.map(({ name }) => name);
    await runScript(warehouse, { snapshot, inside: [] }, async (transaction) => {
      const undone = transaction.atomic?.attempt(async () => {
        await transaction.execute([step(replace(62)), step('COMMENT ON VIEW public.v_11 IS NULL')]);
        await transaction.inspect(names);
        throw new Error('undone');
      });
      await expect(undone).rejects.toThrow('undone');
    });
    expect((await warehouse.inspect(all)).snapshot).toEqual((await inspect(database.url)).snapshot);
    await runScript(warehouse, { snapshot, inside: [replace(63), 'COMMENT ON VIEW public.v_12 IS NULL'] }, () => Promise.reject(new Error('undone'))).catch(
      () => undefined,
    );
    const { views } = (await warehouse.inspect(all)).snapshot;
    expect(views).toEqual((await inspect(database.url)).snapshot.views);
    expect(views.find(({ name }) => relationKey(name) === 'public.v_6')?.definition).toContain('61');
  });
});
