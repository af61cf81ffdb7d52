import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Config } from '@oclif/core';
import { beforeAll, expect, test } from 'vitest';
import { listCandidates } from '../../src/cli/completion.ts';
import { runViewsync } from '../commands/command-line.ts';
import { someone, temporaryFolder } from '../support/repository.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const yaml = 'targets:\n  prod:\n    warehouse: postgres\n  staging:\n    warehouse: postgres\n';

let config: Config;
beforeAll(async () => {
  config = await Config.load({ root });
});

function project(): string {
  const directory = temporaryFolder();
  writeFileSync(join(directory, 'viewsync.yaml'), yaml);
  return directory;
}

const names = async (words: readonly string[], directory = '/nonexistent') => (await listCandidates(config, words, directory)).map(({ name }) => name);

test('completes commands, flags, their negations and the values that a flag can have', async () => {
  expect(await names(['ex'])).toEqual(expect.arrayContaining(['export', 'apply', 'status']));
  expect(await names(['apply', 'HEAD', '--'])).toEqual(expect.arrayContaining(['--yes', '--target', '--verify', '--no-verify']));
  expect(await names(['apply', 'HEAD', '--allow', ''])).toEqual(expect.arrayContaining(['DELETES_VIEW', 'MANY_DELETIONS']));
  expect(await names(['exprot', '--'])).toEqual([]);
});

test('completes the targets of the viewsync.yaml here or above, and none where there is none or it is wrong', async () => {
  const directory = project();
  for (const flag of ['--target', '-t']) expect(await names(['status', flag, 'p'], directory)).toEqual(['prod', 'staging']);
  writeFileSync(join(directory, 'viewsync.yaml'), 'targets: [');
  expect(await names(['status', '-t', ''], directory)).toEqual([]);
  expect(await names(['status', '-t', ''])).toEqual([]);
});

/** What bash offers for a line, with the script loaded as the documents say. */
function completeInBash(line: string, directory: string): readonly string[] {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'viewsync'), `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/run.js')}' "$@"\n`);
  chmodSync(join(folder, 'viewsync'), 0o755);
  const words = line.split(' ');
  const script = `eval "$(viewsync completion bash)"
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; COMP_LINE='${line}'; COMP_POINT=${line.length}
_viewsync_completion; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const env = { ...someone, PATH: `${folder}:${someone['PATH']}` };
  return execFileSync('bash', ['-c', script], { cwd: directory, env, encoding: 'utf8' }).trim().split('\n');
}

test('bash offers what begins as the word does', () => {
  const directory = project();
  expect(completeInBash('viewsync exp', directory)).toEqual(['export']);
  expect(completeInBash('viewsync status --target st', directory)).toEqual(['staging']);
});

test.each(['zsh', 'fish', 'pwsh'])('%s gets a script, and an answer with descriptions', async (shell) => {
  const directory = project();
  const { exitCode, stdout } = await runViewsync(['completion', shell, '--json'], { directory });
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, { shell, script: expect.stringContaining('completion-server') }]);
  const line = 'viewsync sta';
  const environment = { SHELL: shell, COMP_LINE: line, COMP_CWORD: '1', COMP_POINT: String(line.length) };
  const answer = await runViewsync(['completion-server', '--', ...line.split(' ')], { directory, environment });
  expect([answer.exitCode, answer.stderr]).toEqual([0, '']);
  expect(answer.stdout).toMatch(/^status[:\t]Show which views differ/m);
});
