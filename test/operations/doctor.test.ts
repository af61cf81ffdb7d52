import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openHistory } from '../../src/history/open-history.ts';
import { checkAttributes } from '../../src/operations/check-attributes.ts';
import { type Check, type Examination, examineTarget } from '../../src/operations/examine-target.ts';
import { connectTarget } from '../../src/project.ts';
import { noColors } from '../../src/render/colors.ts';
import { isSick, renderExamination } from '../../src/render/doctor.ts';
import { createRole } from '../support/postgres-server.ts';
import { someone } from '../support/repository.ts';
import { commitEdit, drift, openTeam } from '../support/team.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const examine = ({ project, target, connect }: Workplace) => examineTarget(project, target, connect);
const outcomes = ({ checks }: Examination) => Object.fromEntries(checks.map(({ check, outcome }) => [check, outcome]));
const find = ({ checks }: Examination, name: string): Check | undefined => checks.find(({ check }) => check === name);

test('all is well after an export that was pushed, and nothing changes', async () => {
  const team = await openTeam();
  const place = await team.machine();
  await place.export({ push: 'push' });
  const refs = place.git('for-each-ref', 'refs/heads', 'refs/viewsync');
  const found = await examine(place);
  const names = ['connection', 'server', 'privileges', 'clock', 'passwords', 'git identity', 'attributes', 'remote', 'live line', 'last export'];
  expect([outcomes(found), isSick(found)]).toEqual([Object.fromEntries(names.map((name) => [name, 'good'])), false]);
  expect(find(found, 'git identity')?.found).toBe('Commits are made as Ada <ada@example.com>.');
  expect(find(found, 'last export')?.found).toContain('prod: baseline, 3 views');
  expect(place.git('for-each-ref', 'refs/heads', 'refs/viewsync')).toBe(refs);
});

test('names what a weak role may not do, and a password in a definition without repeating it', async () => {
  const team = await openTeam();
  await team.database.query(`CREATE VIEW shop.far AS SELECT 'postgres://ada:s3cr3t@db/shop'::text AS url; ${createRole('doctor_weak', ' LOGIN')}
    REVOKE TEMPORARY ON DATABASE ${team.database.name} FROM PUBLIC`);
  const place = await openWorkplace({ database: team.database, target: { options: { url: team.database.urlFor('doctor_weak') } } });
  const found = await examine(place);
  expect(outcomes(found)).toMatchObject({ privileges: 'warning', passwords: 'warning', remote: 'warning', 'live line': 'warning' });
  expect(found.checks.filter(({ check }) => check === 'privileges').map((check) => check.found)).toEqual([
    expect.stringContaining('temporary views'),
    expect.stringContaining('create in the database'),
    expect.stringContaining('create databases'),
    'To apply and to migrate, this role has to act as "postgres", who owns 4 views.',
    'To apply and to migrate, this role has to create in the schema "shop", where 4 views are.',
    expect.stringContaining('To migrate, this role has to act as "postgres", who owns tables'),
  ]);
  expect([isSick(found), renderExamination(found, noColors)]).toEqual([false, expect.not.stringContaining('s3cr3t')]);
});

test('goes on with git when the server cannot be reached, and with the server when git is not set up', async () => {
  const team = await openTeam();
  const place = await team.machine();
  place.git('remote', 'set-url', 'origin', 'file:///nowhere');
  const nobody = { ...someone, GIT_AUTHOR_NAME: '', GIT_COMMITTER_NAME: '' };
  const project = { ...place.project, history: await openHistory(place.directory, nobody) };
  const target = { ...place.target, options: { url: 'postgres://ada:s3cr3t@127.0.0.1:1/shop' } };
  const found = await examineTarget(project, target, () => connectTarget(project, target));
  expect([outcomes(found), isSick(found)]).toEqual([
    { connection: 'bad', 'git identity': 'bad', attributes: 'good', remote: 'bad', 'live line': 'warning' },
    true,
  ]);
  expect(JSON.stringify(found)).not.toContain('s3cr3t');
});

test('says what a filter, an encoding and line ends of git do to files of views: nothing to what is committed here', async () => {
  const team = await openTeam();
  const place = await team.machine();
  const attributes = (lines: string) => writeFileSync(join(place.directory, '.gitattributes'), lines);
  const warnings = async () =>
    (await checkAttributes(place.project, place.target)).map(({ outcome, found, suggestions }) => `${outcome}: ${found} ${suggestions?.[0] ?? ''}`);
  attributes('*.sql text=auto\n');
  expect(await warnings()).toEqual([
    expect.stringMatching(/^warning: Git converts line ends of views\/prod\/schema\/view\.sql.*echo 'views\/\*\* -text' >> \.gitattributes$/),
  ]);
  attributes('views/** -text\nviews/**/*.sql filter=lock\n');
  for (const side of ['clean', 'smudge']) place.git('config', `filter.lock.${side}`, 'tr A-Z N-ZA-M');
  await place.export();
  expect(place.git('show', 'HEAD:views/prod/shop/ids.sql')).toContain('CREATE OR REPLACE VIEW shop.ids');
  expect(await warnings()).toEqual([
    expect.stringMatching(/^warning: The filter "lock" applies to views\/prod\/shop\/best\.sql and 3 more files, .*nothing of it is encrypted.*-filter' >>/),
  ]);
  commitEdit(place, 'shop.ids', (text) => text.replaceAll('0', '1'));
  expectTold(await place.plan('HEAD').catch((error) => error), {
    code: 'FILE_UNREADABLE',
    exitCode: 65,
    because: /^views\/prod\/shop\/\w+\.sql:\d+: /,
    next: 'git log --patch',
  });
  attributes('views/** -crlf ident working-tree-encoding=UTF-16\n');
  place.git('config', 'core.autocrlf', 'true');
  expect(await warnings()).toEqual([expect.stringMatching(/replaces \$Id\$/), expect.stringMatching(/in UTF-16 to the work tree/)]);
  attributes('');
  expect(await warnings()).toEqual([expect.stringMatching(/converts line ends/)]);
});

test('says when the newest states are on this machine alone', async () => {
  const team = await openTeam();
  const place = await team.machine();
  await place.export({ push: 'push' });
  await drift(place, 1);
  await place.export();
  expect(find(await examine(place), 'remote')).toMatchObject({
    outcome: 'warning',
    found: expect.stringContaining('lacks the newest states'),
    suggestions: ['viewsync export --push'],
  });
});

test('names open conflicts and an interrupted run', async () => {
  const team = await openTeam();
  const place = await team.machine();
  await place.export();
  commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
  await drift(place, 1);
  await drift(place, 1, 'shop.big');
  await place.export();
  expect(find(await examine(place), 'conflicts')?.found).toBe('shop.ids is in conflict.');
  const live = 'refs/viewsync/prod';
  const message = 'prod: start apply HEAD\n\nViewsync-Target: prod\nViewsync-Run: 1\nViewsync-State: started\nViewsync-Command: apply\nViewsync-Revision: HEAD';
  place.git('update-ref', live, place.git('commit-tree', '-m', message, '-p', live, `${live}^{tree}`));
  const found = await examine(place);
  expect(find(found, 'live line')).toMatchObject({ outcome: 'bad', suggestions: ['viewsync rollback', 'viewsync apply HEAD'] });
});
