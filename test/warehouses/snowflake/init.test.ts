import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { initializeProject } from '../../../src/operations/initialize-project.ts';
import { noColors } from '../../../src/render/colors.ts';
import { renderInitialized } from '../../../src/render/initialized.ts';
import { someone, temporaryFolder } from '../../support/repository.ts';
import { createAccount } from '../../support/snowflake/account.ts';
import { startSnowflake } from '../../support/snowflake/server.ts';

test('init lists schemas with their views, leaves out what others share, and writes no secret', async () => {
  const account = createAccount({ PROD: ['SHOP', 'DBT_ALICE'], SHARED: ['S'], SNOWFLAKE: ['ACCOUNT_USAGE'] });
  const server = await startSnowflake(account);
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.run(
    ['PROD.SHOP.A', 'PROD.SHOP.B', 'PROD.SHOP.B__DBT_TMP', 'PROD.DBT_ALICE.C', 'SHARED.S.D', 'SNOWFLAKE.ACCOUNT_USAGE.E'].map(
      (name) => `CREATE VIEW ${name} AS SELECT 1 AS ONE`,
    ),
  );
  account.databases.set('SHARED', {
    name: 'SHARED',
    origin: 'PARTNER.SHARE',
    kind: 'IMPORTED DATABASE',
    schemas: account.databases.get('SHARED')?.schemas ?? new Map(),
    futureGrants: [],
  });
  const directory = temporaryFolder();
  const initialized = await initializeProject({
    directory,
    environment: { ...someone, PASSWORD: 'secret' },
    target: 'prod',
    warehouse: 'snowflake',
    url: '${DATABASE_URL}',
    options: { ...server.options, password: '${PASSWORD}' },
    schemas: ['PROD.*.*', '!*.dbt_alice.*'],
    version: '1.2.3',
  });
  expect(initialized.containers).toEqual([
    { container: 'PROD.DBT_ALICE', views: 1, inScope: 0 },
    { container: 'PROD.SHOP', views: 3, inScope: 2 },
  ]);
  expect(renderInitialized(initialized, noColors)).toContain('  PROD.DBT_ALICE  1 view, not in scope\n  PROD.SHOP       3 views, 2 in scope\n');
  const text = readFileSync(join(directory, 'viewsync.yaml'), 'utf8');
  expect(text).toContain('    warehouse: snowflake\n    account: myaccount\n');
  expect([text.includes('password: ${PASSWORD}'), text.includes('secret'), text.includes('DATABASE_URL')]).toEqual([true, false, false]);
  const workflow = readFileSync(join(directory, '.github/workflows/viewsync.yml'), 'utf8');
  expect(workflow).toContain('npx --yes --package viewsync@1.2.3 --package snowflake-sdk viewsync export --push');
  expect(workflow).toContain('PASSWORD: ${{ secrets.PASSWORD }}');
});
