import { expect, test } from 'vitest';
import { git, someone } from '../support/repository.ts';
import { hasSshd, pretendSsh, type SshRoute, serveSsh, sshd } from '../support/ssh.ts';
import { drift, openTeam, type Team } from '../support/team.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const push = { push: 'push' } as const;

/** A clone that reaches its remote over ssh, by the variable that jobs set or by git's own setting. */
async function machine(team: Team, route: SshRoute, { name, by }: { readonly name: string; readonly by: 'variable' | 'setting' }): Promise<Workplace> {
  const { directory } = await team.machine();
  if (by === 'setting') git(directory, 'config', 'core.sshCommand', route.command);
  const environment = by === 'variable' ? { ...someone, GIT_SSH_COMMAND: route.command } : someone;
  return openWorkplace({ database: team.database, directory, environment, target: { name } });
}

async function exportTwoTargets(route: SshRoute): Promise<void> {
  const team = await openTeam(route.url);
  const places = [await machine(team, route, { name: 'prod', by: 'variable' }), await machine(team, route, { name: 'staging', by: 'setting' })];
  for (const night of [1, 2]) {
    await drift(team, night);
    const results = await Promise.all(places.map((place) => place.export(push)));
    expect(results.map(({ pushed }) => pushed)).toEqual([true, true]);
  }
  for (const { target } of places) {
    expect(git(team.remote, 'show', `main:views/${target.name}/shop/ids.sql`)).toContain('> 2');
    expect(git(team.remote, 'show', `refs/viewsync/${target.name}:views/${target.name}/shop/ids.sql`)).toContain('> 2');
  }
  expect(git(team.remote, 'fsck', '--strict', '--no-dangling')).toBe('');
  expect(git(team.remote, 'rev-list', '--merges', '--count', 'main')).toBe('0');
}

test('two machines push over ssh, by GIT_SSH_COMMAND and by core.sshCommand, and nothing is lost', async () => {
  const route = pretendSsh();
  await exportTwoTargets(route);
  expect(route.commands().some((command) => command.startsWith('git-receive-pack'))).toBe(true);
});

test('a host that refuses the key is named, and what was read is recorded here', async () => {
  const route = pretendSsh('git@example.invalid: Permission denied (publickey).');
  const team = await openTeam(route.url);
  const place = await machine(team, route, { name: 'prod', by: 'variable' });
  expectTold(await place.export(push).catch((error) => error), {
    code: 'REMOTE_FAILED',
    exitCode: 69,
    because: /recorded in this repository.*Permission denied \(publickey\)/s,
    next: 'git ls-remote origin',
  });
  expect(place.git('log', '-1', '--format=%s')).toBe('prod: baseline, 3 views');
});

if (hasSshd) test('two machines push through a real ssh server', async () => exportTwoTargets(await serveSsh()));
else {
  console.warn(`There is no ${sshd}: pushing through a real ssh server is NOT tested here. Install openssh-server, or set VIEWSYNC_SSHD.`);
  test.skip(`two machines push through a real ssh server (needs ${sshd})`);
}
