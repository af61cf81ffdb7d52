import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { git, temporaryFolder } from '../support/repository.ts';
import { commitEdit, drift, liveText, openTeam, states, type Team } from '../support/team.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const push = { push: 'push' } as const;

interface Scene {
  readonly team: Team;
  readonly night: Workplace;
  readonly author: Workplace;
}

/** A branch with an edit that was made some nights ago, and a main that has been exported every night since. */
async function openScene(nights = 2, during: (author: Workplace) => Promise<unknown> = async () => undefined): Promise<Scene> {
  const team = await openTeam();
  const [night, author] = [await team.machine(), await team.machine()];
  await night.export(push);
  author.git('pull', '--quiet');
  author.git('switch', '--quiet', '--create', 'feature');
  commitEdit(author, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
  await during(author);
  for (let each = 1; each <= nights; each++) {
    await drift(night, 100 + each, 'shop.big');
    await night.export(each < nights ? {} : push);
  }
  author.git('fetch', '--quiet');
  return { team, night, author };
}

/** GitHub's message for a squash: every commit's message in the body, trailers and all. */
function squashMessage(author: Workplace): string {
  const messages = author.git('log', '--reverse', '--format=* %s%n%n%b', 'origin/main..feature');
  return `Edit ids (#7)\n\n${messages}\n---------\n\nCo-authored-by: Bob <bob@example.com>`;
}

const merges: readonly [string, (author: Workplace) => void][] = [
  [
    'a merge commit',
    (author) => {
      author.git('switch', '--quiet', '--detach', 'origin/main');
      author.git('merge', '--quiet', '--no-ff', '--message', 'Merge pull request #7', 'feature');
    },
  ],
  [
    'a squash',
    (author) => {
      const message = squashMessage(author);
      author.git('switch', '--quiet', '--detach', 'origin/main');
      author.git('merge', '--quiet', '--squash', 'feature');
      author.git('commit', '--quiet', '--allow-empty', '--message', message);
    },
  ],
  ['a rebase', (author) => void author.git('rebase', '--quiet', 'origin/main')],
];

describe.each(merges)('a pull request merged by %s', (_, merge) => {
  test('is pending night after night, is deployed by apply HEAD, and takes nothing else back', async () => {
    const { night, author } = await openScene(5);
    merge(author);
    author.git('push', '--quiet', 'origin', 'HEAD:main');
    for (const each of [7, 8, 9]) {
      await drift(night, 100 + each, 'shop.big');
      expect(await night.export(each === 7 ? push : {})).toMatchObject({ pending: ['shop.ids'], conflicts: [], notes: [] });
    }
    expect(await states(night)).toEqual({ 'shop.ids': 'pending' });
    expect((await night.apply('HEAD', push)).plan.steps).toHaveLength(1);
    expect([await liveText(night, 'shop.ids'), await liveText(night, 'shop.big')]).toEqual([expect.stringContaining('> 66'), expect.stringContaining('109')]);
    expect([(await night.export(push)).commit, await states(night)]).toEqual([undefined, {}]);
  }, 60_000);

  test('that was applied from its branch without a push is in sync at once, and what drifts right after the merge is drift', async () => {
    const { night, author } = await openScene(1, async (place) => place.apply('HEAD'));
    expect(author.git('log', '-1', '--format=%s', 'feature')).toBe('prod: apply HEAD, 1 view');
    merge(author);
    author.git('push', '--quiet', 'origin', 'HEAD:main');
    night.git('pull', '--quiet');
    expect(await states(night)).toEqual({});
    await drift(night, 5);
    expect(await states(night)).toEqual({ 'shop.ids': 'drift' });
    expect(await night.export(push)).toMatchObject({ conflicts: [], subject: 'prod: 1 view changed' });
  }, 60_000);
});

test('a squash whose message was written anew: what both sides agreed on is known, and what differs since is drift', async () => {
  const team = await openTeam();
  const night = await team.machine();
  for (const each of [1, 2]) {
    night.git('switch', '--quiet', '--create', `night-${each}`);
    await drift(night, each);
    const exported = await night.export(push);
    expect([exported.conflicts, exported.pending]).toEqual([[], []]);
    night.git('switch', '--quiet', 'main');
    night.git('merge', '--quiet', '--squash', `night-${each}`);
    night.git('commit', '--quiet', '--message', `Night ${each} (#${each})`);
    night.git('branch', '--quiet', '--delete', '--force', `night-${each}`);
    expect([await states(night), night.git('log', '--grep=Viewsync', '--format=%s')]).toEqual([{}, '']);
  }
  await drift(night, 3);
  commitEdit(night, 'shop.best', (text) => text.replace('customer,', 'customer  ,'));
  expect(await states(night)).toEqual({ 'shop.ids': 'drift' });
  expect(await night.export()).toMatchObject({ pending: [], conflicts: [], subject: 'prod: 1 view changed' });
  commitEdit(night, 'shop.big', (text) => text.replaceAll('100', '77'));
  await drift(night, 4);
  expect(await states(night)).toEqual({ 'shop.big': 'pending', 'shop.ids': 'drift' });
});

test("a revert of an export's commit is an edit like any other: pending, then deployed", async () => {
  const { night } = await openScene();
  await drift(night, 9);
  await night.export(push);
  night.git('revert', '--no-edit', 'HEAD');
  night.git('push', '--quiet');
  for (const each of [7, 8, 9]) {
    await drift(night, 100 + each, 'shop.big');
    expect(await night.export(push)).toMatchObject({ pending: ['shop.ids'], conflicts: [] });
  }
  await night.apply('HEAD', push);
  expect([await liveText(night, 'shop.ids'), await states(night)]).toEqual([expect.stringContaining('> 0'), {}]);
});

test('a shallow clone is deepened by export --push, and says fetch-depth: 0 where it cannot be', async () => {
  const { team, night } = await openScene();
  night.git('commit', '--quiet', '--allow-empty', '--message', 'A tip that says nothing of the live line');
  night.git('push', '--quiet');
  await drift(night, 7);
  const shallow = await team.machine({}, '--depth=1');
  expect(await states(shallow)).toEqual({ 'shop.ids': 'drift' });
  expect(await shallow.export(push)).toMatchObject({ pushed: true, conflicts: [] });
  const cut = join(temporaryFolder(), 'cut');
  git(team.remote, 'clone', '--quiet', '--depth=1', `file://${team.remote}`, cut);
  git(cut, 'remote', 'remove', 'origin');
  const place = await openWorkplace({ database: team.database, directory: cut });
  await expect(place.status()).rejects.toMatchObject({ code: 'SHALLOW_HISTORY', exitCode: 65 });
  const error = await place.export().catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: 'SHALLOW_HISTORY', suggestions: expect.arrayContaining([expect.stringContaining('fetch-depth: 0')]) });
});

