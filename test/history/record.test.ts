import { readFileSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openHistory } from '../../src/history/open-history.ts';
import { commitFiles, git, someone, temporaryRepository, writeFiles } from '../support/repository.ts';

const main = 'refs/heads/main';

function changes(files: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string | undefined> {
  return new Map(Object.entries(files));
}

function status(directory: string): string {
  return git(directory, 'status', '--porcelain', '--untracked-files=all');
}

describe('record on the branch that is checked out', () => {
  test('makes the first commit of an unborn branch and the files with it', async () => {
    const directory = temporaryRepository();
    const history = await openHistory(directory, someone);
    const commit = await history.record({ ref: main, parent: undefined, changes: changes({ 'views/a/b.sql': 'SELECT 1\n' }), message: 'prod: baseline' });
    expect(await history.head()).toEqual({ branch: main, commit });
    expect(readFileSync(join(directory, 'views/a/b.sql'), 'utf8')).toBe('SELECT 1\n');
    expect(status(directory)).toBe('');
    expect(git(directory, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('changes, adds and deletes its own paths and leaves every staged, dirty and untracked file as it was', async () => {
    const directory = temporaryRepository();
    const parent = commitFiles(directory, { 'v/a.sql': 'a\n', 'v/b.sql': 'b\n', 'staged.txt': '1', 'dirty.txt': '1', 'gone.txt': '1', 'v/unstaged.txt': '1' });
    writeFiles(directory, { 'staged.txt': '2', 'dirty.txt': '2', 'v/new.txt': 'n', 'v/unstaged.txt': '2', 'both.txt': '1' });
    git(directory, 'add', 'staged.txt', 'both.txt');
    git(directory, 'rm', '--quiet', '--cached', 'gone.txt');
    writeFiles(directory, { 'both.txt': '2' });
    const before = status(directory);
    const history = await openHistory(directory, someone);
    const commit = await history.record({
      ref: main,
      parent,
      changes: changes({ 'v/a.sql': 'A\n', 'v/b.sql': undefined, 'v/ä "c".sql': 'c\n' }),
      message: 'prod: 1 view changed',
    });
    expect(status(directory)).toBe(before);
    expect(git(directory, '-c', 'core.quotePath=false', 'show', '--format=%s', '--name-status', commit)).toBe(
      'prod: 1 view changed\n\nM\tv/a.sql\nD\tv/b.sql\nA\t"v/ä \\"c\\".sql"',
    );
    expect(git(directory, 'fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('takes over a file whose bytes are already the new ones, and an absent one that is to be deleted', async () => {
    const directory = temporaryRepository();
    const parent = commitFiles(directory, { 'v/a.sql': 'a\n', 'v/b.sql': 'b\n', 'v/c.sql': 'c\n' });
    writeFiles(directory, { 'v/a.sql': 'A\n', 'v/new.sql': 'n\n' });
    rmSync(join(directory, 'v/b.sql'));
    const history = await openHistory(directory, someone);
    await history.record({
      ref: main,
      parent,
      changes: changes({ 'v/a.sql': 'A\n', 'v/new.sql': 'n\n', 'v/b.sql': undefined, 'v/c.sql': 'C\n' }),
      message: 'm',
    });
    expect(status(directory)).toBe('');
  });

  test('writes over a file that only looks edited, since it was copied or written again with the same bytes', async () => {
    const directory = temporaryRepository();
    const parent = commitFiles(directory, { 'v/a.sql': 'a\n', 'v/b.sql': 'b\n' });
    for (const path of ['v/a.sql', 'v/b.sql']) utimesSync(join(directory, path), 1, 1);
    const history = await openHistory(directory, someone);
    await history.record({ ref: main, parent, changes: changes({ 'v/a.sql': 'A\n', 'v/b.sql': undefined }), message: 'm' });
    expect([status(directory), git(directory, 'ls-files')]).toEqual(['', 'v/a.sql']);
  });

  test.each([
    ['edited', { 'v/a.sql': 'mine\n' }, 'v/a.sql'],
    ['untracked', { 'v/new.sql': 'mine\n' }, 'v/new.sql'],
    ['ignored', { '.gitignore': 'new.sql\n', 'v/new.sql': 'mine\n' }, 'v/new.sql'],
  ])('refuses an %s file with other bytes by name and changes nothing', async (_, files, path) => {
    const directory = temporaryRepository();
    const parent = commitFiles(directory, { 'v/a.sql': 'a\n', 'v/b.sql': 'b\n' });
    writeFiles(directory, { ...files, 'v/b.sql': 'B\n' });
    const before = status(directory);
    const history = await openHistory(directory, someone);
    const recording = history.record({ ref: main, parent, changes: changes({ 'v/a.sql': 'A\n', 'v/b.sql': 'B\n', 'v/new.sql': 'n\n' }), message: 'm' });
    await expect(recording).rejects.toMatchObject({ code: 'PATH_TAKEN', details: { path } });
    expect(status(directory)).toBe(before);
    expect(git(directory, 'rev-parse', main)).toBe(parent);
  });

  test('refuses a tip that has moved and leaves files, index and branch alone', async () => {
    const directory = temporaryRepository();
    const parent = commitFiles(directory, { 'v/a.sql': 'a\n' });
    const tip = commitFiles(directory, { 'v/b.sql': 'b\n' });
    const history = await openHistory(directory, someone);
    const recording = history.record({ ref: main, parent, changes: changes({ 'v/a.sql': 'A\n' }), message: 'm' });
    await expect(recording).rejects.toMatchObject({ code: 'BRANCH_MOVED' });
    expect([status(directory), git(directory, 'rev-parse', main)]).toEqual(['', tip]);
  });

  test('writes a commit also when nothing changes', async () => {
    const directory = temporaryRepository();
    const parent = commitFiles(directory, { 'v/a.sql': 'a\n' });
    const history = await openHistory(directory, someone);
    const commit = await history.record({ ref: main, parent, changes: changes({ 'v/a.sql': 'a\n' }), message: 'm' });
    expect(git(directory, 'rev-parse', `${commit}^{tree}`)).toBe(git(directory, 'rev-parse', `${parent}^{tree}`));
  });
});

test('a ref that is not checked out moves without the work tree', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'v/a.sql': 'a\n' });
  const history = await openHistory(directory, someone);
  const ref = 'refs/viewsync/prod';
  const first = await history.record({ ref, parent: undefined, changes: changes({ 'v/x.sql': 'x\n' }), message: 'live' });
  const second = await history.record({ ref, parent: first, changes: changes({}), message: 'started\n\nViewsync-Run: 1' });
  expect([await history.tip(ref), status(directory)]).toEqual([second, '']);
  expect((await Array.fromAsync(history.listCarriers(second, { key: 'Viewsync-Run', value: '1' }))).map(({ id }) => id)).toEqual([second]);
  expect(git(directory, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\nrefs/viewsync/prod');
});
