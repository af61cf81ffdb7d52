import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { relationKey } from '../../src/core/relation.ts';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { pgDump, postgresServers } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const dropEveryView = `DO $do$ DECLARE relation record; BEGIN
  FOR relation IN SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') LOOP
    IF to_regclass(relation.name) IS NOT NULL THEN
      EXECUTE format('DROP %s IF EXISTS %s CASCADE', CASE relation.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, relation.name);
    END IF;
  END LOOP;
END $do$`;

/** Everything that can be compared without the product: pg_dump where it is installed, and the catalog. */
async function readTruth({ database }: Workplace): Promise<{ readonly catalog: readonly string[]; readonly dump: string | undefined }> {
  return { catalog: await describeCatalog(database.url), dump: await pgDump(database.version, database.url) };
}

async function load(version: number, fixture: string): Promise<Workplace> {
  const place = await openWorkplace({ version });
  await place.database.load(fixture);
  return place;
}

/** A session of somebody else with things of its own. */
async function openSession({ database }: Workplace, sql: string): Promise<AsyncDisposable> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  return { [Symbol.asyncDispose]: () => client.end() };
}

/** What somebody did to the database comes back by `apply`, is undone by `rollback`, and comes back by another one. */
async function bringBack(place: Workplace, damage: string): Promise<void> {
  const before = await readTruth(place);
  await place.database.query(damage);
  const damaged = await readTruth(place);
  expect(damaged.catalog).not.toEqual(before.catalog);
  await place.apply('HEAD');
  expect(await readTruth(place)).toEqual(before);
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
  await place.rollback();
  expect(await readTruth(place)).toEqual(damaged);
  await place.rollback();
  expect(await readTruth(place)).toEqual(before);
}

describe.each(postgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('the obstacle schema comes back, whatever was dropped with CASCADE', async () => {
    const place = await load(version, 'obstacles.sql');
    await place.export();
    await bringBack(place, dropEveryView);
    await bringBack(place, 'DROP VIEW app.v3 CASCADE');
  });

  // Bodies that the server parses, and so depend on what they read, are known from 14 on.
  test.runIf(version >= 14)('one of everything that can hang on a view comes back with it, and twice more by rollback', async () => {
    const place = await load(version, 'bystanders.sql');
    const result = await place.export();
    expect(result).toMatchObject({ unreadable: [], broken: [], conflicts: [] });
    const file = place.git('show', 'HEAD:views/prod/shop/list().function.sql');
    expect(file).toContain('-- bystander of: shop.recent\n');
    expect(file).toContain('REVOKE EXECUTE ON FUNCTION shop.list() FROM PUBLIC;\nGRANT EXECUTE ON FUNCTION shop.list() TO b_reader WITH GRANT OPTION;');
    await bringBack(place, 'DROP VIEW shop.recent CASCADE');
  });

  // The statements of the fixture are those of PostgreSQL 15.
  test.runIf(version >= 15)('every form of what can hang on a view comes back with all that was said of it', async () => {
    const place = await load(version, 'bystander-forms.sql');
    if (version >= 18) await place.database.load('bystander-forms-18.sql');
    await place.export();
    await place.database.query(dropEveryView);
    await place.apply('HEAD');
    expect((await place.plan('HEAD')).plan).toMatchObject({ steps: [], left: [], unproven: [] });
    // From here on every text is as the server prints it for good.
    const before = await readTruth(place);
    await place.database.query('DROP VIEW form.v CASCADE');
    await place.apply('HEAD');
    expect(await readTruth(place)).toEqual(before);
    const [remake, rights] = [
      'CREATE VIEW form.v AS SELECT id, name, vc, amount FROM form.base',
      (await place.git('show', 'HEAD:views/prod/form/v.sql')).split('\n;\n')[1],
    ];
    await place.migrate(
      `ALTER TABLE form.base ALTER vc TYPE varchar(20); ALTER TABLE form.base ALTER vc TYPE varchar(10); DROP VIEW form.v CASCADE; ${remake}; ${rights}`,
    );
    expect(await readTruth(place)).toEqual(before);
    await place.migrateAround(['form.base'], async () => 0);
    expect(await readTruth(place)).toEqual(before);
    expect((await place.export()).commit).toBeUndefined();
  });
});

