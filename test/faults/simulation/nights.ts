import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ViewsyncError } from '../../../src/errors.ts';
import { describeCatalog } from '../../support/catalog-comparison.ts';
import type { Workplace } from '../../support/workplace.ts';
import { statusAfterKill } from '../laws.ts';
import { runKilled } from '../victim.ts';
import { pull, workInGit } from './colleagues.ts';
import { drift, listViews } from './drift.ts';
import type { Random } from './random.ts';

export interface World {
  readonly place: Workplace;
  readonly remote: string;
  readonly colleague: string;
  readonly random: Random;
  readonly history: LiveState[];
  /** What happened, for whoever has to find out why. */
  readonly log: string[];
}

/** A state that was live, and the commit that holds it. */
export interface LiveState {
  readonly commit: string;
  readonly catalog: readonly string[];
}

const tolerated = new Set([
  'REMOTE_FAILED',
  'REMOTE_MOVED',
  'CONFLICT',
  'PLAN_IMPOSSIBLE',
  'HAZARD',
  'NOTHING_TO_ROLL_BACK',
  'TARGET_NOT_IN_REVISION',
  'PATH_TAKEN',
]);

/** Does it; a refusal that may happen on such a night is noted, any other ends the simulation. */
async function attempt({ log }: World, what: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    log.push(what);
    return true;
  } catch (error) {
    if (!(error instanceof ViewsyncError) || !tolerated.has(error.code)) throw error;
    log.push(`${what}: ${error.code} ${error.message.slice(0, 160)}`);
    return false;
  }
}

const allowed = ['DELETES_VIEW', 'REBUILDS_MATERIALIZED_VIEW', 'MANY_DELETIONS', 'WIDENS_ACCESS'] as const;

/** Remembers the state that is live now; the live line must name exactly the views that there are. */
export async function remember({ place, history }: World): Promise<void> {
  const catalog = await describeCatalog(place.database.url);
  const commit = place.git('rev-parse', 'refs/viewsync/prod');
  const files = place.git('ls-tree', '-r', '--name-only', commit, '--', 'views/prod').split('\n');
  const count = files.filter((path) => path.endsWith('.sql') && place.git('show', `${commit}:${path}`).includes('-- view: ')).length;
  const views = await listViews(place.database);
  if (count !== views.length) throw new Error(`The live line ${commit} holds ${count} views, the database ${views.join(', ')}`);
  if (JSON.stringify(history.at(-1)?.catalog) !== JSON.stringify(catalog)) history.push({ commit, catalog });
}

async function killSomething({ place, random, log }: World): Promise<void> {
  const args = random.isLucky(0.5) ? ['export', '--push'] : ['apply', 'HEAD', '--yes', ...allowed.flatMap((name) => ['--allow', name])];
  const point = { at: random.pick(['sql', 'git', 'git'] as const), number: 1 + random.integer(40), when: random.pick(['before', 'after'] as const) };
  const how = random.isLucky(0.3) ? 'SIGINT' : 'SIGKILL';
  const { signal, exitCode } = await runKilled(place, args, point, how);
  log.push(`${how} to ${args[0]} ${point.when} ${point.at} ${point.number}: ${signal ?? exitCode}`);
  await endRun({ place, random, log });
}

/** One command ends what was interrupted. */
async function endRun({ place, random, log }: Pick<World, 'place' | 'random' | 'log'>): Promise<void> {
  const { run } = await statusAfterKill(place);
  if (!run) return;
  const isTakenBack = random.isLucky(0.5);
  log.push(`${isTakenBack ? 'rollback' : 'apply again'} ends ${run.command} that left ${run.holds}`);
  if (isTakenBack) await place.rollback({ allowed });
  else await place.apply(run.revision, { allowed }).catch(() => place.rollback({ allowed }));
  if ((await place.status()).run) throw new Error('The run is still open.');
}

const hook = (remote: string) => join(remote, 'hooks/pre-receive');

function refusePushes(remote: string): void {
  writeFileSync(hook(remote), '#!/bin/sh\necho "not tonight" >&2\nexit 1\n');
  chmodSync(hook(remote), 0o755);
}

async function act(world: World): Promise<void> {
  const { place, random, history } = world;
  const push = random.isLucky(0.7) ? 'push' : 'keep';
  const dice = random.integer(100);
  if (dice < 70) await attempt(world, `export ${push}`, () => place.export({ push }));
  else if (dice < 85) await attempt(world, `apply HEAD ${push}`, () => place.apply('HEAD', { push, allowed }));
  else if (dice < 93) await attempt(world, `rollback ${push}`, () => place.rollback({ push, allowed }));
  else await attempt(world, `restore ${push}`, () => place.apply(random.pick(history).commit, { push, allowed, absent: 'drop' }));
}

/** One night: people change the database and git, something may break, and the machine does its work. */
export async function spendNight(world: World, night: number): Promise<void> {
  const { place, remote, colleague, random, log } = world;
  log.push(`night ${night}`);
  await drift(place.database, random);
  if (random.isLucky(0.4)) workInGit(colleague, random);
  if (random.isLucky(0.5)) pull(place.directory);
  const isRefusing = random.isLucky(0.12);
  if (isRefusing) refusePushes(remote);
  if (random.isLucky(0.12)) await killSomething(world);
  await act(world);
  // Whatever happened, the backup of the night is made.
  await attempt(world, 'backup', () => place.export());
  await remember(world);
  if (isRefusing) rmSync(hook(remote));
}
