import { describe, expect, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { allPostgresServers, pgDump, type TestDatabase } from '../support/postgres-server.ts';
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
async function readTruth(database: TestDatabase): Promise<{ readonly catalog: unknown; readonly dump: string | undefined }> {
  return { catalog: await describeCatalog(database.url), dump: await pgDump(database.version, database.url) };
}

/** Outside of a transaction, and only once on the server. */
async function createTablespace({ query }: TestDatabase): Promise<void> {
  const [found] = await query("SELECT FROM pg_tablespace WHERE spcname = 'fidelity_space'");
  if (found !== undefined) return;
  await query('ALTER SYSTEM SET allow_in_place_tablespaces = on');
  await query('SELECT pg_reload_conf(), pg_sleep(0.3)');
  await query("CREATE TABLESPACE fidelity_space LOCATION ''");
}

const files = (place: Workplace) => place.git('ls-tree', '-r', 'HEAD', '--', 'views');

/** The law of the round trip: the same database, the same files, nothing left to do. */
async function expectBack(place: Workplace, damage: string): Promise<void> {
  const before = await readTruth(place.database);
  await place.export();
  const exported = files(place);
  await place.database.query(damage);
  await place.apply('HEAD', { allowed: ['REBUILDS_MATERIALIZED_VIEW'] });
  expect(await readTruth(place.database)).toEqual(before);
  expect((await place.export()).commit).toBeUndefined();
  expect(files(place)).toBe(exported);
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
}

describe.each(allPostgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('every attribute of views and materialized views comes back after every view was dropped', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('every-attribute.sql');
    await expectBack(place, dropEveryView);
  });

  test('views with every feature of the language come back, twice over, with all that stands on them', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('features.sql');
    if (version >= 17) await place.database.load('features-17.sql');
    await place.export();
    await place.database.query(dropEveryView);
    await place.apply('HEAD');
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    // From here on every text is as the server prints it for good.
    await expectBack(
      place,
      'DROP VIEW feat.base_view CASCADE; DROP VIEW feat.whole_rows CASCADE; DROP MATERIALIZED VIEW feat.docs CASCADE; ALTER VIEW feat.odd RENAME COLUMN "1" TO one',
    );
    expect((await place.export()).commit).toBeUndefined();
  });
});