const [newest = 18] = postgresServers().map(({ version }) => version);

describe('a bystander', () => {
  test.runIf(newest >= 14)('is dropped and made again with its view, in one order with the views, and the view comes back as it was', async () => {
    const place = await load(newest, 'bystanders.sql');
    await place.export();
    const before = await readTruth(place);
    const file = join(place.directory, 'views/prod/shop/recent.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replace('customer,', 'customer COLLATE "C" AS customer,'));
    const { plan } = await place.plan('worktree');
    expect(plan.refusals).toEqual([]);
    const steps = plan.steps.map(({ kind, view }) => `${kind} ${relationKey(view)}`);
    const order = ['create shop.recent', 'create function shop.list()', 'create shop.between', 'create shop.top', 'create policy shop.orders.own_rows'];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
    expect(steps.indexOf('drop shop.top')).toBeLessThan(steps.indexOf('drop function shop.list()'));
    await place.apply('worktree', { allowed: ['REBUILDS_MATERIALIZED_VIEW'] });
    expect((await place.plan('HEAD')).plan).toMatchObject({ steps: [], left: [] });
    await place.apply('HEAD~1', { allowed: ['REBUILDS_MATERIALIZED_VIEW'] });
    expect(await readTruth(place)).toEqual(before);
  });

  test.runIf(newest >= 14)('comes back as the commit has it when somebody has put a view of other columns in place of its own', async () => {
    const place = await load(newest, 'obstacles.sql');
    await place.export();
    const before = await readTruth(place);
    await place.database.query(`DROP VIEW app.v3 CASCADE; CREATE VIEW app.v3 AS SELECT id, b FROM app.t;
      CREATE FUNCTION app.f_v3() RETURNS SETOF app.v3 LANGUAGE sql STABLE BEGIN ATOMIC SELECT id, b FROM app.v3; END; CREATE VIEW app.v_uses_f AS SELECT b FROM app.f_v3()`);
    await place.export();
    const damaged = await readTruth(place);
    await place.apply('HEAD~1');
    expect(await readTruth(place)).toEqual(before);
    await place.rollback();
    expect(await readTruth(place)).toEqual(damaged);
  });

  test('that exists is never touched for its own sake, and is named; one that is gone is recorded', async () => {
    const place = await load(newest, 'obstacles.sql');
    await place.export();
    await place.database.query("CREATE OR REPLACE FUNCTION app.f_v3() RETURNS SETOF app.v3 LANGUAGE sql STABLE AS 'SELECT * FROM app.v3 WHERE false'");
    expect((await place.status()).differing).toMatchObject([{ view: 'function app.f_v3()', state: 'drift' }]);
    const { plan } = await place.apply('HEAD');
    expect(plan).toMatchObject({ steps: [], left: [{ because: 'it exists and differs' }] });
    expect((await place.export()).subject).toBe('prod: 1 bystander changed');
    await place.database.query('DROP POLICY pol ON app.p');
    expect((await place.export()).subject).toBe('prod: 1 bystander deleted');
    await place.database.query("CREATE POLICY other ON app.p USING (id IN (SELECT id FROM app.v3)); COMMENT ON SCHEMA app IS 'ours'");
    expect((await place.export()).subject).toBe('prod: 1 bystander added, 1 schema changed');
    expect((await place.apply('HEAD', { absent: 'drop' })).plan.steps).toEqual([]);
  });

  test('that followed the rename of its view comes back with the view, and where the commit does not have it a prune says what to do', async () => {
    const place = await openWorkplace({ version: newest });
    await place.database.query(`CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; CREATE FUNCTION list() RETURNS SETOF v LANGUAGE sql AS 'SELECT * FROM v'; CREATE VIEW top AS SELECT a FROM list();
      CREATE FUNCTION of_row(v) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE POLICY p ON t USING (a IN (SELECT a FROM v)); CREATE RULE r AS ON DELETE TO t DO ALSO SELECT a FROM v`);
    await place.export();
    const before = await readTruth(place);
    await place.database.query('ALTER VIEW v RENAME TO renamed');
    const damaged = await readTruth(place);
    const prune = { absent: 'drop', allowed: ['DELETES_VIEW'] } as const;
    await expect(place.apply('HEAD', prune)).rejects.toMatchObject({
      code: 'PLAN_IMPOSSIBLE',
      message: expect.stringContaining('function public.of_row(public.renamed), which stays, hangs on it'),
      suggestions: [expect.stringContaining("run DROP FUNCTION public.of_row(public.renamed); yourself, or keep the other with --exclude 'public.renamed'")],
    });
    expect(await readTruth(place)).toEqual(damaged);
    await place.database.query('DROP FUNCTION of_row(renamed)');
    await place.apply('HEAD', prune);
    expect(await readTruth(place)).toEqual(before);
    expect((await place.plan('HEAD', prune)).plan).toMatchObject({ steps: [], left: [] });
  });

  test.runIf(newest >= 14)('that would lose data stops the run before its first statement, by name and with the reason', async () => {
    const place = await openWorkplace({ version: newest });
    await place.database.query(`CREATE TABLE t (a int, b text); CREATE VIEW v AS SELECT a, b FROM t;
      CREATE FUNCTION f(v) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'; CREATE FUNCTION g(int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT count(*)::int FROM v; END;
      CREATE TABLE uses_row (x v, many v[]); CREATE TYPE pair AS (x v); CREATE DOMAIN good AS v; CREATE TABLE generated (a int, b int GENERATED ALWAYS AS (g(a)) STORED);
      CREATE TABLE parts (a int) PARTITION BY LIST (g(a)); CREATE TABLE excluding (a int, EXCLUDE USING btree (g(a) WITH =)); CREATE TABLE parted (a int) PARTITION BY LIST (a); CREATE INDEX of_parts ON parted (g(a));
      CREATE OPERATOR CLASS hashed FOR TYPE v USING hash AS FUNCTION 1 f(v); CREATE STATISTICS counted ON (g(a)), a FROM t; CREATE TYPE span AS RANGE (subtype = v);
      CREATE FOREIGN DATA WRAPPER far; CREATE SERVER away FOREIGN DATA WRAPPER far; CREATE FOREIGN TABLE abroad (x v) SERVER away; CREATE TRANSFORM FOR v LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
      CREATE TABLE clustered (a int); CREATE INDEX in_order ON clustered (g(a)); ALTER TABLE clustered CLUSTER ON in_order;
      CREATE FUNCTION member(v) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER EXTENSION plpgsql ADD FUNCTION member(v);
      CREATE TABLE parent (a int); CREATE TABLE child () INHERITS (parent); ALTER TABLE child ADD CONSTRAINT twice CHECK (g(a) > 0); ALTER TABLE parent ADD CONSTRAINT twice CHECK (g(a) > 0);
      CREATE FUNCTION tg() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER off AFTER INSERT ON parted FOR EACH ROW WHEN (g(new.a) > 0) EXECUTE FUNCTION tg(); ALTER TABLE parted DISABLE TRIGGER off;
      CREATE CONSTRAINT TRIGGER said AFTER INSERT ON clustered FOR EACH ROW WHEN (g(new.a) > 0) EXECUTE FUNCTION tg(); COMMENT ON CONSTRAINT said ON clustered IS 'x'`);
    await using _ = await openSession(place, "CREATE TEMP VIEW own AS SELECT * FROM v; CREATE FUNCTION pg_temp.own(v) RETURNS int LANGUAGE sql AS 'SELECT 1'");
    await place.export();
    expect(place.git('ls-files')).not.toMatch(/pg_temp|span/);
    const before = await readTruth(place);
    const file = join(place.directory, 'views/prod/public/v.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replace('b\n', 'b::varchar AS b\n'));
    const { plan } = await place.plan('worktree');
    const said = plan.refusals.map(({ because }) => because).join('\n');
    for (const what of [
      'column x of table public.uses_row',
      'column many of',
      'composite type public.pair',
      'type public.good',
      'column b of table public.generated',
      'table public.parts',
      'index public.excluding_g_excl (it belongs to a constraint)',
      'index public.of_parts (it is an index of a partitioned table)',
      'operator class public.hashed for access method hash',
      'statistics object public.counted',
      'type public.span',
      'column x of foreign table public.abroad',
      'transform for public.v language sql',
      'index public.in_order (the table is clustered on it)',
      'function public.member(public.v) (it belongs to extension plpgsql)',
      'constraint twice on table public.child (it is inherited as well)',
      'trigger off on table public.parted (its state on partitions is not known)',
      'trigger said on table public.clustered (its constraint has a comment)',
      'own(public.v) (it is temporary',
      '.own depends on it',
    ])
      expect(said).toContain(what);
    await expect(place.apply('worktree')).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE' });
    expect(await readTruth(place)).toEqual(before);
  });

  test('on a table that is gone is refused by name, and left out where that is asked for', async () => {
    const place = await load(newest, 'obstacles.sql');
    await place.export();
    await place.database.query('DROP TABLE app.p; DROP VIEW app.v3 CASCADE');
    await expect(place.apply('HEAD')).rejects.toMatchObject({ message: expect.stringContaining('policy app.p.pol hangs on app.p, which does not exist') });
    await place.apply('HEAD', { exclude: ['policy app.p.pol'] });
    expect((await place.plan('HEAD')).plan).toMatchObject({ steps: [], refusals: [] });
  });
});

test.runIf(newest >= 14)('a schema that is gone is made again with its owner, rights, default privileges and comment', async () => {
  const place = await load(newest, 'bystanders.sql');
  await place.database.query(
    'ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC, b_reader; ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO postgres WITH GRANT OPTION',
  );
  await place.export();
  await bringBackSchema(place);
});

/** The schema itself is not taken back by a rollback. */
async function bringBackSchema(place: Workplace): Promise<void> {
  const before = await readTruth(place);
  await place.database.query('DROP SCHEMA reporting CASCADE');
  expect((await place.status()).differing.map(({ view }) => view)).toEqual(['schema reporting', 'reporting.totals']);
  await place.apply('HEAD');
  expect(await readTruth(place)).toEqual(before);
  expect((await place.export()).commit).toBeUndefined();
}

test('an event trigger that may refuse a statement is named before anything runs, and when it does', async () => {
  const place = await load(newest, 'obstacles.sql');
  await place.export();
  await place.database.query(`DROP VIEW app.v3 CASCADE; CREATE FUNCTION app.no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no DDL here'; END $$;
    CREATE EVENT TRIGGER no_ddl ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION app.no()`);
  const said = expect.stringMatching(/event trigger "no_ddl" of "postgres" calls app\.no\(\) .* ALTER EVENT TRIGGER no_ddl DISABLE/);
  expect((await place.plan('HEAD')).plan.watchers).toEqual([said]);
  await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'ROLLED_BACK', suggestions: expect.arrayContaining([said]) });
  await place.database.query('ALTER EVENT TRIGGER no_ddl DISABLE');
  await place.apply('HEAD');
  await place.database.query(
    "CREATE VIEW app.extra AS SELECT 1 AS a; CREATE EVENT TRIGGER no_drop ON sql_drop WHEN TAG IN ('DROP VIEW') EXECUTE FUNCTION app.no()",
  );
  await expect(place.apply('HEAD', { absent: 'drop', allowed: ['DELETES_VIEW'] })).rejects.toMatchObject({
    code: 'ROLLED_BACK',
    message: expect.stringMatching(/drop app\.extra\) was refused: no DDL here/),
    suggestions: expect.arrayContaining([expect.stringContaining('ALTER EVENT TRIGGER no_drop DISABLE')]),
  });
  expect(await place.database.query("SELECT to_regclass('app.extra') IS NOT NULL AS there")).toEqual([{ there: true }]);
  await place.database.query(`DROP EVENT TRIGGER no_drop; DROP VIEW app.v3 CASCADE;
    CREATE FUNCTION app.more() RETURNS event_trigger LANGUAGE plpgsql AS $$ DECLARE made record; BEGIN
      FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'view' LOOP EXECUTE format('GRANT SELECT ON %s TO PUBLIC', made.object_identity); END LOOP; END $$;
    CREATE EVENT TRIGGER more ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION app.more()`);
  await expect(place.apply('HEAD')).rejects.toMatchObject({
    code: 'ROLLED_BACK',
    message: expect.stringContaining('app.v3: + grant PUBLIC SELECT'),
    suggestions: expect.arrayContaining([expect.stringContaining('ALTER EVENT TRIGGER more DISABLE')]),
  });
});
