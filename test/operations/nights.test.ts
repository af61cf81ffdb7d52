import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffRevisions } from '../../src/operations/diff-revisions.ts';
import { showView } from '../../src/operations/show-view.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { createDatabase } from '../support/postgres-server.ts';
import { writeFiles } from '../support/repository.ts';
import { commitEdit, drift, edit, liveText, shop, states } from '../support/team.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const live = 'refs/viewsync/prod';

async function openShop(): Promise<Workplace> {
  const database = await createDatabase();
  await database.query(shop);
  const place = await openWorkplace({ database });
  await place.export();
  return place;
}

const file = (place: Workplace, revision: string, view = 'shop.ids') => place.git('show', `${revision}:views/prod/${view.replace('.', '/')}.sql`);

describe('three nights', () => {
  test('in sync: no commit on either line', async () => {
    const place = await openShop();
    const refs = place.git('for-each-ref');
    for (const _ of [1, 2, 3]) expect(await place.export()).toMatchObject({ conflicts: [], pending: [], changes: [] });
    expect(place.git('for-each-ref')).toBe(refs);
  });

  test('drift: each is recorded on the branch, and apply HEAD plans it back', async () => {
    const place = await openShop();
    for (const night of [1, 2, 3]) {
      await drift(place, night);
      expect((await place.export()).subject).toBe('prod: 1 view changed');
      expect([file(place, 'HEAD'), await states(place)]).toEqual([expect.stringContaining(`> ${night}`), {}]);
    }
    await drift(place, 99);
    expect(await states(place)).toEqual({ 'shop.ids': 'drift' });
    await place.apply('HEAD');
    expect(await liveText(place, 'shop.ids')).toContain('> 3');
  });

  test('pending: the file is left alone and named while the backup of the rest goes on, and apply HEAD deploys it', async () => {
    const place = await openShop();
    commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
    for (const night of [1, 2, 3]) {
      await drift(place, 100 + night, 'shop.big');
      expect(await place.export()).toMatchObject({ pending: ['shop.ids'], conflicts: [] });
      expect(await states(place)).toEqual({ 'shop.ids': 'pending' });
      expect([file(place, 'HEAD'), file(place, live)]).toEqual([expect.stringContaining('> 66'), expect.stringContaining('> 0')]);
    }
    await place.apply('HEAD');
    expect([await liveText(place, 'shop.ids'), await liveText(place, 'shop.big')]).toEqual([expect.stringContaining('> 66'), expect.stringContaining('103')]);
    expect((await place.export()).commit).toBeUndefined();
  });

  test('conflict: stays one however many nights pass, while the live line has every state of it', async () => {
    const place = await openShop();
    commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
    for (const night of [1, 2, 3, 4]) {
      await drift(place, night);
      await drift(place, 100 + night, 'shop.big');
      expect(await place.export()).toMatchObject({ conflicts: ['shop.ids'], pending: [] });
      expect([place.git('log', '-1', '--format=%s', live), place.git('log', '-1', '--format=%s')]).toEqual(['prod: 2 views changed', 'prod: 1 view changed']);
      expect([file(place, live), file(place, 'HEAD'), file(place, 'HEAD', 'shop.big')]).toEqual([
        expect.stringContaining(`> ${night}`),
        expect.stringContaining('> 66'),
        expect.stringContaining(`10${night}`),
      ]);
    }
    expect((await place.export()).conflicts).toEqual(['shop.ids']);
    expectTold(await place.apply('HEAD').catch((error) => error), {
      code: 'CONFLICT',
      exitCode: 3,
      because: /^Changed in git and in the warehouse .*: shop\.ids\. Nothing was changed\.$/,
      next: '--overwrite',
    });
    expect(await liveText(place, 'shop.ids')).toContain('> 4');
    expect(await place.export({ overwrite: ['shop.ids'] })).toMatchObject({ conflicts: [] });
    expect([file(place, 'HEAD'), await states(place)]).toEqual([expect.stringContaining('> 4'), {}]);
  });

  test('a conflict ends when both sides come to agree, and what drifts afterwards is drift', async () => {
    const place = await openShop();
    commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 0', '> 66'));
    await drift(place, 1);
    await place.export();
    await drift(place, 66);
    expect(await place.export()).toMatchObject({ conflicts: [], subject: 'prod: git and the warehouse agree' });
    expect((await place.export()).commit).toBeUndefined();
    await drift(place, 2);
    expect(await place.export()).toMatchObject({ conflicts: [], subject: 'prod: 1 view changed' });
  });

  test('a conflict over a view whose name holds a line break, a per cent sign and a quote stays one', async () => {
    const place = await openShop();
    const name = 'a\n%0Ab" \u2028x';
    const quoted = `shop."${name.replace('"', '""')}"`;
    const create = (above: number) => `CREATE OR REPLACE VIEW ${quoted} AS SELECT id FROM shop.orders WHERE id > ${above}`;
    await place.database.query(create(0));
    await place.export();
    const path = place.git('-c', 'core.quotePath=false', 'diff', '--name-only', 'HEAD~1', 'HEAD').split('\n')[0] ?? '';
    const text = place.git('show', `HEAD:${path}`);
    writeFiles(place.directory, { [path]: `${text.replace('> 0', '> 66')}\n` });
    place.git('commit', '--quiet', '--all', '--message', 'Edit');
    for (const night of [1, 2, 3]) {
      await place.database.query(create(night));
      await drift(place, night);
      expect((await place.export()).conflicts).toHaveLength(1);
    }
    expect(Object.values(await states(place))).toEqual(['conflict']);
    expect(place.git('show', `HEAD:${path}`)).toContain('> 66');
  });

  test('dropped in the warehouse and in git: recorded once, and what is made again later is recorded too', async () => {
    const place = await openShop();
    rmSync(join(place.directory, 'views/prod/shop/ids.sql'));
    place.git('commit', '--quiet', '--all', '--message', 'Drop');
    expect(await states(place)).toEqual({ 'shop.ids': 'pending' });
    await place.database.query('DROP VIEW shop.ids');
    await place.export();
    expect((await place.export()).commit).toBeUndefined();
    await place.database.query('CREATE VIEW shop.ids AS SELECT id FROM shop.orders');
    expect(await place.export()).toMatchObject({ subject: 'prod: 1 view added', pending: [] });
  });

  test('an edit that is not committed is not written over by drift, and the drift is not forgotten', async () => {
    const place = await openShop();
    edit(place, 'shop.ids', (text) => text.replace('SELECT\n', 'SELECT -- mine\n'));
    for (const night of [1, 2, 3]) {
      await drift(place, night);
      await drift(place, 100 + night, 'shop.big');
      expect((await place.export()).conflicts).toEqual(['shop.ids']);
    }
    expect(place.git('diff', '--stat')).toContain('ids.sql');
    place.git('checkout', '--', '.');
    expect(await states(place)).toEqual({ 'shop.ids': 'drift' });
    await place.export();
    expect(file(place, 'HEAD')).toContain('> 3');
  });

  test('files that were there before the tool: alike is taken over, different is a conflict from the first night on', async () => {
    const other = await openShop();
    const [alike, different] = [file(other, 'HEAD', 'shop.big'), file(other, 'HEAD')];
    const place = await openWorkplace({ database: other.database });
    writeFiles(place.directory, {
      'views/prod/shop/big.sql': `${alike}\n`,
      'views/prod/shop/ids.sql': `${different.replace('> 0', '> 66')}\n`,
      'views/prod/notes.md': 'mine\n',
    });
    place.git('add', '--all');
    place.git('commit', '--quiet', '--message', 'Views by hand');
    for (const night of [1, 2, 3]) {
      expect((await place.export()).conflicts).toEqual(['shop.ids']);
      await drift(place, night, 'shop.big');
    }
    expect([file(place, 'HEAD'), file(place, 'HEAD', 'shop.big'), place.git('show', 'HEAD:views/prod/notes.md')]).toEqual([
      expect.stringContaining('> 66'),
      expect.stringContaining('> (2)::numeric'),
      'mine',
    ]);
    await place.apply('HEAD', { overwrite: ['shop.ids'] });
    expect([await liveText(place, 'shop.ids'), await states(place)]).toEqual([expect.stringContaining('> 66'), {}]);
  });
});

