import { describe, expect, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { pgDump, postgresServers, type TestDatabase } from '../support/postgres-server.ts';
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

describe.each(postgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('every attribute of views and materialized views comes back after every view was dropped', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('every-attribute.sql');
    await expectBack(place, dropEveryView);
  });
});
