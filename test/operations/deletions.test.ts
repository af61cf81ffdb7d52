import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeFiles } from '../support/repository.ts';
import { commitEdit, drift, liveText, shop, states } from '../support/team.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const live = 'refs/viewsync/prod';
const path = 'views/prod/shop/ids.sql';

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  await place.database.query(shop);
  await place.export();
  return place;
}

function deleteFile(place: Workplace): void {
  rmSync(join(place.directory, path));
  place.git('commit', '--quiet', '--all', '--message', 'Drop ids');
}

const drop = (place: Workplace) => place.database.query('DROP VIEW shop.ids');
const holds = (place: Workplace, revision: string) => place.git('ls-tree', '-r', '--name-only', revision).split('\n').includes(path);
const isLive = async (place: Workplace) => (await place.database.query("SELECT to_regclass('shop.ids') IS NOT NULL AS yes"))[0]?.['yes'];

/** Three nights in which the rest of the warehouse goes on and the backup with it. */
async function threeNights(place: Workplace, check: (exported: Awaited<ReturnType<Workplace['export']>>) => Promise<void> | void): Promise<void> {
  for (const night of [1, 2, 3]) {
    await drift(place, 100 + night, 'shop.big');
    await check(await place.export());
    expect(place.git('show', `HEAD:${path.replace('ids', 'big')}`)).toContain(`10${night}`);
  }
}

test('dropped in the warehouse only: drift; apply HEAD makes it again before a night has passed, and afterwards git has no such view', async () => {
  const place = await openShop();
  await drop(place);
  expect(await states(place)).toEqual({ 'shop.ids': 'drift' });
  await place.apply('HEAD');
  expect([await isLive(place), await states(place)]).toEqual([true, {}]);
  await drop(place);
  await threeNights(place, () => expect([holds(place, 'HEAD'), holds(place, live)]).toEqual([false, false]));
  expect((await place.apply('HEAD')).plan.steps).toEqual([]);
});

test('dropped in the warehouse, where a table has its name now: refused by name before anything runs', async () => {
  const place = await openShop();
  await drop(place);
  await place.database.query('CREATE TABLE shop.ids (id int)');
  expect((await place.plan('HEAD')).plan.refusals).toMatchObject([{ because: expect.stringMatching(/^shop\.ids exists and is no view/) }]);
  expectTold(await place.apply('HEAD').catch((error) => error), {
    code: 'PLAN_IMPOSSIBLE',
    exitCode: 65,
    because: 'shop.ids exists and is no view',
    next: "--exclude 'shop.ids'",
  });
  await place.export();
  expect([holds(place, 'HEAD'), await states(place)]).toEqual([false, {}]);
});

test('deleted in git only: pending for three nights; apply HEAD keeps it and says so, and --prune drops it', async () => {
  const place = await openShop();
  deleteFile(place);
  await threeNights(place, ({ pending, conflicts }) => {
    expect([pending, conflicts]).toEqual([['shop.ids'], []]);
    expect([holds(place, 'HEAD'), holds(place, live)]).toEqual([false, true]);
  });
  expect((await place.apply('HEAD')).plan.kept).toEqual([{ schema: 'shop', name: 'ids' }]);
  expect(await isLive(place)).toBe(true);
  await place.apply('HEAD', { absent: 'drop', allowed: ['DELETES_VIEW'] });
  expect([await isLive(place), await states(place)]).toEqual([false, {}]);
});

test('edited in git and dropped in the warehouse: a conflict for three nights, which apply HEAD refuses; git wins when it is said so', async () => {
  const place = await openShop();
  commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
  await drop(place);
  await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'CONFLICT', exitCode: 3, message: expect.stringContaining('shop.ids') });
  await threeNights(place, async ({ pending, conflicts }) => {
    expect([pending, conflicts]).toEqual([[], ['shop.ids']]);
    expect([holds(place, 'HEAD'), holds(place, live)]).toEqual([true, false]);
    await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'CONFLICT' });
  });
  expect(await isLive(place)).toBe(false);
  await place.apply('HEAD', { overwrite: ['shop.ids'] });
  expect([await liveText(place, 'shop.ids'), await states(place)]).toEqual([expect.stringContaining('> 66'), {}]);
});

test('edited in git and dropped in the warehouse: the file goes when the warehouse is said to win', async () => {
  const place = await openShop();
  commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
  await drop(place);
  await place.export();
  expect((await place.export({ overwrite: ['shop.ids'] })).conflicts).toEqual([]);
  expect([holds(place, 'HEAD'), await states(place)]).toEqual([false, {}]);
});

test('deleted in git and changed in the warehouse: a conflict for three nights; nothing drops it until it is said who wins', async () => {
  const place = await openShop();
  deleteFile(place);
  await drift(place, 7);
  await threeNights(place, ({ pending, conflicts }) => {
    expect([pending, conflicts]).toEqual([[], ['shop.ids']]);
    expect([holds(place, 'HEAD'), holds(place, live)]).toEqual([false, true]);
  });
  await place.apply('HEAD');
  const prune = { absent: 'drop', allowed: ['DELETES_VIEW'] } as const;
  await expect(place.apply('HEAD', prune)).rejects.toMatchObject({ code: 'CONFLICT', exitCode: 3 });
  expect(await liveText(place, 'shop.ids')).toContain('> 7');
  await place.apply('HEAD', { ...prune, overwrite: ['shop.ids'] });
  expect([await isLive(place), await states(place)]).toEqual([false, {}]);
});

test('deleted in git and changed in the warehouse: the file comes back when the warehouse is said to win', async () => {
  const place = await openShop();
  deleteFile(place);
  await drift(place, 7);
  await place.export();
  await place.export({ overwrite: ['shop.ids'] });
  expect([place.git('show', `HEAD:${path}`), await states(place)]).toEqual([expect.stringContaining('> 7'), {}]);
});

test('an older commit is a restore: a view that was dropped and is edited on the branch comes back as it was, the edit stays pending', async () => {
  const place = await openShop();
  const old = place.git('rev-parse', 'HEAD');
  commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
  await drop(place);
  await place.apply(old);
  expect([await liveText(place, 'shop.ids'), await states(place)]).toEqual([expect.stringContaining('> 0'), { 'shop.ids': 'pending' }]);
});

test('a file that was moved and its view renamed in git is a new view and a deleted one: the old one stays until --prune', async () => {
  const place = await openShop();
  const text = place.git('show', `HEAD:${path}`).replaceAll('shop.ids', 'shop.keys');
  writeFiles(place.directory, { [path.replace('ids', 'keys')]: `${text}\n` });
  place.git('add', '--all');
  deleteFile(place);
  expect(place.git('diff', '--find-renames', '--name-status', 'HEAD~1')).toMatch(/^R/);
  expect(await states(place)).toEqual({ 'shop.ids': 'pending', 'shop.keys': 'pending' });
  const { plan } = await place.apply('HEAD');
  expect([plan.steps.map(({ kind, view }) => `${kind} ${view.name}`)[0], plan.kept]).toEqual(['create keys', [{ schema: 'shop', name: 'ids' }]]);
  expect(await isLive(place)).toBe(true);
  await place.apply('HEAD', { absent: 'drop', allowed: ['DELETES_VIEW'] });
  expect([await isLive(place), await states(place)]).toEqual([false, {}]);
});
