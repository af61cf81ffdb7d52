import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { openHistory } from '../../src/history/open-history.ts';
import { commitFiles, git, someone, temporaryRepository } from '../support/repository.ts';

test('finds the newest ancestor with the trailer, and not a line that looks like one', async () => {
  const directory = temporaryRepository();
  const old = commitFiles(directory, {}, 'One\n\nViewsync-Live: aaa');
  const newer = commitFiles(directory, {}, 'Two\n\nWords.\n\nViewsync-Target: prod\nviewsync-live: bbb\n(cherry picked from commit 1234)');
  const tip = commitFiles(directory, {}, 'Three\n\nViewsync-Live: ccc\nis only text.\n\nThe end.');
  const history = await openHistory(directory, someone);
  expect(await history.findTrailer(tip, 'Viewsync-Live')).toEqual({ commit: newer, value: 'bbb' });
  expect(await history.findTrailer(tip, 'Viewsync-Live', { 'Viewsync-Target': 'other' })).toBeUndefined();
  expect(await history.findTrailer(old, 'Viewsync-Live')).toEqual({ commit: old, value: 'aaa' });
  expect(await history.findTrailer(tip, 'Absent')).toBeUndefined();
});

test('goes by ancestry and never by clocks', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, {}, 'Old\n\nViewsync-Live: old');
  const future = { ...someone, GIT_COMMITTER_DATE: '2040-01-01T00:00:00Z' };
  execFileSync('git', ['commit', '--quiet', '--amend', '--no-edit', '--allow-empty'], { cwd: directory, env: future });
  const tip = commitFiles(directory, {}, 'New\n\nViewsync-Live: new');
  const history = await openHistory(directory, someone);
  expect(await history.findTrailer(tip, 'Viewsync-Live')).toEqual({ commit: tip, value: 'new' });
});

test.each([
  ['git', someone],
  ['no git', { ...someone, PATH: '/nonexistent' }],
])('says fetch-depth: 0 when a shallow clone ends before the trailer, with %s', async (_, environment) => {
  const origin = temporaryRepository();
  commitFiles(origin, {}, 'One\n\nViewsync-Live: aaa');
  commitFiles(origin, {}, 'Two');
  const directory = temporaryRepository();
  git(directory, 'fetch', '--quiet', '--depth=1', `file://${origin}`, 'main:copy');
  const history = await openHistory(directory, environment);
  const failure = await history.findTrailer(git(directory, 'rev-parse', 'copy'), 'Viewsync-Live').catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'SHALLOW_HISTORY' });
  expect((failure as { suggestions: string[] }).suggestions.join()).toContain('fetch-depth: 0');
});

test('searches 10,000 commits within two seconds', async () => {
  const directory = temporaryRepository();
  const commit = (number: number) => {
    const message = number === 0 ? 'First\n\nViewsync-Live: aaa' : `Commit ${number}`;
    return `commit refs/heads/main\ncommitter Ada <ada@example.com> ${1_700_000_000 + number} +0000\ndata ${message.length}\n${message}\n`;
  };
  execFileSync('git', ['fast-import', '--quiet'], { cwd: directory, input: Array.from({ length: 10_000 }, (_, number) => commit(number)).join('') });
  const history = await openHistory(directory, someone);
  const start = performance.now();
  expect(await history.findTrailer(git(directory, 'rev-parse', 'main'), 'Viewsync-Live')).toMatchObject({ value: 'aaa' });
  expect(performance.now() - start).toBeLessThan(2000);
});
