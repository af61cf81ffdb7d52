import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { git } from '../support/repository.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement, requireSound } from './laws.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;`;

const mount = (...args: readonly string[]) => execFileSync('mount', args, { stdio: 'ignore' });

/** A small disk of its own; undefined where this user may not mount one. */
function mountDisk(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'viewsync-disk-'));
  try {
    mount('-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder);
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  return folder;
}

function unmount(folder: string): void {
  execFileSync('umount', ['--lazy', folder]);
  rmSync(folder, { recursive: true, force: true });
}

function canMount(): boolean {
  const folder = process.platform === 'linux' ? mountDisk() : undefined;
  if (folder !== undefined) unmount(folder);
  return folder !== undefined;
}

const onOwnDisk = canMount()
  ? test
  : (name: string, _: unknown) => test.skip(`NOT TESTED, because this user may not mount a disk (run as root): ${name}`, () => undefined);

async function openShop(): Promise<Workplace> {
  const directory = mountDisk() ?? '';
  onTestFinished(() => unmount(directory));
  git(directory, 'init', '--quiet', '--initial-branch=main');
  git(directory, 'config', 'gc.auto', '0');
  const place = await openWorkplace({ directory });
  await place.database.query(shop);
  await place.export();
  return place;
}

const waste = (place: Workplace) => join(place.directory, '.git/waste');

function fillDisk(place: Workplace): void {
  for (let size = 4 << 20; size >= 1; size = Math.floor(size / 2)) {
    try {
      writeFileSync(waste(place), Buffer.alloc(size), { flag: 'a' });
    } catch {}
  }
}

const refused = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => error,
  );
const refs = (place: Workplace) => place.git('for-each-ref');

onOwnDisk('on a full disk nothing is recorded and nothing is applied, and it works again when there is room', async () => {
  const place = await openShop();
  await place.database.query('DROP VIEW shop.best; CREATE VIEW shop.fresh AS SELECT 1 AS n');
  const [before, catalog] = [refs(place), await describeCatalog(place.database.url)];
  fillDisk(place);
  for (const work of [() => place.export(), () => place.apply('HEAD')]) {
    expectTold(await refused(work()), { code: 'DISK_FULL', exitCode: 65, because: 'The disk that holds the repository is full', next: 'Free some space' });
    expect([refs(place), await describeCatalog(place.database.url)]).toEqual([before, catalog]);
  }
  rmSync(waste(place));
  requireSound(place.directory);
  await place.export();
  await expectAgreement(place);
});

onOwnDisk('a disk that fills up while an apply runs leaves a run that status names and one command ends', async () => {
  const place = await openShop();
  await place.database.query('DROP VIEW shop.best');
  expectTold(await refused(place.apply('HEAD', { onStep: () => fillDisk(place) })), {
    code: 'DISK_FULL',
    exitCode: 65,
    because: /^All 2 steps were applied and verified, but could not be recorded: The disk .* is full/,
    next: 'viewsync status',
  });
  rmSync(waste(place));
  requireSound(place.directory);
  expect((await place.status()).run).toMatchObject({ command: 'apply', holds: 'the planned state' });
  await place.apply('HEAD');
  expect(await place.database.query("SELECT viewname FROM pg_views WHERE schemaname = 'shop' ORDER BY 1")).toHaveLength(2);
  await expectAgreement(place);
});

onOwnDisk('on a read-only file system nothing is recorded and nothing is applied', async () => {
  const place = await openShop();
  await place.database.query('DROP VIEW shop.best; CREATE VIEW shop.fresh AS SELECT 1 AS n');
  const [before, catalog] = [refs(place), await describeCatalog(place.database.url)];
  mount('-o', 'remount,ro', place.directory);
  for (const work of [() => place.export(), () => place.apply('HEAD')]) {
    expectTold(await refused(work()), { code: 'REPOSITORY_READ_ONLY', exitCode: 65, because: 'git may not write to this repository', next: 'ls -ld .git' });
    expect([refs(place), await describeCatalog(place.database.url)]).toEqual([before, catalog]);
  }
  expect((await place.status()).differing).toHaveLength(2);
  mount('-o', 'remount,rw', place.directory);
  await place.export();
  await expectAgreement(place);
});
