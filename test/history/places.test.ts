import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openHistory } from '../../src/history/open-history.ts';
import { commitFiles, git, someone, temporaryFolder, temporaryRepository, writeFiles } from '../support/repository.ts';

const main = 'refs/heads/main';
const changes = new Map([['v/a.sql', 'A\n']]);
const message = 'prod: 1 view changed';

test('records in a bare repository', async () => {
  const directory = temporaryRepository('--bare');
  const history = await openHistory(directory, someone);
  const first = await history.record({ ref: main, parent: undefined, changes, message });
  const second = await history.record({ ref: main, parent: first, changes: new Map([['v/b.sql', 'B\n']]), message });
  expect([history.root, git(directory, 'ls-tree', '-r', '--name-only', second), await history.head()]).toEqual([
    undefined,
    'v/a.sql\nv/b.sql',
    { branch: main, commit: second },
  ]);
});

test('records in a sha256 repository', async () => {
  const directory = temporaryRepository('--object-format=sha256');
  const history = await openHistory(directory, someone);
  const first = await history.record({ ref: main, parent: undefined, changes, message });
  writeFiles(directory, { 'v/a.sql': 'AA\n' });
  const second = await history.record({ ref: main, parent: first, changes: new Map([['v/a.sql', 'AA\n']]), message });
  expect([second.length, git(directory, 'status', '--porcelain'), git(directory, 'fsck', '--strict', '--no-dangling')]).toEqual([64, '', '']);
});

test('moves a detached HEAD and no branch', async () => {
  const directory = temporaryRepository();
  const parent = commitFiles(directory, { 'a.txt': '1' });
  git(directory, 'checkout', '--quiet', '--detach');
  const history = await openHistory(directory, someone);
  const commit = await history.record({ ref: 'HEAD', parent, changes, message });
  expect([await history.head(), git(directory, 'rev-parse', main), git(directory, 'status', '--porcelain')]).toEqual([{ commit }, parent, '']);
});

test('records in a shallow clone', async () => {
  const origin = temporaryRepository();
  commitFiles(origin, { 'a.txt': '1' });
  commitFiles(origin, { 'a.txt': '2' });
  const directory = join(temporaryFolder(), 'clone');
  git(origin, 'clone', '--quiet', '--depth=1', `file://${origin}`, directory);
  const history = await openHistory(directory, someone);
  const commit = await history.record({ ref: main, parent: await history.tip(main), changes, message });
  expect([await history.tip(main), git(directory, 'status', '--porcelain')]).toEqual([commit, '']);
});

test('records in a linked work tree, and refuses a branch that another one shows', async () => {
  const directory = temporaryRepository();
  const parent = commitFiles(directory, { 'a.txt': '1' });
  const linked = join(temporaryFolder(), 'linked');
  git(directory, 'worktree', 'add', '--quiet', '-b', 'side', linked);
  const there = await openHistory(linked, someone);
  const commit = await there.record({ ref: 'refs/heads/side', parent, changes, message });
  expect([readFileSync(join(linked, 'v/a.sql'), 'utf8'), existsSync(join(directory, 'v')), git(linked, 'status', '--porcelain')]).toEqual(['A\n', false, '']);
  expect(await there.tip('refs/heads/side')).toBe(commit);
  const elsewhere = { code: 'BRANCH_ELSEWHERE', details: { worktree: directory } };
  await expect(there.record({ ref: main, parent, changes, message })).rejects.toMatchObject(elsewhere);
  await expect(there.moveRef(main, commit, parent)).rejects.toMatchObject(elsewhere);
  expect(git(directory, 'rev-parse', main)).toBe(parent);
});

test('records from a subfolder by paths from the root', async () => {
  const directory = temporaryRepository();
  const parent = commitFiles(directory, { 'analytics/x.txt': '1', 'views/y.txt': '1' });
  const history = await openHistory(join(directory, 'analytics'), someone);
  await history.record({
    ref: main,
    parent,
    changes: new Map([
      ['analytics/v/a.sql', 'A\n'],
      ['views/y.txt', '2'],
    ]),
    message,
  });
  expect([readFileSync(join(directory, 'analytics/v/a.sql'), 'utf8'), git(directory, 'status', '--porcelain')]).toEqual(['A\n', '']);
});

