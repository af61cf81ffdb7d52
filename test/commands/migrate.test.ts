import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createExportedShop, type Shop } from './shop.ts';

function writeScript(shop: Shop, text: string, name = 'migration.sql'): string {
  writeFileSync(join(shop.directory, name), text);
  return name;
}

test('x', async () => {
  await using shop = await createExportedShop();
  console.log(await shop.database.query("select table_name, column_name, data_type from information_schema.columns where table_schema='shop'"));
  const script = writeScript(shop, 'ALTER TABLE shop.orders ALTER COLUMN id TYPE bigint;');
  for (const args of [['check','shop.orders'],['check','shop.ordrs'],['migrate','--sql',script],['migrate','--sql',script,'--dry-run'],['migrate','--sql',script,'--yes'],['migrate','--on','shop.orders','shop.customers','--yes','--','sh','-c','echo hi; exit 7'],['migrate','--on','shop.orders'],['migrate','--continue'],['status'],['log']]) {
    const r = await shop.viewsync(...args);
    console.log(args.join(' '), r.exitCode, '\n' + r.stdout, '\n' + r.stderr);
  }
}, 200000);
