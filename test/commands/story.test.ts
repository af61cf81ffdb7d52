import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git } from '../support/repository.ts';
import { createExportedShop, createShop, scripts } from './shop.ts';

describe('viewsync export', () => {
  test('says what it recorded on one screen, and commits once', async () => {
    await using shop = await createShop();
    await shop.viewsync('init', '--target', 'shop', '--yes');
    const first = await shop.viewsync('export');
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(first.stdout).toContain('shop: baseline, 4 views');
    expect(first.stdout.split('\n').length).toBeLessThan(24);
    const commits = git(shop.directory, 'rev-list', '--count', 'HEAD');
    const second = await shop.viewsync('export');
    expect(second.stdout).toContain('Nothing changed: 4 views of "shop" are as recorded.');
    expect(git(shop.directory, 'rev-list', '--count', 'HEAD')).toBe(commits);
  });

  test('--dry-run writes nothing, --no-commit only files, and --message is the subject', async () => {
    await using shop = await createShop();
    await shop.viewsync('init', '--target', 'shop', '--yes');
    const dry = await shop.viewsync('export', '--dry-run');
    expect(dry.exitCode).toBe(0);
    expect(dry.stdout).toContain('views/shop/shop/order_totals.sql');
    expect(dry.stdout).toContain('Dry run: nothing was written.');
    expect(git(shop.directory, 'status', '--porcelain', '--', 'views')).toBe('');
    expect(await shop.viewsync('export', '--no-commit')).toMatchObject({ exitCode: 0 });
    expect(git(shop.directory, 'status', '--porcelain', '--', 'views')).toContain('?? views/');
    await shop.viewsync('export', '--message', 'Before the migration');
    expect(git(shop.directory, 'log', '-1', '--format=%s')).toBe('Before the migration');
    expect(git(shop.directory, 'status', '--porcelain', '--', 'views')).toBe('');
  });
});

describe('an accident and the way back', () => {
  test('status, diff, plan, apply and rollback tell and do what is needed', async () => {
    await using shop = await createExportedShop();
    const [before] = await shop.database.query(scripts.proof);
    expect(await shop.viewsync('status', '--exit-code')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('in sync') });

    await shop.database.query(scripts.migration);
    const status = await shop.viewsync('status', '--exit-code');
    expect(status.exitCode).toBe(1);
    expect(status.stdout).toMatch(/drift +shop\.order_totals +gone from the warehouse/);
    const diff = await shop.viewsync('diff', '--exit-code');
    expect(diff.exitCode).toBe(1);
    expect(diff.stdout).toContain('deleted file');
    expect((await shop.viewsync('diff', '--stat')).stdout).toMatch(/4 files changed, 0 insertions\(\+\), \d+ deletions\(-\)/);

    const plan = await shop.viewsync('plan', 'HEAD', '--exit-code');
    expect(plan.exitCode).toBe(1);
    expect(plan.stdout).toMatch(/^Plan for shop: \d+ steps on 4 views\./);
    const script = await shop.viewsync('plan', 'HEAD', '--sql');
    expect(script.stdout).toMatch(/\nBEGIN;\n[\s\S]*\nCOMMIT;\n$/);

    expect(await shop.viewsync('apply', 'HEAD')).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('--yes') });
    expect(await shop.viewsync('apply', 'HEAD', '--yes')).toMatchObject({ exitCode: 0 });
    expect((await shop.database.query(scripts.proof))[0]).toEqual(before);
    expect((await shop.viewsync('plan', 'HEAD')).stdout).toContain('Nothing to do');

    expect(await shop.viewsync('rollback', '--yes')).toMatchObject({ exitCode: 0 });
    expect((await shop.database.query(scripts.proof))[0]).toMatchObject({ views: 0 });
    expect(await shop.viewsync('rollback', '--yes')).toMatchObject({ exitCode: 0 });
    expect((await shop.database.query(scripts.proof))[0]).toEqual(before);
    const log = await shop.viewsync('log');
    expect(log.stdout.match(/shop: (apply|rollback|baseline)/g)).toEqual(['shop: rollback', 'shop: rollback', 'shop: apply', 'shop: baseline']);
  });

  test('the script of plan --sql brings everything back when psql or any other client runs it', async () => {
    await using shop = await createExportedShop();
    const [before] = await shop.database.query(scripts.proof);
    await shop.database.query(scripts.migration);
    const { stdout } = await shop.viewsync('plan', 'HEAD', '--sql');
    await shop.database.query(stdout);
    expect((await shop.database.query(scripts.proof))[0]).toEqual(before);
  });
});

