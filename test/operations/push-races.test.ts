import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { commitFiles, git, someone } from '../support/repository.ts';
import { drift, openTeam, states, type Team } from '../support/team.ts';
import { expectTold } from '../support/told.ts';

const live = (target: string) => `refs/viewsync/${target}`;
const push = { push: 'push' } as const;
const reachable = (directory: string, ref: string) => git(directory, 'rev-list', ref).split('\n');
const log = (directory: string, ref: string) => git(directory, 'log', '--format=%s', ref).split('\n');

/** git's own server for http on loopback: https://git-scm.com/docs/git-http-backend. */
async function serveHttp(): Promise<(remote: string) => string> {
  const server: Server = createServer((request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const cgi = {
      ...someone,
      GIT_PROJECT_ROOT: '/',
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'http.receivepack',
      GIT_CONFIG_VALUE_0: 'true',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    };
    const child = spawn('git', ['http-backend'], { env: cgi, stdio: ['pipe', 'pipe', 'inherit'] });
    request.pipe(child.stdin);
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('close', () => {
      const answer = Buffer.concat(chunks);
      const end = answer.indexOf('\r\n\r\n');
      const headers = answer
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': ', 2) as [string, string]);
      const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
      response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status'))).end(answer.subarray(end + 4));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return (remote) => `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${remote}`;
}

/** Whatever was pushed is whole, nothing was forced, and both ends agree. */
function requireWhole(team: Team): void {
  expect(git(team.remote, 'fsck', '--strict', '--no-dangling')).toBe('');
  expect(git(team.remote, 'rev-list', '--merges', '--count', 'main')).toBe('0');
}

test.each([
  ['file', async () => (remote: string) => `file://${remote}`],
  ['http', serveHttp],
])(
  'machines that export targets of their own over %s at once lose nothing',
  async (_, serve) => {
    const team = await openTeam(await serve());
    const names = ['prod', 'copy'];
    const machines = await Promise.all(names.map((name) => team.machine({ name })));
    for (const night of [1, 2]) {
      await drift(team, night);
      const results = await Promise.all(machines.map((machine) => machine.export(push)));
      expect(results.map(({ pushed, notes }) => [pushed, notes])).toEqual(names.map(() => [true, []]));
    }
    expect(log(team.remote, 'main')).toHaveLength(1 + 2 * names.length);
    for (const name of names) {
      expect(git(team.remote, 'show', `main:views/${name}/shop/ids.sql`)).toContain('> 2');
      expect(git(team.remote, 'rev-parse', `${live(name)}:views/${name}`)).toBe(git(team.remote, 'rev-parse', `main:views/${name}`));
    }
    requireWhole(team);
  },
  60_000,
);

test('two machines that export the same target at once: one makes its commit again, and there is nothing left to do for it', async () => {
  const team = await openTeam();
  const [one, two] = [await team.machine(), await team.machine()];
  await Promise.all([one.export(push), two.export(push)]);
  expect(log(team.remote, 'main')).toEqual(['prod: baseline, 3 views', 'Start']);
  await drift(team, 1);
  await Promise.all([one.export(push), two.export(push)]);
  expect(log(team.remote, 'main')).toEqual(['prod: 1 view changed', 'prod: baseline, 3 views', 'Start']);
  expect(await Promise.all([one, two].map((machine) => machine.git('rev-parse', 'HEAD', live('prod'))))).toEqual(
    Array(2).fill(git(team.remote, 'rev-parse', 'main', live('prod'))),
  );
  requireWhole(team);
});

test('a colleague who pushes between our look and our push is followed', async () => {
  const team = await openTeam();
  const [night, colleague] = [await team.machine(), await team.machine()];
  commitFiles(colleague.directory, { 'docs.md': 'words\n' }, 'Write docs');
  const hook = join(night.directory, '.git/hooks/pre-push');
  writeFileSync(hook, `#!/bin/sh\nunset GIT_DIR\ngit -C '${colleague.directory}' push --quiet 2>&1\nexit 0\n`);
  chmodSync(hook, 0o755);
  expect(await night.export(push)).toMatchObject({ pushed: true, notes: [] });
  expect(log(team.remote, 'main')).toEqual(['prod: baseline, 3 views', 'Write docs', 'Start']);
  expect(night.git('status', '--porcelain', '--branch')).toBe('## main...origin/main');
});

test('a remote that always moves is an error that changes nothing, here and there', async () => {
  const team = await openTeam();
  const night = await team.machine();
  const before = night.git('rev-parse', 'HEAD');
  const hook = join(night.directory, '.git/hooks/pre-push');
  writeFileSync(hook, `#!/bin/sh\nunset GIT_DIR\ncd '${team.remote}' && git update-ref refs/heads/main $(git commit-tree -m faster -p main main^{tree})\n`);
  chmodSync(hook, 0o755);
  expectTold(await night.export(push).catch((error) => error), {
    code: 'REMOTE_MOVED',
    exitCode: 69,
    because: 'Others push to "origin" faster',
    next: 'Run the command again.',
  });
  expect(git(team.remote, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main');
  expect([night.git('merge-base', '--is-ancestor', before, 'HEAD'), night.git('status', '--porcelain')]).toEqual(['', '']);
});

test('a live line that went two ways is joined: each state that was live stays reachable, and every base is found', async () => {
  const team = await openTeam();
  const [one, two] = [await team.machine(), await team.machine()];
  await one.export(push);
  two.git('pull', '--quiet');
  await states(two);
  two.git('remote', 'set-url', 'origin', 'file:///nowhere');
  await drift(team, 1);
  await two.export();
  await drift(team, 2);
  await one.export(push);
  const apart = [...reachable(one.directory, live('prod')), ...reachable(two.directory, live('prod'))];
  two.git('remote', 'set-url', 'origin', team.url);
  expect(await states(two)).toEqual({ 'shop.ids': 'drift' });
  await drift(team, 3);
  expect(await two.export(push)).toMatchObject({ pushed: true });
  expect(reachable(team.remote, live('prod'))).toEqual(expect.arrayContaining(apart));
  expect(git(team.remote, 'show', `${live('prod')}:views/prod/shop/ids.sql`)).toContain('> 3');
  expect(git(team.remote, 'show', 'main:views/prod/shop/ids.sql')).toContain('> 3');
  one.git('pull', '--quiet');
  expect([(await one.export(push)).commit, await states(one)]).toEqual([undefined, {}]);
  requireWhole(team);
});

test('a live line that ends in an unfinished run on one side is not joined', async () => {
  const team = await openTeam();
  const [one, two] = [await team.machine(), await team.machine()];
  await one.export(push);
  two.git('pull', '--quiet');
  two.git('fetch', '--quiet', 'origin', `${live('prod')}:${live('prod')}`);
  const message = 'prod: start apply HEAD\n\nViewsync-Target: prod\nViewsync-Run: 1\nViewsync-State: started\nViewsync-Command: apply\nViewsync-Revision: HEAD';
  two.git('update-ref', live('prod'), two.git('commit-tree', '-m', message, '-p', live('prod'), `${live('prod')}^{tree}`));
  await drift(team, 1);
  await one.export(push);
  const refs = two.git('for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads', 'refs/viewsync');
  expectTold(await two.export(push).catch((error) => error), {
    code: 'REMOTE_MOVED',
    exitCode: 69,
    because: 'went two ways',
    next: 'Run the command again when that run has ended',
  });
  expect(two.git('for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads', 'refs/viewsync')).toBe(refs);
});
