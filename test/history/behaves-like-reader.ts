import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ObjectReader } from '../../src/history/history.ts';
import { keptFolder } from '../support/kept-folder.ts';
import { commitFiles, git, temporaryFolder, temporaryRepository } from '../support/repository.ts';

type OpenReader = (directory: string) => Promise<ObjectReader>;

const odd = {
  'views/a.sql': 'SELECT 1\r\n\r\n',
  'views/ä ö/%2E+x.sql': '-- ünï\u0000code\u{1F600}',
  'views.txt': 'no',
  'views-2/z.sql': '',
  'views/a/deep/er.sql': 'x',
};

let original: string | undefined;

/** A copy of the repository that `tellStory` makes, for a test that may change it. */
function storied(): string {
  original ??= tellStory(keptFolder());
  const directory = temporaryFolder();
  cpSync(original, directory, { recursive: true });
  return directory;
}

/** A first commit, a branch and a merge, a tag on the second commit. */
function tellStory(directory: string): string {
  git(directory, 'init', '--quiet', '--initial-branch=main');
  commitFiles(directory, odd, 'prod: baseline, 2 views\n\nviews/a.sql\n\nViewsync-Live: 1234\nViewsync-Target: prod');
  commitFiles(directory, { 'views/a.sql': 'SELECT 2\n' }, 'Second');
  git(directory, 'tag', '--annotate', '--message=one', 'v1');
  git(directory, 'switch', '--quiet', '--create', 'topic/x');
  commitFiles(directory, { 'views/b.sql': 'b' }, 'On the topic');
  git(directory, 'switch', '--quiet', 'main');
  commitFiles(directory, { 'views/a.sql': 'SELECT 3\n' }, 'On main');
  git(directory, 'merge', '--quiet', '--no-ff', '--message=Merge', 'topic/x');
  git(directory, 'tag', 'v2');
  commitFiles(directory, { 'other.txt': 'x' }, 'Else');
  return directory;
}

