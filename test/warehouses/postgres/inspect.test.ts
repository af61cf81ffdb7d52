import { describe, expect, test } from 'vitest';
import { relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { postgres } from '../../../src/warehouses/postgres/adapter.ts';
import { connect } from '../../../src/warehouses/postgres-family/connect.ts';
import { createDatabase, createRole, newestServer, postgresServers } from '../../support/postgres-server.ts';
import { database, find, inspect, keys } from './inspecting.ts';

const makes = (view: View, kind: string): readonly string[] => view.attachments.filter((each) => each.kind === kind).map((each) => each.make);

describe.each(postgresServers())('inspect on PostgreSQL $version', ({ version }) => {
  test('reads everything of the obstacle schema', async () => {
    await using obstacles = await createDatabase(version);
    await obstacles.load('obstacles.sql');
    const inspection = await inspect(obstacles.url);
    const { snapshot } = inspection;
    expect(keys(inspection)).toEqual([
      '"Rep-orts"."My View.v1"',
      '"Rep-orts".v1',
      'app.V3',
      'app.m1',
      'app.m2',
      'app.v1',
      'app.v2',
      'app.v3',
      'app.v_pk',
      'app.v_uses_f',
    ]);
    expect(snapshot.losses).toEqual([]);
    expect(snapshot.bystanders.map(({ name, reads }) => [relationKey(name), reads.map(relationKey)])).toEqual([
      ['function app.f_v3()', ['app.v3']],
      ['policy app.p.pol', ['app.v3']],
    ]);
    expect(find(inspection, 'app.v_uses_f').needs?.map(relationKey)).toEqual(['function app.f_v3()']);
    expect(snapshot.views.flatMap((view) => view.unrestorable)).toEqual([]);
    expect(['cluster', 'statistics', 'statistics target'].flatMap((kind) => makes(find(inspection, 'app.m1'), kind))).toEqual([
      'ALTER MATERIALIZED VIEW app.m1 CLUSTER ON m1_id',
      'CREATE STATISTICS app.m1_st ON a, b FROM app.m1',
      'ALTER MATERIALIZED VIEW app.m1 ALTER COLUMN a SET STATISTICS 500',
    ]);
    expect(makes(find(inspection, 'app.v1'), 'grant')).toEqual([
      'GRANT SELECT ON app.v1 TO o_reader WITH GRANT OPTION',
      'GRANT SELECT ON app.v1 TO PUBLIC',
      'GRANT SELECT (id) ON app.v1 TO o_col',
      'GRANT UPDATE (b) ON app.v1 TO o_col',
    ]);
    // What the columns of a function come from is recorded from 15 on; the function itself always is.
    expect(find(inspection, 'app.v_uses_f').reads).toEqual(version >= 15 ? [{ schema: 'app', name: 'v3' }] : []);
    expect(find(inspection, 'app.m2').attachments.find((each) => each.kind === 'populated')?.value).toBe('unpopulated');
    expect(inspection.sizes.get('app.m1')).toBeGreaterThan(8000);
    expect(inspection.session).toMatchObject({ role: 'postgres', isSuperuser: true, lockLimit: 6400, server: expect.stringMatching(/^PostgreSQL \d+\.\d+$/) });
    expect(snapshot.description.identity).toEqual({ system: expect.stringMatching(/^\d{10,}$/), database: obstacles.name });
  });

  test('columns come with length, precision and collation', async () => {
    await using db = await database(
      version,
      `
      CREATE TABLE t (a varchar(20), b numeric(12,2), c text COLLATE "C", d timestamp(3) with time zone, e char(5), f int[]);
      CREATE VIEW v AS SELECT *, NULL AS g FROM t`,
    );
    expect(find(await inspect(db.url), 'public.v').columns.map(({ type }) => type)).toEqual([
      'character varying(20)',
      'numeric(12,2)',
      'text COLLATE "C"',
      'timestamp(3) with time zone',
      'character(5)',
      'integer[]',
      'text',
    ]);
  });

  test('reads views through their row types, and itself only when the text does so', async () => {
    await using db = await database(
      version,
      `
      CREATE VIEW base AS SELECT 1 AS a; CREATE VIEW typed AS SELECT NULL::base AS whole, ARRAY[]::base[] AS many;
      CREATE VIEW itself AS SELECT 1 AS a; CREATE OR REPLACE VIEW itself AS SELECT a FROM itself`,
    );
    const inspection = await inspect(db.url);
    expect(find(inspection, 'public.typed').reads).toEqual([{ schema: 'public', name: 'base' }]);
    expect(find(inspection, 'public.itself').reads).toEqual([{ schema: 'public', name: 'itself' }]);
    expect(find(inspection, 'public.base').reads).toEqual([]);
  });

  test('the settings of role and database change nothing', async () => {
    const sql =
      "CREATE SCHEMA s; CREATE TABLE s.t (d timestamptz, i interval); CREATE VIEW s.v AS SELECT d FROM s.t WHERE d > '2020-01-02 03:04:05+00' AND i > '1 day 2 hours'";
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
    expect(inspection.snapshot.losses).toEqual([{ description: expect.stringMatching(/^view pg_temp.*\.mine$/), of: [{ schema: 'public', name: 'v' }] }]);
    await other.close();
  });

  test('names everything that hangs on a view and is none', async () => {
    await using db = await database(
      version,
      `
      CREATE VIEW v AS SELECT 1 AS a;
      CREATE TABLE uses_row (x v); CREATE DOMAIN d AS v; CREATE TYPE c AS (x v); CREATE SEQUENCE owned OWNED BY v.a;
      CREATE TABLE t (a int); CREATE RULE r AS ON INSERT TO t DO ALSO SELECT a FROM v;
      CREATE TABLE with_default (x oid DEFAULT 'v'::regclass);
      CREATE FUNCTION f(v) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW other AS SELECT 2 AS b; CREATE RULE q AS ON INSERT TO other DO INSTEAD SELECT a FROM v`,
    );
    const inspection = await inspect(db.url);
    expect(inspection.snapshot.losses?.map((each) => each.description)).toEqual([
      'column x of composite type public.c',
      'column x of table public.uses_row',
      'sequence public.owned',
      'type public.d',
    ]);
    expect(inspection.snapshot.bystanders.map(({ name }) => relationKey(name))).toEqual([
      'default public.with_default.x',
      'function public.f(public.v)',
      'rule public.t.r',
    ]);
  });

  test('names what belongs to a view and no statement can make again', async () => {
    await using db = await database(
      version,
      `${createRole('inspect_strong', ' SUPERUSER')}
      CREATE VIEW v AS SELECT 1 AS a; CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
      UPDATE pg_rewrite SET ev_enabled = 'D' WHERE ev_class = 'v'::regclass AND rulename = 'r';
      UPDATE pg_class SET relacl = '{postgres=arwdDxt/postgres,inspect_strong=r*/postgres,pg_monitor=r/inspect_strong}' WHERE oid = 'v'::regclass`,
    );
    expect(find(await inspect(db.url), 'public.v').unrestorable).toEqual([
      'right that inspect_strong gave (a superuser by now, who can only give rights in the name of the owner)',
      'state of rule r (no statement sets it on a view)',
    ]);
  });

  test('leaves out an index that is not valid, as a dump does', async () => {
    await using db = await database(version, "CREATE MATERIALIZED VIEW m AS SELECT 1 AS a; CREATE INDEX i ON m (a); COMMENT ON INDEX i IS 'x'");
    await db.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass");
    expect(makes(find(await inspect(db.url), 'public.m'), 'index')).toEqual([]);
    expect(makes(find(await inspect(db.url), 'public.m'), 'comment')).toEqual([]);
  });

  test('tells who would get rights by default', async () => {
    await using db = await database(
      version,
      `
      ${createRole('inspect_reader')} CREATE SCHEMA a; CREATE SCHEMA b;
      ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO inspect_reader; ALTER DEFAULT PRIVILEGES IN SCHEMA b GRANT SELECT ON TABLES TO PUBLIC`,
    );
    const { snapshot } = await inspect(db.url);
    expect(snapshot.containers.map(({ state: _, ...container }) => container)).toEqual([
      { name: 'a', defaultGrantees: ['inspect_reader'] },
      { name: 'b', defaultGrantees: ['inspect_reader', 'public'] },
      { name: 'public', defaultGrantees: ['inspect_reader'] },
    ]);
  });

  test('a role without any right on the views reads the same', async () => {
    await using db = await database(
      version,
      `${createRole('inspect_nobody', ' LOGIN')} CREATE SCHEMA s; CREATE TABLE s.t (a int); CREATE VIEW s.v AS SELECT a FROM s.t`,
    );
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
    await using db = await database(
      version,
      `
      CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE VIEW broken AS SELECT f() AS a; CREATE VIEW empty AS SELECT 1 AS a;
      CREATE VIEW fine AS SELECT 2 AS b; CREATE VIEW over AS SELECT a FROM broken;
      SET allow_system_table_mods = on;
      DELETE FROM pg_proc WHERE proname = 'f' AND pronamespace = 'public'::regnamespace; DELETE FROM pg_rewrite WHERE ev_class = 'empty'::regclass`,
    );
    const inspection = await inspect(db.url);
    expect(keys(inspection)).toEqual(['public.fine', 'public.over']);
    expect(inspection.snapshot.description.unreadable).toEqual([
      { name: { schema: 'public', name: 'broken' }, reason: expect.stringContaining('XX000') },
      { name: { schema: 'public', name: 'empty' }, reason: 'it has no definition in the catalogs' },
    ]);
  });

  test('a role that may not ask for definitions finds every view unreadable and none gone', async () => {
    await using db = await database(
      version,
      `${createRole('inspect_nobody', ' LOGIN')} CREATE VIEW v AS SELECT 1 AS a; REVOKE EXECUTE ON FUNCTION pg_get_viewdef(oid) FROM PUBLIC`,
    );
    const { snapshot } = await inspect(db.urlFor('inspect_nobody'));
    expect(snapshot.views).toEqual([]);
    expect(snapshot.description.unreadable).toMatchObject([{ name: { schema: 'public', name: 'v' } }]);
  });
});

// Version 14 brought the setting.
test.runIf(newestServer().version >= 14)('a session that the server would end when it is idle stays', async () => {
  await using database = await createDatabase();
  const role = `idle_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN; ALTER ROLE ${role} SET idle_session_timeout = '1s'`);
  const warehouse = await postgres.connect({ url: database.urlFor(role) }, {});
  await new Promise((resolve) => setTimeout(resolve, 1300));
  expect((await warehouse.inspect({ schemas: ['*'] })).session.role).toBe(role);
  await warehouse.close();
  await database.query(`DROP ROLE ${role}`);
});
