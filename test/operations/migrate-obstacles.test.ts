import { expect, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { createDatabase, createRole, pgDump, postgresServers } from '../support/postgres-server.ts';
import { openWorkplace } from '../support/workplace.ts';

/** A dump without the type that was changed and the casts to and from it. */
const withoutCasts = (dump: string | undefined) =>
  dump
    ?.replaceAll(/::(numeric|double precision)/g, '')
    .replaceAll('double precision', 'numeric')
    .replaceAll(/[()]/g, '');

test.each(postgresServers().map(({ version }) => version))(
  'on PostgreSQL %i the obstacle schema survives a migration, with functions and policies between its views',
  async (version) => {
    const place = await openWorkplace({ version });
    await place.database.load('obstacles.sql');
    await place.export();
    const [catalog, dump] = [await describeCatalog(place.database.url), await pgDump(version, place.database.url)];
    const result = await place.migrate('ALTER TABLE app.t ALTER COLUMN a TYPE double precision');
    expect(result.broken).toEqual([]);
    expect(withoutCasts(await pgDump(version, place.database.url))).toEqual(withoutCasts(dump));
    await place.migrate('ALTER TABLE app.t ALTER COLUMN a TYPE numeric');
    await place.migrateAround(['app.t'], async () => {
      await place.database.query(
        'ALTER TABLE app.t DROP COLUMN a; ALTER TABLE app.t DROP CONSTRAINT t_pkey; ALTER TABLE app.t ADD a numeric, ADD PRIMARY KEY (id)',
      );
      return 0;
    });
    await place.migrate(
      'DROP VIEW app.v3 CASCADE; CREATE VIEW app.v3 AS SELECT id, a FROM app.t; CREATE RULE v3_del AS ON DELETE TO app.v3 DO INSTEAD NOTHING',
    );
    expect((await describeCatalog(place.database.url)).length).toBe(catalog.length);
    expect((await place.status()).differing).toEqual([]);
  },
);

test('a role that owns the table and not the views is refused before anything is dropped, by name', async () => {
  await using database = await createDatabase();
  await database.query(
    `${createRole('migrate_owner', ' LOGIN')} CREATE SCHEMA shop; GRANT ALL ON SCHEMA shop TO migrate_owner; CREATE TABLE shop.t (id int); ALTER TABLE shop.t OWNER TO migrate_owner; CREATE VIEW shop.v AS SELECT id FROM shop.t`,
  );
  const place = await openWorkplace({ database, target: { options: { url: database.urlFor('migrate_owner') } } });
  const refused = await place.migrate('ALTER TABLE shop.t ALTER id TYPE bigint').catch((error) => error);
  expect(refused).toMatchObject({ code: 'QUERY_FAILED', message: expect.stringContaining('shop.v') });
  expect(await database.query("SELECT 1 FROM pg_views WHERE viewname = 'v'")).toHaveLength(1);
});
