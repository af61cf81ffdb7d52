import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pathInTarget } from '../../../src/core/path.ts';
import { relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../../src/core/view-file.ts';
import { redshift } from '../../../src/warehouses/redshift/adapter.ts';
import type { Inspection, TransactionOptions, Warehouse } from '../../../src/warehouses/warehouse.ts';
import { createRole } from '../../support/postgres-server.ts';
import { identify, type SimulatedRedshift, startRedshift } from '../../support/redshift/server.ts';

let server: SimulatedRedshift;

beforeAll(async () => {
  server = await startRedshift();
  await server.database.query(`${createRole('rs_reader', ' LOGIN')} ${createRole('rs_team', ' LOGIN')} ${createRole('rs_bi', ' LOGIN')} CREATE SCHEMA s;
    CREATE TABLE s.base (id int, name varchar(20)); ${identify('rs_team', 'group')} ${identify('rs_bi', 'role')}`);
  await server.run(
    'CREATE VIEW s.a AS SELECT id, name FROM s.base',
    'CREATE VIEW s.b AS SELECT id FROM s.a',
    'create view s.late as select id from s.base with no schema binding',
    'CREATE MATERIALIZED VIEW s.m AS SELECT id FROM s.base',
    'GRANT SELECT ON s.a TO GROUP rs_team',
    'GRANT SELECT ON s.a TO ROLE rs_bi',
    'GRANT SELECT ON s.late TO ROLE rs_bi',
  );
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.fault = () => undefined;
  server.statements.length = 0;
});

async function withWarehouse<T>(work: (warehouse: Warehouse) => Promise<T>, url = server.url): Promise<T> {
  const warehouse = await redshift.connect({ url }, {});
  try {
    return await work(warehouse);
  } finally {
    await warehouse.close();
  }
}

const inspect = (url?: string): Promise<Inspection> => withWarehouse((warehouse) => warehouse.inspect({ schemas: ['*'] }), url);
const viewOf = ({ snapshot }: Inspection, key: string): View => snapshot.views.find(({ name }) => relationKey(name) === key) as View;
const open: TransactionOptions = { lockTimeout: 200, attempts: 1, locks: [] };

describe('inspecting', () => {
  test('one view that the server cannot print is named, and the others are read', async () => {
    const [row] = await server.database.query("SELECT redshift.oid_of('s', 'b') AS oid");
    const isBroken = (sql: string) => sql.includes('pg_get_viewdef') && (!sql.includes('c.oid IN') || new RegExp(`\\b${row?.['oid']}\\b`).test(sql));
    server.fault = (sql) => (isBroken(sql) ? { code: 'XX000', message: 'could not open relation with OID 7' } : undefined);
    const { snapshot } = await inspect();
    expect(snapshot.description.unreadable).toEqual([{ name: { schema: 's', name: 'b' }, reason: 'could not open relation with OID 7' }]);
    expect(snapshot.views.map(({ name }) => name.name)).toEqual(['a', 'late', 'm']);
  });

  test('a text that may have been cut off is asked for again', async () => {
    await server.run(
      `CREATE VIEW s.long AS SELECT ${Array.from({ length: 1200 }, (_, index) => `'${'x'.repeat(60)}'::varchar(60) AS column_${index}`).join(', ')}`,
    );
    expect(viewOf(await inspect(), 's.long').columns).toHaveLength(1200);
    expect(server.statements.filter((sql) => sql.startsWith('SHOW VIEW'))).toEqual(['SHOW VIEW s.long', 'SHOW VIEW s.long']);
    await server.run('DROP VIEW s.long');
  });

  test('what our user may not see of rights is no right that is gone: a drop is refused by name', async () => {
    await server.database.query('GRANT USAGE ON SCHEMA s TO rs_reader');
    const found = await inspect(server.urlFor('rs_reader'));
    expect(viewOf(found, 's.a').attachments.map(({ make }) => make)).toContain('GRANT SELECT ON s.a TO GROUP rs_team');
    expect(viewOf(found, 's.a').unrestorable).toEqual(['policies on it, which our user may not see', 'what roles may do with it, which our user may not see']);
    expect(viewOf(await inspect(), 's.a').unrestorable).toEqual([]);
  });

  test('system views that are denied cost what only they know', async () => {
    server.fault = (sql) => (/svv_(table_info|mv_info|rls|attached|roles|default)/.test(sql) ? { code: '42501', message: 'permission denied' } : undefined);
    const { snapshot, sizes } = await inspect();
    expect(snapshot.views).toHaveLength(4);
    expect(sizes.size).toBe(0);
  });

  test('what a new view gets by our own default privileges is known to every user', async () => {
    await server.database.query(
      'GRANT CREATE, USAGE ON SCHEMA s TO rs_reader; ALTER DEFAULT PRIVILEGES FOR ROLE rs_reader IN SCHEMA s GRANT SELECT ON TABLES TO rs_bi, PUBLIC',
    );
    const { snapshot } = await inspect(server.urlFor('rs_reader'));
    expect(snapshot.containers.find(({ name }) => name === 's')?.defaultGrantees).toEqual(['PUBLIC', 'rs_bi']);
    await server.database.query(
      'ALTER DEFAULT PRIVILEGES FOR ROLE rs_reader IN SCHEMA s REVOKE SELECT ON TABLES FROM rs_bi, PUBLIC; REVOKE CREATE ON SCHEMA s FROM rs_reader',
    );
  });

  test('attached policies are kept; one that no statement could attach again is named, so that no drop loses it', async () => {
    await server.run(
      'CREATE RLS POLICY own_rows WITH (id int) USING (id > 0)',
      'CREATE MASKING POLICY hide WITH (id int) USING (0)',
      'ATTACH RLS POLICY own_rows ON s.a TO PUBLIC',
      'ATTACH RLS POLICY own_rows ON s.a TO rs_reader',
      'ALTER TABLE s.a ROW LEVEL SECURITY ON',
      'ALTER TABLE s.a ROW LEVEL SECURITY ON FOR DATASHARES',
      'ATTACH MASKING POLICY hide ON s.a (id) USING (name, id) TO ROLE rs_bi PRIORITY 5',
      'ATTACH MASKING POLICY hide ON s.b (id) TO PUBLIC',
    );
    await server.database.query("UPDATE redshift.attached SET outputs = '[\"id.inner\"]' WHERE view = 's.b'::regclass");
    const found = await inspect();
    const policies = viewOf(found, 's.a').attachments.filter(({ make }) => /^ATTACH|ROW LEVEL/.test(make));
    expect(policies.map(({ make }) => make)).toEqual([
      'ATTACH RLS POLICY own_rows ON s.a TO PUBLIC',
      'ATTACH RLS POLICY own_rows ON s.a TO rs_reader',
      'ATTACH MASKING POLICY hide ON s.a (id) USING (name, id) TO ROLE rs_bi PRIORITY 5',
      'ALTER TABLE s.a ROW LEVEL SECURITY ON CONJUNCTION TYPE AND',
      'ALTER TABLE s.a ROW LEVEL SECURITY ON FOR DATASHARES',
    ]);
    expect(viewOf(found, 's.a').unrestorable).toEqual([]);
    const view = viewOf(found, 's.a');
    const again = readViewFile(writeViewFile(view, redshift.dialect), pathInTarget(view.name, redshift.dialect), redshift.dialect).view;
    expect(again.attachments).toEqual(view.attachments);
    expect(viewOf(found, 's.b').unrestorable).toEqual(['the masking policy hide on ["id.inner"] for public']);
    await server.run(...policies.toReversed().map(({ unmake }) => unmake));
    await server.database.query('DELETE FROM redshift.attached; DELETE FROM redshift.policies');
    expect(viewOf(await inspect(), 's.a').attachments.filter(({ kind }) => kind.includes('row'))).toEqual([]);
  });

  test('names in double quotes keep their case only where the cluster says so', async () => {
    await server.run('create view s.mixed as select id from "S"."Base" with no schema binding');
    expect(viewOf(await inspect(), 's.mixed').reads).toEqual([{ schema: 's', name: 'base' }]);
    await server.database.query(`ALTER DATABASE "${server.database.name}" SET redshift.case_sensitive = 'on'`);
    expect(viewOf(await inspect(), 's.mixed').reads).toEqual([{ schema: 'S', name: 'Base' }]);
    await server.database.query(`ALTER DATABASE "${server.database.name}" RESET redshift.case_sensitive`);
    await server.run('DROP VIEW s.mixed');
  });

  test('a materialized view that names a table without its schema is never dropped', async () => {
    await server.database.query('CREATE TABLE public.loose (id int)');
    await server.run('CREATE MATERIALIZED VIEW s.typed AS SELECT id FROM loose');
    expect(viewOf(await inspect(), 's.typed').unrestorable).toEqual(['the meaning of the name loose, which its text gives without schema']);
    await server.run('DROP MATERIALIZED VIEW s.typed');
  });

  test('leader and compute nodes are never asked in one query, and the simulation would say so', async () => {
    await inspect();
    const mixed = server.statements.filter((sql) => /\bpg_class\b/.test(sql) && /\bsvv_/.test(sql));
    expect(mixed).toEqual([]);
    await expect(server.run('SELECT c.relname FROM pg_class c JOIN svv_mv_info m ON m.name = c.relname')).rejects.toThrow('not supported on Redshift tables');
    await expect(server.run('SELECT * FROM pg_stat_activity')).rejects.toThrow('knows no relation');
    await expect(server.run('VACUUM')).rejects.toThrow('does not know the statement');
  });
});

describe('changing', () => {
  const replaceB = (warehouse: Warehouse, view: View) =>
    warehouse.transact({ ...open, locks: [view] }, async (transaction) => {
      const sql = warehouse.dialect.createView({ ...view, definition: 'SELECT id FROM s.a WHERE id > 1' }, 'replace');
      const { failure } = await transaction.execute([{ kind: 'replace', view: view.name, sql, because: 'it differs' }]);
      if (failure) throw new Error(failure.message);
    });

  test('a transaction that loses against another one is run again as a whole', async () => {
    let lost = 0;
    server.fault = (sql) =>
      sql === 'COMMIT' && lost++ < 2 ? { code: 'XX000', message: 'ERROR: 1023 Serializable isolation violation on table in Redshift' } : undefined;
    await withWarehouse(async (warehouse) => replaceB(warehouse, viewOf(await warehouse.inspect({ schemas: ['*'] }), 's.b')));
    expect(server.statements.filter((sql) => sql.startsWith('CREATE OR REPLACE VIEW s.b'))).toHaveLength(3);
    expect(viewOf(await inspect(), 's.b').definition).toContain('id > 1');
  });

  test('a view that somebody uses is given up in time, with nothing locked while waiting', async () => {
    const found = await inspect();
    const [b, waits] = [viewOf(found, 's.b'), [] as unknown[]];
    const holder = server.database.query('BEGIN; LOCK TABLE s.b IN ACCESS SHARE MODE; SELECT pg_sleep(2.5); COMMIT');
    await expect.poll(async () => (await server.database.query("SELECT 1 FROM pg_locks WHERE relation = 's.b'::regclass")).length).toBeGreaterThan(0);
    const waiting = withWarehouse((warehouse) =>
      warehouse.transact({ ...open, lockTimeout: 100, attempts: 2, locks: [b], onWait: (event) => waits.push(event) }, async () => undefined),
    );
    await expect(waiting).rejects.toMatchObject({
      code: 'LOCK_TIMEOUT',
      message: expect.stringContaining('"s.b" could not be locked within 100 ms, tried 2 times'),
    });
    expect(waits).toHaveLength(1);
    await holder;
  });

  test('a run keeps others out from before it is recorded, and a transaction inside of it is its own', () =>
    withWarehouse(async (warehouse) => {
      await withWarehouse(async (second) => {
        await warehouse.runAlone?.(async () => {
          await warehouse.transact(open, async () => undefined);
          expect(await second.isBusy()).toBe(true);
          await expect(second.runAlone?.(async () => undefined)).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
          await expect(second.transact(open, async () => undefined)).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
        });
        expect(await second.isBusy()).toBe(false);
      });
    }));

  test('Ctrl-C ends the waiting for a lock, and nothing stays', async () => {
    const b = viewOf(await inspect(), 's.b');
    const holder = server.database.query('BEGIN; LOCK TABLE s.b IN ACCESS SHARE MODE; SELECT pg_sleep(3); COMMIT');
    await expect.poll(async () => (await server.database.query("SELECT 1 FROM pg_locks WHERE relation = 's.b'::regclass")).length).toBeGreaterThan(0);
    const controller = new AbortController();
    const waiting = withWarehouse((warehouse) =>
      warehouse.transact({ ...open, lockTimeout: 20_000, locks: [b], signal: controller.signal }, async () => undefined),
    );
    const started = performance.now();
    setTimeout(() => controller.abort(), 300);
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(performance.now() - started).toBeLessThan(15_000);
    await holder;
    expect(await withWarehouse((warehouse) => warehouse.isBusy())).toBe(false);
  });

  test('a stranger may not change it, and is told whose it is', async () => {
    const b = viewOf(await inspect(), 's.b');
    const denied = withWarehouse((warehouse) => warehouse.transact({ ...open, locks: [b] }, async () => undefined), server.urlFor('rs_reader'));
    await expect(denied).rejects.toMatchObject({ code: 'QUERY_FAILED', message: expect.stringContaining('belongs to the user "postgres"') });
  });

  test('no schema in which to try a text leaves it unproven', async () => {
    const { snapshot } = await inspect();
    const wanted = snapshot.views.map((live) => ({ live, wanted: { ...live, definition: `${live.definition.replace(/;$/, '')} LIMIT 7` } }));
    const settled = await withWarehouse((warehouse) => warehouse.settle(wanted), server.urlFor('rs_reader'));
    expect([...settled.values()].map(({ outcome }) => outcome)).toEqual(['unproven', 'unproven', 'unproven', 'unproven']);
  });

  test('texts that read each other are settled together, aliases or not', async () => {
    const found = await inspect();
    const change = (key: string, definition: string) => ({ live: viewOf(found, key), wanted: { ...viewOf(found, key), definition } });
    const same = viewOf(found, 's.b').definition;
    const settled = await withWarehouse((warehouse) =>
      warehouse.settle([change('s.b', same), change('s.a', 'SELECT id, name, 1 AS more FROM s.base'), change('s.late', 'select id, 2 as two from s.b')]),
    );
    expect(settled.get('s.a')).toMatchObject({ outcome: 'different', columns: [{ name: 'id' }, { name: 'name' }, { name: 'more', type: 'integer' }] });
    expect(settled.get('s.b')).toMatchObject({ outcome: 'same' });
    expect(settled.get('s.late')).toMatchObject({ outcome: 'different', columns: [{ name: 'id' }, { name: 'two' }] });
  });
});

describe('telling', () => {
  test('doctor names what a plain user lacks, with the statement that gives it', async () => {
    server.fault = (sql) => (sql.includes('FROM svv_table_info LIMIT') ? { code: '42501', message: 'permission denied' } : undefined);
    const { findings, clock } = await withWarehouse((warehouse) => warehouse.examine(), server.urlFor('rs_reader'));
    expect(Math.abs(clock.getTime() - Date.now())).toBeLessThan(60_000);
    expect(findings.map(({ suggestions }) => suggestions.at(-1))).toEqual([
      'GRANT SELECT ON svv_table_info TO rs_reader',
      'GRANT ROLE sys:secadmin TO rs_reader',
      'GRANT ROLE viewsync_reader TO rs_reader',
      'Connect as their owner to apply, or as a superuser: ALTER USER rs_reader CREATEUSER',
    ]);
    expect((await withWarehouse((warehouse) => warehouse.examine())).findings.map(({ found }) => found)).toEqual([
      'This user may not read svv_table_info: plans do not say how large a materialized view is.',
    ]);
  });

  test('who changed a view last is asked in one query', async () => {
    await server.database.query(`INSERT INTO redshift.sys_query_history
      SELECT usesysid::int, text, 'DDL', 'success', now() - age FROM pg_user, (VALUES
        ('rs_reader', 'create or replace view s.a as select * from s.base', interval '2 hours'),
        ('rs_team', '/* dbt */ CREATE OR REPLACE VIEW "s"."a" AS SELECT id, name FROM s.base', interval '1 hour'),
        ('rs_bi', 'create view s.other as select * from s.b', interval '1 minute'),
        ('rs_bi', 'grant select on s.b to rs_team', interval '3 minutes')) changes(who, text, age) WHERE usename = who`);
    const names = ['a', 'b', 'm'].map((name) => ({ schema: 's', name }));
    server.statements.length = 0;
    const authors = await withWarehouse(async (warehouse) => [...((await warehouse.findAuthors?.(names)) ?? [])]);
    expect(authors).toEqual([
      ['s.a', 'rs_team'],
      ['s.b', 'rs_bi'],
    ]);
    expect(server.statements.filter((sql) => sql.includes('sys_query_history'))).toHaveLength(1);
  });

  test('sessions say who they are', async () => {
    const names: unknown[] = [];
    await withWarehouse(async () => {
      names.push(
        ...(await server.database.query(
          `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'viewsync%'`,
        )),
      );
    });
    expect(names).toEqual([{ application_name: 'viewsync library' }]);
    expect(server.statements).toContain("SET query_group TO 'viewsync library'");
    await (await redshift.connect({ url: server.url }, {}, { command: 'apply' })).close();
    expect(server.statements).toContain("SET query_group TO 'viewsync apply'");
  });
});
