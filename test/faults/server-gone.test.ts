import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement, requireSound, statusAfterKill } from './laws.ts';
import { startProxy } from './proxy.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;`;

const drift = 'DROP VIEW shop.best; CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 5';

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  await place.database.query(shop);
  await place.export();
  await place.database.query(drift);
  return place;
}

/** The same repository and database, the wire to it cut at one statement. */
async function throughProxy(place: Workplace, statement: number, when: 'before' | 'after') {
  const proxy = await startProxy(place.database.url, { moment: { statement, when } });
  const { database, directory } = place;
  return { proxy, place: await openWorkplace({ database, directory, target: { options: { url: proxy.url } } }) };
}

const isThorough = process.env['VIEWSYNC_KILLS'] === 'all';

/** Cuts at every statement, or at a few spread evenly, the last ones always among them. */
function chooseCuts(count: number) {
  const all = Array.from({ length: count }, (_, index) => index + 1).flatMap((statement) =>
    (['before', 'after'] as const).map((when) => ({ statement, when })),
  );
  return isThorough ? all : all.filter((_, index) => index % Math.ceil(all.length / 4) === 0 || index >= all.length - 2);
}

const gone = { code: /^CONNECTION_/, exitCode: 69, because: /connection .*was lost|cannot connect/ };

test('a server that goes away during an export is told as such, and nothing is recorded by halves', async () => {
  const place = await openShop();
  const whole = await throughProxy(place, 0, 'before');
  await whole.place.export({ commit: 'dry run' });
  const refs = place.git('for-each-ref');
  for (const { statement, when } of chooseCuts(whole.proxy.statements.length)) {
    const cut = await throughProxy(place, statement, when);
    const outcome = await cut.place.export({ commit: 'dry run' }).catch((error) => error);
    expectTold(outcome, { ...gone, next: /\w/ }, `${statement} ${when}`);
    expect(place.git('for-each-ref')).toBe(refs);
  }
  await place.export();
  await expectAgreement(place);
}, 120_000);

test('a server that goes away during an apply has done all of it or nothing, and the live line says which', async () => {
  const place = await openShop();
  const recorded = await (async () => {
    await place.apply('HEAD');
    return describeCatalog(place.database.url);
  })();
  await place.database.query(drift);
  const drifted = await describeCatalog(place.database.url);
  const whole = await throughProxy(place, 0, 'before');
  await whole.place.apply('HEAD');
  for (const { statement, when } of chooseCuts(whole.proxy.statements.length)) {
    await place.database.query(drift);
    const cut = await throughProxy(place, statement, when);
    const outcome = await cut.place.apply('HEAD').catch((error) => error);
    const hint = `${statement} ${when}: ${cut.proxy.statements[statement - 1]?.slice(0, 100)}`;
    expectTold(outcome, { ...gone, next: /\w/ }, hint);
    requireSound(place.directory);
    const now = await describeCatalog(place.database.url);
    expect([recorded, drifted], hint).toContainEqual(now);
    const { run } = await statusAfterKill(place);
    if (run) expect(run, hint).toMatchObject({ holds: JSON.stringify(now) === JSON.stringify(drifted) ? 'the state before' : 'the planned state' });
    await place.apply('HEAD');
    expect(await describeCatalog(place.database.url), hint).toEqual(recorded);
    await expectAgreement(place);
  }
}, 300_000);

test('a backend that is terminated while an apply waits for a lock leaves no run open', async () => {
  const place = await openShop();
  const reader = new Client({ connectionString: place.database.url });
  await reader.connect();
  onTestFinished(() => reader.end());
  await reader.query('BEGIN; SELECT * FROM shop.big');
  const running = place.apply('HEAD', { lockTimeout: 20_000, attempts: 1 }).catch((error) => error);
  const waiting =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'viewsync' AND wait_event_type = 'Lock'";
  await expect.poll(() => place.database.query(waiting), { timeout: 10_000 }).toHaveLength(1);
  expectTold(await running, { code: 'CONNECTION_LOST', exitCode: 69, because: /was lost.*rolled back/, next: 'viewsync status' });
  expect((await place.status()).run).toBeUndefined();
  await reader.query('ROLLBACK');
  await place.apply('HEAD');
  await expectAgreement(place);
});
