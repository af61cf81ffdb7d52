import { expect, test } from 'vitest';
import { createDatabase } from '../support/postgres-server.ts';
import { commitEdit, drift, shop, states } from '../support/team.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const finance = `CREATE SCHEMA finance; CREATE VIEW finance.cost AS SELECT id, total FROM shop.orders; CREATE VIEW finance.margin AS SELECT id FROM finance.cost;
CREATE VIEW shop.costly AS SELECT id FROM finance.cost WHERE total > 10;`;
const narrow = { target: { scope: { schemas: ['*', '!finance'] } } };
const files = (place: Workplace, revision = 'HEAD') =>
  place
    .git('ls-tree', '-r', '--name-only', revision, 'views/')
    .split('\n')
    .filter((path) => path.endsWith('.sql'));

/** Exported with everything in scope, then the same repository with `finance` out of it. */
async function openNarrowed(): Promise<{ readonly wide: Workplace; readonly place: Workplace }> {
  const database = await createDatabase();
  await database.query(shop + finance);
  const wide = await openWorkplace({ database });
  await wide.export();
  return { wide, place: await openWorkplace({ database, directory: wide.directory, ...narrow }) };
}

test('a scope that was narrowed removes no file, on no line and in no night, and says how many are left', async () => {
  const { place } = await openNarrowed();
  const before = files(place);
  for (const night of [1, 2, 3]) {
    await drift(place, night);
    expect(await place.export()).toMatchObject({ outOfScope: ['finance.cost', 'finance.margin'], conflicts: [], pending: [] });
    expect([files(place), files(place, 'refs/viewsync/prod')]).toEqual([before, before]);
  }
});

test('--forget removes them once, keeps an edited one as a conflict, and drops nothing in the warehouse', async () => {
  const { place } = await openNarrowed();
  commitEdit(place, 'finance.margin', (text) => text.replace('id\n', 'id + 1 AS id\n'));
  const result = await place.export({ outOfScope: 'forget' });
  expect(result).toMatchObject({ subject: 'prod: 1 view deleted, 1 schema deleted', conflicts: ['finance.margin'], outOfScope: ['finance.margin'] });
  expect(files(place).map((path) => path.replace('views/prod/', ''))).toEqual([
    'finance/margin.sql',
    'shop/best.sql',
    'shop/big.sql',
    'shop/costly.sql',
    'shop/ids.sql',
    'shop/schema.sql',
  ]);
  expect((await place.export()).commit).toBeUndefined();
  expect(await place.database.query("SELECT count(*)::int AS count FROM pg_views WHERE schemaname = 'finance'")).toEqual([{ count: 2 }]);
  expect((await place.plan('HEAD', { absent: 'drop' })).plan.steps).toEqual([]);
});

test('a scope that is widened again takes the views in again', async () => {
  const { wide, place } = await openNarrowed();
  await place.export({ outOfScope: 'forget' });
  expect(await wide.export()).toMatchObject({ subject: 'prod: 2 views added, 1 schema added', conflicts: [] });
  expect(await states(wide)).toEqual({});
});

test('apply leaves what is out of scope as it is, unless it is selected, and the closure sees it all the same', async () => {
  const { place } = await openNarrowed();
  await place.database.query('CREATE OR REPLACE VIEW finance.margin AS SELECT id FROM finance.cost WHERE total > 5');
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  expect((await place.plan('HEAD', { select: ['finance.margin'] })).plan.steps).toMatchObject([{ kind: 'replace', view: { name: 'margin' } }]);
  await place.database.query('DROP VIEW finance.cost CASCADE');
  const { plan } = await place.plan('HEAD');
  expect(plan.refusals).toMatchObject([
    { because: 'shop.costly reads finance.cost, which does not exist.', suggestion: "Select it too: --select '+shop.costly'" },
  ]);
  await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE', exitCode: 65, suggestions: ["Select it too: --select '+shop.costly'"] });
  await place.apply('HEAD', { select: ['+shop.costly'] });
  expect(await states(place)).toEqual({});
});

test('--prune drops only what both scopes hold, and only when it is allowed', async () => {
  const { wide } = await openNarrowed();
  const narrowed = wide.git('rev-parse', 'HEAD');
  await wide.database.query('CREATE VIEW finance.later AS SELECT 1 AS one; CREATE VIEW shop.later AS SELECT 1 AS one');
  const place = await openWorkplace({ database: wide.database, directory: wide.directory, ...narrow });
  expect((await place.plan(narrowed)).plan).toMatchObject({ steps: [], kept: [{ schema: 'shop', name: 'later' }] });
  await expect(place.apply(narrowed, { absent: 'drop' })).rejects.toMatchObject({
    code: 'HAZARD',
    exitCode: 3,
    message: expect.stringContaining('shop.later'),
  });
  await place.apply(narrowed, { absent: 'drop', allowed: ['DELETES_VIEW'] });
  expect(await wide.database.query("SELECT schemaname FROM pg_views WHERE viewname = 'later'")).toEqual([{ schemaname: 'finance' }]);
});

test('another database than the one that the files were recorded from stops every command, unless it is allowed', async () => {
  const { wide } = await openNarrowed();
  const staging = await createDatabase();
  await staging.query('CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)');
  const place = await openWorkplace({ database: staging, directory: wide.directory });
  const refs = place.git('for-each-ref');
  const other = { code: 'OTHER_WAREHOUSE', exitCode: 3, message: expect.stringContaining(staging.name) };
  for (const act of [() => place.export(), () => place.plan('HEAD'), () => place.apply('HEAD'), () => place.status()])
    await expect(act()).rejects.toMatchObject(other);
  expect(place.git('for-each-ref')).toBe(refs);
  expect(await place.export({ allowed: ['OTHER_WAREHOUSE'] })).toMatchObject({ subject: 'prod: 6 views deleted, 1 schema deleted' });
  await staging[Symbol.asyncDispose]();
});
