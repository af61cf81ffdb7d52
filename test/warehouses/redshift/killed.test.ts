import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Status } from '../../../src/operations/read-status.ts';
import { requireSound } from '../../faults/laws.ts';
import { someone } from '../../support/repository.ts';
import { openExported, type Shop, stateOf } from './shop.ts';

const program = fileURLToPath(new URL('../../../bin/run.js', import.meta.url));

// `VIEWSYNC_KILLS=all` kills at every statement that changes something, and at the ends of the transaction.
const isThorough = process.env['VIEWSYNC_KILLS'] === 'all';

/** What somebody else does: a column gets another type, so that what reads it has to be made again, and views of all three sorts go. */
const drift = [
  'DROP VIEW finance.margin',
  'DROP VIEW shop.product_master',
  'CREATE VIEW shop.product_master AS SELECT id, name, price * 1.0 AS price FROM shop.product_v1',
  'CREATE VIEW finance.margin AS SELECT id, price * 0.3 AS margin FROM shop.product_master',
  'DROP VIEW finance.best',
  'DROP MATERIALIZED VIEW shop.daily',
  'REVOKE SELECT ON finance.sales FROM ROLE rs_reporting',
];

const isChange = (sql: string) =>
  /^(BEGIN|COMMIT|CREATE (?!TEMP)|DROP (VIEW|MAT)|ALTER|GRANT|REVOKE|COMMENT|ATTACH)/.test(sql) && !sql.includes('viewsync_trial');

/** Runs the built program and kills it when a statement comes in, which the server still gets. */
async function runKilled({ directory, server }: Shop, at: number): Promise<void> {
  const env = { ...someone, REDSHIFT_URL: server.url };
  const child = spawn(process.execPath, [program, 'apply', 'HEAD', '--yes'], { cwd: directory, env, stdio: 'ignore' });
  let changes = 0;
  server.fault = (sql) => {
    if (isChange(sql) && ++changes === at) child.kill('SIGKILL');
    return undefined;
  };
  await once(child, 'exit');
  server.fault = () => undefined;
}

/** The status once the server has noticed that the run has gone. */
async function statusAfterKill(shop: Shop): Promise<Status> {
  for (;;) {
    const status = await shop.status();
    if (!status.run?.isRunning) return status;
    await wait(50);
  }
}

test('an apply that is killed has happened whole or not at all, is named, and one command brings either state', async () => {
  const shop = await openExported();
  writeFileSync(join(shop.directory, 'viewsync.yaml'), 'targets:\n  prod:\n    warehouse: redshift\n    url: ${REDSHIFT_URL}\n');
  shop.git('add', 'viewsync.yaml');
  shop.git('commit', '--quiet', '--message', 'Configure');
  await shop.server.run(...drift);
  shop.server.statements.length = 0;
  await shop.apply('HEAD');
  const changes = shop.server.statements.filter(isChange).length;
  // Texts that were made again are now those of their files.
  const recorded = await stateOf(shop);
  const all = Array.from({ length: changes }, (_, index) => index + 1);
  const points = isThorough ? all : [Math.ceil(changes / 2)];
  for (const [index, at] of points.entries()) {
    await shop.server.run(...drift);
    const drifted = await stateOf(shop);
    const head = shop.git('rev-parse', 'HEAD');
    await runKilled(shop, at);
    requireSound(shop.directory);
    const { run } = await statusAfterKill(shop);
    const hint = JSON.stringify({ at, run });
    expect([JSON.stringify(drifted), JSON.stringify(recorded)], hint).toContain(JSON.stringify(await stateOf(shop)));
    const isRolledBack = run !== undefined && index % 2 === 0;
    if (isRolledBack) {
      await shop.rollback({ allowed: ['WIDENS_ACCESS', 'REBUILDS_MATERIALIZED_VIEW', 'DELETES_VIEW'] });
      expect(await stateOf(shop), hint).toEqual(drifted);
    }
    await shop.apply(run && !isRolledBack ? 'HEAD' : head, { allowed: ['WIDENS_ACCESS'] });
    expect(await stateOf(shop), hint).toEqual(recorded);
    expect(await shop.status(), hint).toMatchObject({ differing: [] });
  }
}, 7_200_000);
