import { globSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement, requireSound, statusAfterKill } from './laws.ts';
import { choosePoints, configure, type KillPoint, never, runKilled } from './victim.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;
COMMENT ON VIEW shop.best IS 'who buys';`;

const drift = (night: number) => `
DROP VIEW shop.best; CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > ${night};
CREATE VIEW shop.new_${night} AS SELECT customer, ${night} AS night FROM shop.big; CREATE VIEW shop.best AS SELECT customer, ${night} AS night FROM shop.big; GRANT SELECT ON shop.best TO public;`;

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  configure(place);
  await place.database.query(shop);
  await place.export();
  return place;
}

test('an export that is killed loses nothing, and the next one ends it', async () => {
  const place = await openShop();
  await place.database.query(drift(1));
  const whole = await runKilled(place, ['export'], never);
  expect(whole.exitCode).toBe(0);
  for (const [index, point] of choosePoints(whole, 1).entries()) {
    await place.database.query(drift(index + 2));
    const catalog = await describeCatalog(place.database.url);
    await runKilled(place, ['export'], point);
    requireSound(place.directory);
    expect((await place.status()).run, JSON.stringify(point)).toBeUndefined();
    await place.export();
    expect(await describeCatalog(place.database.url)).toEqual(catalog);
    await expectAgreement(place);
  }
}, 7_200_000);

test('an apply that is killed has happened whole or not at all, status names it, and one command ends it', async () => {
  const place = await openShop();
  await place.database.query(drift(1));
  const whole = await runKilled(place, ['apply', 'HEAD', '--yes'], never);
  expect(whole.exitCode, whole.stderr).toBe(0);
  for (const [index, point] of choosePoints(whole, 2).entries()) {
    await killApply(place, point, index + 2);
  }
}, 7_200_000);

async function killApply(place: Workplace, point: KillPoint, night: number): Promise<void> {
  const recorded = await describeCatalog(place.database.url);
  await place.database.query(drift(night));
  const drifted = await describeCatalog(place.database.url);
  const head = place.git('rev-parse', 'HEAD');
  await runKilled(place, ['apply', 'HEAD', '--yes', '--allow', 'DELETES_VIEW'], point);
  requireSound(place.directory);
  const now = await describeCatalog(place.database.url);
  const hint = `${JSON.stringify(point)} ${place.git('log', '--format=%s', '-3', 'refs/viewsync/prod')}`;
  const extra = (line: string) => line.includes(`new_${night}`);
  const isBefore = JSON.stringify(now) === JSON.stringify(drifted);
  if (!isBefore)
    expect(
      now.filter((line) => !extra(line)),
      hint,
    ).toEqual(recorded);
  const { run } = await statusAfterKill(place);
  if (run) expect(run, hint).toMatchObject({ command: 'apply', isRunning: false, holds: isBefore ? 'the state before' : 'the planned state' });
  if (run)
    expectTold(
      await place.export().catch((error) => error),
      { code: 'INTERRUPTED_RUN', exitCode: 3, because: /apply .*Nothing was recorded/, next: 'viewsync rollback' },
      hint,
    );
  if (run && night % 2 === 0) await place.rollback();
  else await place.apply(run ? 'HEAD' : head);
  const ended = await describeCatalog(place.database.url);
  if (run && night % 2 === 0) expect(ended, hint).toEqual(drifted);
  else
    expect(
      ended.filter((line) => !extra(line)),
      hint,
    ).toEqual(recorded);
  await place.export();
  await expectAgreement(place);
}

test('a kill that takes git along may leave a lock of git, which is named, and nothing else is in the way', async () => {
  const place = await openShop();
  const { gitCalls } = await runKilled(place, ['export'], never);
  for (const [index, call] of [0, 3].entries()) {
    await place.database.query(drift(index + 1));
    await runKilled(place, ['export'], { at: 'git', number: gitCalls - call, when: 'during' });
    const outcome = await place.export().then(
      () => 'recorded',
      (error) => error,
    );
    if (outcome !== 'recorded') {
      expectTold(outcome, { code: 'GIT_BUSY', exitCode: 65, because: /Another git command is at work.*\.lock" exists/, next: 'delete that file' });
      for (const lock of globSync('.git/**/*.lock', { cwd: place.directory })) rmSync(join(place.directory, lock));
      await place.export();
    }
    await expectAgreement(place);
  }
});

test('a migration that is killed has happened whole or not at all, or leaves views away, and one command ends it', async () => {
  const place = await openShop();
  writeFileSync(join(place.directory, 'migration.sql'), 'ALTER TABLE shop.orders ALTER id TYPE bigint;\nALTER TABLE shop.orders ALTER id TYPE int;');
  place.git('add', 'migration.sql');
  place.git('commit', '--quiet', '--message', 'Migrate');
  const before = await describeCatalog(place.database.url);
  const ways = [
    ['migrate', '--sql', 'migration.sql', '--yes'],
    ['migrate', '--on', 'shop.orders', '--yes', '--', 'true'],
  ];
  for (const args of ways) {
    const whole = await runKilled(place, args, never);
    expect(whole.exitCode, whole.stderr).toBe(0);
    for (const point of choosePoints(whole, 1)) await killMigration(place, args, { point, before });
  }
}, 7_200_000);

async function killMigration(place: Workplace, args: readonly string[], { point, before }: { point: KillPoint; before: unknown }): Promise<void> {
  await runKilled(place, args, point);
  requireSound(place.directory);
  const hint = `${args[1]} ${JSON.stringify(point)} ${place.git('log', '--format=%s', '-3', 'refs/viewsync/prod')}`;
  const { run } = await place.status();
  if (run) expect(run, hint).toMatchObject({ command: 'migrate', isRunning: false });
  if (run)
    await expect(place.export()).rejects.toMatchObject({ code: 'INTERRUPTED_RUN', suggestions: expect.arrayContaining(['viewsync migrate --continue']) });
  if (run) await place.continueMigration();
  expect(await describeCatalog(place.database.url), hint).toEqual(before);
  await place.export();
  await expectAgreement(place);
}
