import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitFiles, git } from '../support/repository.ts';
import { commitEdit, drift, liveText, openTeam, states } from '../support/team.ts';
import { expectTold } from '../support/told.ts';

const live = 'refs/viewsync/prod';
const push = { push: 'push' } as const;
const subjects = (directory: string, ref = 'main') => git(directory, 'log', '--format=%s', ref).split('\n');
const tip = (directory: string, ref: string) => git(directory, 'rev-parse', ref);

describe('export --push', () => {
  test('pushes branch and live line at once, and does nothing the second time', async () => {
    const team = await openTeam();
    const place = await team.machine();
    const first = await place.export(push);
    expect(first).toMatchObject({ pushed: true, notes: [], branch: 'refs/heads/main' });
    expect([tip(team.remote, 'main'), tip(team.remote, live)]).toEqual([place.git('rev-parse', 'HEAD'), place.git('rev-parse', live)]);
    expect(place.git('status', '--porcelain', '--branch')).toBe('## main...origin/main');
    const second = await place.export(push);
    expect([second.pushed, second.commit]).toEqual([false, undefined]);
  });

  test('pushes what an export without --push has left behind', async () => {
    const team = await openTeam();
    const place = await team.machine();
    await place.export();
    await drift(place, 1);
    await place.export();
    expect(await place.export(push)).toMatchObject({ pushed: true, notes: [] });
    expect(subjects(team.remote)).toEqual(['prod: 1 view changed', 'prod: baseline, 3 views', 'Start']);
    expect(tip(team.remote, live)).toBe(place.git('rev-parse', live));
  });

  test("goes on from a colleague's commits, and the branch here follows", async () => {
    const team = await openTeam();
    const [night, colleague] = [await team.machine(), await team.machine()];
    await night.export(push);
    colleague.git('pull', '--quiet');
    commitFiles(colleague.directory, { 'docs.md': 'words\n' }, 'Write docs');
    colleague.git('push', '--quiet');
    await drift(night, 2);
    expect(await night.export(push)).toMatchObject({ pushed: true, notes: [] });
    expect(subjects(team.remote)).toEqual(['prod: 1 view changed', 'Write docs', 'prod: baseline, 3 views', 'Start']);
    expect(readFileSync(join(night.directory, 'docs.md'), 'utf8')).toBe('words\n');
    expect(night.git('status', '--porcelain')).toBe('');
  });

  test("commits on the remote's tip when this clone holds commits that were not pushed, and says so", async () => {
    const team = await openTeam();
    const place = await team.machine();
    await place.export(push);
    const mine = commitFiles(place.directory, { 'draft.md': 'not yet\n' }, 'Not yet');
    await drift(place, 3);
    const night = await place.export(push);
    expect(night.notes).toEqual([expect.stringContaining('were not pushed')]);
    expect(subjects(team.remote)).toEqual(['prod: 1 view changed', 'prod: baseline, 3 views', 'Start']);
    expect([place.git('rev-parse', 'HEAD'), place.git('status', '--porcelain')]).toEqual([mine, '']);
    expect((await place.export(push)).commit).toBeUndefined();
    place.git('pull', '--quiet', '--rebase');
    expect(await states(place)).toEqual({});
  });

  test('leaves an edited file alone that stands in the way of following, and pushes nevertheless', async () => {
    const team = await openTeam();
    const [night, colleague] = [await team.machine(), await team.machine()];
    await night.export(push);
    colleague.git('pull', '--quiet');
    commitFiles(colleague.directory, { 'README.md': 'A better shop\n' }, 'Improve');
    colleague.git('push', '--quiet');
    writeFileSync(join(night.directory, 'README.md'), 'My shop\n');
    await drift(night, 4);
    const result = await night.export(push);
    expect(result).toMatchObject({ pushed: true, notes: [expect.stringContaining('could not follow')] });
    expect(subjects(team.remote).slice(0, 2)).toEqual(['prod: 1 view changed', 'Improve']);
    expect(readFileSync(join(night.directory, 'README.md'), 'utf8')).toBe('My shop\n');
  });

  test('keeps everything here when the remote declines, and the next night pushes it', async () => {
    const team = await openTeam();
    const place = await team.machine();
    const hook = join(team.remote, 'hooks/pre-receive');
    writeFileSync(hook, '#!/bin/sh\necho GH006: Protected branch update failed >&2\nexit 1\n');
    chmodSync(hook, 0o755);
    const failure = await place.export(push).catch((error: unknown) => error);
    expectTold(failure, {
      code: 'REMOTE_FAILED',
      exitCode: 69,
      because: /recorded in this repository, but not pushed.*GH006: Protected/s,
      next: 'git switch --create views',
    });
    expect(subjects(place.directory)).toEqual(['prod: baseline, 3 views', 'Start']);
    expect(place.git('rev-parse', `${live}:views`)).toBe(place.git('rev-parse', 'HEAD:views'));
    writeFileSync(hook, '#!/bin/sh\n');
    expect(await place.export(push)).toMatchObject({ pushed: true });
    expect(tip(team.remote, 'main')).toBe(place.git('rev-parse', 'HEAD'));
  });

  test('records here when the remote cannot be reached or there is none', async () => {
    const team = await openTeam();
    const place = await team.machine();
    place.git('remote', 'set-url', 'origin', 'https://ada:s3cr3t@localhost:9/shop.git');
    const failure = (await place.export(push).catch((error: unknown) => error)) as Error;
    expectTold(failure, { code: 'REMOTE_FAILED', exitCode: 69, because: 'The remote "origin" could not be reached', next: 'git remote get-url origin' });
    expect(`${failure.message} ${JSON.stringify(failure)}`).not.toContain('s3cr3t');
    place.git('remote', 'remove', 'origin');
    await drift(place, 5);
    expectTold(await place.export(push).catch((error) => error), {
      code: 'REMOTE_FAILED',
      exitCode: 69,
      because: 'There is no remote',
      next: 'git remote add origin URL',
    });
    expect(subjects(place.directory)).toEqual(['prod: 1 view changed', 'prod: baseline, 3 views', 'Start']);
  });
});