test('refuses to record in the middle of a merge', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'a.txt': '1' });
  git(directory, 'switch', '--quiet', '--create', 'side');
  commitFiles(directory, { 'a.txt': '2' });
  git(directory, 'switch', '--quiet', 'main');
  const parent = commitFiles(directory, { 'a.txt': '3' });
  spawnSync('git', ['merge', 'side'], { cwd: directory, env: someone });
  const history = await openHistory(directory, someone);
  await expect(history.record({ ref: main, parent, changes, message })).rejects.toMatchObject({ code: 'MERGE_IN_PROGRESS' });
  expect(await history.record({ ref: 'refs/viewsync/prod', parent: undefined, changes, message })).toMatch(/^[0-9a-f]{40}$/);
});

test('moves the checked-out branch forward with its files, and keeps a dirty one', async () => {
  const directory = temporaryRepository();
  const first = commitFiles(directory, { 'v/a.sql': 'a\n', 'dirty.txt': '1' });
  const second = commitFiles(directory, { 'v/a.sql': 'A\n' });
  git(directory, 'reset', '--quiet', '--hard', first);
  writeFiles(directory, { 'dirty.txt': '2' });
  const history = await openHistory(directory, someone);
  await expect(history.moveRef(main, second, second)).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
  await history.moveRef(main, second, first);
  expect([git(directory, 'rev-parse', main), git(directory, 'status', '--porcelain')]).toEqual([second, ' M dirty.txt']);
  await history.moveRef('refs/heads/new', second, undefined);
  await expect(history.moveRef('refs/heads/new', second, undefined)).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
});

test.each(['../x.sql', '/x.sql', 'v/../x.sql', '.git/config', 'v/.GIT/hooks/x', 'v//x', './x', 'c:/x', 'v\\x', 'git~1/x', 'v/.git./x', 'a\nb'])(
  'writes nothing at the path %j',
  async (path) => {
    const directory = temporaryRepository();
    const history = await openHistory(directory, someone);
    const recording = history.record({ ref: main, parent: undefined, changes: new Map([[path, 'x']]), message });
    await expect(recording).rejects.toMatchObject({ code: 'PATH_UNSAFE' });
    expect(await history.tip(main)).toBeUndefined();
  },
);

test('puts no file in the place of a folder, nor a folder in that of a file', async () => {
  const directory = temporaryRepository();
  const parent = commitFiles(directory, { 'v/a.sql/b': '1', w: '1' });
  const history = await openHistory(directory, someone);
  await expect(history.record({ ref: main, parent, changes, message })).rejects.toMatchObject({ code: 'PATH_TAKEN' });
  await expect(history.record({ ref: main, parent, changes: new Map([['w/a/x.sql', '']]), message })).rejects.toMatchObject({ code: 'PATH_TAKEN' });
});

test('keeps line breaks as they are whatever the user lets git do with them', async () => {
  const directory = temporaryRepository();
  git(directory, 'config', 'core.autocrlf', 'true');
  writeFiles(directory, { '.gitattributes': 'v/** -text\n' });
  const parent = commitFiles(directory, {});
  const history = await openHistory(directory, someone);
  const text = "SELECT 'a\r\nb'\n";
  const commit = await history.record({ ref: main, parent, changes: new Map([['v/a.sql', text]]), message });
  const blobs = await history.reader.readBlobs((await history.reader.listTree(commit, 'v')).values());
  expect([readFileSync(join(directory, 'v/a.sql'), 'utf8'), [...blobs.values()], git(directory, 'status', '--porcelain')]).toEqual([text, [text], '']);
});

