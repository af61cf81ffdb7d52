import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement } from './laws.ts';
import { configure, type Fate, type StartOptions, startViewsync } from './victim.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer FROM shop.big WHERE total > 1000;`;

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  configure(place);
  await place.database.query(shop);
  await place.export();
  await place.database.query('DROP VIEW shop.best');
  return place;
}

const run = (place: Workplace, args: readonly string[], options?: StartOptions): Promise<Fate> => startViewsync(place, args, options).fate;
const refs = (place: Workplace) => place.git('for-each-ref', '--format=%(refname) %(objectname)');
const errorOf = ({ stdout }: Fate) => JSON.parse(stdout) as { error: { code: string; message: string; exitCode: number; suggestions: string[] } };

test('a viewsync.yaml that is wrong in three places is told of all three at once, each with its line', async () => {
  const place = await openShop();
  writeFileSync(
    join(place.directory, 'viewsync.yaml'),
    'targets:\n  prod:\n    warehouse: postgers\n    ulr: x\n  other:\n    warehouse: postgres\n    schemas: 7\nview: views\n',
  );
  const before = refs(place);
  for (const args of [['export'], ['export', '--json'], ['apply', 'HEAD', '--yes'], ['status']]) {
    const { exitCode, stdout, stderr } = await run(place, args);
    expect(exitCode).toBe(78);
    expect(`${stdout}${stderr}`).toMatch(/viewsync\.yaml has \d faults; nothing was done.*Correct them in viewsync\.yaml/s);
    for (const line of [3, 7, 8]) expect(`${stdout}${stderr}`).toMatch(new RegExp(`viewsync\\.yaml:${line}|line ${line}\\b`));
  }
  expect(refs(place)).toBe(before);
});