describe('a change and its history', () => {
  test('is recorded, logged, shown and compared', async () => {
    await using shop = await createExportedShop();
    const old = await shop.viewsync('show', 'shop.customer_value');
    expect(old.stdout).toBe(readFileSync(join(shop.directory, 'views/shop/shop/customer_value.sql'), 'utf8'));
    await shop.database.query(scripts.edit);
    expect((await shop.viewsync('export')).stdout).toMatch(/shop: 1 view changed\n {2}~ shop\.customer_value: \+ column last_order date, definition/);
    expect((await shop.viewsync('log', 'shop.customer_value')).stdout).toContain('shop.customer_value: + column last_order date, definition');
    expect((await shop.viewsync('show', 'shop.customer_value', '--at', 'HEAD~1')).stdout).toBe(old.stdout);
    const diff = await shop.viewsync('diff', 'HEAD~1', 'HEAD');
    expect(diff.stdout).toContain('+--          last_order date');
    expect(JSON.parse((await shop.viewsync('diff', 'HEAD~1', 'HEAD', '--json')).stdout).files).toHaveLength(1);
  });

  test('an edited file is pending, is left alone by export, and is deployed by apply worktree', async () => {
    await using shop = await createExportedShop();
    const path = join(shop.directory, 'views/shop/finance/year_to_date.sql');
    appendFileSync(path, "COMMENT ON VIEW finance.year_to_date IS 'Since January';\n");
    const text = readFileSync(path, 'utf8');
    expect((await shop.viewsync('status')).stdout).toMatch(/pending +finance\.year_to_date/);
    const exported = await shop.viewsync('export');
    expect(exported.stderr).toContain('finance.year_to_date is edited in git and not applied yet');
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(await shop.viewsync('apply', 'worktree', '--yes')).toMatchObject({ exitCode: 0 });
    expect((await shop.database.query("SELECT obj_description('finance.year_to_date'::regclass) AS comment"))[0]).toEqual({ comment: 'Since January' });
    expect((await shop.viewsync('status')).stdout).toContain('in sync');
  });

  test('a file that cannot be read is named with its line, and stops a plan', async () => {
    await using shop = await createExportedShop();
    writeFileSync(join(shop.directory, 'views/shop/shop/order_totals.sql'), 'CREATE VIEW shop.order_totals AS SELECT 1;\nDROP TABLE shop.orders;\n');
    const { exitCode, stderr } = await shop.viewsync('plan', 'worktree');
    expect(exitCode).toBe(65);
    expect(stderr).toContain('views/shop/shop/order_totals.sql');
    expect(stderr).toContain('[FILE_UNREADABLE]');
  });
});

describe('what needs a person', () => {
  test('dropping views needs --prune', async () => {
    await using shop = await createExportedShop();
    await shop.database.query('CREATE VIEW shop.extra AS SELECT 1 AS one');
    const kept = await shop.viewsync('plan', 'HEAD');
    expect(kept.stdout).toContain('shop.extra');
    expect(kept.exitCode).toBe(0);
    expect(await shop.viewsync('apply', 'HEAD', '--prune', '--yes')).toMatchObject({ exitCode: 0 });
    expect(await shop.database.query("SELECT to_regclass('shop.extra') AS found")).toEqual([{ found: null }]);
  });

  test('an unknown revision and an unknown view are told with code 65', async () => {
    await using shop = await createExportedShop();
    expect(await shop.viewsync('plan', 'nowhere')).toMatchObject({ exitCode: 65, stderr: expect.stringContaining('[REVISION_UNKNOWN]') });
    expect(await shop.viewsync('show', 'shop.order_total')).toMatchObject({ exitCode: 65, stderr: expect.stringContaining('shop.order_totals') });
  });
});
