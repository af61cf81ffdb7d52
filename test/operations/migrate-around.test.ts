import { expect, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE TABLE shop.other (id int);
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 5;
CREATE VIEW shop.best AS SELECT customer FROM shop.big;
CREATE VIEW shop.apart AS SELECT id FROM shop.other;
CREATE MATERIALIZED VIEW shop.sums AS SELECT customer, sum(total) AS total FROM shop.big GROUP BY customer;
COMMENT ON VIEW shop.best IS 'who buys'; GRANT SELECT ON shop.best TO PUBLIC;`;

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  await place.database.query(shop);
  await place.export();
  return place;
}

async function expectRecorded(place: Workplace): Promise<void> {
  expect((await place.status()).run).toBeUndefined();
  expect((await place.status()).differing).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
}

const names = (place: Workplace) =>
  place.database
    .query("SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('v', 'm') ORDER BY 1")
    .then((rows) => rows.map(({ name }) => name));

test('a command finds the views away, and they come back with all that they had, whatever its exit code was', async () => {
  const place = await openShop();
  await place.database.query('CREATE TABLE shop.old () INHERITS (shop.orders); CREATE VIEW shop.history AS SELECT id FROM shop.old');
  await place.export();
  const views = ['shop.best', 'shop.big', 'shop.history', 'shop.sums'];
  expect((await place.check(['shop.orders'])).dependents.map(({ view }) => view)).toEqual(views);
  const before = await describeCatalog(place.database.url);
  const result = await place.migrateAround(['shop.orders'], async () => {
    expect(await names(place)).toEqual(['apart']);
    expect((await place.status()).run).toMatchObject({ command: 'migrate', isRunning: true });
    await expect(place.export()).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
    await place.database.query('ALTER TABLE shop.orders ALTER id TYPE bigint; ALTER TABLE shop.orders ALTER id TYPE int');
    return 7;
  });
  expect(result).toMatchObject({ exitCode: 7, restored: views, broken: [] });
  expect(await describeCatalog(place.database.url)).toEqual(before);
  await expectRecorded(place);
});

test('what the command makes itself stays, what no longer fits is left out and stays in git', async () => {
  const place = await openShop();
  const result = await place.migrateAround(['shop.ord*'], async () => {
    await place.database.query('ALTER TABLE shop.orders DROP COLUMN customer; CREATE VIEW shop.big AS SELECT id, total FROM shop.orders');
    return 0;
  });
  expect(result.broken.map(({ view }) => view)).toEqual(['shop.best', 'shop.sums']);
  expect(await names(place)).toEqual(['apart', 'big']);
  expect((await place.status()).differing.map(({ view, state }) => `${view} ${state}`)).toEqual(['shop.best pending', 'shop.sums pending']);
  expect((await place.export()).pending).toEqual(['shop.best', 'shop.sums']);
});

test('a migration that broke off is named, stops other runs, and is ended by one command', async () => {
  const place = await openShop();
  const act = "CREATE FUNCTION public.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'";
  await place.database.query(`${act}; CREATE TRIGGER act INSTEAD OF INSERT ON shop.apart FOR EACH ROW EXECUTE FUNCTION public.act()`);
  await place.export();
  const before = await describeCatalog(place.database.url);
  const breakOff = async () => {
    const broken = { connect: () => Promise.reject(new Error('gone')) };
    const work = async () => {
      await place.database.query(`DROP FUNCTION public.act() CASCADE; ${act}`);
      return 0;
    };
    await expect(place.migrateAround(['shop.orders'], work, broken)).rejects.toThrow('gone');
  };
  await breakOff();
  expect((await place.status()).run).toMatchObject({ command: 'migrate', isRunning: false });
  await expect(place.export()).rejects.toMatchObject({ code: 'INTERRUPTED_RUN', suggestions: expect.arrayContaining(['viewsync migrate --continue']) });
  await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'INTERRUPTED_RUN' });
  await expect(place.migrate('SELECT 1')).rejects.toMatchObject({ code: 'INTERRUPTED_RUN' });
  expect(await place.continueMigration()).toMatchObject({ restored: ['shop.best', 'shop.big', 'shop.sums', 'shop.apart'] });
  expect(await describeCatalog(place.database.url)).toEqual(before);
  await expectRecorded(place);
  await breakOff();
  await place.rollback();
  expect(await describeCatalog(place.database.url)).toEqual(before);
  await expectRecorded(place);
  await expect(place.continueMigration()).rejects.toMatchObject({ code: 'NOTHING_TO_CONTINUE' });
});

test('check names every dependent with the state of its backup, and what would be lost', async () => {
  const place = await openShop();
  expect((await place.check(['shop.orders'])).dependents).toEqual([
    { view: 'shop.best', kind: 'view', state: 'current' },
    { view: 'shop.big', kind: 'view', state: 'current' },
    { view: 'shop.sums', kind: 'materialized view', state: 'current', bytes: expect.any(Number) },
  ]);
  await place.database.query(
    "CREATE VIEW shop.late AS SELECT id FROM shop.big; COMMENT ON VIEW shop.best IS 'changed'; CREATE TABLE shop.kept (row shop.best)",
  );
  const found = await place.check(['shop.orders']);
  expect(found.dependents.map(({ view, state }) => `${view} ${state}`)).toEqual([
    'shop.best stale',
    'shop.big current',
    'shop.late missing',
    'shop.sums current',
  ]);
  expect(found.losses).toMatchObject([{ what: expect.stringContaining('shop.kept'), of: ['shop.best'] }]);
  const exported = await place.check(['shop.b*'], { backup: 'export' });
  expect(exported.dependents.map(({ view, state }) => `${view} ${state}`)).toEqual(['shop.late current', 'shop.sums current']);
  await expect(place.check(['shop.order'])).rejects.toMatchObject({
    code: 'RELATION_UNKNOWN',
    message: expect.stringContaining('Did you mean "shop.orders"?'),
  });
});

const attached = `
CREATE SCHEMA tools; CREATE TABLE shop.log (id int, extra int); CREATE SEQUENCE shop.numbers; CREATE TYPE shop.mood AS ENUM ('good');
CREATE FUNCTION tools.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE FUNCTION tools.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
CREATE VIEW shop.stays AS SELECT id, id AS other FROM shop.other; CREATE MATERIALIZED VIEW shop.kept AS SELECT id, id AS other FROM shop.stays; CREATE VIEW shop.reader AS SELECT id FROM shop.kept;
CREATE VIEW shop.doubled AS SELECT tools.twice(id) AS n FROM shop.other; CREATE FUNCTION shop.list() RETURNS SETOF shop.doubled LANGUAGE sql AS 'SELECT * FROM shop.doubled';
CREATE TRIGGER act INSTEAD OF INSERT ON shop.stays FOR EACH ROW EXECUTE FUNCTION tools.act(); COMMENT ON TRIGGER act ON shop.stays IS 'acts';
CREATE RULE noted AS ON UPDATE TO shop.stays DO INSTEAD INSERT INTO shop.log (id) VALUES (new.id); COMMENT ON RULE noted ON shop.stays IS 'notes';
ALTER VIEW shop.stays ALTER id SET DEFAULT nextval('shop.numbers'), ALTER other SET DEFAULT tools.twice(4);
CREATE INDEX twice ON shop.kept (tools.twice(id)); COMMENT ON INDEX shop.twice IS 'by twice'; ALTER MATERIALIZED VIEW shop.kept CLUSTER ON twice; GRANT SELECT ON shop.stays TO PUBLIC`;

const takeAway = `
DROP FUNCTION tools.act() CASCADE; CREATE FUNCTION tools.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
DROP SCHEMA tools CASCADE; CREATE SCHEMA tools; CREATE FUNCTION tools.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION tools.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
DROP TABLE shop.log CASCADE; CREATE TABLE shop.log (id int, extra int); DROP SEQUENCE shop.numbers CASCADE; CREATE SEQUENCE shop.numbers`;

test('what a CASCADE takes from views that stay comes back, on a connection of its own as in a script, and what was dropped by its name does not', async () => {
  const place = await openShop();
  await place.database.query(attached);
  await place.export();
  const before = await describeCatalog(place.database.url);
  const around = await place.migrateAround(['shop.orders'], async () => {
    await place.database.query(takeAway);
    return 0;
  });
  expect(around).toMatchObject({ broken: [], restored: expect.arrayContaining(['shop.stays', 'shop.kept', 'shop.doubled']) });
  expect(await describeCatalog(place.database.url)).toEqual(before);
  expect(await place.migrate(takeAway)).toMatchObject({ broken: [] });
  expect(await describeCatalog(place.database.url)).toEqual(before);
  await place.migrateAround(['shop.orders'], async () => {
    await place.database.query('DROP TRIGGER act ON shop.stays CASCADE; REVOKE ALL ON shop.stays FROM PUBLIC');
    return 0;
  });
  await place.migrate('DROP RULE noted ON shop.stays CASCADE');
  await place.database.query(
    `CREATE FUNCTION tools.may() RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE POLICY swept ON shop.log USING (tools.may() AND id IN (SELECT id FROM shop.stays))`,
  );
  const protectedBy = () => place.database.query('SELECT polname::text AS name FROM pg_policy');
  const remade = "DROP FUNCTION tools.may() CASCADE; CREATE FUNCTION tools.may() RETURNS boolean LANGUAGE sql AS 'SELECT true'";
  expect(await place.migrate(remade)).toMatchObject({ restored: ['policy shop.log.swept'], broken: [] });
  expect(await protectedBy()).toEqual([{ name: 'swept' }]);
  const inCode = 'DO $$ BEGIN DROP FUNCTION tools.may() CASCADE; INSERT INTO shop.log VALUES (1); END $$';
  await place.migrate(`${inCode}; CREATE FUNCTION tools.may() RETURNS boolean LANGUAGE sql AS 'SELECT true'`);
  expect(await protectedBy()).toEqual([{ name: 'swept' }]);
  await place.migrate('DROP POLICY swept ON shop.log');
  expect(await protectedBy()).toEqual([]);
  await expectRecorded(place);
  const left =
    "SELECT (SELECT count(*)::int FROM pg_trigger WHERE tgname = 'act') AS triggers, (SELECT count(*)::int FROM pg_rules WHERE rulename = 'noted') AS rules";
  expect(await place.database.query(left)).toEqual([{ triggers: 0, rules: 0 }]);
});

test('what a CASCADE has taken and what no longer fits is told, and stays in git', async () => {
  const place = await openShop();
  await place.database.query(attached);
  await place.export();
  await expect(place.migrate('DROP FUNCTION tools.act() CASCADE')).rejects.toMatchObject({
    code: 'VIEW_MISFIT',
    message: expect.stringMatching(/shop\.stays no longer fits: .*tools\.act\(\) does not exist/),
  });
  const result = await place.migrateAround(['shop.orders'], async () => {
    await place.database.query('DROP FUNCTION tools.act() CASCADE; DROP SEQUENCE shop.numbers CASCADE; CREATE SEQUENCE shop.numbers');
    return 0;
  });
  expect(result.broken).toMatchObject([{ view: 'shop.stays', because: expect.stringContaining('tools.act() does not exist') }]);
  expect((await place.status()).differing).toMatchObject([{ view: 'shop.stays', state: 'pending' }]);
});

const hanging = `
CREATE SCHEMA tools; CREATE SCHEMA apart; CREATE TABLE shop.log (id int, v int, w int);
CREATE FUNCTION tools.may() RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE FUNCTION tools.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE VIEW shop.stays AS SELECT id, id AS x FROM shop.other;
CREATE FUNCTION shop.list() RETURNS SETOF shop.stays LANGUAGE sql AS 'SELECT * FROM shop.stays'; COMMENT ON FUNCTION shop.list() IS 'all'; REVOKE EXECUTE ON FUNCTION shop.list() FROM PUBLIC;
CREATE VIEW shop.listed AS SELECT id FROM shop.list();
CREATE FUNCTION shop.take(r shop.stays) RETURNS int LANGUAGE sql AS 'SELECT r.id'; CREATE CAST (shop.stays AS int) WITH FUNCTION shop.take(shop.stays);
CREATE FUNCTION shop.same(a shop.stays, b shop.stays) RETURNS boolean LANGUAGE sql AS 'SELECT a.id = b.id';
CREATE OPERATOR shop.=== (FUNCTION = shop.same, LEFTARG = shop.stays, RIGHTARG = shop.stays);
CREATE FUNCTION shop.add(s int, r shop.stays) RETURNS int LANGUAGE sql AS 'SELECT s + r.id'; CREATE AGGREGATE shop.total(shop.stays) (SFUNC = shop.add, STYPE = int, INITCOND = '0');
CREATE FUNCTION shop.many(n shop.stays DEFAULT NULL) RETURNS int LANGUAGE sql STABLE AS 'SELECT 1';
ALTER TABLE shop.log ADD CONSTRAINT few CHECK (v < 9 OR shop.many() > 0); COMMENT ON CONSTRAINT few ON shop.log IS 'few'; ALTER TABLE shop.log ALTER v SET DEFAULT shop.many();
CREATE INDEX few_w ON shop.log (w) WHERE w > 3;
CREATE RULE noted AS ON UPDATE TO shop.log WHERE tools.may() AND EXISTS (SELECT FROM shop.stays) DO ALSO SELECT 1; COMMENT ON RULE noted ON shop.log IS 'notes';
CREATE TRIGGER act BEFORE INSERT ON shop.log FOR EACH ROW WHEN (shop.many() > 0) EXECUTE FUNCTION tools.act(); ALTER TABLE shop.log DISABLE TRIGGER act;
CREATE POLICY own ON shop.log FOR SELECT USING (tools.may() AND id IN (SELECT id FROM shop.stays)); COMMENT ON POLICY own ON shop.log IS 'own rows';
CREATE VIEW apart.big AS SELECT id FROM shop.big; GRANT SELECT ON apart.big TO PUBLIC; CREATE FUNCTION apart.bigs() RETURNS SETOF apart.big LANGUAGE sql AS 'SELECT * FROM apart.big'`;

const remadeTools = `CREATE FUNCTION tools.may() RETURNS boolean LANGUAGE sql AS 'SELECT true'; CREATE FUNCTION tools.act() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';`;

const sweeping = [
  `DROP VIEW shop.stays CASCADE; CREATE VIEW shop.stays AS SELECT id, id AS x FROM shop.other; DROP FUNCTION tools.may() CASCADE; DROP FUNCTION tools.act() CASCADE; ${remadeTools}`,
  `DROP TABLE shop.other CASCADE; CREATE TABLE shop.other (id int); DROP SCHEMA tools CASCADE; CREATE SCHEMA tools; ${remadeTools}`,
];

const newestRun = (place: Workplace) => place.git('ls-tree', '-r', '--name-only', 'refs/viewsync/prod').includes('.run.json');

test('what a CASCADE takes of functions, policies and whatever else hangs on a view comes back, also after a crash and out of scope', async () => {
  const place = await openWorkplace({ target: { scope: { schemas: ['*', '!apart'] } } });
  await place.database.query(shop);
  await place.database.query(hanging);
  await place.export();
  const before = await describeCatalog(place.database.url);
  const run = async (sql: string, how: 'whole' | 'cut off') => {
    const work = async () => {
      await place.database.query(sql);
      return 0;
    };
    if (how === 'whole') return place.migrateAround(['shop.orders'], work);
    await expect(place.migrateAround(['shop.orders'], work, { connect: () => Promise.reject(new Error('gone')) })).rejects.toThrow('gone');
    expect(newestRun(place)).toBe(true);
    await expect(place.rollback()).rejects.toMatchObject({
      code: 'PLAN_IMPOSSIBLE',
      message: expect.stringContaining('apart.big'),
      suggestions: ['viewsync migrate --continue'],
    });
    return place.continueMigration();
  };
  for (const [index, sql] of sweeping.entries()) {
    const result = await run(sql, index === 0 ? 'cut off' : 'whole');
    const restored = expect.arrayContaining(['apart.big', 'function apart.bigs()', 'policy shop.log.own', 'trigger shop.log.act']);
    expect(result).toMatchObject({ broken: [], changes: [], restored });
    expect(await describeCatalog(place.database.url)).toEqual(before);
    expect(newestRun(place)).toBe(false);
  }
  await expectRecorded(place);
});

test('what the command dropped by its own name stays away, a policy that no longer fits is told, a function that went with its view is gone, and so are the rights of a role', async () => {
  const place = await openShop();
  const role = `around_gone_${place.database.name}`;
  await place.database.query(`${hanging}; CREATE ROLE ${role}; GRANT SELECT ON shop.big TO ${role}`);
  await place.export();
  const result = await place.migrateAround(['shop.orders'], async () => {
    await place.database.query(
      `DROP FUNCTION shop.list() CASCADE; DROP TRIGGER act ON shop.log; ALTER TABLE shop.log DROP CONSTRAINT few; DROP FUNCTION tools.may() CASCADE;
       DROP OWNED BY ${role}; DROP ROLE ${role}; CREATE TABLE shop.best (id int)`,
    );
    return 0;
  });
  const because = expect.stringContaining('tools.may() does not exist');
  expect(result.broken).toMatchObject([
    { view: 'shop.best', because: 'a table has its name' },
    { view: 'policy shop.log.own', because },
    { view: 'rule shop.log.noted', because },
  ]);
  expect(result.restored).toEqual(['apart.big', 'function apart.bigs()', 'shop.big', 'shop.sums']);
  expect(result.notes).toEqual([`Rights on shop.big that name "${role}" were left out: no such role exists any more.`]);
  const pending = (await place.status()).differing.map(({ view, state }) => `${view} ${state}`);
  expect(pending.sort()).toEqual(['policy shop.log.own pending', 'rule shop.log.noted pending', 'shop.best pending']);
  const files = place.git('ls-files', 'views/prod/shop');
  expect(files).toContain('own.policy.sql');
  for (const gone of ['list().function', 'listed.sql', 'act.trigger', 'few.check']) expect(files).not.toContain(gone);
});
