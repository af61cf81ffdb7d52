import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newestServer } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2), placed timestamptz);
CREATE VIEW shop.big_orders AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.customers AS SELECT customer, sum(total) AS spent, count(*) AS orders FROM shop.big_orders GROUP BY customer;
CREATE VIEW shop.best AS SELECT customer FROM shop.customers WHERE spent > 1000;
COMMENT ON VIEW shop.customers IS 'who buys';`;

async function openShop(version: number): Promise<Workplace> {
  const place = await openWorkplace({ version });
  await place.database.query(shop);
  return place;
}

const tree = (place: Workplace, revision: string) => place.git('rev-parse', `${revision}:views`);

describe.each([newestServer().version])('on PostgreSQL %i', (version) => {
  test('the first export is a baseline, and the second one commits nothing', async () => {
    const place = await openShop(version);
    const first = await place.export();
    expect(first).toMatchObject({ subject: 'prod: baseline, 3 views', isBaseline: true, views: 3 });
    expect(place.git('log', '--format=%s')).toBe('prod: baseline, 3 views');
    expect(place.git('status', '--porcelain')).toBe('');
    expect(tree(place, 'refs/viewsync/prod')).toBe(tree(place, 'HEAD'));
    const second = await place.export();
    expect(second.commit).toBeUndefined();
    expect(second.live).toBeUndefined();
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('drift is committed with what changed', async () => {
    const place = await openShop(version);
    await place.export();
    await place.database.query('CREATE OR REPLACE VIEW shop.big_orders AS SELECT id, customer, total, placed FROM shop.orders WHERE total > 200');
    expect((await place.status()).differing).toMatchObject([{ view: 'shop.big_orders', state: 'drift' }]);
    await place.export();
    expect(place.git('log', '-1', '--format=%B')).toContain('shop.big_orders: + column placed timestamp with time zone, definition');
    expect(place.git('log', '-1', '--format=%s')).toBe('prod: 1 view changed');
  });

  test('HEAD brings back what a CASCADE took, rollback undoes it, and rollback again redoes it', async () => {
    const place = await openShop(version);
    await place.export();
    const before = tree(place, 'HEAD');
    await place.database.query('DROP VIEW shop.big_orders CASCADE');
    const applied = await place.apply('HEAD');
    expect(applied.report.steps.every(({ outcome }) => outcome === 'applied')).toBe(true);
    expect(tree(place, 'refs/viewsync/prod')).toBe(before);
    expect((await place.export()).commit).toBeUndefined();
    await place.rollback();
    expect(await place.database.query("SELECT viewname FROM pg_views WHERE schemaname = 'shop'")).toEqual([]);
    await place.rollback();
    expect(await place.database.query("SELECT viewname FROM pg_views WHERE schemaname = 'shop' ORDER BY 1")).toHaveLength(3);
    expect(tree(place, 'HEAD')).toBe(before);
    expect(place.git('log', '--format=%s').split('\n')).toEqual([
      expect.stringMatching(/^prod: rollback \w{10}, 3 views$/),
      expect.stringMatching(/^prod: rollback \w{10}, 3 views$/),
      'prod: apply HEAD, 3 views',
      'prod: baseline, 3 views',
    ]);
    expect(place.git('status', '--porcelain')).toBe('');
  });

  test('an older commit is a restore: what it holds comes back, and the branch says so', async () => {
    const place = await openShop(version);
    await place.export();
    await place.database.query('CREATE OR REPLACE VIEW shop.big_orders AS SELECT id, customer, total FROM shop.orders WHERE total > 1');
    await place.export();
    const result = await place.apply('HEAD~1');
    expect(result.plan.steps.map(({ kind }) => kind)).toEqual(['replace']);
    expect((await place.plan('HEAD~2')).plan.steps).toEqual([]);
    expect(tree(place, 'HEAD')).toBe(tree(place, 'HEAD~2'));
    expect((await place.status()).differing).toEqual([]);
  });

  test('a hand-edited file is pending, is deployed by apply, keeps its text, and is in sync then', async () => {
    const place = await openShop(version);
    await place.export();
    const file = join(place.directory, 'views/prod/shop/best.sql');
    const edited = readFileSync(file, 'utf8').replace(
      /AS\nSELECT[^;]*;/,
      'AS\n-- the very best\nselect c.customer\nfrom shop.customers c where c.spent between 500 and 600\n;',
    );
    writeFileSync(file, edited);
    expect((await place.status()).differing).toMatchObject([{ view: 'shop.best', state: 'pending', isEdited: true }]);
    expect((await place.export()).commit).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe(edited);
    place.git('commit', '--quiet', '--all', '--message', 'Only the very best');
    expect((await place.export()).pending).toEqual(['shop.best']);
    await place.apply('HEAD');
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    expect((await place.status()).differing).toEqual([]);
    expect((await place.export()).commit).toBeUndefined();
    expect(readFileSync(file, 'utf8')).toBe(edited);
  });

  test('uncommitted files are applied as the worktree and committed with the run', async () => {
    const place = await openShop(version);
    await place.export();
    const file = join(place.directory, 'views/prod/shop/best.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('1000', '2000'));
    await place.apply('worktree');
    expect(place.git('status', '--porcelain')).toBe('');
    expect(await place.database.query("SELECT pg_get_viewdef('shop.best'::regclass) AS text")).toMatchObject([{ text: expect.stringContaining('2000') }]);
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('a conflict is left alone by export, refused by apply, and stays one', async () => {
    const place = await openShop(version);
    await place.export();
    const file = join(place.directory, 'views/prod/shop/best.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('1000', '2000'));
    place.git('commit', '--quiet', '--all', '--message', 'Raise the bar');
    await place.database.query(
      'CREATE OR REPLACE VIEW shop.best AS SELECT customer FROM shop.customers WHERE spent > 3000; COMMENT ON VIEW shop.big_orders IS $$big$$',
    );
    const night = await place.export();
    expect(night).toMatchObject({ conflicts: ['shop.best'] });
    expect(night.commit).toBeDefined();
    expect((await place.export()).conflicts).toEqual(['shop.best']);
    await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'CONFLICT', exitCode: 3 });
    await place.apply('HEAD', { overwrite: ['shop.best'] });
    expect((await place.status()).differing).toEqual([]);
  });

  test('a step that the server refuses rolls everything back, and the live line says so', async () => {
    const place = await openShop(version);
    await place.export();
    const file = join(place.directory, 'views/prod/shop/best.sql');
    writeFileSync(file, readFileSync(file, 'utf8').replace('spent', 'nowhere'));
    await expect(place.apply('worktree')).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE' });
    await place.database.query('DROP VIEW shop.best; DROP VIEW shop.customers; ALTER TABLE shop.orders DROP COLUMN placed');
    await place.database.query('CREATE OR REPLACE VIEW shop.big_orders AS SELECT id, customer, total FROM shop.orders');
    place.git('checkout', '--', '.');
    await place.database.query('ALTER TABLE shop.orders RENAME COLUMN total TO amount');
    await expect(place.apply('HEAD')).rejects.toMatchObject({ exitCode: expect.toSatisfy((code: number) => code === 65 || code === 75) });
    expect((await place.status()).run).toBeUndefined();
  });
});