/** What every `ObjectReader` must do; git's own answers are the measure. */
export function behavesLikeReader(open: OpenReader): void {
  test.each(['loose', 'packed'])('lists and reads the files of a commit, %s', async (state) => {
    const directory = storied();
    if (state === 'packed') git(directory, 'gc', '--quiet', '--aggressive', '--prune=now');
    const reader = await open(directory);
    const first = await reader.resolve('v1~1');
    const all = await reader.listTree(first, '');
    expect([...all.keys()]).toEqual(git(directory, '-c', 'core.quotePath=false', 'ls-tree', '-r', '-z', '--name-only', first).split('\0').slice(0, -1));
    expect([...all.values()]).toEqual(git(directory, 'ls-tree', '-r', '--format=%(objectname)', first).split('\n'));
    const texts = await reader.readBlobs(all.values());
    expect(Object.fromEntries([...all].map(([path, id]) => [path, texts.get(id)]))).toEqual(odd);
  });

  test('lists a folder and nothing beside it, and nothing for a folder that is absent', async () => {
    const reader = await open(storied());
    const first = await reader.resolve('v1^');
    expect([...(await reader.listTree(first, 'views')).keys()]).toEqual(['views/a.sql', 'views/a/deep/er.sql', 'views/ä ö/%2E+x.sql']);
    expect([...(await reader.listTree(first, 'views/a')).keys()]).toEqual(['views/a/deep/er.sql']);
    expect([...(await reader.listTree(first, 'absent')).keys()]).toEqual([]);
    expect([...(await reader.listTree(first, 'views.txt')).keys()]).toEqual([]);
  });

  test.each([
    'HEAD',
    '@',
    'main',
    'heads/main',
    'refs/heads/main',
    'topic/x',
    'v1',
    'tags/v1',
    'v2',
    'HEAD~',
    'HEAD~3',
    'HEAD^',
    'HEAD~1^2',
    'HEAD^^',
    'v1^0',
    'v1^{commit}',
    'HEAD~1^2~1',
  ])('resolves %s as git does', async (revision) => {
    const directory = storied();
    expect(await (await open(directory)).resolve(revision)).toBe(git(directory, 'rev-parse', `${revision}^{commit}`));
  });

  test('resolves short ids, loose and packed', async () => {
    const directory = storied();
    const tip = git(directory, 'rev-parse', 'HEAD');
    expect(await (await open(directory)).resolve(tip.slice(0, 9))).toBe(tip);
    git(directory, 'gc', '--quiet');
    expect(await (await open(directory)).resolve(tip.slice(0, 9))).toBe(tip);
    expect(await (await open(directory)).resolve(tip)).toBe(tip);
  });

  test.each(['', '-h', 'nowhere', 'HEAD~99', 'HEAD^3', '0123456', '--all', 'v1 v2', 'a..b', '0123456789012345678901234567890123456789'])(
    'says that "%s" names no commit',
    async (revision) => {
      await expect((await open(storied())).resolve(revision)).rejects.toMatchObject({ code: 'REVISION_UNKNOWN' });
    },
  );

  test('refuses to choose between a branch and a tag of the same name', async () => {
    const directory = storied();
    git(directory, 'tag', 'main', 'HEAD~2');
    const reader = await open(directory);
    await expect(reader.resolve('main')).rejects.toMatchObject({ code: 'REVISION_AMBIGUOUS' });
    expect(await reader.resolve('heads/main')).toBe(git(directory, 'rev-parse', 'HEAD'));
  });

  test('refuses to choose between two commits whose ids begin alike', async () => {
    const directory = temporaryRepository();
    const commits = Array.from({ length: 1000 }, (_, index) => `commit refs/heads/c\ncommitter Ada <ada@example.com> ${index} +0000\ndata 1\nx\n`).join('');
    execFileSync('git', ['fast-import', '--quiet'], { cwd: directory, input: commits });
    const prefixes = git(directory, 'rev-list', 'refs/heads/c')
      .split('\n')
      .map((id) => id.slice(0, 4));
    const shared = prefixes.find((prefix, index) => prefixes.indexOf(prefix) < index) ?? '';
    await expect((await open(directory)).resolve(shared)).rejects.toMatchObject({ code: 'REVISION_AMBIGUOUS', exitCode: 65 });
  });

  test('reads a commit in its parts', async () => {
    const directory = storied();
    const reader = await open(directory);
    const first = await reader.resolve('v1~1');
    expect(await reader.readCommit(first)).toEqual({
      id: first,
      tree: git(directory, 'rev-parse', `${first}^{tree}`),
      parents: [],
      subject: 'prod: baseline, 2 views',
      body: 'views/a.sql',
      trailers: [
        { key: 'Viewsync-Live', value: '1234' },
        { key: 'Viewsync-Target', value: 'prod' },
      ],
      author: 'Ada <ada@example.com>',
      authoredAt: git(directory, 'show', '--no-patch', '--format=%aI', first).replace(/Z$/, '+00:00'),
    });
    expect((await reader.readCommit(await reader.resolve('HEAD^'))).parents).toHaveLength(2);
  });

  test('lists commits newest first by ancestry, with a limit', async () => {
    const directory = storied();
    const reader = await open(directory);
    const from = await reader.resolve('HEAD');
    const commits = await Array.fromAsync(reader.listCommits({ from }));
    expect(commits.map((commit) => commit.id)).toEqual(git(directory, 'log', '--topo-order', '--format=%H').split('\n'));
    expect(await Array.fromAsync(reader.listCommits({ from, limit: 2 }))).toEqual(commits.slice(0, 2));
  });

  test.each(['views/a.sql', 'views/b.sql', 'views', 'views/ä ö/%2E+x.sql', 'absent'])(
    'lists the commits that changed %s on every side of a merge',
    async (path) => {
      const directory = storied();
      const reader = await open(directory);
      const commits = await Array.fromAsync(reader.listCommits({ from: await reader.resolve('HEAD'), path }));
      const expected = git(directory, 'log', '--topo-order', '--full-history', '--format=%s', '--', path);
      expect(commits.map((commit) => commit.subject).join('\n')).toBe(expected);
    },
  );

  test('ends at the graft of a shallow clone', async () => {
    const origin = storied();
    const directory = temporaryRepository();
    git(directory, 'fetch', '--quiet', '--depth=2', `file://${origin}`, 'main:copy');
    const reader = await open(directory);
    const commits = await Array.fromAsync(reader.listCommits({ from: await reader.resolve('copy') }));
    expect(commits.map((commit) => commit.subject)).toEqual(['Else', 'Merge']);
  });

  test('reads from a linked work tree and from a bare repository', async () => {
    const directory = storied();
    const linked = `${temporaryRepository()}/linked`;
    git(directory, 'worktree', 'add', '--quiet', '--detach', linked, 'HEAD~2');
    expect(await (await open(linked)).resolve('HEAD')).toBe(git(directory, 'rev-parse', 'HEAD~2'));
    const bare = `${temporaryRepository()}/bare.git`;
    git(directory, 'clone', '--quiet', '--bare', directory, bare);
    expect((await (await open(bare)).listTree(git(bare, 'rev-parse', 'HEAD'), 'views')).size).toBe(4);
  });
}