test('runs no pre-commit hook, and a reference-transaction hook that declines keeps everything as it was', async () => {
  const directory = temporaryRepository();
  const parent = commitFiles(directory, { 'v/a.sql': 'a\n' });
  const hook = (name: string) => {
    writeFileSync(join(directory, '.git/hooks', name), '#!/bin/sh\nexit 1\n');
    chmodSync(join(directory, '.git/hooks', name), 0o755);
  };
  hook('pre-commit');
  const history = await openHistory(directory, someone);
  const commit = await history.record({ ref: main, parent, changes, message });
  hook('reference-transaction');
  await expect(history.record({ ref: main, parent: commit, changes: new Map([['v/a.sql', 'B\n']]), message })).rejects.toMatchObject({ code: 'GIT_FAILED' });
  expect([readFileSync(join(directory, 'v/a.sql'), 'utf8'), git(directory, 'status', '--porcelain')]).toEqual(['A\n', '']);
});

test('tells the reflog what it did', async () => {
  const directory = temporaryRepository();
  const history = await openHistory(directory, someone);
  await history.record({ ref: main, parent: undefined, changes, message });
  expect(git(directory, 'log', '--walk-reflogs', '--format=%gs', 'main')).toBe(`viewsync: ${message}`);
  expect(git(directory, 'log', '--walk-reflogs', '--format=%gs', 'HEAD')).toBe(`viewsync: ${message}`);
});

test('says how to tell git who makes the commit, and changes nothing', async () => {
  const directory = temporaryRepository();
  const parent = commitFiles(directory, { 'v/a.sql': 'a\n' });
  const { GIT_AUTHOR_NAME: _1, GIT_AUTHOR_EMAIL: _2, GIT_COMMITTER_NAME: _3, GIT_COMMITTER_EMAIL: _4, ...nobody } = someone;
  const useConfigOnly = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'user.useConfigOnly', GIT_CONFIG_VALUE_0: 'true' };
  const history = await openHistory(directory, { ...nobody, ...useConfigOnly });
  const recording = history.record({ ref: main, parent, changes, message });
  await expect(recording).rejects.toMatchObject({
    code: 'GIT_IDENTITY_MISSING',
    suggestions: expect.arrayContaining([expect.stringContaining('git config user.name')]),
  });
  expect([git(directory, 'rev-parse', main), git(directory, 'status', '--porcelain')]).toEqual([parent, '']);
});

const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined;

describe.skipIf(!hasKeygen)(hasKeygen ? 'signing with an ssh key' : 'NOT RUN, ssh-keygen is missing: signing with an ssh key', () => {
  function signing(key: string): string {
    const directory = temporaryRepository();
    for (const [name, value] of [
      ['commit.gpgSign', 'true'],
      ['gpg.format', 'ssh'],
      ['user.signingKey', key],
    ] as const)
      git(directory, 'config', name, value);
    return directory;
  }

  test('signs when commit.gpgSign says so', async () => {
    const key = join(temporaryFolder(), 'key');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ada', '-f', key]);
    const directory = signing(key);
    writeFiles(directory, { '.git/allowed': `ada@example.com ${readFileSync(`${key}.pub`, 'utf8')}` });
    git(directory, 'config', 'gpg.ssh.allowedSignersFile', join(directory, '.git/allowed'));
    const history = await openHistory(directory, someone);
    const commit = await history.record({ ref: main, parent: undefined, changes, message });
    expect(git(directory, 'log', '-1', '--format=%G? %s', commit)).toBe(`G ${message}`);
    expect((await history.reader.readCommit(commit)).subject).toBe(message);
  });

  test('says that the key is missing, and changes nothing', async () => {
    const directory = signing('/nonexistent/key');
    const history = await openHistory(directory, someone);
    await expect(history.record({ ref: main, parent: undefined, changes, message })).rejects.toMatchObject({ code: 'SIGNING_FAILED' });
    expect([await history.tip(main), existsSync(join(directory, 'v'))]).toEqual([undefined, false]);
  });
});
