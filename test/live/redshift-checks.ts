import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../src/core/plan.ts';
import { compareRelations, relationKey } from '../../src/core/relation.ts';
import type { View } from '../../src/core/view.ts';
import { redshift } from '../../src/warehouses/redshift/adapter.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';

const schema = `viewsync_live_${process.pid}`;

const setUp = [
  `CREATE SCHEMA ${schema}`,
  `CREATE TABLE ${schema}.base (id int, name varchar(20))`,
  `CREATE VIEW ${schema}.a AS SELECT id, name FROM ${schema}.base`,
  `CREATE VIEW ${schema}.b AS SELECT id FROM ${schema}.a`,
  `CREATE VIEW ${schema}.late AS SELECT id FROM ${schema}.base WITH NO SCHEMA BINDING`,
  `CREATE VIEW ${schema}.broken AS SELECT id FROM ${schema}.gone WITH NO SCHEMA BINDING`,
  `CREATE MATERIALIZED VIEW ${schema}.m BACKUP NO AS SELECT id FROM ${schema}.base`,
  `COMMENT ON VIEW ${schema}.a IS 'it''s a'`,
  `COMMENT ON COLUMN ${schema}.a.name IS 'its name'`,
  `GRANT SELECT ON ${schema}.a TO PUBLIC`,
];

/**
 * What the adapter takes for granted and no document says for certain: `docs/verification.md` lists it. In a schema of its own, which is dropped
 * afterwards. The user needs the right to create schemas.
 */
export function checkRedshift(getUrl: () => string): void {
  let client: Client;
  let warehouse: Warehouse;

  const run = async (...statements: readonly string[]) => {
    for (const statement of statements) await client.query(statement);
  };
  const rows = async (sql: string): Promise<readonly Record<string, unknown>[]> => (await client.query(sql)).rows;
  const readViews = async (): Promise<readonly View[]> => (await warehouse.inspect({ schemas: [schema] })).snapshot.views;
  const viewOf = (views: readonly View[], name: string): View => views.find((view) => view.name.name === name) as View;
  const step = (kind: Step['kind'], view: View, sql: string): Step => ({ kind, view: view.name, sql, because: 'a check' });
  const carryOut = (locks: readonly View[], steps: readonly Step[]) =>
    warehouse.transact({ lockTimeout: 5000, attempts: 1, locks }, async (transaction) => {
      const { failure } = await transaction.execute(steps);
      if (failure) throw new Error(`${failure.code}: ${failure.message}`);
    });

  beforeAll(async () => {
    client = new Client({ connectionString: getUrl() });
    await client.connect();
    await run(...setUp);
    warehouse = await redshift.connect({ url: getUrl() }, process.env);
  });
  afterAll(async () => {
    await warehouse?.close();
    await client?.query(`DROP SCHEMA ${schema} CASCADE`).catch(() => undefined);
    await client?.end();
  });

  test('1 each sort of view is told from the others, with its columns and comments', async () => {
    const views = await readViews();
    expect(views.map(({ name, kind }) => `${kind} ${name.name}`)).toEqual(['view a', 'view b', 'view broken', 'view late', 'materialized view m']);
    expect(viewOf(views, 'a').attachments.map(({ make }) => make)).toEqual(
      expect.arrayContaining([
        `GRANT SELECT ON ${schema}.a TO PUBLIC`,
        `COMMENT ON VIEW ${schema}.a IS 'it''s a'`,
        `COMMENT ON COLUMN ${schema}.a.name IS 'its name'`,
      ]),
    );
    expect(viewOf(views, 'late').columns).toEqual([{ name: 'id', type: 'integer' }]);
    expect(viewOf(views, 'm').attachments.map(({ make }) => make)).toContain('BACKUP NO');
  });

  test('2 a late-binding view that cannot be read has no columns in pg_get_late_binding_view_cols', async () => {
    expect(viewOf(await readViews(), 'broken').columns).toEqual([]);
  });

  test('3 a replace keeps owner, rights and comments, and another number of columns is refused', async () => {
    const before = await readViews();
    const a = viewOf(before, 'a');
    const definition = `SELECT id, name FROM ${schema}.base WHERE id > 0`;
    await carryOut([a], [step('replace', a, warehouse.dialect.createView({ ...a, definition }, 'replace'))]);
    expect(viewOf(await readViews(), 'a').attachments).toEqual(a.attachments);
    const wider = warehouse.dialect.createView({ ...a, definition: `SELECT id, name, 1 AS more FROM ${schema}.base` }, 'replace');
    await expect(carryOut([a], [step('replace', a, wider)])).rejects.toThrow(/column/);
  });

  test('4 everything is dropped and made again in one transaction, materialized views too', async () => {
    const before = (await readViews()).filter(({ name }) => name.name !== 'broken');
    const order = ['a', 'b', 'late', 'm'].map((name) => viewOf(before, name));
    const { dialect } = warehouse;
    const made = order.flatMap((view) => [
      step('create', view, dialect.createView(view, 'create')),
      ...view.attachments.filter(({ kind }) => !dialect.inlineKinds.includes(kind)).map(({ make }) => step('alter', view, make)),
    ]);
    await carryOut(order, [...order.toReversed().map((view) => step('drop', view, dialect.dropView(view))), ...made]);
    const after = (await readViews()).filter(({ name }) => name.name !== 'broken');
    expect(after).toEqual(before.toSorted((left, right) => compareRelations(left.name, right.name)));
  });

  test('5 a definition is tried under another name, and nothing stays', async () => {
    const views = await readViews();
    const a = viewOf(views, 'a');
    const settled = await warehouse.settle([{ live: a, wanted: { ...a, definition: `SELECT id FROM ${schema}.base` } }]);
    expect(settled.get(relationKey(a.name))).toMatchObject({ outcome: 'different', columns: [{ name: 'id', type: 'integer' }] });
    expect((await readViews()).map(({ name }) => name.name)).toEqual(views.map(({ name }) => name.name));
  });

  test('6 the temporary table of a run is seen by another session, and a second run is refused', async () => {
    const other = await redshift.connect({ url: getUrl() }, process.env);
    try {
      await warehouse.transact({ lockTimeout: 5000, attempts: 1, locks: [] }, async () => {
        expect(await other.isBusy()).toBe(true);
      });
      expect(await other.isBusy()).toBe(false);
    } finally {
      await other.close();
    }
  });

  test('7 the access list can be read as text', async () => {
    const [row] = await rows(
      `SELECT array_to_string(c.relacl, chr(10)) AS acl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '${schema}' AND c.relname = 'a'`,
    );
    expect(String(row?.['acl'])).toMatch(/^=r\/|\n=r\//);
  });

  test('8 the system views have the columns that are asked for', async () => {
    expect((await warehouse.examine()).findings.filter(({ found }) => found.includes('may not read'))).toEqual([]);
  });
}
