import { expect, test } from 'vitest';
import { postgresServers } from '../../support/postgres-server.ts';
import { database, inspect } from './inspecting.ts';

const count = 600;
const manyViews = `DO $$ BEGIN FOR number IN 1..${count} LOOP EXECUTE format('CREATE VIEW v%s AS SELECT %s AS n', number, number); END LOOP; END $$`;

test.each(postgresServers())(
  'many texts are printed on a connection of their own, and on the only one where no other is to be had (PostgreSQL $version)',
  async ({ version }) => {
    await using shop = await database(version, manyViews);
    let opened = 0;
    const whole = await inspect(shop.url, { onConnect: () => opened++ });
    expect([opened, whole.snapshot.views.length]).toEqual([1, count]);

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
