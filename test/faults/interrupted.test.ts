import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement, requireSound } from './laws.ts';
import { choosePoints, configure, type Fate, never, runKilled, startViewsync } from './victim.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;`;

const drift = (night: number) => `CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > ${night}`;

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  configure(place);
  await place.database.query(shop);
  await place.export();
  return place;
}

test('Ctrl-C while an apply waits for a lock ends it with 130, and everything is as it was', async () => {
  const place = await openShop();
  const holder = new Client({ connectionString: place.database.url });
  await holder.connect();
  onTestFinished(() => holder.end());
  await place.database.query('CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 5');
  await holder.query('BEGIN; SELECT * FROM shop.big');
  const catalog = await describeCatalog(place.database.url);
  const { child, fate } = startViewsync(place, ['apply', 'HEAD', '--yes', '--lock-timeout', '20s']);
  const waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'viewsync' AND wait_event_type = 'Lock'";
  await expect.poll(() => place.database.query(waiting), { timeout: 15_000 }).toHaveLength(1);
  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect(await fate).toMatchObject({ exitCode: 130, stderr: expect.stringMatching(/Interrupted\. Rolled back; nothing changed.*viewsync status/s) });
  await holder.query('ROLLBACK');
  expect(await describeCatalog(place.database.url)).toEqual(catalog);
  await expect.poll(() => place.database.query(waiting)).toEqual([]);
  await place.rollback().catch((error) => expect(error).toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' }));
  expect(await describeCatalog(place.database.url)).toEqual(catalog);
  await place.apply('HEAD');
  await expectAgreement(place);
});

/** As Ctrl-C leaves it: nothing half done, whatever the moment. */
async function requireTidy(place: Workplace, { exitCode, signal, stderr }: Fate, hint: string): Promise<void> {
  const full = `${hint}: ${exitCode} ${signal} ${stderr}`;
  // Before the program has said what is to happen at Ctrl-C, the signal itself ends it.
  expect([0, 130, null], full).toContain(exitCode);
  if (exitCode === null) expect(signal, full).toBe('SIGINT');
  if (exitCode === 130) expect(stderr, full).toMatch(/Interrupted.*(?:rolled back|nothing changed).*\[INTERRUPTED\]\n.*viewsync status/s);
  expect(place.git('status', '--porcelain'), full).toBe('');
  expect((await place.status()).run, full).toBeUndefined();
}

test('Ctrl-C at any moment of an export leaves nothing half done', async () => {
  const place = await openShop();
  await place.database.query(drift(1));
  const whole = await runKilled(place, ['export'], never);
  for (const [index, point] of choosePoints(whole, 1).entries()) {
    await place.database.query(drift(index + 2));
    await requireTidy(place, await runKilled(place, ['export'], point, 'SIGINT'), JSON.stringify(point));
    await place.export();
    requireSound(place.directory);
  }
  await expectAgreement(place);
}, 3_600_000);

test('Ctrl-C at any moment of an apply leaves all of it or nothing, and no run open', async () => {
  const place = await openShop();
  await place.database.query(drift(1));
  const whole = await runKilled(place, ['apply', 'HEAD', '--yes'], never);
  const recorded = await describeCatalog(place.database.url);
  for (const [index, point] of choosePoints(whole, 2).entries()) {
    await place.database.query(drift(index + 2));
    const drifted = await describeCatalog(place.database.url);
    const fate = await runKilled(place, ['apply', 'HEAD', '--yes'], point, 'SIGINT');
    await requireTidy(place, fate, JSON.stringify(point));
    expect(await describeCatalog(place.database.url), `${JSON.stringify(point)} ${fate.stderr}`).toEqual(fate.exitCode === 0 ? recorded : drifted);
    await place.apply('HEAD');
    requireSound(place.directory);
  }
  await expectAgreement(place);
}, 3_600_000);