test('an unknown flag, command or target under --json is JSON on stdout and nothing else', async () => {
  const place = await openShop();
  for (const args of [
    ['export', '--jsno', '--json'],
    ['exprot', '--json'],
    ['export', '--target', 'dev', '--json'],
    ['apply', '--json'],
    ['apply', 'HEAD', '--lock-timeout', 'soon', '--json'],
    ['apply', 'HEAD', '--allow', 'EVERYTHING', '--json'],
  ]) {
    const fate = await run(place, args);
    expect([args, fate.exitCode, fate.stderr]).toEqual([args, 64, '']);
    expectTold(errorOf(fate), { code: 'USAGE', exitCode: 64, because: /^[A-Z"].*Nothing was done\.$/, next: /--\w/ }, args.join(' '));
  }
});

test('a wrong password is echoed nowhere, and changes nothing', async () => {
  const place = await openShop();
  const before = refs(place);
  const secret = 'hunter2-Sesame';
  for (const url of [
    `postgresql://nobody:${secret}@127.0.0.1:1/shop`,
    `postgresql://nobody:${secret}@host.invalid/shop?connect_timeout=2`,
    `postgresql://nobody:${secret}@127.0.0.1:99999/x`,
    `postgresql://no body:${secret}@@@/x`,
    `postgres://u:${secret}@[::1/x`,
  ]) {
    const environment = { PGPASSWORD: `${secret}2`, DEBUG: '*' };
    const fates = await Promise.all([['export'], ['apply', 'HEAD', '--yes', '--json']].map((args) => run(place, args, { url, environment })));
    expect(errorOf(fates[1] as Fate).error).toMatchObject({
      code: expect.stringMatching(/^(CONNECTION_FAILED|CONFIG_INVALID)$/),
      message: expect.stringMatching(/Nothing was (done|read|changed)\./),
    });
    for (const fate of fates) {
      expect([69, 78], `${url} ${fate.stderr}`).toContain(fate.exitCode);
      expect(`${fate.stdout}${fate.stderr}`).not.toContain(secret);
    }
  }
  expect([place.git('log', '--all', '--format=%B', '-p').includes(secret), refs(place)]).toEqual([false, before]);
});

test('without a git identity nothing is recorded and nothing is applied', async () => {
  const place = await openShop();
  const nobody = { GIT_AUTHOR_NAME: '', GIT_AUTHOR_EMAIL: '', GIT_COMMITTER_NAME: '', GIT_COMMITTER_EMAIL: '' };
  const [before, catalog] = [refs(place), await describeCatalog(place.database.url)];
  for (const args of [['export'], ['apply', 'HEAD', '--yes']]) {
    const fate = await run(place, [...args, '--json'], { environment: nobody });
    expect(fate.exitCode).toBe(65);
    expectTold(errorOf(fate), { code: 'GIT_IDENTITY_MISSING', exitCode: 65, because: 'git does not know who makes the commit', next: 'git config user.name' });
  }
  expect([refs(place), await describeCatalog(place.database.url)]).toEqual([before, catalog]);
});

test('while a merge is in progress nothing is applied and the branch stays; the backup goes on', async () => {
  const place = await openShop();
  place.git('checkout', '--quiet', '-b', 'side', 'HEAD~1');
  writeFileSync(join(place.directory, 'viewsync.yaml'), '# theirs\n');
  place.git('commit', '--quiet', '--all', '--message', 'Theirs');
  place.git('checkout', '--quiet', 'main');
  writeFileSync(join(place.directory, 'viewsync.yaml'), `${'targets:\n  prod:\n    warehouse: postgres\n    url: ${DATABASE_URL}\n'}# ours\n`);
  place.git('commit', '--quiet', '--all', '--message', 'Ours');
  expect(() => place.git('merge', 'side')).toThrow();
  writeFileSync(join(place.directory, 'viewsync.yaml'), 'targets:\n  prod:\n    warehouse: postgres\n    url: ${DATABASE_URL}\n');
  const [head, catalog] = [place.git('rev-parse', 'HEAD'), await describeCatalog(place.database.url)];
  for (const args of [['apply', 'HEAD', '--yes'], ['export']]) {
    const fate = await run(place, [...args, '--json']);
    expect(fate.exitCode).toBe(65);
    expectTold(errorOf(fate), { code: 'MERGE_IN_PROGRESS', exitCode: 65, because: 'merge', next: 'git merge --abort' }, args.join(' '));
  }
  expect([place.git('rev-parse', 'HEAD'), await describeCatalog(place.database.url)]).toEqual([head, catalog]);
  expect(existsSync(join(place.directory, '.git/MERGE_HEAD'))).toBe(true);
  place.git('merge', '--abort');
  expect((await place.status()).run).toBeUndefined();
  await place.export();
  await expectAgreement(place);
});

test('a folder in the place of a view file, and a file in the place of a folder, are named', async () => {
  const place = await openShop();
  await place.database.query('CREATE VIEW shop.fresh AS SELECT 1 AS n; CREATE SCHEMA late; CREATE VIEW late.v AS SELECT 1 AS n');
  mkdirSync(join(place.directory, 'views/prod/shop/fresh.sql'));
  writeFileSync(join(place.directory, 'views/prod/shop/fresh.sql/mine'), 'mine');
  const fate = await run(place, ['export', '--json']);
  expect(fate.exitCode).toBe(65);
  expectTold(errorOf(fate), { code: 'PATH_TAKEN', exitCode: 65, because: 'views/prod/shop/fresh.sql', next: 'move' });
  expect(existsSync(join(place.directory, 'views/prod/shop/fresh.sql/mine'))).toBe(true);
  rmSync(join(place.directory, 'views/prod/shop/fresh.sql'), { recursive: true });
  expect((await run(place, ['export'])).exitCode).toBe(0);
  await expectAgreement(place);
});

test('a hook that refuses commits is not in the way of a backup', async () => {
  const place = await openShop();
  mkdirSync(join(place.directory, '.git/hooks'), { recursive: true });
  for (const hook of ['pre-commit', 'commit-msg', 'post-commit']) {
    writeFileSync(join(place.directory, '.git/hooks', hook), '#!/bin/sh\nexit 1\n');
    chmodSync(join(place.directory, '.git/hooks', hook), 0o755);
  }
  expect((await run(place, ['export'])).exitCode).toBe(0);
  await expectAgreement(place);
});

test('the program as it is installed reads commits on a machine without git, and says what needs one', async () => {
  const place = await openShop();
  const before = refs(place);
  const environment = { PATH: '/nowhere' };
  const shown = await run(place, ['show', 'shop.best', '--at', 'HEAD'], { environment });
  expect([shown.exitCode, shown.stdout]).toEqual([0, `${place.git('show', 'HEAD:views/prod/shop/best.sql')}\n`]);
  const fate = await run(place, ['export', '--json'], { environment });
  expectTold(errorOf(fate), { code: 'GIT_MISSING', exitCode: 65, because: /needs git, and there is no git command/, next: 'Install git' });
  place.git('config', 'core.repositoryFormatVersion', '1');
  place.git('config', 'extensions.refStorage', 'reftable');
  for (const [kind, because] of [
    [environment, 'uses reftable, which can only be read with git itself'],
    [{}, /^The repository uses "refstorage", which this version of git|^"git/],
  ] as const) {
    const { stdout, exitCode } = await run(place, ['status', '--json'], { environment: kind });
    const { error } = JSON.parse(stdout);
    expect([exitCode, error.exitCode]).toEqual([65, 65]);
    expect(error.message).toMatch(because);
  }
  for (const key of ['extensions.refStorage', 'core.repositoryFormatVersion'])
    execFileSync('git', ['config', '--file', join(place.directory, '.git/config'), '--unset', key]);
  expect(refs(place)).toBe(before);
});
