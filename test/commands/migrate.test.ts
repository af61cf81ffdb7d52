import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createExportedShop } from './shop.ts';

test('a migration from the command line: looked at, run, refused, around a command', async () => {
  await using shop = await createExportedShop();
  const write = (name: string, text: string) => writeFileSync(join(shop.directory, name), text);
  write('widen.sql', 'ALTER TABLE shop.orders ALTER COLUMN id TYPE bigint;');
  write('commit.sql', 'SELECT 1;\nCOMMIT;');
  write('drop.sql', 'ALTER TABLE shop.orders DROP COLUMN state;');
  const rehearsed = await shop.viewsync('migrate', '--sql', 'widen.sql', '--dry-run');
  expect(rehearsed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/DROP VIEW shop\.order_totals;[\s\S]*-- widen\.sql:1\nALTER TABLE/) });
  expect(await shop.viewsync('migrate', '--sql', 'widen.sql')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('finance.monthly_revenue (materialized view'),
  });
  expect(await shop.viewsync('migrate', '--sql', 'widen.sql', '--yes')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('4 views were made again'),
  });
  expect(await shop.viewsync('migrate', '--sql', 'commit.sql', '--yes')).toMatchObject({
    exitCode: 65,
    stderr: expect.stringMatching(/commit\.sql:2[\s\S]*--on/),
  });
  expect(await shop.viewsync('migrate', '--sql', 'drop.sql', '--yes')).toMatchObject({
    exitCode: 65,
    stderr: expect.stringMatching(/shop\.order_totals no longer fits[\s\S]*drop\.sql:1/),
  });
  const around = await shop.viewsync('migrate', '--on', 'shop.orders', '--yes', '--json', '--', 'sh', '-c', 'echo password; exit 9');
  expect(around).toMatchObject({ exitCode: 9, stderr: 'password\n' });
  expect(JSON.parse(around.stdout)).toMatchObject({ exitCode: 9, revision: '--on shop.orders -- sh' });
  expect(await shop.viewsync('migrate', '--on', 'shop.orders')).toMatchObject({ exitCode: 64 });
  expect(await shop.viewsync('check', 'shop.orders', 'shop.products')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('every backup is current'),
  });
  expect(await shop.viewsync('check', 'shop.order')).toMatchObject({ exitCode: 65 });
});