test('a folder of views that was moved: every view stays in its state, deletions count, runs can be undone, and the live line moves along', async () => {
  const place = await openShop();
  commitEdit(place, 'shop.big', (text) => text.replaceAll('100', '77'));
  await drift(place, 1);
  await place.apply('HEAD~1', { select: ['shop.ids'] });
  place.git('mv', 'views', 'sql');
  place.git('commit', '--quiet', '--message', 'Move');
  const moved = await openWorkplace({ database: place.database, directory: place.directory, viewsFolder: 'sql' });
  await drift(place, 2);
  await place.database.query('DROP VIEW shop.best');
  expect(await states(moved)).toEqual({ 'shop.best': 'drift', 'shop.big': 'pending', 'shop.ids': 'drift' });
  expect(await moved.export()).toMatchObject({ pending: ['shop.big'], conflicts: [], subject: 'prod: 1 view changed, 1 deleted' });
  expect(new Set(place.git('ls-tree', '--name-only', live).split('\n'))).toEqual(new Set(['sql']));
  expect(await states(moved)).toEqual({ 'shop.big': 'pending' });
  await moved.rollback();
  expect([await liveText(place, 'shop.ids'), await states(moved)]).toEqual([expect.stringContaining('> 1'), { 'shop.big': 'pending' }]);
  const unmoved = await openWorkplace({ database: place.database, directory: place.directory, viewsFolder: 'elsewhere' });
  expect(await unmoved.export()).toMatchObject({ pending: [], conflicts: [] });
  expect(place.git('ls-tree', '-r', '--name-only', 'HEAD', 'elsewhere/prod/shop').split('\n')).toHaveLength(3);
});

