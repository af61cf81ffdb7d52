import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diffRevisions } from '../../src/operations/diff-revisions.ts';
import { showView } from '../../src/operations/show-view.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { expectAgreement } from './laws.ts';

const shop = `
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
CREATE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > 100;
CREATE VIEW shop.best AS SELECT customer, 'x' AS note FROM shop.big WHERE total > 1000;`;

async function openShop(): Promise<Workplace> {
  const place = await openWorkplace();
  await place.database.query(shop);
  await place.export();
  return place;
}

const path = 'views/prod/shop/best.sql';
const read = (place: Workplace, file = path) => readFileSync(join(place.directory, file), 'utf8');
const write = (place: Workplace, text: string | Buffer, file = path) => writeFileSync(join(place.directory, file), text);
const commit = (place: Workplace) => place.git('commit', '--quiet', '--all', '--message', 'Edit');
const refused = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => error,
  );

const faults: readonly (readonly [string, (text: string) => string | Buffer])[] = [
  ['a conflict marker', (text) => text.replace('SELECT\n', '<<<<<<< HEAD\nSELECT\n')],
  ['an unclosed quote', (text) => text.replace("'x'", "'x")],
  ['a second view', (text) => `${text}\nCREATE OR REPLACE VIEW shop.more AS\nSELECT 1 AS n\n;\n`],
  ['a statement of another kind', (text) => `${text}\nDROP TABLE shop.orders;\n`],
  ['a statement about another view', (text) => `${text}\nGRANT SELECT ON shop.big TO public;\n`],
  ['nothing', () => ''],
  ['half of its bytes', (text) => text.slice(0, text.indexOf('FROM'))],
  ['all but its last semicolon', (text) => text.slice(0, text.lastIndexOf(';'))],
  ['no text', () => Buffer.from([0xff, 0xfe, 0x00, 0x43, 0x00])],
  ['another name', (text) => text.replaceAll('shop.best', 'shop.worst')],
];

test('a view file that holds something else is named with its line by apply, and stops nothing else', async () => {
  const place = await openShop();
  for (const [index, [what, damage]] of faults.entries()) {
    write(place, damage(read(place)));
    commit(place);
    const error = await refused(place.apply('HEAD'));
    expectTold(
      error,
      {
        code: /^FILE_(UNREADABLE|MISPLACED)$/,
        exitCode: 65,
        because: /^views\/prod\/shop\/best\.sql(:\d+: .*| creates .*)\./,
        next: `git log --patch -- '${path}'`,
      },
      what,
    );
    await place.database.query(`CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > ${index}`);
    const night = await place.export();
    expect(night.broken, what).toMatchObject([{ path }]);
    expect(place.git('show', '--format=%s', '--name-only', 'HEAD'), what).toContain('views/prod/shop/big.sql');
    expect(place.git('show', 'refs/viewsync/prod:views/prod/shop/best.sql'), what).toContain('shop.best');
    expect((await place.status()).broken, what).toMatchObject([{ path }]);
    place.git('checkout', '--quiet', 'HEAD~2', '--', path);
    commit(place);
  }
  await expectAgreement(place);
});

test('a file that was moved without its view is at a wrong path; moved with it, it is a view to make and one to drop', async () => {
  const place = await openShop();
  mkdirSync(join(place.directory, 'views/prod/shop/old'), { recursive: true });
  renameSync(join(place.directory, path), join(place.directory, 'views/prod/shop/finest.sql'));
  expectTold(await refused(place.apply('worktree')), {
    code: 'FILE_MISPLACED',
    exitCode: 65,
    because: 'views/prod/shop/finest.sql creates the view shop.best, whose file is views/prod/shop/best.sql',
    next: 'Move the file to views/prod/shop/best.sql',
  });
  write(place, read(place, 'views/prod/shop/finest.sql').replaceAll('shop.best', 'shop.finest'), 'views/prod/shop/finest.sql');
  place.git('add', '--all');
  commit(place);
  const kept = await place.apply('HEAD');
  expect(kept.plan.kept).toMatchObject([{ name: 'best' }]);
  const pruned = await place.apply('HEAD', { absent: 'drop', allowed: ['DELETES_VIEW'] });
  expect(pruned.plan.steps).toMatchObject([{ kind: 'drop', view: { name: 'best' } }]);
  await expectAgreement(place);
});

test('a checkout with CR LF changes nothing, with and without the attributes that init writes', async () => {
  const place = await openShop();
  await place.database.query(`COMMENT ON VIEW shop.best IS E'one\\r\\ntwo\\nthree'`);
  await place.export();
  for (const attributes of ['', 'views/** -text\n']) {
    writeFileSync(join(place.directory, '.gitattributes'), attributes);
    place.git('add', '.gitattributes');
    place.git('-c', 'core.autocrlf=false', 'commit', '--quiet', '--message', 'Attributes');
    place.git('config', 'core.autocrlf', 'true');
    place.git('rm', '--cached', '-r', '--quiet', 'views');
    place.git('reset', '--hard', '--quiet');
    expect(read(place, 'views/prod/shop/big.sql').includes('\r\n')).toBe(attributes === '');
    expect((await place.status()).differing).toEqual([]);
    expect((await place.export()).commit).toBeUndefined();
    expect((await place.plan('worktree')).plan.steps).toEqual([]);
    await place.database.query(`CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > ${attributes.length}`);
    await place.export();
    expect(place.git('status', '--porcelain')).toBe('');
    expect(place.git('show', 'HEAD:views/prod/shop/big.sql')).not.toContain('\r');
    expect((await place.status()).differing).toEqual([]);
  }
});

