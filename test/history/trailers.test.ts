import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { openHistory } from '../../src/history/open-history.ts';
import { commitFiles, git, someone, temporaryRepository } from '../support/repository.ts';

const line = (value: string) => ({ key: 'Viewsync-Target', value });

async function carriers(directory: string, from: string, value: string): Promise<readonly string[]> {
  const history = await openHistory(directory, someone);
  return (await Array.fromAsync(history.listCarriers(from, line(value)))).map(({ subject }) => subject);
}

test('lists the commits that carry the line, newest first, wherever in the message a squash has put it', async () => {
  const directory = temporaryRepository();
  const old = commitFiles(directory, {}, 'One\n\nViewsync-Target: prod');
  commitFiles(directory, {}, 'Two\n\nWords.\n\nviewsync-target: prod\n(cherry picked from commit 1234)');
  commitFiles(directory, {}, 'Three (#3)\n\n* One more\n\nViewsync-Target: prod\n\n* Another\n\nCo-authored-by: Bob <bob@example.com>');
  commitFiles(directory, {}, 'Four\n\nSquashed commit of the following:\n\n    prod: 1 view\n\n    Viewsync-Target: prod');
  const tip = commitFiles(directory, {}, 'Five\n\nThe text Viewsync-Target: prod in a sentence.\n\nViewsync-Target: production');
  expect(await carriers(directory, tip, 'prod')).toEqual(['Four', 'Three (#3)', 'Two', 'One']);
  expect(await carriers(directory, tip, 'production')).toEqual(['Five']);
  expect(await carriers(directory, old, 'prod')).toEqual(['One']);
  expect(await carriers(directory, tip, 'p.od')).toEqual([]);
});

test('whoever stops at the first leaves no git behind that waits to be read', async () => {
  const directory = temporaryRepository();
  const tip =
    Array.from({ length: 8 }, (_, index) => commitFiles(directory, {}, `Number ${index}\n\n${'words '.repeat(10_000)}\n\nViewsync-Target: prod`)).at(-1) ?? '';
  const history = await openHistory(directory, someone);
  for await (const { subject } of history.listCarriers(tip, line('prod'))) {
    expect(subject).toBe('Number 7');
    break;
  }
  await expect.poll(() => process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap')).toEqual([]);
});

test('goes by ancestry and never by clocks', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, {}, 'Old\n\nViewsync-Target: prod');
  const future = { ...someone, GIT_COMMITTER_DATE: '2040-01-01T00:00:00Z' };
  execFileSync('git', ['commit', '--quiet', '--amend', '--no-edit', '--allow-empty'], { cwd: directory, env: future });
  const tip = commitFiles(directory, {}, 'New\n\nViewsync-Target: prod');
  expect(await carriers(directory, tip, 'prod')).toEqual(['New', 'Old']);
});

test.each([
  ['git', someone],
  ['no git', { ...someone, PATH: '/nonexistent' }],
])('says fetch-depth: 0 when a shallow clone ends before the trailer, with %s', async (_, environment) => {
  const origin = temporaryRepository();
  commitFiles(origin, {}, 'One\n\nViewsync-Target: prod');
  commitFiles(origin, {}, 'Two');
  const directory = temporaryRepository();
  git(directory, 'fetch', '--quiet', '--depth=1', `file://${origin}`, 'main:copy');
  const history = await openHistory(directory, environment);
  const failure = await Array.fromAsync(history.listCarriers(git(directory, 'rev-parse', 'copy'), line('prod'))).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'SHALLOW_HISTORY' });
  expect((failure as { suggestions: string[] }).suggestions.join()).toContain('fetch-depth: 0');
});

test('searches 10,000 commits within two seconds', async () => {
  const directory = temporaryRepository();
  const commit = (number: number) => {
    const message = number === 0 ? 'First\n\nViewsync-Target: prod' : `Commit ${number}`;
    return `commit refs/heads/main\ncommitter Ada <ada@example.com> ${1_700_000_000 + number} +0000\ndata ${message.length}\n${message}\n`;
  };
  execFileSync('git', ['fast-import', '--quiet'], { cwd: directory, input: Array.from({ length: 10_000 }, (_, number) => commit(number)).join('') });
  const start = performance.now();
  expect(await carriers(directory, git(directory, 'rev-parse', 'main'), 'prod')).toEqual(['First']);
  expect(performance.now() - start).toBeLessThan(2000);
});