test('a commit from before the folder of views was moved is read where its own viewsync.yaml says, also when that was moved with it', async () => {
  const place = await openShop();
  const configure = (views: string) =>
    writeFileSync(join(place.directory, 'viewsync.yaml'), `targets: { prod: { warehouse: postgres, later: key } }\nviews: ${views}\n`);
  const commit = (message: string) => {
    place.git('add', '--all');
    place.git('commit', '--quiet', '--message', message);
  };
  configure('views');
  commit('Configure');
  await drift(place, 1);
  await place.export();
  const old = place.git('rev-parse', 'HEAD');
  place.git('mv', 'views', 'sql');
  configure('sql');
  commit('Move the views');
  const moved = await openWorkplace({ database: place.database, directory: place.directory, viewsFolder: 'sql' });
  await drift(place, 2);
  await moved.export();
  const { project, target } = moved;
  const dialect = postgresDialect;
  expect((await moved.plan(old)).plan.steps).toMatchObject([{ kind: 'replace', view: { name: 'ids' } }]);
  expect(await showView(project, target, { view: 'shop.ids', at: old, dialect })).toMatchObject({
    path: 'sql/prod/shop/ids.sql',
    text: expect.stringContaining('> 1'),
  });
  expect((await diffRevisions(project, target, { from: old, to: 'HEAD', dialect, connect: moved.connect })).files).toMatchObject([
    { path: 'sql/prod/shop/ids.sql' },
  ]);
  await moved.apply(old);
  expect([await liveText(place, 'shop.ids'), await states(moved), place.git('status', '--porcelain')]).toEqual([expect.stringContaining('> 1'), {}, '']);
  await drift(place, 3);
  mkdirSync(join(place.directory, 'analytics'));
  place.git('mv', 'sql', 'viewsync.yaml', 'analytics');
  commit('Move everything');
  const inside = await openWorkplace({ database: place.database, directory: join(place.directory, 'analytics'), viewsFolder: 'analytics/sql' });
  await inside.apply(old);
  expect([await liveText(place, 'shop.ids'), await states(inside)]).toEqual([expect.stringContaining('> 1'), {}]);
  const renamed = await openWorkplace({
    database: place.database,
    directory: join(place.directory, 'analytics'),
    viewsFolder: 'analytics/sql',
    target: { name: 'production' },
  });
  const another = { code: 'TARGET_NOT_IN_REVISION', exitCode: 65, because: 'There is no target "production" in commit', next: '--target NAME' } as const;
  expectTold(await renamed.plan('HEAD').catch((error) => error), { ...another, because: 'its target.json is missing. It holds "prod".' });
  expectTold(await showView(project, renamed.target, { view: 'shop.ids', at: old, dialect }).catch((error) => error), another);
  configure('../elsewhere');
  commit('Another project');
  expectTold(
    await inside.plan(old).then(
      () => 'planned',
      (error) => error,
    ),
    { code: 'TARGET_NOT_IN_REVISION', exitCode: 65, because: 'target.json is missing', next: 'git worktree add' },
  );
});

describe('a live line that somebody has', () => {
  const statesOn = (place: Workplace) => place.git('rev-list', live).split('\n');

  test.each([
    ['deleted', ['-d', live]],
    ['set back', [live, `${live}~2`]],
  ])('%s goes on from what the branch refers to, and no state is lost', async (_, change) => {
    const place = await openShop();
    for (const night of [1, 2]) {
      await drift(place, night);
      await place.export();
    }
    commitEdit(place, 'shop.ids', (text) => text.replaceAll('> 2', '> 66'));
    const before = statesOn(place);
    place.git('update-ref', ...change);
    await drift(place, 3, 'shop.big');
    const night = await place.export();
    expect(night).toMatchObject({ pending: ['shop.ids'], conflicts: [], notes: [expect.stringMatching(/it goes on from [0-9a-f]{10}/)] });
    expect(statesOn(place).slice(1)).toEqual(before);
    expect((await place.export()).notes).toEqual([]);
  });

  test('deleted wherever it was begins anew: what differs is a conflict, and the nights after that are as ever', async () => {
    const place = await openShop();
    await place.export();
    place.git('update-ref', '-d', live);
    place.git('reflog', 'expire', '--expire=now', '--all');
    place.git('gc', '--quiet', '--prune=now');
    await drift(place, 1);
    expectTold(await place.apply('HEAD').catch((error) => error), {
      code: 'SHALLOW_HISTORY',
      exitCode: 65,
      because: /^The branch refers to the live state [0-9a-f]{10}, which this clone does not hold/,
      next: 'viewsync export',
    });
    expect((await place.status()).differing).toMatchObject([{ view: 'shop.ids', state: 'conflict' }]);
    for (const night of [2, 3, 4]) {
      await drift(place, night, 'shop.big');
      const { conflicts, notes } = await place.export();
      expect([conflicts, notes]).toEqual([['shop.big', 'shop.ids'], night === 2 ? [expect.stringContaining('was deleted. A new one begins')] : []]);
      expect([file(place, live), file(place, live, 'shop.big')]).toEqual([expect.stringContaining('> 1'), expect.stringContaining(`> (${night})`)]);
    }
    await place.export({ overwrite: ['shop.ids', 'shop.big'] });
    await drift(place, 9);
    expect(await place.export()).toMatchObject({ conflicts: [], subject: 'prod: 1 view changed' });
  });
});
