import { expect, test } from 'vitest';
import { drillRevision } from '../../../src/operations/drill-revision.ts';
import { openBigQuery } from './place.ts';

test('a drill asks about every view of a commit, makes nothing, and names what would not come back', async () => {
  const place = await openBigQuery({ options: { iam: true } });
  const { server } = place;
  place.run(
    "CREATE VIEW `my-project.shop.base` OPTIONS (labels = [('team', 'sales')]) AS SELECT id, customer FROM `my-project.raw.orders` -- all",
    'CREATE VIEW `my-project.shop.middle` AS SELECT id, customer AS buyer FROM shop.base WHERE base.id > 0',
    'CREATE VIEW `my-project.shop.top` AS WITH b AS (SELECT buyer FROM shop.middle) SELECT buyer FROM b',
    'CREATE VIEW `my-project.shop.stays` AS SELECT 1 AS one',
    "GRANT `roles/bigquery.dataViewer` ON VIEW `my-project.shop.top` TO 'user:ada@example.com'",
  );
  await place.export();
  const drill = () => drillRevision(place.project, place.target, { revision: 'HEAD' });
  const outcomes = async () => (await drill()).views.map(({ view, outcome, because }) => `${view.split('.').at(-1)}: ${because ?? outcome}`);
  expect(await outcomes()).toEqual(['base: restored identical', 'middle: restored identical', 'stays: restored identical', 'top: restored identical']);

  for (const name of ['top', 'middle', 'base']) place.run(`DROP VIEW \`my-project.shop.${name}\``);
  server.changes.length = 0;
  expect(await drill()).toMatchObject({ place: 'dry runs in project my-project', restored: 4, differing: 0, needing: 0 });

  const orders = place.table('raw', 'orders');
  orders.schema = orders.schema.map((field) => (field.name === 'id' ? { ...field, type: 'STRING' } : field));
  expect(await outcomes()).toEqual([
    expect.stringMatching(/^base: .*id.*INT64.*STRING/),
    expect.stringMatching(/^middle: .*id/),
    'stays: restored identical',
    'top: restored identical',
  ]);
  orders.schema = orders.schema.filter(({ name }) => name !== 'customer');
  expect(await outcomes()).toEqual([
    expect.stringMatching(/^base: .*Unrecognized name: customer/),
    expect.stringMatching(/^middle: .*base, which was not restored/),
    'stays: restored identical',
    expect.stringMatching(/^top: .*which was not restored/),
  ]);
  expect(server.changes).toEqual([]);
});
