import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createDatabase, createRole } from './support/postgres-server.ts';
import { commitFiles, git, someone, temporaryFolder, temporaryRepository } from './support/repository.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })].filter((path) => existsSync(join(root, path))).sort();

/** What cannot run inside a test: it would run this very test, or install from a registry. CI runs them. */
const runElsewhere = ['npm test', 'npm run demo', 'bash .ci/run', 'npm install --global viewsync'];

interface Block {
  readonly line: number;
  readonly script: string;
}

function shellBlocks(path: string): readonly Block[] {
  const source = readFileSync(join(root, path), 'utf8');
  return [...source.matchAll(/^( *)```sh\n([\s\S]*?)^ *```$/gm)].map((match) => ({
    line: source.slice(0, match.index).split('\n').length,
    script: (match[2] ?? '')
      .split('\n')
      .map((line) => line.slice(match[1]?.length ?? 0))
      .filter((line) => !runElsewhere.includes(line.trim()) && !line.startsWith('git clone'))
      .join('\n'),
  }));
}

/** A folder for PATH in which `viewsync` is the program that was built. */
function programFolder(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'viewsync'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/run.js')}' "$@"\n`);
  chmodSync(join(folder, 'viewsync'), 0o755);
  return folder;
}

async function runScript(
  script: string,
  place: { readonly directory: string; readonly environment: Readonly<Record<string, string>> },
): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], {
    cwd: place.directory,
    env: place.environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [[code], output] = await Promise.all([once(child, 'close'), text(child.stdout)]);
  return { code, output };
}

const shop = () => readFileSync(join(root, 'assets/demo/shop.sql'), 'utf8').replaceAll(/CREATE ROLE (\w+);/g, (_, role: string) => createRole(role));
const edit = () => readFileSync(join(root, 'assets/demo/edit.sql'), 'utf8');
const migration = () => readFileSync(join(root, 'assets/demo/migration.sql'), 'utf8');

describe('documents', () => {
  test('hold blocks of shell commands', () => {
    expect(documents.flatMap(shellBlocks).length).toBeGreaterThan(5);
  });

  test.each(documents)('%s: its commands run one after the other, in a repository with a shop that loses views', async (path) => {
    const blocks = shellBlocks(path).filter(({ script }) => script.trim() !== '');
    if (blocks.length === 0) return;
    await using database = await createDatabase();
    await database.query(shop());
    const directory = temporaryRepository();
    const remote = temporaryRepository('--bare');
    git(directory, 'remote', 'add', 'origin', remote);
    const environment = { ...someone, PATH: `${programFolder()}${delimiter}${someone['PATH']}`, DATABASE_URL: database.url };
    const setUp = async (script: string) => expect(await runScript(script, { directory, environment })).toMatchObject({ code: 0 });

    const startsFresh = blocks.some(({ script }) => script.includes('viewsync init'));
    if (startsFresh) commitFiles(directory, { 'README.md': 'A shop\n' });
    if (!startsFresh) {
      await setUp("viewsync init --target shop --url '${DATABASE_URL}' --yes && git add --all && git commit --quiet --message Start && viewsync export --push");
      await database.query(edit());
      await setUp('viewsync export --push');
      await database.query(migration());
    }
    const firstWith = (command: string) => (startsFresh ? blocks.findIndex(({ script }) => script.includes(command)) : -1);
    const [change, accident] = [firstWith('viewsync status'), firstWith('viewsync plan')];
    for (const [index, { line, script }] of blocks.entries()) {
      if (index === change) await database.query(edit()).then(() => setUp('viewsync export'));
      if (index === accident) await database.query(migration());
      const { code, output } = await runScript(script, { directory, environment });
      expect(code, `${path}:${line}\n${output}`).toBe(0);
    }
  });
});

describe('links', () => {
  test.each(documents)('%s: every link to a file leads to one', (path) => {
    const source = readFileSync(join(root, path), 'utf8');
    const targets = [...source.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => join(root, path, '..', match[1] ?? ''));
    expect(targets.filter((target) => !existsSync(target))).toEqual([]);
  });

  test('docs/guarantees.md names tests that exist', () => {
    const source = readFileSync(join(root, 'docs/guarantees.md'), 'utf8');
    const named = [...source.matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((file) => !['', '.test.ts', '.ts'].some((end) => existsSync(join(root, `${file}${end}`))))).toEqual([]);
  });
});