describe('apply --push', () => {
  test("commits on a colleague's tip although it moved, and both lines are pushed", async () => {
    const team = await openTeam();
    const [place, colleague] = [await team.machine(), await team.machine()];
    await place.export(push);
    await drift(place, 6);
    colleague.git('pull', '--quiet');
    commitFiles(colleague.directory, { 'docs.md': 'words\n' }, 'Write docs');
    colleague.git('push', '--quiet');
    expect(await place.apply('HEAD', push)).toMatchObject({ pushed: true, notes: [] });
    expect(subjects(team.remote)).toEqual(['prod: apply HEAD, 1 view', 'Write docs', 'prod: baseline, 3 views', 'Start']);
    expect(tip(team.remote, live)).toBe(place.git('rev-parse', live));
    expect(await liveText(place, 'shop.ids')).toContain('> 0');
    expect([await states(place), place.git('status', '--porcelain')]).toEqual([{}, '']);
  });

  test('tells of what was deployed from a commit that was not pushed, without pushing it', async () => {
    const team = await openTeam();
    const place = await team.machine();
    await place.export(push);
    const mine = commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
    const applied = await place.apply('HEAD', push);
    expect(applied.notes).toEqual([expect.stringContaining('were not pushed')]);
    expect(git(team.remote, 'show', 'main:views/prod/shop/ids.sql')).toContain('> 66');
    expect([place.git('rev-parse', 'HEAD'), subjects(team.remote)[0]]).toEqual([mine, 'prod: apply HEAD, 1 view']);
    place.git('pull', '--quiet', '--rebase');
    expect([await states(place), (await place.export(push)).commit]).toEqual([{}, undefined]);
  });
});
