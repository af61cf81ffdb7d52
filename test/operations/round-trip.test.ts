import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { viewPath } from '../../src/core/path.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
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

describe.each(postgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('every view dropped, and then one upstream view with all that reads it, comes back byte for byte, with everything that belonged to it', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('obstacles.sql');
    const before = await readTruth(place.database);
    await place.export();
    const exported = files(place);
    await place.database.query(dropEveryView);
    await place.apply('HEAD');
    expect(await readTruth(place.database)).toEqual(before);
    expect((await place.export()).commit).toBeUndefined();
    expect(files(place)).toBe(exported);
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    await place.database.query('DROP VIEW app.v1 CASCADE');
    await place.apply('HEAD');
    expect(await readTruth(place.database)).toEqual(before);
  });

  test('a column of another type re-creates exactly what reads it, and nothing is lost', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('obstacles.sql');
    await place.export();
    const before = await readTruth(place.database);
    const file = join(place.directory, 'views/prod/app/v3.sql');
    const original = readFileSync(file, 'utf8');
    writeFileSync(file, original.replace(/\ba\n/, 'a::double precision AS a\n'));
    const { plan } = await place.plan('worktree');
    expect(plan.steps.filter(({ kind }) => kind === 'drop').map(({ view }) => view.name)).toEqual(['pol', 'v_uses_f', 'f_v3', 'V3', 'v3']);
    await place.apply('worktree');
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    await place.apply('HEAD~1');
    expect(await readTruth(place.database)).toEqual(before);
  });

  test('psql runs every exported file as it stands', async () => {
    const place = await openWorkplace({ version });
    await place.database.load('obstacles.sql');
    const before = await readTruth(place.database);
    await place.export();
    await place.database.query(dropEveryView);
    const { plan } = await place.plan('HEAD');
    for (const { view } of plan.steps.filter(({ kind }) => kind === 'create')) {
      const path = viewPath({ viewsFolder: 'views', target: 'prod' }, view, postgresDialect);
      execFileSync('psql', ['-v', 'ON_ERROR_STOP=1', '-q', '-d', place.database.url, '-f', join(place.directory, path)], { stdio: 'pipe' });
    }
    expect(await readTruth(place.database)).toEqual(before);
  });
});

describe('on the newest PostgreSQL', () => {
  test('restored views gain nothing from default privileges', async () => {
    const place = await openWorkplace();
    await place.database.load('obstacles.sql');
    const before = await readTruth(place.database);
    await place.export();
    await place.database.query(dropEveryView);
    await place.database.query(
      'ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO o_col; ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC',
    );
    await place.apply('HEAD');
    await place.database.query(
      'ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM o_col; ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE SELECT ON TABLES FROM PUBLIC',
    );
    expect(await readTruth(place.database)).toEqual(before);
  });

  test('a changed WHERE in a view that all others read is one statement', async () => {
    const place = await openWorkplace();
    await place.database.load('obstacles.sql');
    await place.export();
    const file = join(place.directory, 'views/prod/app/v1.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replace('(0)::numeric', '(1)::numeric'));
    const { plan } = await place.plan('worktree');
    expect(plan.steps.map(({ kind }) => kind)).toEqual(['replace']);
    await place.apply('worktree');
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('what would lose data stops a drop before the first statement, by name', async () => {
    const place = await openWorkplace();
    await place.database.load('obstacles.sql');
    await place.database.query('CREATE TABLE app.uses_row (x app.v3)');
    await place.export();
    const before = await readTruth(place.database);
    const file = join(place.directory, 'views/prod/app/v3.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\ba\n/, 'a::double precision AS a\n'));
    await expect(place.apply('worktree')).rejects.toMatchObject({
      code: 'PLAN_IMPOSSIBLE',
      message: expect.stringMatching(/column x of table app\.uses_row depends on it/),
    });
    expect(await readTruth(place.database)).toEqual(before);
    expect((await place.status()).run).toBeUndefined();
  });
});
