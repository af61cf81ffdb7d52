import { describe, expect, test } from 'vitest';
import { relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { postgres } from '../../../src/warehouses/postgres/adapter.ts';
import { connect } from '../../../src/warehouses/postgres-family/connect.ts';
import type { Settled, SettleRequest, Warehouse } from '../../../src/warehouses/warehouse.ts';
import { createDatabase, postgresServers, type TestDatabase } from '../../support/postgres-server.ts';

interface Wanted {
  readonly [key: string]: string;
}

/** Settles the texts against the live views of the same names. */
async function settle(database: TestDatabase, texts: Wanted): Promise<Record<string, Settled>> {
  const warehouse = await postgres.connect({ url: database.url }, {});
  try {
    return Object.fromEntries(await warehouse.settle(await toRequests(warehouse, texts)));
  } finally {
    await warehouse.close();
  }
}

async function toRequests(warehouse: Warehouse, texts: Wanted): Promise<SettleRequest[]> {
  const { snapshot } = await warehouse.inspect({ schemas: ['*'] });
  return Object.entries(texts).map(([key, definition]) => {
    const live = snapshot.views.find((view) => relationKey(view.name) === key);
    const [schema = '', name = ''] = key.split('.');
    const wanted: View = { name: { schema, name }, kind: 'view', definition, columns: [], reads: [], attachments: [], unrestorable: [] };
    return live === undefined ? { wanted } : { wanted, live };
  });
}

async function shop(version: number): Promise<TestDatabase> {
  const database = await createDatabase(version);
  await database.query(`
    CREATE SCHEMA shop;
    CREATE TABLE shop.t (id int PRIMARY KEY, a numeric(10,2), b varchar(20));
    CREATE VIEW shop.base AS SELECT id, a, b FROM shop.t WHERE b IN ('x', 'y');
    CREATE VIEW shop.top AS SELECT base.id, base.a FROM shop.base;
    SELECT 1`);
  return database;
}

const columns = [
  { name: 'id', type: 'integer' },
  { name: 'a', type: 'numeric(10,2)' },
];

describe.each(postgresServers())('settle on PostgreSQL $version', ({ version }) => {
  test('a hand-written text that the server prints like the live one is the same', async () => {
    await using database = await shop(version);
    const settled = await settle(database, {
      'shop.base': "select t.id, t.a, t.b from shop.t as t where b in ('x','y')",
      'shop.top': 'select base.id, a from shop.base',
    });
    expect(settled).toMatchObject({ 'shop.top': { outcome: 'same', columns } });
  });

  test('tells columns of a text that differs', async () => {
    await using database = await shop(version);
    const settled = await settle(database, { 'shop.top': 'SELECT id, a, b AS extra FROM shop.base' });
    expect(settled).toEqual({ 'shop.top': { outcome: 'different', columns: [...columns, { name: 'extra', type: 'character varying(20)' }] } });
  });

  test('reads the wanted views and not the live ones', async () => {
    await using database = await shop(version);
    const settled = await settle(database, {
      'shop.top': 'SELECT id, c FROM shop.base',
      'shop.base': 'SELECT id, a + 1 AS c FROM shop.t',
      'shop.fresh': 'SELECT shop.top.c, NULL::shop.top AS whole FROM shop.top',
    });
    expect(settled).toEqual({
      'shop.base': { outcome: 'different', columns: [columns[0], { name: 'c', type: 'numeric' }] },
      'shop.top': { outcome: 'different', columns: [columns[0], { name: 'c', type: 'numeric' }] },
      'shop.fresh': {
        outcome: 'different',
        columns: [
          { name: 'c', type: 'numeric' },
          { name: 'whole', type: 'shop.top' },
        ],
      },
    });
  });

  test('a view over one that changes is the same when its own text is', async () => {
    await using database = await shop(version);
    const settled = await settle(database, { 'shop.base': 'SELECT id, a, b FROM shop.t', 'shop.top': 'select  id, a from shop.base' });
    expect(settled['shop.base']).toMatchObject({ outcome: 'different' });
    expect(settled['shop.top']).toMatchObject({ outcome: 'same' });
  });

  test('an alias that the live text lacks is a difference, also over a view that changes', async () => {
    await using database = await shop(version);
    const settled = await settle(database, { 'shop.base': 'SELECT id, a, b FROM shop.t', 'shop.top': 'SELECT id, a FROM shop.base base' });
    expect(settled['shop.top']).toMatchObject({ outcome: 'different' });
  });

  test('what the server refuses takes only its readers with it', async () => {
    await using database = await shop(version);
    const settled = await settle(database, {
      'shop.base': 'SELECT gone FROM shop.t',
      'shop.top': 'SELECT id FROM shop.base',
      'shop.other': 'SELECT id FROM shop.t',
    });
    expect(settled).toEqual({
      'shop.base': { outcome: 'refused', because: 'column "gone" does not exist' },
      'shop.top': { outcome: 'refused', because: 'it reads "shop.base": column "gone" does not exist' },
      'shop.other': { outcome: 'different', columns: [columns[0]] },
    });
  });

  test('a pure rename of output columns is recognised', async () => {
    await using database = await shop(version);
    const settled = await settle(database, { 'shop.top': 'SELECT id AS number, a FROM shop.base' });
    expect(settled['shop.top']).toEqual({
      outcome: 'different',
      columns: [{ name: 'number', type: 'integer' }, columns[1]],
      renamed: [{ from: 'id', to: 'number' }],
    });
  });

  test('a swap of two names is no rename', async () => {
    await using database = await shop(version);
    const settled = await settle(database, { 'shop.top': 'SELECT id AS a, id AS id FROM shop.base' });
    expect(settled['shop.top']).not.toHaveProperty('renamed');
  });

  test('two views that read each other are told apart from the live ones', async () => {
    await using database = await shop(version);
    await database.query(`
      CREATE VIEW shop.va AS SELECT 1 AS a; CREATE VIEW shop.vb AS SELECT a FROM shop.va;
      CREATE OR REPLACE VIEW shop.va AS SELECT a FROM shop.vb WHERE false UNION ALL SELECT id FROM shop.t`);
    const settled = await settle(database, {
      'shop.va': 'SELECT a FROM shop.vb WHERE false UNION ALL SELECT id FROM shop.t',
      'shop.vb': 'SELECT a FROM shop.va WHERE a > 0',
    });
    expect(settled).toMatchObject({ 'shop.va': { outcome: 'same' }, 'shop.vb': { outcome: 'different' } });
  });

  test('a change at the bottom of a long chain reaches the top of it', async () => {
    await using database = await shop(version);
    await database.query(`DO $$ BEGIN
      CREATE VIEW shop.c0 AS SELECT id FROM shop.t;
      FOR i IN 1..320 LOOP EXECUTE format('CREATE VIEW shop.c%s AS SELECT id FROM shop.c%s', i, i - 1); END LOOP; END $$`);
    const texts = Object.fromEntries(Array.from({ length: 320 }, (_, index) => [`shop.c${index + 1}`, `select id from shop.c${index}`]));
    const same = await settle(database, { ...texts, 'shop.c0': 'SELECT t.id FROM shop.t WHERE t.id > 0' });
    expect(Object.values(same).filter(({ outcome }) => outcome === 'same')).toHaveLength(320);
    const different = await settle(database, { ...texts, 'shop.c0': 'SELECT id::text AS id FROM shop.t' });
    expect(different['shop.c320']).toEqual({ outcome: 'different', columns: [{ name: 'id', type: 'text' }] });
  });

  test('leaves nothing behind and keeps nothing locked', async () => {
    await using database = await shop(version);
    const warehouse = await postgres.connect({ url: database.url }, {});
    await warehouse.settle(await toRequests(warehouse, { 'shop.top': 'SELECT 1 AS one', 'shop.base': 'SELECT nonsense' }));
    const [left] = await database.query(`
      SELECT (SELECT count(*) FROM pg_class WHERE relname LIKE 'viewsync%')::int AS views, (SELECT count(*) FROM pg_proc WHERE proname LIKE 'viewsync%')::int AS functions,
        (SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relnamespace = 'shop'::regnamespace)::int AS locks`);
    expect(left).toEqual({ views: 0, functions: 0, locks: 0 });
    await warehouse.close();
  });

  test('waits for a lock with none of its own, so that who changes one relation after the other loses no deadlock', async () => {
    await using database = await shop(version);
    await database.query('CREATE TABLE shop.u (id int)');
    const [warehouse, migration] = [await postgres.connect({ url: database.url }, {}), await connect(database.url, {})];
    const requests = await toRequests(warehouse, { 'shop.top': 'SELECT id, a FROM shop.base WHERE id > 1', 'shop.zone': 'SELECT id FROM shop.u' });
    await migration.run("SET deadlock_timeout = '200ms'; BEGIN; LOCK TABLE shop.u");
    const settling = warehouse.settle(requests);
    const waiting = `SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'u' AND NOT l.granted`;
    await expect.poll(() => migration.query(waiting), { timeout: 10_000, interval: 7 }).toHaveLength(1);
    await migration.run("CREATE OR REPLACE VIEW shop.base AS SELECT id, a, b FROM shop.t WHERE b = 'z'; COMMIT");
    expect(await settling).toMatchObject(
      new Map([
        ['shop.top', { outcome: 'different' }],
        ['shop.zone', { outcome: 'different' }],
      ]),
    );
    await Promise.all([warehouse.close(), migration.close()]);
  });

  test('says why where temporary views are not permitted', async () => {
    await using database = await shop(version);
    await database.query(`REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC; GRANT ALL ON SCHEMA shop TO PUBLIC`);
    await database.query('DO $$ BEGIN CREATE ROLE settle_no_temp LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$');
    const warehouse = await postgres.connect({ url: database.urlFor('settle_no_temp') }, {});
    const settled = await warehouse.settle(await toRequests(warehouse, { 'shop.top': 'SELECT 1 AS one' }));
    expect(settled.get('shop.top')).toMatchObject({ outcome: 'unproven', because: expect.stringContaining('permission denied') });
    await warehouse.close();
  });
});
