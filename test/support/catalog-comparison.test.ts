import { describe, expect, test } from 'vitest';
import { describeCatalog } from './catalog-comparison.ts';
import { createDatabase, pgDump, postgresServers } from './postgres-server.ts';

describe.each(postgresServers())('on PostgreSQL $version', ({ version }) => {
  test('sees every change of what belongs to a view', async () => {
    await using database = await createDatabase(version);
    await database.load('obstacles.sql');
    const before = await describeCatalog(database.url);
    expect(await describeCatalog(database.url)).toEqual(before);
    const changes = [
      'ALTER VIEW app.v1 RESET (security_barrier)',
      'REVOKE SELECT (id) ON app.m1 FROM o_col',
      'REVOKE SELECT ON app.v1 FROM PUBLIC',
      "COMMENT ON INDEX app.m1_ab IS 'other'",
      'REFRESH MATERIALIZED VIEW app.m1 WITH NO DATA',
      'DROP STATISTICS app.m1_st',
      'ALTER VIEW app.v1 ALTER b DROP DEFAULT',
      'ALTER VIEW app.v2 OWNER TO o_owner',
      'DROP POLICY pol ON app.p',
    ];
    for (const change of changes) {
      const then = await describeCatalog(database.url);
      await database.query(change);
      expect(await describeCatalog(database.url), change).not.toEqual(then);
    }
  });
});

test('pg_dump is read where one of that version is installed', async () => {
  await using database = await createDatabase(15).catch(() => createDatabase());
  await database.query('CREATE VIEW public.v AS SELECT 1 AS one');
  const dump = await pgDump(database.version, database.url);
  if (dump === undefined) return;
  expect(dump).toContain('CREATE VIEW public.v');
  expect(dump).not.toContain('restrict ');
});
