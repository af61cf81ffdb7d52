import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { diffRevisions } from '../../src/operations/diff-revisions.ts';
import { showView } from '../../src/operations/show-view.ts';
import { postgresDialect as dialect } from '../../src/warehouses/postgres/dialect.ts';
import { openWorkplace } from '../support/workplace.ts';

test('where there is no git, a commit can be shown, compared and planned, and nothing is written', async () => {
  const place = await openWorkplace();
  await place.database.query('CREATE VIEW v AS SELECT 1 AS a; CREATE VIEW w AS SELECT a FROM v');
  await place.export();
  await place.database.query('CREATE OR REPLACE VIEW v AS SELECT 2 AS a');
  await place.export();
  await place.database.query('DROP VIEW v CASCADE');
  const file = join(place.directory, 'views/prod/public/w.sql');
  writeFileSync(file, readFileSync(file, 'utf8').replace('a\n', 'a + 1 AS a\n'));

  const { database, directory } = place;
  const bare = await openWorkplace({ database, directory, environment: { PATH: '/nonexistent' } });
  const connect = () => bare.connect();
  expect((await showView(bare.project, bare.target, { view: 'public.v', at: 'HEAD~1', dialect })).text).toContain('1 AS a');
  const { files } = await diffRevisions(bare.project, bare.target, { from: 'HEAD~1', to: 'HEAD', dialect, connect });
  expect(files.map(({ path }) => path)).toEqual(['views/prod/public/v.sql']);
  const { plan } = await bare.plan('HEAD~1');
  expect(plan.steps.filter(({ kind }) => kind === 'create').map(({ sql }) => sql.split('\n')[0])).toEqual([
    'CREATE VIEW public.v AS',
    'CREATE VIEW public.w AS',
  ]);
  expect((await bare.plan('worktree', { overwrite: ['public.w'] })).plan.steps.map(({ sql }) => sql).join()).toContain('a + 1');
  await expect(bare.apply('HEAD~1')).rejects.toMatchObject({ code: 'GIT_MISSING', exitCode: 65 });
  await expect(bare.export()).rejects.toMatchObject({ code: 'GIT_MISSING' });
  expect(await database.query("SELECT viewname FROM pg_views WHERE schemaname = 'public'")).toEqual([]);
});
