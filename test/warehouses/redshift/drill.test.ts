import { expect, test } from 'vitest';
import { drillRevision } from '../../../src/operations/drill-revision.ts';
import { makeTemplate } from '../../support/redshift/server.ts';
import { openShop } from './shop.ts';

test('a commit is restored in a scratch database of the cluster, which is gone afterwards', async () => {
  await makeTemplate();
  const shop = await openShop();
  await shop.server.database.query('CREATE FUNCTION shop.twice(numeric) RETURNS numeric STABLE LANGUAGE sql AS $$SELECT $1 * 2$$');
  await shop.server.run('CREATE VIEW finance.doubled AS SELECT shop.twice(price) AS price FROM shop.product_master');
  await shop.export();
  const databases = () => shop.server.database.query("SELECT datname FROM pg_database WHERE datname LIKE 'viewsync_drill%'");
  const drilled = await drillRevision(shop.project, shop.target, { revision: 'HEAD' });
  expect(drilled.views.map(({ view, outcome, because }) => [view, outcome, because])).toEqual(
    ['finance.best', 'finance.clicks', 'finance.doubled', 'finance.margin', 'finance.sales', 'shop.daily', 'shop.product_master'].map((view) => [
      view,
      'restored identical',
      undefined,
    ]),
  );
  expect(await databases()).toEqual([]);
  await shop.server.run('DROP VIEW finance.margin', 'DROP VIEW finance.doubled', 'DROP VIEW shop.product_master');
  await shop.server.database.query('ALTER TABLE shop.product_v1 DROP COLUMN price');
  const broken = await drillRevision(shop.project, shop.target, { revision: 'HEAD' });
  expect(broken.views.find(({ view }) => view === 'shop.product_master')).toMatchObject({ outcome: 'needs', because: expect.stringContaining('price') });
  expect(broken.views.find(({ view }) => view === 'shop.daily')).toMatchObject({ outcome: 'restored identical' });
  expect(await databases()).toEqual([]);
});
