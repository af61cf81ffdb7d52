import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ViewsyncError } from '../../src/errors.ts';
import { openHistory } from '../../src/history/open-history.ts';
import { commitFiles, git, someone, temporaryRepository } from '../support/repository.ts';

const main = 'refs/heads/main';
const live = 'refs/viewsync/prod';

/** A bare remote, and a repository that has it as `origin` and has pushed its first commit there. */
function cloned(): { readonly remote: string; readonly directory: string; readonly first: string } {
  const remote = temporaryRepository('--bare');
  const directory = temporaryRepository();
  const first = commitFiles(directory, { 'a.txt': '1' });
  git(directory, 'remote', 'add', 'origin', `file://${remote}`);
  git(directory, 'push', '--quiet', 'origin', 'main');
  return { remote, directory, first };
}

test('pushes branch and live line together', async () => {
  const { remote, directory } = cloned();
  const commit = commitFiles(directory, { 'a.txt': '2' });
  const history = await openHistory(directory, someone);
  expect(
    await history.push('origin', [
      { ref: main, commit },
      { ref: live, commit },
    ]),
  ).toBe('pushed');
  expect([git(remote, 'rev-parse', main), git(remote, 'rev-parse', live)]).toEqual([commit, commit]);
});

test('moves neither when one of them is ahead on the remote, and says so', async () => {
  const { remote, directory, first } = cloned();
  const other = temporaryRepository();
  git(other, 'pull', '--quiet', `file://${remote}`, 'main');
  const theirs = commitFiles(other, { 'b.txt': '1' });
  git(other, 'push', '--quiet', `file://${remote}`, `HEAD:${main}`);
  const commit = commitFiles(directory, { 'a.txt': '2' });
  const history = await openHistory(directory, someone);
  expect(
    await history.push('origin', [
      { ref: live, commit },
      { ref: main, commit },
    ]),
  ).toBe('moved');
  expect(git(remote, 'for-each-ref', '--format=%(refname) %(objectname)')).toBe(`${main} ${theirs}`);
  expect(await history.fetch({ remote: 'origin', refs: [main] })).toEqual(new Map([[main, theirs]]));
  expect(await history.push('origin', [{ ref: main, commit }])).toBe('moved');
  expect(await history.isAncestor(first, theirs)).toBe(true);
});

test('says that the remote moved when it moves between the look and the push', async () => {
  const { remote, directory } = cloned();
  // The hook stands for a faster colleague: the remote's branch moves after our git has seen it.
  const tree = git(remote, 'rev-parse', 'main^{tree}');
  const faster = git(remote, 'commit-tree', '-m', 'faster', '-p', 'main', tree);
  const hook = join(directory, '.git/hooks/pre-push');
  writeFileSync(hook, `#!/bin/sh\ngit -C "${remote}" update-ref ${main} ${faster}\n`);
  chmodSync(hook, 0o755);
  const commit = commitFiles(directory, { 'a.txt': '2' });
  const history = await openHistory(directory, someone);
  expect(
    await history.push('origin', [
      { ref: live, commit },
      { ref: main, commit },
    ]),
  ).toBe('moved');
  expect(git(remote, 'for-each-ref', '--format=%(refname) %(objectname)')).toBe(`${main} ${faster}`);
});

test('a hook of the remote that declines is a failure and not a move', async () => {
  const { remote, directory } = cloned();
  const hook = join(remote, 'hooks/pre-receive');
  writeFileSync(hook, '#!/bin/sh\necho protected branch >&2\nexit 1\n');
  chmodSync(hook, 0o755);
  const commit = commitFiles(directory, { 'a.txt': '2' });
  const failure = await (await openHistory(directory, someone)).push('origin', [{ ref: main, commit }]).catch((error: ViewsyncError) => error);
  expect(failure).toMatchObject({ code: 'REMOTE_FAILED', message: expect.stringContaining('hook declined') });
});

test("fetches to its own refs and leaves the user's alone", async () => {
  const { remote, directory, first } = cloned();
  git(remote, 'update-ref', live, first);
  const history = await openHistory(directory, someone);
  expect(await history.fetch({ remote: 'origin', refs: [main, live, 'refs/heads/absent'] })).toEqual(
    new Map([
      [main, first],
      [live, first],
    ]),
  );
  expect(git(directory, 'for-each-ref', '--format=%(refname)').split('\n')).toEqual([
    main,
    'refs/remotes/origin/main',
    'refs/viewsync-remote/origin/heads/main',
    'refs/viewsync-remote/origin/viewsync/prod',
  ]);
  expect(await history.fetch({ remote: 'origin', refs: ['refs/heads/absent'] })).toEqual(new Map());
});

test('brings the whole history to a shallow clone', async () => {
  const { remote, directory } = cloned();
  const tip = commitFiles(directory, { 'a.txt': '2' });
  git(directory, 'push', '--quiet', 'origin', 'main');
  const shallow = `${temporaryRepository()}/shallow`;
  git(directory, 'clone', '--quiet', '--depth=1', `file://${remote}`, shallow);
  const history = await openHistory(shallow, someone);
  await history.fetch({ remote: 'origin', refs: [main] });
  expect((await Array.fromAsync(history.reader.listCommits({ from: tip }))).length).toBe(2);
});

test('names the remote that cannot be reached, without the password in its address', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'a.txt': '1' });
  git(directory, 'remote', 'add', 'origin', 'https://ada:s3cr3t@localhost:9/shop.git');
  const history = await openHistory(directory, someone);
  const failure = await history.fetch({ remote: 'origin', refs: [main] }).catch((error: ViewsyncError) => error);
  expect(failure).toMatchObject({ code: 'REMOTE_FAILED', exitCode: 69, message: expect.stringContaining('"origin"') });
  expect(JSON.stringify(failure) + String((failure as ViewsyncError).message) + String((failure as ViewsyncError).cause)).not.toContain('s3cr3t');
  await expect(history.push('nowhere', [])).rejects.toMatchObject({ code: 'REMOTE_FAILED' });
});

test("the remote is the branch's own, else origin, else none", async () => {
  const directory = temporaryRepository();
  const history = await openHistory(directory, someone);
  expect(await history.remoteOf(main)).toBeUndefined();
  git(directory, 'remote', 'add', 'origin', 'file:///nowhere');
  git(directory, 'remote', 'add', 'fork', 'file:///nowhere');
  expect([await history.remoteOf(main), await history.remoteOf(undefined)]).toEqual(['origin', 'origin']);
  git(directory, 'config', 'branch.main.remote', 'fork');
  expect(await history.remoteOf(main)).toBe('fork');
  git(directory, 'config', 'branch.main.remote', '.');
  expect(await history.remoteOf(main)).toBe('origin');
});

test('passes the settings of the environment on to git', async () => {
  const { remote, directory, first } = cloned();
  const settings = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: `url.file://${remote}.insteadOf`, GIT_CONFIG_VALUE_0: 'company:shop' };
  git(directory, 'remote', 'set-url', 'origin', 'company:shop');
  const history = await openHistory(directory, { ...someone, ...settings });
  expect(await history.fetch({ remote: 'origin', refs: [main] })).toEqual(new Map([[main, first]]));
});
