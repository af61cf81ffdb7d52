import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement } from './laws.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;`;

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  await place.database.query(shop);
  await place.export();
  return place;
}

/** A real connection that does something else between inspecting and handing over what it found. */
async function pausedAfterInspect(place: Workplace, meanwhile: () => Promise<unknown>): Promise<Warehouse> {
  const warehouse = await place.connect();
  onTestFinished(() => warehouse.close());
  let isFirst = true;
  const inspect: Warehouse['inspect'] = async (scope, progress) => {
    const found = await warehouse.inspect(scope, progress);
    if (isFirst) {
      isFirst = false;
      await meanwhile();
    }
    return found;
  };
  return { ...warehouse, inspect };
}

/** Another session that reads a view and keeps its transaction open. */
async function openReader(place: Workplace, view: string): Promise<Client> {
  const reader = new Client({ connectionString: place.database.url });
  await reader.connect();
  onTestFinished(() => reader.end());
  await reader.query(`BEGIN; SELECT * FROM ${view}`);
  return reader;
}

/** Does it the first time only. */
function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) action();
    isDone = true;
  };
}

const busy = {
  code: 'RUN_IN_PROGRESS',
  exitCode: 75,
  because: /^(Another run of viewsync|"viewsync apply HEAD", started).*Nothing was changed\.$/,
  next: 'Run it again when the other run has ended.',
} as const;

const file = (place: Workplace) => join(place.directory, 'views/prod/shop/best.sql');
const edit = (place: Workplace, limit: string) => writeFileSync(file(place), readFileSync(file(place), 'utf8').replaceAll('1000', limit));
const viewsOf = async (place: Workplace) =>
  (await place.database.query("SELECT viewname FROM pg_views WHERE schemaname = 'shop' ORDER BY 1")).map(({ viewname }) => viewname);

test('an export that was overtaken by an apply records what is there now, and no deletion that did not happen', async () => {
  const place = await openShop();
  await place.database.query('DROP VIEW shop.best');
  const warehouse = await pausedAfterInspect(place, () => place.apply('HEAD'));
  await place.export({ warehouse });
  expect(await viewsOf(place)).toEqual(['best', 'big']);
  expect(place.git('log', '--format=%s', '--diff-filter=D', '--', 'views')).toBe('');
  await expectAgreement(place);
});

test('an export that was overtaken by another one adds nothing to it', async () => {
  const place = await openShop();
  await place.database.query('CREATE VIEW shop.third AS SELECT 3 AS n');
  const warehouse = await pausedAfterInspect(place, async () => {
    await place.database.query('DROP VIEW shop.third; DROP VIEW shop.best; CREATE VIEW shop.fourth AS SELECT 4 AS n');
    await place.export();
  });
  await place.export({ warehouse });
  expect(place.git('ls-tree', '-r', '--name-only', 'HEAD', 'views/prod/shop')).toBe(
    'views/prod/shop/big.sql\nviews/prod/shop/fourth.sql\nviews/prod/shop/schema.sql',
  );
  await expectAgreement(place);
});

test('a file that a person commits while an export runs is kept', async () => {
  const place = await openShop();
  await place.database.query('CREATE OR REPLACE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 7');
  const warehouse = await pausedAfterInspect(place, async () => {
    edit(place, '2000');
    place.git('commit', '--quiet', '--all', '--message', 'Raise the bar');
  });
  const result = await place.export({ warehouse });
  expect(result.conflicts).toEqual(['shop.best']);
  expect(readFileSync(file(place), 'utf8')).toContain('2000');
  expect(place.git('show', 'HEAD:views/prod/shop/best.sql')).toContain('2000');
  expect(place.git('show', 'refs/viewsync/prod:views/prod/shop/best.sql')).toContain('7)::');
});

test('a file that a person commits while an apply runs is kept, and the run is recorded', async () => {
  const place = await openShop();
  await place.database.query('DROP VIEW shop.best');
  const reader = await openReader(place, 'shop.big');
  const onStep = once(() => {
    edit(place, '2000');
    place.git('commit', '--quiet', '--all', '--message', 'Raise the bar');
  });
  const result = await place.apply('HEAD', { onStep });
  await reader.query('ROLLBACK');
  expect(result.commit).toBeDefined();
  expect(place.git('show', 'HEAD:views/prod/shop/best.sql')).toContain('2000');
  expect((await place.status()).differing).toMatchObject([{ view: 'shop.best', state: 'pending' }]);
  await place.apply('HEAD');
  await expectAgreement(place);
});

test('of two applies at once the first one wins however long it waits, the other stops cleanly, and what ran can be rolled back', async () => {
  const place = await openShop();
  await place.database.query('CREATE OR REPLACE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 7');
  const reader = await openReader(place, 'shop.best');
  const patience = { lockTimeout: 100, attempts: 50 };
  const outcomes: Promise<unknown>[] = [];
  const begin = (onWait: () => void) =>
    outcomes.push(
      place.apply('HEAD', { ...patience, onWait }).then(
        () => 'applied',
        (error) => error,
      ),
    );
  // The first one waits with nothing locked when the second one comes.
  begin(once(() => begin(() => undefined)));
  await expect.poll(() => outcomes.length, { timeout: 30_000 }).toBe(2);
  expectTold(await outcomes[1], busy);
  await reader.query('ROLLBACK');
  expect(await outcomes[0]).toBe('applied');
  await expectAgreement(place);
  await place.rollback();
  expect(await place.database.query("SELECT pg_get_viewdef('shop.best'::regclass) AS text")).toMatchObject([{ text: expect.stringContaining('7') }]);
  await expectAgreement(place);
});

test('while an apply runs, an export and a second apply say so and change nothing', async () => {
  const place = await openShop();
  await place.database.query('DROP VIEW shop.best');
  const warehouse = await place.connect();
  onTestFinished(() => warehouse.close());
  const during: unknown[] = [];
  const transact: Warehouse['transact'] = (options, work) =>
    warehouse.transact(options, async (transaction) => {
      const result = await work(transaction);
      during.push(
        await place.export().catch((error) => error),
        await place.apply('HEAD').catch((error) => error),
        await place.rollback().catch((error) => error),
      );
      during.push((await place.status()).run?.isRunning);
      return result;
    });
  await place.apply('HEAD', { warehouse: { ...warehouse, transact } });
  for (const refused of during.slice(0, 3)) expectTold(refused, busy);
  expect(during.slice(3)).toEqual([true]);
  await expectAgreement(place);
});
