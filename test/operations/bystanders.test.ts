import { describe, expect, test } from 'vitest';
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

/** What somebody did to the database comes back by `apply`, is undone by `rollback`, and comes back by another one. */
async function bringBack(place: Workplace, damage: string): Promise<void> {
  const before = await readTruth(place);
  await place.database.query(damage);
  const damaged = await readTruth(place);
  expect(damaged.catalog).not.toEqual(before.catalog);
  await place.apply('HEAD');
  expect(await readTruth(place)).toEqual(before);
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  const again = await place.export();
  if (again.commit) console.log(again.subject, JSON.stringify(again.changes, undefined, 1), place.git('show', again.commit));
  expect(again.commit).toBeUndefined();
  await place.rollback();
  expect(await readTruth(place)).toEqual(damaged);
  await place.rollback();
  expect(await readTruth(place)).toEqual(before);
}

describe.each(postgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('the obstacles', async () => {
    const place = await load(version, 'obstacles.sql');
    await place.database.query(
      'DROP STATISTICS app.m1_st; ALTER MATERIALIZED VIEW app.m1 SET WITHOUT CLUSTER; ALTER MATERIALIZED VIEW app.m1 ALTER COLUMN a SET STATISTICS -1',
    );
    await place.export();
    await bringBack(place, dropEveryView);
    await bringBack(place, 'DROP VIEW app.v1 CASCADE');
    await bringBack(place, 'DROP VIEW app.v3 CASCADE');
  });

  test('one of everything', async () => {
    const place = await load(version, 'bystanders.sql');
    const result = await place.export();
    console.log(result.unreadable, result.broken, place.git('ls-tree', '-r', '--name-only', 'HEAD'));
    await bringBack(place, dropEveryView);
    await bringBack(place, 'DROP VIEW shop.recent CASCADE');
  });
});
