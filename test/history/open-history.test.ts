import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ViewsyncError } from '../../src/errors.ts';
import { openHistory } from '../../src/history/open-history.ts';
import { commitFiles, git, someone, temporaryFolder, temporaryRepository, writeFiles } from '../support/repository.ts';
import { expectTold } from '../support/told.ts';

const noGit = { ...someone, PATH: '/nonexistent' };
const oneView = new Map([['views/a.sql', 'A\n']]);

test.each([
  ['git', someone],
  ['no git', noGit],
])('says which folder is in no repository, with %s', async (_, environment) => {
  const failure = await openHistory(temporaryFolder(), environment).catch((error: ViewsyncError) => error);
  expect(failure).toMatchObject({ code: 'NOT_A_REPOSITORY', exitCode: 65, suggestions: ['git init', 'viewsync init'] });
});

test('says that a folder does not exist', async () => {
  await expect(openHistory(join(temporaryFolder(), 'absent'), someone)).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' });
});

test.each([
  ['git', someone],
  ['no git', noGit],
])('knows the root, the subfolder and the branch, with %s', async (_, environment) => {
  const directory = temporaryRepository();
  const unborn = await openHistory(directory, environment);
  expect([unborn.root, unborn.prefix, await unborn.head(), await unborn.tip('refs/heads/main')]).toEqual([
    directory,
    '',
    { branch: 'refs/heads/main' },
    undefined,
  ]);
  const commit = commitFiles(directory, { 'analytics/warehouse/x.txt': '1' });
  const history = await openHistory(join(directory, 'analytics/warehouse'), environment);
  expect([history.root, history.prefix]).toEqual([directory, 'analytics/warehouse']);
  expect([await history.head(), await history.tip('refs/heads/main')]).toEqual([{ branch: 'refs/heads/main', commit }, commit]);
  git(directory, 'checkout', '--quiet', '--detach');
  expect(await history.head()).toEqual({ commit });
});

test('finds its repository whatever GIT_DIR says', async () => {
  const directory = temporaryRepository();
  const other = temporaryRepository();
  const history = await openHistory(directory, { ...someone, GIT_DIR: join(other, '.git'), GIT_INDEX_FILE: join(other, '.git/index') });
  expect(history.root).toBe(directory);
});

test('finds ancestors and trailers without git, and refuses to write', async () => {
  const directory = temporaryRepository();
  const first = commitFiles(directory, { 'a.txt': '1' }, 'First\n\nViewsync-Live: 1\nViewsync-Target: prod');
  const second = commitFiles(directory, { 'a.txt': '2' }, 'Second\n\nViewsync-Live: 2\nViewsync-Target: other');
  const history = await openHistory(directory, noGit);
  expect([await history.isAncestor(first, second), await history.isAncestor(second, first)]).toEqual([true, false]);
  const carriers = await Array.fromAsync(history.listCarriers(second, { key: 'Viewsync-Target', value: 'prod' }));
  expect(carriers.map(({ id }) => id)).toEqual([first]);
  const recording = history.record({ ref: 'refs/heads/main', parent: second, changes: oneView, message: 'm' });
  await expect(recording).rejects.toMatchObject({ code: 'GIT_MISSING' });
});

test('says what of a repository cannot be read without git: sha256, reftable, objects that are elsewhere or nowhere', async () => {
  const failure = (directory: string) => openHistory(directory, noGit).catch((error: unknown) => error);
  const told = (because: string) => ({ code: 'GIT_MISSING', exitCode: 65, because, next: 'Install git' }) as const;
  expectTold(await failure(temporaryRepository('--object-format=sha256')), told('This repository uses sha256, which can only be read with git itself'));
  const directory = temporaryRepository();
  const commit = commitFiles(directory, { 'a.txt': '1' });
  const borrowing = temporaryFolder();
  git(borrowing, 'clone', '--quiet', '--shared', directory, 'clone');
  expectTold(await failure(join(borrowing, 'clone')), told('uses objects of another one (objects/info/alternates)'));
  const blob = git(directory, 'rev-parse', 'HEAD:a.txt');
  rmSync(join(directory, '.git/objects', blob.slice(0, 2), blob.slice(2)));
  const { reader } = await openHistory(directory, noGit);
  const [[path, id] = []] = await reader.listTree(commit, '');
  expect([path, id]).toEqual(['a.txt', blob]);
  expectTold(await reader.readBlobs([blob]).catch((error: unknown) => error), told(`The object ${blob} is not in this clone`));
  writeFileSync(join(directory, '.git/config'), '[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n');
  expectTold(await failure(directory), told('This repository uses reftable'));
});

test('lists what differs from HEAD below a folder, with the text in the work tree', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'v/dirty.sql': '1', 'v/staged.sql': '1', 'v/gone.sql': '1', 'v/same.sql': '1', 'else.txt': '1', 'v/removed.sql': '1' });
  writeFiles(directory, { 'v/dirty.sql': '2', 'v/staged.sql': '2', 'v/ü "n" /\t.sql': 'n', 'else.txt': '2', 'v/added.sql': 'a', 'v*/x': 'literal' });
  git(directory, 'add', 'v/staged.sql', 'v/added.sql');
  git(directory, 'rm', '--quiet', 'v/removed.sql');
  git(directory, 'rm', '--quiet', 'v/gone.sql');
  const history = await openHistory(directory, someone);
  const edited = await history.listEdited('v');
  expect(edited.toSorted((one, other) => (one.path < other.path ? -1 : 1))).toEqual([
    { path: 'v/added.sql', text: 'a', isTracked: true },
    { path: 'v/dirty.sql', text: '2', isTracked: true },
    { path: 'v/gone.sql', text: undefined, isTracked: true },
    { path: 'v/removed.sql', text: undefined, isTracked: true },
    { path: 'v/staged.sql', text: '2', isTracked: true },
    { path: 'v/ü "n" /\t.sql', text: 'n', isTracked: false },
  ]);
  expect((await history.listEdited('')).map((file) => file.path)).toContain('else.txt');
  expect(await history.listEdited('absent')).toEqual([]);
});

test('lists nothing as edited in a bare repository', async () => {
  expect(await (await openHistory(temporaryRepository('--bare'), someone)).listEdited('')).toEqual([]);
});
