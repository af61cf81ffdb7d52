import { expect, test } from 'vitest';
import { postgresServers } from '../../support/postgres-server.ts';
import { database, inspect } from './inspecting.ts';

const count = 600;
const manyViews = `DO $$ BEGIN FOR number IN 1..${count} LOOP EXECUTE format('CREATE VIEW v%s AS SELECT %s AS n', number, number); END LOOP; END $$`;

const connections = `SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'viewsync'`;

test.each(postgresServers())(
  'many texts are printed on a connection of their own, and on the only one where no other is to be had (PostgreSQL $version)',
  async ({ version }) => {
    await using shop = await database(version, manyViews);
    const open: unknown[] = [];
    const whole = await inspect(shop.url, { progress: async () => open.push((await shop.query(connections))[0]) });
    await expect.poll(() => open).toContainEqual({ open: 2 });
    expect(whole.snapshot.views).toHaveLength(count);

    const [{ name }] = (await shop.query('SELECT current_database()::text AS name')) as [{ name: string }];
    await shop.query(`CREATE ROLE "alone ${name}" LOGIN CONNECTION LIMIT 1`);
    try {
      const url = new URL(shop.url);
      url.searchParams.set('user', `alone ${name}`);
      const alone = await inspect(url.href);
      expect(alone.snapshot.views).toEqual(whole.snapshot.views);
    } finally {
      await shop.query(`DROP ROLE "alone ${name}"`);
    }
  },
);
