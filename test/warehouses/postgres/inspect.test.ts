import { describe, expect, test } from 'vitest';
import { relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { viewsQuery } from '../../../src/warehouses/postgres/catalog-queries.ts';
import { connect } from '../../../src/warehouses/postgres/connect.ts';
import type { Connection } from '../../../src/warehouses/postgres/connection.ts';
import { inspectDatabase } from '../../../src/warehouses/postgres/inspect.ts';
import { readServer } from '../../../src/warehouses/postgres/server.ts';
import type { Inspection } from '../../../src/warehouses/warehouse.ts';
import { createDatabase, createRole, postgresServers, type TestDatabase } from '../../support/postgres-server.ts';

interface InspectOptions {
  readonly schemas?: readonly string[];
  /** Runs after each look at the catalogs, before the texts that belong to it are printed. */
  readonly meanwhile?: (round: number) => Promise<unknown>;
}

async function inspect(url: string, { schemas = ['*'], meanwhile }: InspectOptions = {}): Promise<Inspection> {
  const connection = await connect(url, {});
  try {
    const server = await readServer(connection);
    return await inspectDatabase(meanwhile === undefined ? connection : disturbed(connection, meanwhile), { server, scope: { schemas } });
  } finally {
    await connection.close();
  }
}

function disturbed(connection: Connection, meanwhile: (round: number) => Promise<unknown>): Connection {
  let round = 0;
  return {
    ...connection,
    query: async <Row>(sql: string, parameters?: readonly unknown[]) => {
      const rows = await connection.query<Row>(sql, parameters);
      if (sql === viewsQuery) await meanwhile(++round);
      return rows;
    },
  };
}

function find(inspection: Inspection, key: string): View {
  const view = [...inspection.snapshot.views, ...inspection.outside].find((each) => relationKey(each.name) === key);
  if (view === undefined) throw new Error(`There is no view ${key}.`);
  return view;
}

const makes = (view: View, kind: string): readonly string[] => view.attachments.filter((each) => each.kind === kind).map((each) => each.make);
const keys = (inspection: Inspection): readonly string[] => inspection.snapshot.views.map((view) => relationKey(view.name));

async function database(version: number, sql: string): Promise<TestDatabase> {
  const created = await createDatabase(version);
  await created.query(sql);
  return created;
}

describe.each(postgresServers())('inspect on PostgreSQL $version', ({ version }) => {
  test('reads everything of the obstacle schema', async () => {
    await using obstacles = await createDatabase(version);
    await obstacles.load('obstacles.sql');
    const inspection = await inspect(obstacles.url);
    const { snapshot } = inspection;
    expect(keys(inspection)).toEqual(
      ['"Rep-orts"."My View.v1"', '"Rep-orts".v1', 'app.V3', 'app.m1', 'app.m2', 'app.v1', 'app.v2', 'app.v3', 'app.v_pk', 'app.v_uses_f'],
    );
    expect(snapshot.bystanders).toEqual([
      { description: 'function app.f_v3()', of: [{ schema: 'app', name: 'v3' }] },
      { description: 'policy pol on table app.p', of: [{ schema: 'app', name: 'v3' }] },
    ]);
    expect(find(inspection, 'app.m1').unrestorable).toEqual(['cluster mark on index app.m1_id', 'statistics object app.m1_st', 'statistics target of column a']);
    expect(snapshot.views.filter((view) => view.unrestorable.length > 0)).toHaveLength(1);
    expect(makes(find(inspection, 'app.v1'), 'grant')).toEqual([
      'GRANT SELECT ON app.v1 TO PUBLIC',
      'GRANT SELECT (id) ON app.v1 TO o_col',
      'GRANT UPDATE (b) ON app.v1 TO o_col',
      'GRANT SELECT ON app.v1 TO o_reader WITH GRANT OPTION',
    ]);
    expect(find(inspection, 'app.v_uses_f').reads).toEqual([{ schema: 'app', name: 'v3' }]);
    expect(find(inspection, 'app.m2').attachments.find((each) => each.kind === 'populated')?.value).toBe('unpopulated');
    expect(inspection.sizes.get('app.m1')).toBeGreaterThan(8000);
    expect(inspection.session).toMatchObject({ role: 'postgres', isSuperuser: true, lockLimit: 6400, server: expect.stringMatching(/^PostgreSQL \d+\.\d+$/) });
    expect(snapshot.description.identity).toEqual({ system: expect.stringMatching(/^\d{10,}$/), database: obstacles.name });
  });

  test('columns come with length, precision and collation', async () => {
    await using db = await database(version, `
      CREATE TABLE t (a varchar(20), b numeric(12,2), c text COLLATE "C", d timestamp(3) with time zone, e char(5), f int[]);
      CREATE VIEW v AS SELECT *, NULL AS g FROM t`);
    expect(find(await inspect(db.url), 'public.v').columns.map(({ type }) => type)).toEqual(
      ['character varying(20)', 'numeric(12,2)', 'text COLLATE "C"', 'timestamp(3) with time zone', 'character(5)', 'integer[]', 'text'],
    );
  });

  test('reads views through their row types, and itself only when the text does so', async () => {
    await using db = await database(version, `
      CREATE VIEW base AS SELECT 1 AS a; CREATE VIEW typed AS SELECT NULL::base AS whole, ARRAY[]::base[] AS many;
      CREATE VIEW itself AS SELECT 1 AS a; CREATE OR REPLACE VIEW itself AS SELECT a FROM itself`);
    const inspection = await inspect(db.url);
    expect(find(inspection, 'public.typed').reads).toEqual([{ schema: 'public', name: 'base' }]);
    expect(find(inspection, 'public.itself').reads).toEqual([{ schema: 'public', name: 'itself' }]);
    expect(find(inspection, 'public.base').reads).toEqual([]);
  });

  test('the settings of role and database change nothing', async () => {
    const sql = "CREATE SCHEMA s; CREATE TABLE s.t (d timestamptz, i interval); CREATE VIEW s.v AS SELECT d FROM s.t WHERE d > '2020-01-02 03:04:05+00' AND i > '1 day 2 hours'";
    await using db = await database(version, sql);
    const before = find(await inspect(db.url), 's.v').definition;
    await db.query(`
      ALTER DATABASE ${db.name} SET search_path = s; ALTER DATABASE ${db.name} SET timezone = 'Asia/Tokyo'; ALTER DATABASE ${db.name} SET datestyle = 'German';
      ALTER DATABASE ${db.name} SET intervalstyle = 'iso_8601'; ALTER DATABASE ${db.name} SET quote_all_identifiers = on`);
    expect(find(await inspect(db.url), 's.v').definition).toBe(before);
    expect(before).toContain('FROM s.t');
  });

  test('leaves out temporary views, the system and extensions, and names temporary views that hang on ours', async () => {
    await using db = await database(version, 'CREATE VIEW public.v AS SELECT 1 AS a');
    const other = await connect(db.url, {});
    await other.run('CREATE TEMP VIEW mine AS SELECT a FROM public.v');
    const inspection = await inspect(db.url);
    expect(keys(inspection)).toEqual(['public.v']);
    expect(inspection.snapshot.bystanders).toEqual([{ description: expect.stringMatching(/^view pg_temp.*\.mine$/), of: [{ schema: 'public', name: 'v' }] }]);
    await other.close();
  });

  test('names everything that hangs on a view and is none', async () => {
    await using db = await database(version, `
      CREATE VIEW v AS SELECT 1 AS a;
      CREATE TABLE uses_row (x v); CREATE DOMAIN d AS v; CREATE TYPE c AS (x v); CREATE SEQUENCE owned OWNED BY v.a;
      CREATE TABLE t (a int); CREATE RULE r AS ON INSERT TO t DO ALSO SELECT a FROM v;
      CREATE TABLE with_default (x oid DEFAULT 'v'::regclass);
      CREATE FUNCTION f(v) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW other AS SELECT 2 AS b; CREATE RULE q AS ON INSERT TO other DO INSTEAD SELECT a FROM v`);
    const inspection = await inspect(db.url);
    expect(inspection.snapshot.bystanders.map((each) => each.description)).toEqual([
      'column x of composite type public.c',
      'column x of table public.uses_row',
      'default value for column x of table public.with_default',
      'function public.f(public.v)',
      'rule q on view public.other',
      'rule r on table public.t',
      'sequence public.owned',
      'type public.d',
    ]);
  });

  test('names what belongs to a view and no file can hold', async () => {
    await using db = await database(version, `
      CREATE VIEW v AS SELECT 1 AS a; COMMENT ON TYPE v IS 'row'; REVOKE USAGE ON TYPE v FROM PUBLIC; COMMENT ON RULE "_RETURN" ON v IS 'rule';
      CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, 'x'::text AS b;
      ALTER MATERIALIZED VIEW m ALTER b SET STORAGE EXTERNAL; ALTER MATERIALIZED VIEW m ALTER a SET (n_distinct = 5);
      CREATE INDEX i ON m ((a + 1)); ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 500; ALTER MATERIALIZED VIEW m DEPENDS ON EXTENSION plpgsql;
      ALTER MATERIALIZED VIEW m REPLICA IDENTITY FULL; ALTER MATERIALIZED VIEW m SET (toast.autovacuum_enabled = off)`);
    const inspection = await inspect(db.url);
    expect(find(inspection, 'public.v').unrestorable).toEqual(['comment on rule "_RETURN"', 'comment on the row type', 'privileges on the row type']);
    expect(find(inspection, 'public.m').unrestorable).toEqual([
      'dependence of materialized view public.m on extension plpgsql',
      'options of column a',
      'replica identity',
      'statistics target of column 1 of index public.i',
      'storage of column b',
    ]);
    expect(makes(find(inspection, 'public.m'), 'option')).toEqual(['ALTER MATERIALIZED VIEW public.m SET (toast.autovacuum_enabled = off)']);
  });

  test('tells who would get rights by default', async () => {
    await using db = await database(version, `
      ${createRole('inspect_reader')} CREATE SCHEMA a; CREATE SCHEMA b;
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO inspect_reader; ALTER DEFAULT PRIVILEGES IN SCHEMA b GRANT SELECT ON TABLES TO PUBLIC`);
    const { snapshot } = await inspect(db.url);
    expect(snapshot.containers).toEqual([
      { name: 'a', defaultGrantees: ['inspect_reader'] },
      { name: 'b', defaultGrantees: ['inspect_reader', 'public'] },
      { name: 'public', defaultGrantees: ['inspect_reader'] },
    ]);
  });

  test('a role without any right on the views reads the same', async () => {
    await using db = await database(version, `${createRole('inspect_nobody', ' LOGIN')} CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE VIEW s.v AS SELECT a FROM s.t`);
    const [own, other] = [await inspect(db.url), await inspect(db.urlFor('inspect_nobody'))];
    expect(other.snapshot.views).toEqual(own.snapshot.views);
    expect(other.snapshot.description).toEqual(own.snapshot.description);
    expect(other.session).toMatchObject({ role: 'inspect_nobody', isSuperuser: false });
  });

  test('an identity is found where the system identifier is kept secret', async () => {
    await using db = await database(version, `${createRole('inspect_nobody', ' LOGIN')} REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC`);
    const { snapshot } = await inspect(db.urlFor('inspect_nobody'));
    expect(snapshot.description.identity).toEqual({ databaseOid: expect.stringMatching(/^\d+$/), database: db.name });
  });

  test('a view that cannot be printed is named and costs no other view', async () => {
    await using db = await database(version, `
      CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW broken AS SELECT f() AS a; CREATE VIEW empty AS SELECT 1 AS a;
      CREATE VIEW fine AS SELECT 2 AS b; CREATE VIEW over AS SELECT a FROM broken;
      SET allow_system_table_mods = on;
      DELETE FROM pg_proc WHERE proname = 'f' AND pronamespace = 'public'::regnamespace; DELETE FROM pg_rewrite WHERE ev_class = 'empty'::regclass`);
    const inspection = await inspect(db.url);
    expect(keys(inspection)).toEqual(['public.fine', 'public.over']);
    expect(inspection.snapshot.description.unreadable).toEqual([
      { name: { schema: 'public', name: 'broken' }, reason: expect.stringContaining('XX000') },
      { name: { schema: 'public', name: 'empty' }, reason: 'it has no definition in the catalogs' },
    ]);
  });

  test('a role that may not ask for definitions finds every view unreadable and none gone', async () => {
    await using db = await database(version, `${createRole('inspect_nobody', ' LOGIN')} CREATE VIEW v AS SELECT 1 AS a; REVOKE EXECUTE ON FUNCTION pg_get_viewdef(oid) FROM PUBLIC`);
    const { snapshot } = await inspect(db.urlFor('inspect_nobody'));
    expect(snapshot.views).toEqual([]);
    expect(snapshot.description.unreadable).toMatchObject([{ name: { schema: 'public', name: 'v' } }]);
  });
});

describe.each(postgresServers())('a database that changes while PostgreSQL $version is read', ({ version }) => {
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
    const meanwhile = once(db, 'CREATE OR REPLACE VIEW v AS SELECT a, 2 AS c FROM t; ALTER VIEW w RENAME TO w2; DROP VIEW x; CREATE VIEW x AS SELECT 3 AS three');
    expect((await inspect(db.url, { meanwhile })).snapshot).toEqual((await inspect(db.url)).snapshot);
  });

  test('a renamed schema and a renamed function change the texts that name them', async () => {
    await using db = await database(version, "CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW v AS SELECT a, f() FROM s.t");
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

  test('one that never holds still is an error that names what moves', async () => {
    await using db = await database(version, shop);
    const reading = inspect(db.url, { meanwhile: (round) => db.query(`CREATE OR REPLACE VIEW x AS SELECT ${round} AS one`) });
    await expect(reading).rejects.toMatchObject({ code: 'LISTING_MOVED', exitCode: 69, message: expect.stringContaining('"public.x"') });
  });

  test('few locks are held at a time, however many views there are', async () => {
    await using db = await database(version, `${shop};
      DO $$ BEGIN FOR i IN 1..1500 LOOP EXECUTE format('CREATE TABLE t_%s (a int)', i); EXECUTE format('CREATE VIEW v_%s AS SELECT a FROM t_%s', i, i); END LOOP; END $$`);
    const observer = await connect(db.url, {});
    let peak = 0;
    let isOver = false;
    const reading = inspect(db.url).finally(() => { isOver = true; });
    while (!isOver) {
      const [row] = await observer.query<{ held: number }>("SELECT count(*)::int AS held FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database() AND l.pid <> pg_backend_pid() AND l.locktype = 'relation'");
      peak = Math.max(peak, row?.held ?? 0);
    }
    expect((await reading).snapshot.views).toHaveLength(1503);
    expect(peak).toBeGreaterThan(10);
    expect(peak).toBeLessThan(500);
    await observer.close();
  });
});