test('a file edited with CR LF is the same view, except for what stands in literals', async () => {
  const place = await openShop();
  write(place, read(place).replaceAll('\n', '\r\n'));
  expect((await place.status()).differing).toEqual([]);
  expect((await place.plan('worktree')).plan.steps).toEqual([]);
  expect((await place.export()).conflicts).toEqual([]);
});

test('a revision from before the target is refused, and an unknown one and an ambiguous one', async () => {
  const place = await openWorkplace();
  await place.database.query(shop);
  writeFileSync(join(place.directory, 'README.md'), 'Hello');
  place.git('add', '--all');
  commit(place);
  await place.export();
  expectTold(await refused(place.apply('HEAD~1', { absent: 'drop', allowed: ['DELETES_VIEW'] })), {
    code: 'TARGET_NOT_IN_REVISION',
    exitCode: 65,
    because: /^There is no target "prod" in commit [0-9a-f]{10}: its target\.json is missing/,
    next: 'viewsync log',
  });
  expectTold(await refused(place.apply('HEAD~7')), { code: 'REVISION_UNKNOWN', exitCode: 65, because: '"HEAD~7" names no commit', next: 'git log --oneline' });
  place.git('tag', 'twice', 'HEAD~1');
  place.git('branch', 'twice');
  expectTold(await refused(place.apply('twice')), {
    code: 'REVISION_AMBIGUOUS',
    exitCode: 65,
    because: '"twice" could mean more than one commit',
    next: 'refs/tags/twice',
  });
  await expectAgreement(place);
});

test('a tag, a commit of another branch, one three commits back and a short id are applied as any other', async () => {
  const place = await openShop();
  const above = (limit: number) =>
    place.database.query(`CREATE OR REPLACE VIEW shop.big AS SELECT id, customer, total FROM shop.orders WHERE total > ${limit}`);
  place.git('tag', 'first');
  place.git('switch', '--quiet', '--create', 'side');
  await above(1);
  await place.export();
  place.git('switch', '--quiet', 'main');
  await above(2);
  await place.export();
  for (const message of ['One', 'Two']) place.git('commit', '--quiet', '--allow-empty', '--message', message);
  await above(3);
  const wanted = [
    ['side', 1],
    ['first', 100],
    [place.git('rev-parse', '--short', 'HEAD~2'), 2],
    ['HEAD~3', 100],
  ] as const;
  const found = await Promise.all(wanted.map(([revision]) => place.plan(revision)));
  expect(found.map(({ plan }) => plan.steps.map(({ sql }) => Number(/>\s*\(?(\d+)/.exec(sql)?.[1])))).toEqual(wanted.map(([, limit]) => [limit]));
  await place.apply('side');
  expect(await place.database.query("SELECT pg_get_viewdef('shop.big'::regclass) ~ '> .1.::' AS yes")).toEqual([{ yes: true }]);
  await expectAgreement(place);
});

test('files of a newer format are not read, and nothing is written over them', async () => {
  const place = await openShop();
  write(place, read(place, 'views/prod/target.json').replace('"format": 1', '"format": 2'), 'views/prod/target.json');
  commit(place);
  const head = place.git('rev-parse', 'HEAD', 'refs/viewsync/prod');
  for (const work of [place.export, () => place.apply('HEAD'), place.status]) {
    expectTold(await refused(work()), { code: 'FORMAT_TOO_NEW', exitCode: 65, because: /views\/prod\/target\.json.*format/, next: 'viewsync' });
  }
  expect(place.git('rev-parse', 'HEAD', 'refs/viewsync/prod')).toBe(head);
  await expect(place.apply('HEAD~1')).rejects.toMatchObject({ code: 'FORMAT_TOO_NEW' });
});

test('a revision whose format is no version, or one to come, is refused by everything that reads it; others are read as before', async () => {
  const place = await openShop();
  const target = 'views/prod/target.json';
  const good = read(place, target);
  const { project, target: prod } = place;
  const dialect = postgresDialect;
  for (const [line, code] of [
    ['"format": 0,', 'FILE_UNREADABLE'],
    ['"format": "1",', 'FILE_UNREADABLE'],
    ['"format": 1.5,', 'FILE_UNREADABLE'],
    ['', 'FILE_UNREADABLE'],
    ['"format": 2,', 'FORMAT_TOO_NEW'],
  ] as const) {
    write(place, good.replace('"format": 1,', line), target);
    commit(place);
    const old = place.git('rev-parse', 'HEAD');
    write(place, good, target);
    commit(place);
    const reading = [
      () => place.plan(old),
      () => place.apply(old),
      () => showView(project, prod, { view: 'shop.best', at: old, dialect }),
      () => diffRevisions(project, prod, { from: old, to: 'HEAD', dialect, connect: place.connect }),
    ];
    for (const work of reading) expectTold(await refused(work()), { code, exitCode: 65, because: /target\.json.*format.*Nothing was changed/, next: /\w/ });
  }
  await expectAgreement(place);
});

test('a target.json that holds something else is named', async () => {
  const place = await openShop();
  for (const text of ['{', '{"format": 1}', '[]', '']) {
    write(place, text, 'views/prod/target.json');
    const refs = place.git('for-each-ref');
    expectTold(await refused(place.export()), { code: 'FILE_UNREADABLE', exitCode: 65, because: /views\/prod\/target\.json/, next: /git/ }, text);
    expect([place.git('for-each-ref'), read(place, 'views/prod/target.json')]).toEqual([refs, text]);
    place.git('checkout', '--', '.');
  }
  await expectAgreement(place);
});
