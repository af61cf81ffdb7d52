import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { createDatabase, createRole, pgDump, postgresServers } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2), note text, placed date);
INSERT INTO shop.orders SELECT n, n % 3, n, 'note', '2026-01-01' FROM generate_series(1, 10) n;
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 5;
CREATE VIEW shop.best AS SELECT customer, sum(total) AS spent FROM shop.big GROUP BY customer;
CREATE VIEW shop.notes AS SELECT id, note FROM shop.orders;
CREATE VIEW shop.dated AS SELECT id, placed FROM shop.orders;
CREATE MATERIALIZED VIEW shop.sums AS SELECT customer, spent FROM shop.best;
CREATE INDEX sums_customer ON shop.sums (customer);
COMMENT ON MATERIALIZED VIEW shop.sums IS 'per customer';
COMMENT ON VIEW shop.best IS 'who buys'; GRANT SELECT ON shop.best TO PUBLIC;`;

async function openShop(version: number): Promise<Workplace> {
  const place = await openWorkplace({ version });
  await place.database.query(shop);
  return place;
}

const identities =
  "SELECT oid::int AS oid, relname::text AS name FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('v', 'm') ORDER BY relname";

/** Which views are not the ones that were there before. */
async function findRemade(place: Workplace, work: () => Promise<unknown>): Promise<readonly string[]> {
  const before = new Set((await place.database.query(identities)).map(({ oid }) => oid));
  await work();
  return (await place.database.query(identities)).filter(({ oid }) => !before.has(oid)).map(({ name }) => name);
}

async function expectUnchanged(place: Workplace, work: () => Promise<unknown>): Promise<void> {
  const [catalog, heads] = [await describeCatalog(place.database.url), place.git('for-each-ref', 'refs/heads')];
  await work();
  expect(await describeCatalog(place.database.url)).toEqual(catalog);
  expect(place.git('for-each-ref', 'refs/heads')).toBe(heads);
  expect((await place.status()).run).toBeUndefined();
}

async function expectRecorded(place: Workplace): Promise<void> {
  expect(place.git('status', '--porcelain')).toBe('');
  expect((await place.status()).differing).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
}

/** A dump without the type that was changed and the casts to and from it. */
const withoutCasts = (dump: string | undefined) =>
  dump
    ?.replaceAll(/::(numeric|double precision)/g, '')
    .replaceAll('double precision', 'numeric')
    .replaceAll(/[()]/g, '');

describe.each(postgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('a column of another type changes that type and the casts that it causes, and nothing else', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('obstacles-basic.sql');
    await place.export();
    const before = await pgDump(version, place.database.url);
    const populated = await place.database.query("SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1");
    const result = await place.migrate('ALTER TABLE app.t ALTER COLUMN a TYPE double precision');
    expect(result).toMatchObject({ broken: [], dropped: [] });
    expect(result.restored).toHaveLength(9);
    expect(withoutCasts(await pgDump(version, place.database.url))).toEqual(withoutCasts(before));
    expect(await place.database.query("SELECT relname, relispopulated FROM pg_class WHERE relkind = 'm' ORDER BY 1")).toEqual(populated);
    expect(place.git('log', '-1', '--format=%s')).toBe('prod: migrate migration.sql, 9 views');
    await expectRecorded(place);
  });

  test('names are looked up as the script says, and its settings and role are its own', async () => {
    const place = await openShop(version);
    await place.migrate(`
      SET search_path = shop; SET timezone = 'Asia/Tokyo';
      ALTER TABLE orders ALTER COLUMN note TYPE varchar(40);
      CREATE TABLE seen AS SELECT current_setting('timezone') AS zone, current_setting('search_path') AS path, '2026-01-01'::timestamptz AS at;`);
    expect(await place.database.query("SELECT zone, path, at = '2025-12-31 15:00+00' AS midnight FROM shop.seen")).toEqual([
      { zone: 'Asia/Tokyo', path: 'shop', midnight: true },
    ]);
    await expectRecorded(place);
  });

  test('views that the script drops stay away, those that it makes, changes and renames stay so, and what read them follows', async () => {
    const place = await openShop(version);
    const result = await place.migrate(`
      ALTER TABLE shop.orders ALTER COLUMN id TYPE bigint;
      DROP VIEW shop.notes;
      CREATE VIEW shop.fresh AS SELECT id FROM shop.big;
      CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total, placed FROM shop.orders WHERE total > 1;
      COMMENT ON VIEW shop.best IS 'who buys now';
      ALTER VIEW shop.dated RENAME TO days;`);
    expect(result).toMatchObject({ dropped: ['shop.notes'], broken: [] });
    const views = await place.database.query(identities);
    expect(views.map(({ name }) => name)).toEqual(['best', 'big', 'days', 'fresh', 'sums']);
    expect(readFileSync(join(place.directory, 'views/prod/shop/best.sql'), 'utf8')).toContain('who buys now');
    expect(readFileSync(join(place.directory, 'views/prod/shop/big.sql'), 'utf8')).toContain('placed');
    expect(place.git('show', '--name-status', '--no-renames', '--format=', 'HEAD', '--', 'views')).toMatch(/A\s.*fresh\.sql/);
    await expectRecorded(place);
  });

  test.runIf(version >= 14)(
    'two files run as one; functions between views, a key that a view groups by, and which materialized views hold data are what they were',
    async () => {
      const place = await openWorkplace({ version });
      await place.database.query(`CREATE TABLE t (id int PRIMARY KEY, a numeric, note text); INSERT INTO t VALUES (1, 2, 'x');
      CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW grouped AS SELECT id, note FROM t GROUP BY id;
      CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM v; END; CREATE FUNCTION twice() RETURNS bigint LANGUAGE sql STABLE RETURN 2 * counted();
      CREATE FUNCTION list() RETURNS SETOF v LANGUAGE sql AS 'SELECT * FROM v'; CREATE FUNCTION of(v) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION of(int) RETURNS int LANGUAGE sql AS 'SELECT 2';
      CREATE FUNCTION rowtype() RETURNS int LANGUAGE plpgsql AS 'DECLARE r v%ROWTYPE; BEGIN SELECT * INTO r FROM v; RETURN r.id; END';
      CREATE VIEW over_list AS SELECT l.id, of(l.*) AS one, of(l.id::int) AS two, twice() AS n FROM list() l;
      CREATE MATERIALIZED VIEW bottom AS SELECT id, a FROM v; CREATE MATERIALIZED VIEW hollow AS SELECT id FROM bottom; CREATE VIEW plain AS SELECT id FROM hollow;
      CREATE MATERIALIZED VIEW top AS SELECT id FROM plain; CREATE UNIQUE INDEX top_id ON top (id); COMMENT ON INDEX top_id IS 'x'; CREATE MATERIALIZED VIEW empty AS SELECT id FROM top WITH NO DATA;
      REFRESH MATERIALIZED VIEW hollow WITH NO DATA; GRANT SELECT ON bottom TO PUBLIC; REVOKE ALL ON FUNCTION list() FROM PUBLIC`);
      await place.export();
      const before = [await describeCatalog(place.database.url), await pgDump(version, place.database.url)];
      const script = (file: string, text: string) => ({ file, text });
      const first = script('1.sql', 'ALTER TABLE t ALTER id TYPE bigint, ALTER a TYPE float8;\nSET search_path = public;');
      const second = script(
        '2.sql',
        'ALTER TABLE t DROP CONSTRAINT t_pkey;\nALTER TABLE t ALTER id TYPE int, ALTER a TYPE numeric;\nALTER TABLE t ADD PRIMARY KEY (id);',
      );
      await expectUnchanged(place, () =>
        expect(place.migrate('', { scripts: [first, second, script('3.sql', '\nSELECT 1 / 0;')] })).rejects.toMatchObject({
          message: expect.stringMatching(/^3\.sql:2: division by zero/),
        }),
      );
      const result = await place.migrate('', { scripts: [first, second] });
      expect(result).toMatchObject({ revision: '1.sql 2.sql', broken: [], dropped: [] });
      expect([await describeCatalog(place.database.url), await pgDump(version, place.database.url)]).toEqual(before);
      expect(await place.database.query('SELECT rowtype() AS id, (SELECT count(*)::int FROM top) AS top')).toEqual([{ id: 1, top: 1 }]);
      await expectRecorded(place);
    },
  );
});

describe('on the newest PostgreSQL', () => {
  const version = postgresServers()[0]?.version ?? 18;

  test('what no statement needs out of the way is not touched, and one column takes only the views that read it', async () => {
    const place = await openShop(version);
    const added = () => place.migrate('ALTER TABLE shop.orders ADD COLUMN extra int; CREATE INDEX ON shop.orders (placed); UPDATE shop.orders SET extra = 1');
    expect(await findRemade(place, added)).toEqual([]);
    const retyped = () => place.migrate('ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(14,2)');
    expect(await findRemade(place, retyped)).toEqual(['best', 'big', 'sums']);
    expect(await place.database.query('SELECT count(*)::int AS rows FROM shop.sums')).toEqual([{ rows: 3 }]);
  });

  test('views that the script takes along without naming them come back, also on what it has made in their place', async () => {
    const place = await openShop(version);
    const before = await describeCatalog(place.database.url);
    const result = await place.migrate('DROP VIEW shop.big CASCADE; CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 5');
    expect(result).toMatchObject({ restored: ['shop.best', 'shop.sums'], dropped: [] });
    expect(await describeCatalog(place.database.url)).toEqual(before);
    await place.migrate("DO $$ BEGIN EXECUTE 'DROP VIEW shop.notes'; END $$");
    expect((await place.database.query(identities)).map(({ name }) => name)).toEqual(['best', 'big', 'dated', 'sums']);
    const orphaned = place.migrate('DROP VIEW shop.best CASCADE');
    await expect(orphaned).rejects.toMatchObject({ code: 'VIEW_MISFIT', message: expect.stringContaining('shop.sums no longer fits') });
  });

  test('a renamed table or column is followed by every view, dropped before or not', async () => {
    const place = await openShop(version);
    await place.migrate(`
      ALTER TABLE shop.orders ALTER COLUMN total TYPE numeric(14,2);
      ALTER TABLE shop.orders RENAME COLUMN customer TO buyer;
      ALTER TABLE shop.orders RENAME TO purchases;
      ALTER TABLE shop.purchases ALTER COLUMN total TYPE numeric(15,2);`);
    const [row] = await place.database.query("SELECT pg_get_viewdef('shop.big'::regclass) AS text");
    expect(row?.['text']).toMatch(/buyer AS customer[\s\S]*purchases/);
    expect((await place.database.query('SELECT sum(spent)::int AS spent FROM shop.sums'))[0]).toEqual({ spent: 40 });
  });

  test('whatever goes wrong is named with its place, and everything is rolled back', async () => {
    const place = await openShop(version);
    await place.export();
    await expectUnchanged(place, async () => {
      const misfit = 'ALTER TABLE shop.orders\n  ALTER total TYPE numeric(14,2);\n\nALTER TABLE shop.orders DROP COLUMN note;';
      await expect(place.migrate(misfit)).rejects.toMatchObject({
        code: 'VIEW_MISFIT',
        exitCode: 65,
        message: expect.stringMatching(/shop\.notes no longer fits: .*note.* \(migration\.sql:4\)/),
      });
      const renamed = `DROP VIEW shop.big CASCADE;
        ALTER TABLE shop.orders RENAME customer TO buyer;
        CREATE VIEW shop.big AS SELECT id, buyer, total FROM shop.orders`;
      await expect(place.migrate(renamed)).rejects.toMatchObject({
        code: 'VIEW_MISFIT',
        message: expect.stringMatching(/shop\.best no longer fits: .*customer.*"customer" is called "buyer" since migration\.sql:2/),
      });
      const refused = 'ALTER TABLE shop.orders ALTER id TYPE bigint;\n\nUPDATE shop.orders\n   SET totl = 1;';
      await expect(place.migrate(refused)).rejects.toMatchObject({
        code: 'SCRIPT_FAILED',
        exitCode: 65,
        message: expect.stringMatching(/^migration\.sql:4: column "totl".*nothing changed\.\n {5}SET totl = 1;\n {9}\^$/s),
        details: { file: 'migration.sql', line: 4, code: '42703' },
      });
      await expect(place.migrate('ALTER VIEW shop.best SET (check_option = cascaded)')).rejects.toMatchObject({
        message: expect.stringContaining('WITH CHECK OPTION is supported only on automatically updatable views'),
        details: { code: '0A000' },
      });
      const rehearsed = await place.migrate('ALTER TABLE shop.orders ALTER id TYPE bigint; DROP VIEW shop.dated', { mode: 'rehearse' });
      expect(rehearsed).toMatchObject({ isRehearsal: true, restored: ['shop.best', 'shop.big', 'shop.notes', 'shop.sums'], dropped: ['shop.dated'] });
      expect(rehearsed.acts.filter(({ origin }) => origin === 'script')).toHaveLength(2);
      expect(rehearsed.changes.map(({ change }) => change)).toContain('deleted');
    });
    await place.database.query('CREATE TABLE shop.kept (row shop.best)');
    await expectUnchanged(place, async () => {
      await expect(place.migrate('ALTER TABLE shop.orders ALTER total TYPE numeric(14,2)')).rejects.toMatchObject({
        code: 'PLAN_IMPOSSIBLE',
        message: expect.stringMatching(/migration\.sql:1.*column "?row"? of table shop\.kept/),
      });
    });
  });

  test('with broken views skipped the others come back, and the broken ones stay in git and are pending', async () => {
    const place = await openShop(version);
    await place.database.query('CREATE VIEW shop.noted AS SELECT note FROM shop.notes');
    await place.export();
    const result = await place.migrate('ALTER TABLE shop.orders DROP COLUMN note, ALTER total TYPE numeric(14,2)', { misfits: 'skip' });
    expect(result.broken.map(({ view }) => view)).toEqual(['shop.noted', 'shop.notes']);
    expect((await place.database.query(identities)).map(({ name }) => name)).toEqual(['best', 'big', 'dated', 'sums']);
    expect((await place.status()).differing).toMatchObject([
      { view: 'shop.noted', state: 'pending' },
      { view: 'shop.notes', state: 'pending' },
    ]);
    expect(await place.export()).toMatchObject({ pending: ['shop.noted', 'shop.notes'] });
    expect(place.git('ls-files', 'views/prod/shop')).toContain('notes.sql');
    expect(place.git('status', '--porcelain')).toBe('');
  });
});

test('an event trigger that refuses what a migration needs stops all of it and is named; no view is left out for that', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.export();
  const refusing = (
    event: string,
    tag: string,
  ) => `CREATE OR REPLACE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not today'; END $$;
    CREATE EVENT TRIGGER no_ddl ON ${event} WHEN TAG IN ('${tag}') EXECUTE FUNCTION public.no()`;
  for (const [event, tag] of [
    ['ddl_command_end', 'CREATE VIEW'],
    ['sql_drop', 'DROP VIEW'],
  ] as const) {
    await place.database.query(refusing(event, tag));
    const refusal = {
      code: 'ROLLED_BACK',
      message: expect.stringContaining('not today'),
      suggestions: expect.arrayContaining([expect.stringContaining('ALTER EVENT TRIGGER no_ddl DISABLE')]),
    };
    await expectUnchanged(place, () =>
      expect(place.migrate('ALTER TABLE shop.orders ALTER total TYPE numeric(14,2)', { misfits: 'skip' })).rejects.toMatchObject(refusal),
    );
    await place.database.query('DROP EVENT TRIGGER no_ddl');
  }
});

test('an event trigger that fails itself is told with the words of the server, and not as a right that is missing or a view that does not fit', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.export();
  const failing = (event: string, tag: string) => `CREATE OR REPLACE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'no audit today' USING ERRCODE = '42501', HINT = 'ask Ada'; END $$;
    CREATE EVENT TRIGGER watching ON ${event} WHEN TAG IN ('${tag}') EXECUTE FUNCTION public.watch()`;
  const alter = 'ALTER TABLE shop.orders ALTER total TYPE numeric(14,2)';
  const suggestions = expect.arrayContaining([expect.stringContaining('ALTER EVENT TRIGGER watching DISABLE')]);
  const message = expect.stringMatching(/^(?!.*belongs to)(?!.*no longer fits).*no audit today.*42501/s);
  await expectUnchanged(place, async () => {
    for (const [event, tag] of [
      ['ddl_command_start', 'ALTER VIEW'],
      ['sql_drop', 'DROP MATERIALIZED VIEW'],
      ['ddl_command_end', 'GRANT'],
    ] as const) {
      await place.database.query(failing(event, tag));
      await expect(place.migrate(alter, { misfits: 'skip' })).rejects.toMatchObject({ message, suggestions });
      if (tag === 'ALTER VIEW') await expect(place.migrateAround(['shop.orders'], async () => 0)).rejects.toMatchObject({ message, suggestions });
      await place.database.query('DROP FUNCTION public.watch() CASCADE');
    }
  });
  await place.database.query(failing('ddl_command_end', 'CREATE VIEW'));
  await place.database.query('ALTER EVENT TRIGGER watching DISABLE; DROP VIEW shop.notes; ALTER EVENT TRIGGER watching ENABLE');
  await expect(place.apply('HEAD', { misfits: 'skip' })).rejects.toMatchObject({
    code: 'ROLLED_BACK',
    message: expect.stringContaining('no audit today'),
    suggestions,
  });
});

test('what an event trigger adds to views and functions that come back is taken from them again', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.database.query(`CREATE FUNCTION shop.all_big() RETURNS SETOF shop.big LANGUAGE sql AS 'SELECT * FROM shop.big'; REVOKE ALL ON FUNCTION shop.all_big() FROM PUBLIC;
    CREATE FUNCTION public.add() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE made record; BEGIN
      FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type IN ('view', 'function') LOOP
        EXECUTE format('GRANT %s %s TO pg_monitor', CASE made.object_type WHEN 'view' THEN 'SELECT ON' ELSE 'EXECUTE ON FUNCTION' END, made.object_identity); END LOOP; END $$;
    CREATE EVENT TRIGGER adding ON ddl_command_end WHEN TAG IN ('CREATE VIEW', 'CREATE FUNCTION') EXECUTE FUNCTION public.add()`);
  await place.export();
  const before = await describeCatalog(place.database.url);
  await place.migrate(
    'DROP TABLE shop.orders CASCADE; CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2), note text, placed date)',
  );
  expect(await describeCatalog(place.database.url)).toEqual(before);
});

test('a primary key that a view groups by can be made anew, and so can a type and a function that views use', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.database.query(`
    CREATE TYPE shop.mood AS ENUM ('good'); CREATE FUNCTION shop.twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
    CREATE VIEW shop.grouped AS SELECT id, note FROM shop.orders GROUP BY id;
    CREATE VIEW shop.moods AS SELECT 'good'::shop.mood AS mood; CREATE VIEW shop.doubled AS SELECT shop.twice(id) AS n FROM shop.orders`);
  const before = await describeCatalog(place.database.url);
  await place.migrate('ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey; ALTER TABLE shop.orders ADD PRIMARY KEY (id)');
  await place.migrate("SET search_path = shop; DROP TYPE mood; CREATE TYPE mood AS ENUM ('good', 'bad')");
  await place.migrate("DROP FUNCTION shop.twice(int); CREATE FUNCTION shop.twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n'");
  expect(await describeCatalog(place.database.url)).toEqual(before);
  await place.migrate('DROP TABLE shop.orders; CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2), note text, placed date)');
  expect((await describeCatalog(place.database.url)).length).toBe(before.length);
  await expectRecorded(place);
});

test('an apply of what no longer fits stops by name, or leaves out what does not fit, which stays in git', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.export();
  await place.database.query('DROP VIEW shop.notes, shop.dated; ALTER TABLE shop.orders DROP COLUMN note');
  await expect(place.apply('HEAD')).rejects.toMatchObject({ exitCode: expect.toSatisfy((code: number) => code === 65 || code === 75) });
  const result = await place.apply('HEAD', { misfits: 'skip' });
  expect(result.broken).toMatchObject([{ view: 'shop.notes', because: expect.stringContaining('note') }]);
  expect((await place.database.query(identities)).map(({ name }) => name)).toEqual(['best', 'big', 'dated', 'sums']);
  expect((await place.status()).differing).toMatchObject([{ view: 'shop.notes', state: 'pending' }]);
  expect((await place.export()).pending).toEqual(['shop.notes']);
  expect((await place.apply('HEAD', { misfits: 'skip' })).broken).toHaveLength(1);
  expect(place.git('ls-files', 'views/prod/shop')).toContain('notes.sql');
});

test('a view of which only a rule no longer fits is told and left out like one whose query does not fit', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.database.query(`CREATE TABLE shop.log (id int, extra int);
    CREATE VIEW shop.logged AS SELECT id FROM shop.orders; CREATE VIEW shop.reader AS SELECT id FROM shop.logged;
    CREATE RULE keep AS ON INSERT TO shop.logged DO INSTEAD INSERT INTO shop.log (extra) VALUES (new.id)`);
  await place.export();
  const script = 'ALTER TABLE shop.log DROP COLUMN extra';
  await expectUnchanged(place, () =>
    expect(place.migrate(script)).rejects.toMatchObject({ code: 'VIEW_MISFIT', message: expect.stringContaining('shop.logged') }),
  );
  const migrated = await place.migrate(script, { misfits: 'skip' });
  expect(migrated.broken.map(({ view }) => view)).toEqual(['shop.logged', 'shop.reader']);
  await place.database.query('DROP VIEW shop.dated');
  await expect(place.apply('HEAD')).rejects.toMatchObject({ suggestions: expect.arrayContaining([expect.stringContaining('--skip-broken')]) });
  const applied = await place.apply('HEAD', { misfits: 'skip' });
  expect(applied.broken?.map(({ view }) => view)).toEqual(['shop.logged', 'shop.reader']);
  expect((await place.database.query(identities)).map(({ name }) => name)).toEqual(['best', 'big', 'dated', 'notes', 'sums']);
  expect((await place.status()).run).toBeUndefined();
});

test('something else that has taken the name of a view is named, by a migration and by an apply, and nothing is changed', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.database.query(`CREATE FUNCTION shop.list() RETURNS SETOF shop.big LANGUAGE sql AS 'SELECT * FROM shop.big'`);
  await place.export();
  const again = 'DROP TABLE shop.orders CASCADE; CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2), note text, placed date);';
  const makers: Readonly<Record<string, string>> = {
    table: 'CREATE TABLE shop.big (id int, customer int, total numeric)',
    sequence: 'CREATE SEQUENCE shop.big',
    'composite type': 'CREATE TYPE shop.big AS (id int)',
    type: 'CREATE DOMAIN shop.big AS int',
    index: 'CREATE INDEX big ON shop.orders (id)',
  };
  await expectUnchanged(place, async () => {
    for (const [what, make] of Object.entries(makers)) {
      await expect(place.migrate(`${again}\n${make}`)).rejects.toMatchObject({
        code: 'VIEW_MISFIT',
        message: expect.stringMatching(
          new RegExp(`shop\\.big no longer fits: (a|an) ${what} that the script makes has its name \\(migration\\.sql:2\\)\\. .*DROP VIEW shop\\.big`),
        ),
      });
    }
  });
  await place.database.query('DROP VIEW shop.big CASCADE');
  for (const [what, make] of Object.entries(makers)) {
    await place.database.query(make);
    await expect(place.apply('HEAD')).rejects.toMatchObject({
      code: 'PLAN_IMPOSSIBLE',
      message: expect.stringMatching(new RegExp(`shop\\.big exists and is no view but (a|an) ${what}, which viewsync never touches\\.`)),
    });
    await place.database.query(`DROP ${what === 'composite type' ? 'type' : what === 'type' ? 'domain' : what} shop.big`);
  }
  await place.apply('HEAD');
  const moved = await place.migrate(`${again}\n${makers['table']}`, { misfits: 'skip' });
  expect(moved.broken.map(({ view }) => view)).toEqual(['function shop.list()', 'shop.best', 'shop.big', 'shop.sums']);
  await place.database.query('DROP TABLE shop.big');
  await place.apply('HEAD');
  const replaced = await place.migrate(`DROP VIEW shop.big CASCADE; ${makers['table']}`);
  expect(replaced).toMatchObject({ dropped: ['shop.big'], broken: [], restored: expect.arrayContaining(['shop.best', 'shop.sums', 'function shop.list()']) });
});

test('a name without a schema means the view that the script finds by it, and no other view of that name', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.database.query(
    'CREATE SCHEMA apart; CREATE VIEW apart.best AS SELECT id FROM shop.orders; CREATE VIEW apart.notes AS SELECT id FROM shop.orders',
  );
  await place.database.query('CREATE SCHEMA other; CREATE VIEW other.best AS SELECT id FROM apart.best');
  await place.export();
  const result = await place.migrate(`ALTER TABLE shop.orders ALTER note TYPE int USING 1; SET search_path = apart, shop; DROP VIEW best CASCADE;
    CREATE VIEW apart.best AS SELECT id FROM shop.orders; ALTER TABLE shop.orders ALTER note TYPE text; DROP VIEW IF EXISTS notes`);
  expect(result).toMatchObject({ dropped: ['apart.notes'], broken: [] });
  const names = "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'v' AND relname IN ('best', 'notes') ORDER BY 1";
  expect((await place.database.query(names)).map(({ name }) => name)).toEqual(['apart.best', 'other.best', 'shop.best', 'shop.notes']);
  await expectRecorded(place);
});

test('a view that the script replaces while it does not fit keeps what a replace keeps, but for what belonged to a column that is gone', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  await place.database.query(`${createRole('replaced_owner')} GRANT SELECT ON shop.orders TO replaced_owner; GRANT ALL ON SCHEMA shop TO replaced_owner;
    ALTER VIEW shop.notes OWNER TO replaced_owner; GRANT SELECT ON shop.notes TO pg_monitor; GRANT SELECT (note) ON shop.notes TO pg_read_all_stats;
    COMMENT ON COLUMN shop.notes.id IS 'number'; COMMENT ON COLUMN shop.notes.note IS 'text'; ALTER VIEW shop.notes ALTER note SET DEFAULT 'none', ALTER id SET DEFAULT 7;
    CREATE RULE keep AS ON DELETE TO shop.notes DO INSTEAD NOTHING; COMMENT ON VIEW shop.notes IS 'kept'`);
  await place.export();
  const columns = (catalog: readonly string[]) => catalog.filter((line) => line.includes('notes') && !/_RETURN|"attname":"note"|"relation"/.test(line));
  const before = columns(await describeCatalog(place.database.url));
  await place.migrate(
    `ALTER TABLE shop.orders DROP COLUMN note; CREATE OR REPLACE VIEW shop.notes AS SELECT id FROM shop.orders; COMMENT ON VIEW shop.notes IS 'changed'`,
  );
  expect(columns(await describeCatalog(place.database.url))).toEqual(before);
  const found =
    "SELECT pg_get_userbyid(relowner)::text AS owner, obj_description(oid) AS comment, relacl::text AS acl FROM pg_class WHERE oid = 'shop.notes'::regclass";
  expect(await place.database.query(found)).toEqual([
    { owner: 'replaced_owner', comment: 'changed', acl: expect.stringContaining('pg_monitor=r/replaced_owner') },
  ]);
  await expectRecorded(place);
  await place.database.query('DROP OWNED BY replaced_owner CASCADE');
});

test('statements that name no view find them all as they were: code, rights of a schema, what a role owns, other default privileges', async () => {
  const place = await openShop(postgresServers()[0]?.version ?? 18);
  const plain = await createDatabase(postgresServers()[0]?.version ?? 18);
  onTestFinished(() => plain[Symbol.asyncDispose]());
  const [owner, reader] = ['unnamed_owner', 'unnamed_reader'];
  const more = `
    GRANT SELECT ON shop.orders, shop.big TO ${owner}; GRANT ALL ON SCHEMA shop TO ${owner}, ${reader}; ALTER VIEW shop.best OWNER TO ${owner};
    SET ROLE ${owner}; GRANT SELECT ON shop.best TO ${reader} WITH GRANT OPTION; SET ROLE ${reader}; GRANT SELECT ON shop.best TO pg_monitor; RESET ROLE;
    CREATE TABLE shop.log (n bigint); CREATE FUNCTION shop.spent() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM shop.best';
    CREATE FUNCTION shop.fill() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := shop.spent(); RETURN NEW; END';
    CREATE TRIGGER fill BEFORE INSERT ON shop.log FOR EACH ROW EXECUTE FUNCTION shop.fill();
    CREATE FUNCTION shop.all_views(act text) RETURNS void LANGUAGE plpgsql AS $$ DECLARE v regclass; BEGIN
      FOR v IN SELECT oid FROM pg_class WHERE relkind = 'v' AND relnamespace = 'shop'::regnamespace LOOP EXECUTE format(act, v); END LOOP; END $$;`;
  await plain.query(`${createRole(owner)} ${createRole(reader)} ${shop}`);
  for (const database of [plain, place.database]) await database.query(more);
  await place.export();
  const statements = [
    'INSERT INTO shop.log VALUES (0)',
    `SELECT shop.all_views('COMMENT ON VIEW %s IS ''seen''')`,
    `DO $$ BEGIN PERFORM shop.all_views('ALTER VIEW %s SET (security_barrier)'); END $$`,
    `GRANT INSERT ON ALL TABLES IN SCHEMA shop TO ${reader}`,
    `REVOKE SELECT ON ALL TABLES IN SCHEMA shop FROM PUBLIC`,
    `REVOKE GRANT OPTION FOR SELECT ON shop.best FROM ${reader} CASCADE`,
    `DROP OWNED BY ${reader}`,
    `GRANT SELECT ON shop.big TO ${reader}`,
    `REASSIGN OWNED BY ${owner} TO ${reader}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT DELETE ON TABLES TO ${owner}`,
    `CREATE FUNCTION shop.take(shop.best) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
    'CREATE POLICY seen ON shop.log USING (n IN (SELECT customer FROM shop.best))',
    'ALTER VIEW shop.best RENAME TO better',
  ];
  for (const sql of statements) await plain.query(sql);
  // Each finds the views away for the change of a column before it.
  const alter = (digits: number) => `ALTER TABLE shop.orders ALTER total TYPE numeric(${digits},2);`;
  const script = statements.map((sql, index) => `${alter(index % 2 === 0 ? 14 : 13)}\r\n${sql};`);
  await place.migrate(`\uFEFF${[...script, alter(12)].join('\r\n')}`);
  expect(await describeCatalog(place.database.url)).toEqual(await describeCatalog(plain.url));
  expect(await place.database.query('SELECT n FROM shop.log')).toEqual(await plain.query('SELECT n FROM shop.log'));
  await place.database.query(`DROP OWNED BY ${owner}, ${reader} CASCADE`);
  await plain.query(`DROP OWNED BY ${owner}, ${reader} CASCADE; DROP ROLE ${owner}, ${reader}`);
});
