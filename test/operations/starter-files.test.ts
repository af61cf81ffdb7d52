import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { workflowText } from '../../src/operations/starter-files.ts';
import { createDatabase } from '../support/postgres-server.ts';
import { commitFiles, git, someone, temporaryFolder, temporaryRepository } from '../support/repository.ts';
import { shop } from '../support/team.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Names by which a runner is asked: `secrets.DATABASE_URL`, `matrix.target`. */
type Values = Readonly<Record<string, string>>;

/** A folder for PATH in which npx, npm and viewsync are the program that was built. */
function programFolder(): string {
  const folder = temporaryFolder();
  const program = `exec '${process.execPath}' '${join(root, 'bin/run.js')}'`;
  const scripts = { npx: `#!/bin/sh\nshift 2\n${program} "$@"\n`, viewsync: `#!/bin/sh\n${program} "$@"\n`, npm: '#!/bin/sh\nexit 0\n' };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), script);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

/** Runs the steps as a runner does: the checkout as `clone`, each script by `bash -e`, on a machine where git has no identity. */
async function runSteps(
  steps: readonly Step[],
  { remote, env, values }: { readonly remote: string; readonly env: Values; readonly values: Values },
): Promise<string> {
  const directory = join(temporaryFolder(), 'checkout');
  const outputs = join(temporaryFolder(), 'outputs');
  writeFileSync(outputs, '');
  git(remote, 'clone', '--quiet', `file://${remote}`, directory);
  const fill = (entries: Values) =>
    Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, value.replaceAll(/\$\{\{ (.*?) \}\}/g, (_, name: string) => values[name] ?? '')]));
  const { PATH, HOME, GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM } = someone;
  const machine = { PATH: `${programFolder()}${delimiter}${PATH}`, HOME, GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM, GITHUB_OUTPUT: outputs };
  for (const { run, env: own = {} } of steps.filter((step) => step.run !== undefined)) {
    const child = spawn('bash', ['-e', '-o', 'pipefail', '-c', `exec 2>&1\n${run}`], {
      cwd: directory,
      env: { ...machine, ...fill(env), ...fill(own) },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [[code], output] = await Promise.all([once(child, 'close'), text(child.stdout)]);
    expect([code, output], run).toEqual([0, output]);
  }
  return readFileSync(outputs, 'utf8');
}

/** A remote with a `viewsync.yaml` of two targets below a folder, and the database of both. */
async function openRemote(prefix: string) {
  const database = await createDatabase();
  await database.query(shop);
  const remote = temporaryRepository('--bare');
  const seed = temporaryRepository();
  const entry = (name: string) => `  ${name}:\n    warehouse: postgres\n    url: \${DATABASE_URL}\n`;
  commitFiles(seed, { [join(prefix, 'viewsync.yaml')]: `targets:\n${entry('prod')}${entry('copy')}`, '.gitattributes': '**/views/** -text\n' });
  git(seed, 'push', '--quiet', remote, 'main');
  return { database, remote, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

test.each(['', "it's/here"])(
  'the nightly workflow, run step by step in "%s", exports every target in a job of its own and pushes both lines',
  async (prefix) => {
    await using place = await openRemote(prefix);
    const { jobs, env } = parse(
      workflowText({ target: 'prod', warehouse: 'postgres', options: { url: '${DATABASE_URL}' }, drivers: [], schemas: ['*'], version: '1.2.3', prefix }),
    );
    const values = { 'secrets.DATABASE_URL': place.database.url };
    const listed = await runSteps(jobs.targets.steps, { remote: place.remote, env, values });
    const [, matrix = ''] = /^matrix=(.*)\n$/.exec(listed) ?? [];
    const { include } = JSON.parse(matrix) as { readonly include: readonly { readonly target: string; readonly warehouse: string }[] };
    expect(include).toEqual([
      { target: 'prod', warehouse: 'postgres' },
      { target: 'copy', warehouse: 'postgres' },
    ]);
    await Promise.all(include.map(({ target }) => runSteps(jobs.export.steps, { remote: place.remote, env, values: { ...values, 'matrix.target': target } })));
    expect(git(place.remote, 'for-each-ref', '--format=%(refname)').split('\n')).toEqual(['refs/heads/main', 'refs/viewsync/copy', 'refs/viewsync/prod']);
    expect(git(place.remote, 'log', '--format=%an: %s', 'main').split('\n').sort()).toEqual([
      'Ada: Change files',
      'github-actions[bot]: copy: baseline, 3 views',
      'github-actions[bot]: prod: baseline, 3 views',
    ]);
  },
);

test('the action, run step by step, does the same for the target of its environment', async () => {
  await using place = await openRemote('');
  const { runs, inputs } = parse(readFileSync(join(root, 'action.yml'), 'utf8'));
  const values = Object.fromEntries(Object.entries(inputs as Record<string, { default: string }>).map(([name, input]) => [`inputs.${name}`, input.default]));
  await runSteps(runs.steps, { remote: place.remote, env: { VIEWSYNC_TARGET: 'prod', DATABASE_URL: place.database.url }, values });
  expect(git(place.remote, 'log', '--format=%an: %s', 'main').split('\n')).toEqual(['github-actions[bot]: prod: baseline, 3 views', 'Ada: Change files']);
});
