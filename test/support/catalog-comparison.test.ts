import { describe, expect, test } from 'vitest';
import { describeCatalog } from './catalog-comparison.ts';
import { createDatabase, newestServer, pgDump } from './postgres-server.ts';

describe.each([newestServer()])('on PostgreSQL $version', ({ version }) => {
  test('sees every change of what belongs to a view', async () => {
    await using database = await createDatabase(version);
    await database.load('obstacles.sql');
    await database.load('every-attribute.sql');
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
      "COMMENT ON TYPE ev.plain IS 'other'",
      'COMMENT ON TYPE ev.plain[] IS NULL',
      `COMMENT ON RULE "_RETURN" ON ev."full" IS 'other'`,
      `COMMENT ON STATISTICS "Sta-ts"."Some" IS 'other'`,
      'GRANT USAGE ON TYPE ev.plain TO PUBLIC',
      'ALTER TRIGGER before_update ON ev.triggered NO DEPENDS ON EXTENSION plpgsql',
      'ALTER MATERIALIZED VIEW ev."full" NO DEPENDS ON EXTENSION plpgsql',
      'ALTER INDEX ev."Full Ex" NO DEPENDS ON EXTENSION plpgsql',
      'ALTER INDEX ev."Full Ex" ALTER COLUMN 1 SET STATISTICS 78',
      'ALTER MATERIALIZED VIEW ev."full" SET WITHOUT CLUSTER',
      'ALTER MATERIALIZED VIEW ev."full" ALTER a SET STATISTICS 501',
      'ALTER MATERIALIZED VIEW ev."full" ALTER b SET STORAGE EXTENDED',
      'ALTER MATERIALIZED VIEW ev."full" ALTER a RESET (n_distinct)',
      'ALTER MATERIALIZED VIEW ev."full" REPLICA IDENTITY DEFAULT',
      'ALTER MATERIALIZED VIEW ev."full" RESET (toast.autovacuum_enabled)',
      'ALTER STATISTICS "Sta-ts"."Some" OWNER TO e_owner',
      'ALTER STATISTICS "Sta-ts"."Some" SET STATISTICS 100',
      'ALTER STATISTICS "Sta-ts"."Some" SET SCHEMA ev',
      'REVOKE GRANT OPTION FOR SELECT (a) ON ev."full" FROM e_end',
      'GRANT DELETE ON ev.plain TO e_owner',
      "INSERT INTO pg_seclabel VALUES ('ev.plain'::regclass, 'pg_class'::regclass, 2, 'p', 'label')",
    ];
    let then = before;
    for (const change of changes) {
      await database.query(change);
      const now = await describeCatalog(database.url);
      expect(now, change).not.toEqual(then);
      then = now;
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