describe('on the newest server', () => {
  const version = allPostgresServers()[0]?.version ?? 18;

  const compression = (method: string) => (version < 14 ? '' : `ALTER MATERIALIZED VIEW m ALTER a SET COMPRESSION ${method}`);

  test('tablespaces, an access method and compression come back, and are changed in place', async () => {
    const place = await openWorkplace({ version });
    // A tablespace belongs to the whole server and is made outside of any transaction.
    await createTablespace(place.database);
    await place.database.query(`
      CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
      CREATE TABLE t (id int, a text);
      CREATE MATERIALIZED VIEW m USING heap_too WITH (fillfactor = 60) TABLESPACE fidelity_space AS SELECT id, a FROM t;
      CREATE INDEX i ON m (id) TABLESPACE fidelity_space; CREATE INDEX j ON m (a); ${compression('pglz')}`);
    await expectBack(place, 'DROP MATERIALIZED VIEW m');
    const before = await readTruth(place.database);
    await place.database.query(`ALTER MATERIALIZED VIEW m SET TABLESPACE pg_default; ALTER INDEX i SET TABLESPACE pg_default; ALTER INDEX j SET TABLESPACE fidelity_space;
      ${version < 15 ? '' : 'ALTER MATERIALIZED VIEW m SET ACCESS METHOD heap;'} ${compression('DEFAULT')}`);
    const { plan } = await place.apply('HEAD');
    expect(plan.steps.map(({ kind }) => kind)).toEqual(plan.steps.map(() => 'alter'));
    expect(await readTruth(place.database)).toEqual(before);
  });

  test('attributes that differ are altered in place, each by one statement', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('every-attribute.sql');
    const before = await readTruth(place.database);
    await place.export();
    await place.database.query(`
      COMMENT ON TYPE ev.plain IS NULL; GRANT USAGE ON TYPE ev.plain TO PUBLIC; COMMENT ON RULE "_RETURN" ON ev."full" IS 'other';
      ALTER TRIGGER before_update ON ev.triggered NO DEPENDS ON EXTENSION plpgsql; ALTER MATERIALIZED VIEW ev."full" SET WITHOUT CLUSTER;
      ALTER MATERIALIZED VIEW ev."full" ALTER a SET STATISTICS 5; ALTER MATERIALIZED VIEW ev."full" ALTER b SET STORAGE PLAIN; ALTER MATERIALIZED VIEW ev."full" ALTER a RESET (n_distinct);
      ALTER MATERIALIZED VIEW ev."full" REPLICA IDENTITY NOTHING; ALTER MATERIALIZED VIEW ev."full" RESET (toast.autovacuum_enabled); ALTER STATISTICS "Sta-ts"."Some" OWNER TO e_owner;
      ALTER STATISTICS "Sta-ts"."Some" SET STATISTICS -1; DROP STATISTICS ev.full_all; ALTER INDEX ev."Full Ex" ALTER COLUMN 1 SET STATISTICS -1; DROP INDEX ev.full_gin;
      CREATE STATISTICS ev.other ON a, c FROM ev."full"; CREATE INDEX other ON ev."full" (d)`);
    const { plan } = await place.apply('HEAD');
    expect(plan.steps.filter(({ kind }) => kind !== 'alter')).toEqual([]);
    expect(plan.steps.length).toBeGreaterThan(15);
    expect(await describeCatalog(place.database.url)).toEqual(before.catalog);
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('a security label of a provider that the server does not have stops the restore by name', async () => {
    const place = await openWorkplace({ version });
    await place.database.query(
      "CREATE VIEW v AS SELECT 1 AS a; INSERT INTO pg_seclabel VALUES ('v'::regclass, 'pg_class'::regclass, 1, 'sepgsql', 'system_u:x')",
    );
    await place.export();
    expect(place.git('show', 'HEAD:views/prod/public/v.sql')).toContain("SECURITY LABEL FOR sepgsql ON COLUMN public.v.a IS 'system_u:x'");
    await place.database.query('DROP VIEW v');
    await expect(place.apply('HEAD')).rejects.toMatchObject({
      code: 'ROLLED_BACK',
      message: expect.stringMatching(/public\.v.*provider "sepgsql" is not loaded/s),
    });
  });

  test('materialized views are filled after the commit where that is asked for, and one that cannot be filled takes nothing with it', async () => {
    const place = await openWorkplace({ version });
    await place.database.query(`CREATE TABLE t (a int); INSERT INTO t VALUES (1);
      CREATE MATERIALIZED VIEW bottom AS SELECT a FROM t; CREATE MATERIALIZED VIEW top AS SELECT a FROM bottom; CREATE MATERIALIZED VIEW divided AS SELECT 1 / a AS x FROM t`);
    await place.export();
    const before = await readTruth(place.database);
    await place.database.query('DROP MATERIALIZED VIEW bottom CASCADE; DROP MATERIALIZED VIEW divided');
    const { report } = await place.apply('HEAD', { refresh: 'later' });
    expect(report.steps.every(({ outcome }) => outcome === 'applied')).toBe(true);
    expect(await readTruth(place.database)).toEqual(before);

    await place.database.query('DROP MATERIALIZED VIEW bottom CASCADE; DROP MATERIALIZED VIEW divided; UPDATE t SET a = 0');
    await expect(place.apply('HEAD')).rejects.toMatchObject({
      code: 'ROLLED_BACK',
      suggestions: expect.arrayContaining([expect.stringContaining('--refresh later')]),
    });
    await expect(place.apply('HEAD', { refresh: 'later' })).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: expect.stringMatching(/applied and recorded.*public\.divided \(division by zero\)/),
    });
    expect(await place.database.query('SELECT relname, relispopulated AS full FROM pg_class WHERE relkind = $$m$$ ORDER BY 1')).toEqual([
      { relname: 'bottom', full: true },
      { relname: 'divided', full: false },
      { relname: 'top', full: true },
    ]);
    await place.database.query('UPDATE t SET a = 1');
    expect((await place.apply('HEAD')).plan.steps.map(({ sql }) => sql)).toEqual(['REFRESH MATERIALIZED VIEW public.divided']);
    expect(await readTruth(place.database)).toEqual(before);
  });

  test('what is filled with more rights than the owner has never calls a function of somebody else', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('every-attribute.sql');
    await place.database.query(`GRANT USAGE, CREATE ON SCHEMA ev TO e_nobody; CREATE FUNCTION ev.evil() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION ev.evil() OWNER TO e_nobody;
      CREATE MATERIALIZED VIEW ev.trap AS SELECT ev.evil() AS x FROM ev.t LIMIT 1; ALTER MATERIALIZED VIEW ev.trap OWNER TO e_nobody`);
    await place.export();
    await place.database.query('DROP MATERIALIZED VIEW ev.trap');
    await expect(place.apply('HEAD')).rejects.toMatchObject({
      code: 'ROLLED_BACK',
      message: expect.stringMatching(/ev\.trap.*function ev\.evil\(\) of the role 'e_nobody'/s),
    });
  });
});
