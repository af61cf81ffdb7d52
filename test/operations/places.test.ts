import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDatabase } from '../support/postgres-server.ts';
import { commitFiles, git, temporaryFolder, temporaryRepository, writeFiles } from '../support/repository.ts';
import { drift, liveText, openTeam, shop, states } from '../support/team.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const push = { push: 'push' } as const;
const live = 'refs/viewsync/prod';

async function openShop(directory: string): Promise<Workplace> {
  const database = await createDatabase();
  await database.query(shop);
  return openWorkplace({ database, directory, target: { options: { url: database.url } } });
}

/** Export, drift, export, apply an older commit, roll back: nothing is left to do, and every object is whole. */
async function holdTheJob(place: Workplace): Promise<void> {
  await place.export();
  await drift(place, 5);
  expect((await place.export()).subject).toBe('prod: 1 view changed');
  await place.apply('HEAD~1');
  expect(await liveText(place, 'shop.ids')).toContain('> 0');
  await place.rollback();
  expect([await liveText(place, 'shop.ids'), await states(place)]).toEqual([expect.stringContaining('> 5'), {}]);
  expect((await place.export()).commit).toBeUndefined();
  expect(place.git('rev-parse', `${live}:views/prod/shop`)).toBe(place.git('rev-parse', 'HEAD:views/prod/shop'));
  expect(place.git('fsck', '--strict', '--no-dangling')).toBe('');
}

describe('the whole job', () => {
  test('in a bare repository', async () => {
    const place = await openShop(temporaryRepository('--bare'));
    await holdTheJob(place);
    expectTold(await place.export({ commit: 'files only' }).catch((error) => error), { code: 'USAGE', exitCode: 64, because: 'bare', next: /\w/ });
  });

  test("in a dirty one: the user's staged, dirty and untracked files stay as they are", async () => {
    const directory = temporaryRepository();
    commitFiles(directory, { 'staged.txt': '1\n', 'dirty.txt': '1\n', 'views/prod/notes.md': 'notes\n' });
    writeFiles(directory, { 'staged.txt': '2\n', 'dirty.txt': '2\n', 'untracked.txt': '2\n', 'views/prod/notes.md': 'mine\n' });
    git(directory, 'add', 'staged.txt');
    const before = git(directory, 'status', '--porcelain');
    const place = await openShop(directory);
    await holdTheJob(place);
    expect(place.git('status', '--porcelain')).toBe(before);
    expect(place.git('log', '--format=%s', '--', 'staged.txt', 'dirty.txt', 'views/prod/notes.md').split('\n')).toHaveLength(1);
    expect(readFileSync(join(directory, 'views/prod/notes.md'), 'utf8')).toBe('mine\n');
  });

  test('on a detached HEAD, which moves while no branch does', async () => {
    const directory = temporaryRepository();
    const first = commitFiles(directory, { 'a.txt': '1\n' });
    git(directory, 'checkout', '--quiet', '--detach');
    const place = await openShop(directory);
    await holdTheJob(place);
    expect([place.git('rev-parse', 'main'), place.git('status', '--porcelain')]).toEqual([first, '']);
  });

  test('in a linked work tree, while the main one stays as it is', async () => {
    const directory = temporaryRepository();
    const first = commitFiles(directory, { 'a.txt': '1\n' });
    const linked = join(temporaryFolder(), 'linked');
    git(directory, 'worktree', 'add', '--quiet', '-b', 'side', linked);
    const place = await openShop(linked);
    await holdTheJob(place);
    expect([git(directory, 'rev-parse', 'main'), git(directory, 'status', '--porcelain')]).toEqual([first, '']);
    expect(git(directory, 'rev-parse', live)).toBe(place.git('rev-parse', live));
  });

  test('with signed commits, on both lines', async () => {
    const directory = temporaryRepository();
    const key = join(temporaryFolder(), 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    for (const [name, value] of [
      ['gpg.format', 'ssh'],
      ['user.signingKey', key],
      ['commit.gpgSign', 'true'],
    ] as const)
      git(directory, 'config', name, value);
    const place = await openShop(directory);
    await holdTheJob(place);
    const commits = place.git('rev-list', 'HEAD', live).split('\n');
    expect(commits.filter((commit) => !place.git('cat-file', 'commit', commit).includes('\ngpgsig '))).toEqual([]);
  });

  test('with hooks that would refuse a commit of a person', async () => {
    const directory = temporaryRepository();
    for (const hook of ['pre-commit', 'commit-msg', 'post-commit']) {
      writeFileSync(join(directory, '.git/hooks', hook), '#!/bin/sh\nexit 1\n');
      chmodSync(join(directory, '.git/hooks', hook), 0o755);
    }
    await holdTheJob(await openShop(directory));
  });
});

test('a pre-push hook that refuses is named, everything stays here, and the next export pushes it', async () => {
  const team = await openTeam();
  const place = await team.machine();
  const hook = join(place.directory, '.git/hooks/pre-push');
  writeFileSync(hook, '#!/bin/sh\necho not on a Friday >&2\nexit 1\n');
  chmodSync(hook, 0o755);
  expectTold(await place.export(push).catch((error) => error), { code: 'REMOTE_FAILED', exitCode: 69, because: /not pushed.*not on a Friday/s, next: /\w/ });
  expect(place.git('log', '-1', '--format=%s')).toBe('prod: baseline, 3 views');
  writeFileSync(hook, '#!/bin/sh\n');
  expect(await place.export(push)).toMatchObject({ pushed: true });
  expect(git(team.remote, 'rev-parse', 'main')).toBe(place.git('rev-parse', 'HEAD'));
});

test('a push from a detached HEAD needs the name of a branch, and HEAD follows', async () => {
  const team = await openTeam();
  const place = await team.machine();
  place.git('checkout', '--quiet', '--detach');
  const refs = place.git('for-each-ref');
  expectTold(await place.export(push).catch((error) => error), { code: 'USAGE', exitCode: 64, because: /detached|HEAD/, next: '--branch main' });
  expect(place.git('for-each-ref')).toBe(refs);
  expect(await place.export({ ...push, pushedBranch: 'main' })).toMatchObject({ pushed: true, branch: 'refs/heads/main', notes: [] });
  expect([git(team.remote, 'rev-parse', 'main'), place.git('status', '--porcelain')]).toEqual([place.git('rev-parse', 'HEAD'), '']);
  place.git('switch', '--quiet', 'main');
  expectTold(await place.export({ ...push, pushedBranch: 'other' }).catch((error) => error), { code: 'USAGE', exitCode: 64, because: 'main', next: /\w/ });
});