test('a fresh clone, in which the live line was never fetched, knows what is pending', async () => {
  const { team, author } = await openScene();
  author.git('push', '--quiet', 'origin', 'feature');
  const fresh = await team.machine({}, '--branch=feature');
  expect(fresh.git('for-each-ref', 'refs/viewsync')).toBe('');
  expect((await fresh.plan('HEAD')).plan.steps.map(({ kind }) => kind)).toEqual(['replace', 'replace']);
  expect(await states(fresh)).toEqual({ 'shop.big': 'drift', 'shop.ids': 'pending' });
  expect(await fresh.export()).toMatchObject({ pending: ['shop.ids'], conflicts: [] });
});

test('a job that starts from a fresh clone each night, shallow or not, finds pending what is pending and a conflict what is one', async () => {
  const { team, author } = await openScene(1);
  commitEdit(author, 'shop.best', (text) => text.replace('sum(', 'avg('));
  author.git('push', '--quiet', 'origin', 'feature');
  await team.database.query('CREATE OR REPLACE VIEW shop.best AS SELECT customer, max(total) AS spent FROM shop.big GROUP BY customer');
  for (const [night, ...options] of [[1, '--depth=1'], [2], [3, '--depth=1'], [4, '--depth=2']] as const) {
    const fresh = await team.machine({}, '--branch=feature', ...options);
    await drift(fresh, 200 + night, 'shop.big');
    expect(await fresh.export(push)).toMatchObject({ pushed: true, pending: ['shop.ids'], conflicts: ['shop.best'] });
    expect(fresh.git('show', 'HEAD:views/prod/shop/big.sql')).toContain(`${200 + night}`);
  }
});
