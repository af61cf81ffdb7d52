import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openHistory } from '../../src/history/open-history.ts';
import { commitFiles, git, someone, temporaryRepository, writeFiles } from '../support/repository.ts';

const main = 'refs/heads/main';

function startRecorder(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, 'recorder.ts'), ...args], { env: someone, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
}

function childrenOf({ pid }: ChildProcess): readonly number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' }).split('\n');
  return rows.flatMap((row) => {
    const [parent, child] = row.trim().split(/\s+/).map(Number);
    return parent === pid && child !== undefined ? [child] : [];
  });
}

/** It may have ended already. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    expect(error).toMatchObject({ code: 'ESRCH' });
  }
}

test.each([main, 'refs/viewsync/prod'])('three processes that record on %s at once lose nothing', async (ref) => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'dirty.txt': '1' });
  writeFiles(directory, { 'dirty.txt': '2' });
  const names = ['a', 'b', 'c'];
  const codes = await Promise.all(names.map(async (name) => (await once(startRecorder(directory, ref, name, '6'), 'exit'))[0] as number));
  expect(codes).toEqual([0, 0, 0]);
  const files = git(directory, 'ls-tree', '-r', '--name-only', ref, 'views/').split('\n');
  expect(files).toEqual(names.flatMap((name) => [0, 1, 2, 3, 4, 5].map((number) => `views/${name}-${number}-0.sql`)));
  expect(git(directory, 'status', '--porcelain')).toBe(' M dirty.txt');
  expect(git(directory, 'fsck', '--strict', '--no-dangling')).toBe('');
});

test('a process that is killed while it records leaves a consistent repository, and the next run can write something else', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'dirty.txt': '1' });
  writeFiles(directory, { 'dirty.txt': '2' });
  for (let round = 0; round < 8; round += 1) {
    const child = startRecorder(directory, main, 'v', '1', '300', `killed ${round}`);
    await wait(190 + round * 15);
    // With its gits in even rounds, alone in odd ones.
    for (const pid of [...(round % 2 === 0 ? childrenOf(child) : []), child.pid ?? 0]) kill(pid);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await wait(100);
    expect(git(directory, 'fsck', '--strict', '--no-dangling')).toBe('');
    if (round % 2 === 0) removeLocks(directory);
    expect((await once(startRecorder(directory, main, 'v', '1', '300', `next ${round}`), 'exit'))[0]).toBe(0);
    expect(git(directory, 'status', '--porcelain')).toBe(' M dirty.txt');
    expect(git(directory, 'show', 'HEAD:views/v-0-299.sql')).toBe(`v 0 299 next ${round}`);
    expect(git(directory, 'for-each-ref', '--format=%(refname)')).toBe(main);
  }
}, 120_000);

test('what a run left behind that was killed before the branch moved is no edit, and an edit made since is kept', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'views/v-0-0.sql': 'old\n', 'views/v-0-1.sql': 'old\n', 'views/else.sql': 'old\n' });
  writeFiles(directory, {
    'views/v-0-2.sql': 'v 0 2 text\n',
    '.git/hooks/post-index-change': '#!/bin/sh\n[ "$1" = 1 ] || exit 0\nuntil [ -s recorder ]; do sleep 0.01; done\nkill -9 $(cat recorder) 0\n',
  });
  chmodSync(join(directory, '.git/hooks/post-index-change'), 0o755);
  const recorder = startRecorder(directory, main, 'v', '1', '4', 'text');
  writeFiles(directory, { recorder: String(recorder.pid) });
  await once(recorder, 'exit');
  for (const file of ['recorder', '.git/hooks/post-index-change']) rmSync(join(directory, file));
  removeLocks(directory);
  expect(git(directory, 'status', '--porcelain').split('\n')).toHaveLength(4);
  writeFiles(directory, { 'views/v-0-1.sql': 'mine\n' });
  const history = await openHistory(directory, someone);
  expect(await history.listEdited('views')).toEqual([
    { path: 'views/v-0-1.sql', text: 'mine\n', isTracked: true },
    { path: 'views/v-0-2.sql', text: 'v 0 2 text\n', isTracked: false },
  ]);
});

/** What GIT_BUSY tells the user to do after a kill -9 of git itself. */
function removeLocks(directory: string): void {
  const locks = readdirSync(join(directory, '.git'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.lock'));
  for (const lock of locks) rmSync(join(directory, '.git', lock));
}

test('a lock that another git left behind is named, and nothing changes', async () => {
  const directory = temporaryRepository();
  const parent = commitFiles(directory, { 'v/a.sql': 'a\n' });
  writeFiles(directory, { '.git/index.lock': '' });
  const history = await openHistory(directory, someone);
  const recording = history.record({ ref: main, parent, changes: new Map([['v/a.sql', 'A\n']]), message: 'm' });
  await expect(recording).rejects.toMatchObject({ code: 'GIT_BUSY', message: expect.stringContaining('index.lock') });
  rmSync(join(directory, '.git/index.lock'));
  expect([git(directory, 'rev-parse', main), git(directory, 'status', '--porcelain'), readFileSync(join(directory, 'v/a.sql'), 'utf8')]).toEqual([
    parent,
    '',
    'a\n',
  ]);
});
