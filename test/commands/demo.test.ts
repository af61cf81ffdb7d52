import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { git, temporaryFolder, writeFiles } from '../support/repository.ts';
import { runViewsync } from './command-line.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The exported files by path. What `target.json` says of the server differs from one server to the next. */
function viewFiles(directory: string): Readonly<Record<string, string>> {
  const paths = globSync('views/**/*.sql', { cwd: directory }).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(directory, path), 'utf8')]));
}

/** A log without what differs each time, and without the blanks at the ends of lines that an editor takes away. */
function normalize(log: string): string {
  return log
    .replaceAll(/^commit [0-9a-f]+$/gm, 'commit ...')
    .replaceAll(/^Date: .*$/gm, 'Date: ...')
    .replaceAll(/Viewsync-Live: [0-9a-f]+/g, 'Viewsync-Live: ...')
    .replaceAll(/ +$/gm, '')
    .trim();
}

describe('viewsync demo', () => {
  test('brings everything back, twice in the same folder, and leaves the repository that README and views/ show', async () => {
    const directory = join(temporaryFolder(), 'demo');
    const place = { directory: root, environment: { HOME: temporaryFolder() } };
    await runViewsync(['demo', '--directory', directory], place);
    const { exitCode, stdout, stderr } = await runViewsync(['demo', '--directory', directory, '--json'], place);
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ directory, views: 4, isRestored: true });
    expect(stderr).toContain('$ viewsync apply HEAD --yes');

    expect(git(directory, 'status', '--porcelain')).toBe('');
    expect(viewFiles(directory)).toEqual(viewFiles(root));
    const [, quoted = ''] = /```diff\n([\s\S]*?)\n```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
    expect(normalize(git(directory, 'log', '-p', '-1', 'HEAD~1', '--', 'views/'))).toBe(normalize(quoted));
  });

  test('touches no folder that holds something else', async () => {
    const directory = temporaryFolder();
    writeFiles(directory, { 'mine.txt': 'mine' });
    expect(await runViewsync(['demo', '--directory', directory], { directory })).toMatchObject({ exitCode: 65 });
    expect(readFileSync(join(directory, 'mine.txt'), 'utf8')).toBe('mine');
  });
});
