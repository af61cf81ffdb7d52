import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRole } from '../support/postgres-server.ts';
import { commitFiles, git, temporaryRepository, writeFiles } from '../support/repository.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace } from '../support/workplace.ts';

test('a view that cannot be read is named, keeps its file, and costs no other view', async () => {
  const place = await openWorkplace();
  await place.database.query('CREATE VIEW secret AS SELECT 1 AS a; CREATE VIEW plain AS SELECT 2 AS b');
  await place.export();
  await place.database.query(
    "SET allow_system_table_mods = on; DELETE FROM pg_rewrite WHERE ev_class = 'secret'::regclass; CREATE VIEW another AS SELECT 3 AS c",
  );
  const result = await place.export();
  expect(result.unreadable).toMatchObject([{ name: { schema: 'public', name: 'secret' }, isAllowed: false }]);
  expect(result.changes.map(({ change, view }) => `${change} ${view.name}`)).toEqual(['added another']);
  expect(place.git('ls-tree', '-r', '--name-only', 'HEAD', '--', 'views/prod/public').split('\n')).toEqual(
    ['another', 'plain', 'schema', 'secret'].map((name) => `views/prod/public/${name}.sql`),
  );
  expect(place.git('show', 'HEAD:views/prod/target.json')).toContain('"secret"');
  expect((await place.export()).commit).toBeUndefined();
  const lenient = await openWorkplace({
    database: place.database,
    directory: place.directory,
    target: { options: { url: place.database.url }, allowUnreadable: ['public.sec*'] },
  });
  expect((await lenient.export()).unreadable).toMatchObject([{ isAllowed: true }]);
  expect((await place.plan('HEAD', { absent: 'drop' })).plan.steps).toEqual([]);
});

test('a listing that is refused is no listing: nothing is recorded, no file goes', async () => {
  const place = await openWorkplace();
  await place.database.query(`${createRole('refused_reader', ' LOGIN')} CREATE VIEW plain AS SELECT 1 AS a`);
  await place.export();
  const refs = place.git('for-each-ref');
  const asReader = { options: { url: place.database.urlFor('refused_reader') } };
  const weak = await openWorkplace({ database: place.database, directory: place.directory, target: asReader });
  for (const catalog of ['pg_class', 'pg_rewrite', 'pg_namespace']) {
    await place.database.query(`REVOKE SELECT ON pg_catalog.${catalog} FROM PUBLIC`);
    expectTold(await weak.export().catch((error) => error), { code: 'QUERY_FAILED', exitCode: 69, because: catalog, next: 'viewsync doctor' });
    await place.database.query(`GRANT SELECT ON pg_catalog.${catalog} TO PUBLIC`);
  }
  expect(place.git('for-each-ref')).toBe(refs);
});

test('files that viewsync did not write stay as they are, wherever they lie', async () => {
  const directory = temporaryRepository();
  const strangers = {
    'views/prod/README.md': 'ours\n',
    'views/prod/notes.sql': 'select 1\n',
    'views/prod/public/deep/er.sql': 'select 2\n',
    'views/other/x.sql': 'x\n',
  };
  commitFiles(directory, strangers);
  writeFiles(directory, { 'views/prod/public/draft.txt': 'not committed\n' });
  const place = await openWorkplace({ directory });
  await place.database.query('CREATE VIEW v AS SELECT 1 AS a');
  await place.export();
  await place.database.query('DROP VIEW v');
  await place.export();
  for (const [path, text] of Object.entries(strangers)) expect(git(directory, 'show', `HEAD:${path}`)).toBe(text.trimEnd());
  expect(git(directory, 'ls-tree', '-r', '--name-only', 'HEAD')).not.toContain('v.sql');
  expect(readFileSync(join(directory, 'views/prod/public/draft.txt'), 'utf8')).toBe('not committed\n');
});

test('the views folder may lie anywhere in a monorepo, and staged and dirty files of others stay so', async () => {
  const directory = temporaryRepository();
  commitFiles(directory, { 'app/main.ts': 'one\n', 'app/other.ts': 'one\n' });
  writeFiles(directory, { 'app/main.ts': 'staged\n' });
  git(directory, 'add', 'app/main.ts');
  writeFiles(directory, { 'app/main.ts': 'dirty\n', 'app/other.ts': 'dirty\n' });
  const before = git(directory, 'status', '--porcelain');
  mkdirSync(join(directory, 'data/warehouse'), { recursive: true });
  const place = await openWorkplace({ directory, viewsFolder: 'data/warehouse/views' });
  await place.database.query('CREATE VIEW v AS SELECT 1 AS a');
  await place.export();
  expect(git(directory, 'status', '--porcelain')).toBe(before);
  expect(git(directory, 'show', '--name-only', '--format=', 'HEAD').split('\n')).toEqual([
    'data/warehouse/views/prod/public/schema.sql',
    'data/warehouse/views/prod/public/v.sql',
    'data/warehouse/views/prod/target.json',
  ]);
});

test('a dry run writes nothing, and without a commit only files are written', async () => {
  const place = await openWorkplace();
  await place.database.query('CREATE VIEW v AS SELECT 1 AS a');
  expect((await place.export({ commit: 'dry run' })).files.map(({ path }) => path)).toContain('views/prod/public/v.sql');
  expect(place.git('for-each-ref')).toBe('');
  expect(place.git('status', '--porcelain')).toBe('');
  await place.export({ commit: 'files only' });
  expect(place.git('for-each-ref')).toBe('');
  expect(readFileSync(join(place.directory, 'views/prod/public/v.sql'), 'utf8')).toContain('CREATE OR REPLACE VIEW public.v');
  expect((await place.export()).isBaseline).toBe(true);
  expect(place.git('status', '--porcelain')).toBe('');
});

test('formatting by hand is kept until everything is formatted anew', async () => {
  const place = await openWorkplace();
  await place.database.query('CREATE VIEW v AS SELECT 1 AS a, 2 AS b');
  await place.export();
  const file = join(place.directory, 'views/prod/public/v.sql');
  const own = readFileSync(file, 'utf8').replace(/SELECT\n\s+1 AS a,\n\s+2 AS b/, 'SELECT 1 AS a, 2 AS b');
  writeFileSync(file, own);
  place.git('commit', '--quiet', '--all', '--message', 'On one line');
  expect((await place.export()).commit).toBeUndefined();
  const result = await place.export({ reformat: 'all' });
  expect(result.subject).toBe('prod: format 1 view');
  expect(readFileSync(file, 'utf8')).not.toBe(own);
  expect((await place.export({ reformat: 'all' })).commit).toBeUndefined();
});
