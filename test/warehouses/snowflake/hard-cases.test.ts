import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { relationKey } from '../../../src/core/relation.ts';
import { checkRelations } from '../../../src/operations/check-relations.ts';
import { needsPerson } from '../../../src/render/export.ts';
import { connectAccount } from '../../../src/warehouses/snowflake/adapter.ts';
import { createAccount, findRelation } from '../../support/snowflake/account.ts';
import { startSnowflake } from '../../support/snowflake/server.ts';
import { openSnowflake, quick, type SnowflakePlace, stateOf } from './place.ts';

const fileOf = ({ directory }: SnowflakePlace, path: string) => readFileSync(join(directory, 'views/prod', path), 'utf8');

function edit(place: SnowflakePlace, path: string, change: (text: string) => string): void {
  writeFileSync(join(place.directory, 'views/prod', path), change(fileOf(place, path)));
}

const files = (place: SnowflakePlace, revision = 'HEAD') =>
  place
    .git('ls-tree', '-r', '--name-only', revision, 'views/')
    .split('\n')
    .filter((path) => path.endsWith('.sql'))
    .map((path) => path.replace('views/prod/', ''));

const relation = ({ account }: SnowflakePlace, ...path: readonly string[]) => findRelation(account, path);

const narrow = (text: string) => text.replace(/ORDERS\n;/, 'ORDERS WHERE ID > 1\n;');

const table = 'CREATE TABLE PROD.SHOP.ORDERS (ID NUMBER, TOTAL NUMBER)';

describe('columns', () => {
  test('what selects * over two levels is made again when a column is added, and every touched view works afterwards', async () => {
    const place = await openSnowflake([
      table,
      'CREATE VIEW PROD.SHOP.A AS SELECT ID FROM PROD.SHOP.ORDERS',
      'CREATE VIEW PROD.SHOP.B AS SELECT * FROM A',
      "CREATE VIEW PROD.SHOP.C COMMENT = 'kept' WITH TAG (PROD.SHOP.T = '1') AS SELECT B.* FROM PROD.SHOP.B",
      'GRANT SELECT ON VIEW PROD.SHOP.C TO ROLE READER',
      'CREATE VIEW PROD.SHOP.D AS SELECT ID FROM PROD.SHOP.C',
    ]);
    await place.export();
    edit(place, 'prod/shop/a.sql', (text) => text.replace(/SELECT\s+ID\s/, 'SELECT ID, TOTAL '));
    const { plan } = await place.apply('worktree');
    expect(plan.steps.map(({ kind, view }) => `${kind} ${view.name}`)).toEqual(['replace A', 'replace B', 'replace C', 'alter C']);
    for (const name of ['A', 'B', 'C']) expect(relation(place, 'PROD', 'SHOP', name)?.columns.map((column) => column.name)).toEqual(['ID', 'TOTAL']);
    expect(relation(place, 'PROD', 'SHOP', 'C')).toMatchObject({ comment: 'kept', tags: new Map([['PROD.SHOP.T', '1']]), grants: [{ grantee: 'READER' }] });
  });

  test('a view that names or protects its own columns over a * is not made again but named', async () => {
    const place = await openSnowflake([
      table,
      'CREATE VIEW PROD.SHOP.A AS SELECT ID FROM PROD.SHOP.ORDERS',
      'CREATE VIEW PROD.SHOP.B (NUMBER) AS SELECT * FROM PROD.SHOP.A',
    ]);
    await place.export();
    edit(place, 'prod/shop/a.sql', (text) => text.replace(/SELECT\s+ID\s/, 'SELECT ID, TOTAL '));
    await expect(place.apply('worktree')).rejects.toMatchObject({
      code: 'PLAN_IMPOSSIBLE',
      message: expect.stringContaining('names or protects its own columns'),
    });
    expect(relation(place, 'PROD', 'SHOP', 'A')?.columns).toHaveLength(1);
  });

  test('a dependent that the change leaves broken is told although the steps succeeded', async () => {
    const place = await openSnowflake([
      table,
      'CREATE VIEW PROD.SHOP.A AS SELECT ID, TOTAL FROM PROD.SHOP.ORDERS',
      'CREATE VIEW PROD.SHOP.B AS SELECT TOTAL FROM PROD.SHOP.A',
    ]);
    await place.export();
    edit(place, 'prod/shop/a.sql', (text) => text.replace(/ID,\s+TOTAL/, 'ID'));
    await expect(place.apply('worktree')).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: expect.stringMatching(/PROD\.SHOP\.B cannot be queried: .*invalid identifier 'TOTAL'/),
    });
    await place.rollback();
    expect((await place.status()).run).toBeUndefined();
    expect(relation(place, 'PROD', 'SHOP', 'A')?.columns).toHaveLength(2);
  });
});

describe('columns that a table has got or lost meanwhile', () => {
  const views = [
    table,
    "CREATE VIEW PROD.SHOP.A COMMENT = 'kept' AS SELECT * FROM PROD.SHOP.ORDERS",
    'GRANT SELECT ON VIEW PROD.SHOP.A TO ROLE READER',
    'CREATE VIEW PROD.OTHER.B AS SELECT A.*, 1 AS ONE FROM PROD.SHOP.A',
    'CREATE VIEW PROD.SHOP.PLAIN AS SELECT ID FROM PROD.SHOP.ORDERS',
    'CREATE VIEW PROD.SHOP.CALLED (NUMBER, SUM) AS SELECT * FROM PROD.SHOP.ORDERS',
  ];

  test('status and plan name the views that went stale, and apply makes them again, with what belongs to them', async () => {
    const place = await openSnowflake(views);
    await place.export();
    expect(fileOf(place, 'prod/shop/a.sql')).not.toContain('"TOTAL"');
    expect(await place.status()).toMatchObject({ differing: [], stale: [] });
    place.account.log.length = 0;
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    expect(place.account.log.filter((sql) => sql.startsWith('DESCRIBE'))).toEqual([]);
    place.server.run(['ALTER TABLE PROD.SHOP.ORDERS ADD COLUMN COLOR TEXT', "ALTER VIEW PROD.SHOP.A SET COMMENT = 'kept'"]);
    expect((await place.status()).stale).toEqual([
      { view: 'PROD.OTHER.B', because: expect.stringMatching(/^its columns are no longer those of its query: it now gives "COLOR"; viewsync apply/) },
      { view: 'PROD.SHOP.A', because: expect.stringMatching(/^its columns are no longer those of its query: it now gives "COLOR"; viewsync apply/) },
      { view: 'PROD.SHOP.CALLED', because: expect.stringContaining('has 2 columns and its query has 3') },
    ]);
    const { plan } = await place.apply('HEAD');
    expect(plan.steps.map(({ kind, view, because }) => `${kind} ${view.name}: ${because}`)).toEqual([
      'replace A: its columns are no longer those of its query',
      'replace B: its columns are no longer those of its query',
      'alter A: a replace loses it',
    ]);
    expect(relation(place, 'PROD', 'SHOP', 'A')).toMatchObject({ comment: 'kept', grants: [{ grantee: 'READER' }] });
    expect(relation(place, 'PROD', 'OTHER', 'B')?.columns.map(({ name }) => name)).toEqual(['ID', 'TOTAL', 'COLOR', 'ONE']);
    expect((await place.status()).stale.map(({ view }) => view)).toEqual(['PROD.SHOP.CALLED']);
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('of a view that our role may not query nothing is said', async () => {
    const place = await openSnowflake(views.slice(0, 2));
    await place.export();
    place.server.run(['ALTER TABLE PROD.SHOP.ORDERS ADD COLUMN COLOR TEXT']);
    for (const code of ['003001', '002003'])
      place.account.injections.push({
        matches: /^SELECT \* FROM/,
        times: 1,
        error: { code, sqlState: '42501', message: "Object 'PROD.SHOP.A' does not exist or not authorized." },
      });
    expect((await place.status()).stale).toEqual([]);
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('a commit from before is restored although its views have other columns now', async () => {
    const place = await openSnowflake(views.slice(0, 4));
    await place.export();
    place.server.run(['ALTER TABLE PROD.SHOP.ORDERS DROP COLUMN TOTAL', 'DROP VIEW PROD.OTHER.B', 'DROP VIEW PROD.SHOP.A']);
    await place.apply('HEAD');
    expect(relation(place, 'PROD', 'OTHER', 'B')?.columns.map(({ name }) => name)).toEqual(['ID', 'ONE']);
    expect(await place.status()).toMatchObject({ stale: [] });
  });
});

describe('what belongs to a view', () => {
  test('a role that is no owner gives the view back to its owner, and future grants do not widen what is made anew', async () => {
    const place = await openSnowflake([
      table,
      'CREATE VIEW PROD.SHOP.A AS SELECT ID FROM PROD.SHOP.ORDERS',
      'GRANT OWNERSHIP ON VIEW PROD.SHOP.A TO ROLE WRITER COPY CURRENT GRANTS',
      'GRANT SELECT ON FUTURE VIEWS IN SCHEMA PROD.SHOP TO ROLE READER',
    ]);
    place.account.roles.get('VIEWSYNC')?.add('WRITER');
    await place.export();
    const before = stateOf(place);
    edit(place, 'prod/shop/a.sql', narrow);
    const { plan } = await place.apply('worktree');
    expect(plan.steps.map(({ kind, because }) => `${kind}: ${because}`)).toEqual([
      'replace: its definition differs',
      'alter: a replace makes this role its owner',
    ]);
    expect(relation(place, 'PROD', 'SHOP', 'A')).toMatchObject({ owner: 'WRITER', grants: [] });
    place.server.run(['DROP VIEW PROD.SHOP.A'], 'WRITER');
    await place.apply('HEAD~1');
    expect(stateOf(place)).toEqual(before);
  });

  test('metadata alone is altered in place, and streams and data are named before a replace', async () => {
    const place = await openSnowflake([
      table,
      "CREATE VIEW PROD.SHOP.A WITH TAG (PROD.SHOP.T = '1') AS SELECT ID FROM PROD.SHOP.ORDERS",
      'CREATE MATERIALIZED VIEW PROD.SHOP.M CLUSTER BY (ID) AS SELECT ID FROM PROD.SHOP.ORDERS',
      "CREATE DYNAMIC TABLE PROD.SHOP.D TARGET_LAG = '1 hour' WAREHOUSE = WH REFRESH_MODE = AUTO AS SELECT ID FROM PROD.SHOP.ORDERS",
    ]);
    place.account.streams.push({ database: 'PROD', schema: 'SHOP', name: 'S', source: 'PROD.SHOP.A', isStale: false });
    await place.export();
    expect(fileOf(place, 'prod/shop/d.sql')).toContain("TARGET_LAG = '1 hour'\nWAREHOUSE = WH\n");
    edit(place, 'prod/shop/a.sql', (text) => text.replace("= '1'", "= '2'").replace('CREATE OR REPLACE VIEW', 'CREATE OR REPLACE SECURE VIEW'));
    expect((await place.apply('worktree')).plan.steps.map(({ sql }) => sql)).toEqual([
      'ALTER VIEW "PROD"."SHOP"."A" SET SECURE',
      'ALTER VIEW "PROD"."SHOP"."A" SET TAG "PROD"."SHOP"."T" = \'2\'',
    ]);
    for (const name of ['a', 'm', 'd'])
      edit(place, `prod/shop/${name}.sql`, (text) => text.replace(/FROM\s+PROD.SHOP.ORDERS/, 'FROM PROD.SHOP.ORDERS WHERE ID > 0'));
    const { hazards } = (await place.plan('worktree')).plan;
    expect(hazards.map((hazard) => [hazard.name, hazard.view?.name])).toEqual([
      ['REBUILDS_MATERIALIZED_VIEW', 'D'],
      ['REBUILDS_MATERIALIZED_VIEW', 'M'],
      ['BREAKS_STREAM', 'A'],
    ]);
    expect(hazards[2]?.because).toMatch(/watches PROD\.SHOP\.A and goes stale .* what it had not handed over is lost\.$/);
    const before = stateOf(place);
    await expect(place.apply('worktree', { allowed: ['REBUILDS_MATERIALIZED_VIEW'] })).rejects.toMatchObject({
      code: 'HAZARD',
      exitCode: 3,
      suggestions: ['Add --allow BREAKS_STREAM to the command.'],
    });
    expect(stateOf(place)).toEqual(before);
    await place.apply('worktree', { allowed: ['REBUILDS_MATERIALIZED_VIEW', 'BREAKS_STREAM'] });
    expect((await place.status()).differing).toEqual([]);
  });

  test('a dynamic table that somebody has stopped stays stopped, whether it is replaced or was dropped', async () => {
    const place = await openSnowflake([
      table,
      "CREATE DYNAMIC TABLE PROD.SHOP.D TARGET_LAG = '1 hour' WAREHOUSE = WH AS SELECT ID FROM PROD.SHOP.ORDERS",
      'ALTER DYNAMIC TABLE PROD.SHOP.D SUSPEND',
    ]);
    await place.export();
    expect(fileOf(place, 'prod/shop/d.sql')).toContain('ALTER DYNAMIC TABLE "PROD"."SHOP"."D" SUSPEND;\n');
    edit(place, 'prod/shop/d.sql', narrow);
    await place.apply('worktree', { allowed: ['REBUILDS_MATERIALIZED_VIEW'] });
    expect(relation(place, 'PROD', 'SHOP', 'D')).toMatchObject({ isSuspended: true, definition: expect.stringContaining('ID > 1') });
    place.server.run(['DROP DYNAMIC TABLE PROD.SHOP.D']);
    await place.apply('HEAD');
    expect(relation(place, 'PROD', 'SHOP', 'D')?.isSuspended).toBe(true);
    place.server.run(['ALTER DYNAMIC TABLE PROD.SHOP.D RESUME']);
    expect((await place.apply('HEAD')).plan.steps.map(({ sql }) => sql)).toEqual(['ALTER DYNAMIC TABLE "PROD"."SHOP"."D" SUSPEND']);
  });

  test('what a future grant gives away on making it comes back to its owner, and comments hold whatever they hold', async () => {
    const place = await openSnowflake([table, "CREATE VIEW PROD.SHOP.A COMMENT = 'costs $$, it''s \\\\ -- 5; $$' AS SELECT ID FROM PROD.SHOP.ORDERS"]);
    place.account.roles.get('VIEWSYNC')?.add('WRITER');
    await place.export();
    const before = stateOf(place);
    place.server.run(['GRANT OWNERSHIP ON FUTURE VIEWS IN SCHEMA PROD.SHOP TO ROLE WRITER', 'DROP VIEW PROD.SHOP.A']);
    await place.apply('HEAD');
    expect(stateOf(place)).toEqual(before);
  });

  test('a policy that is taken away widens access and needs to be allowed', async () => {
    const place = await openSnowflake([table, 'CREATE VIEW PROD.SHOP.A WITH ROW ACCESS POLICY PROD.SHOP.R ON (ID) AS SELECT ID FROM PROD.SHOP.ORDERS']);
    await place.export();
    edit(place, 'prod/shop/a.sql', (text) => text.replace(/WITH ROW ACCESS POLICY.*\n/, ''));
    await expect(place.apply('worktree')).rejects.toMatchObject({ code: 'HAZARD', message: expect.stringContaining('no policy hides rows') });
    const { plan } = await place.apply('worktree', { allowed: ['WIDENS_ACCESS'] });
    expect(plan.steps.map(({ kind }) => kind)).toEqual(['replace']);
  });
});

describe('texts', () => {
  test('comments right behind AS, brackets in comments, $$, quoted and dotted names come back as they were', async () => {
    const place = await openSnowflake([
      'CREATE TABLE PROD.SHOP."odd.table" ("lower" NUMBER, ID NUMBER)',
      'CREATE VIEW PROD.SHOP."My.View" ("a"  /* ) */ , "b)") AS /* first; */ SELECT "lower", ID FROM PROD.SHOP."odd.table" -- $$ last',
      "CREATE VIEW PROD.SHOP.D AS //x\nSELECT $$it's; -- no comment$$ AS TEXT, 'a\\'b' AS OTHER FROM PROD.SHOP.\"My.View\"",
    ]);
    const before = stateOf(place);
    expect(await place.export()).toMatchObject({ unreadable: [], views: 2 });
    expect(files(place)).toEqual(['prod/shop/d.sql', 'prod/shop/m+y.v+i+e+w.sql']);
    place.server.run(['DROP VIEW PROD.SHOP.D', 'DROP VIEW PROD.SHOP."My.View"']);
    await place.apply('HEAD');
    expect(stateOf(place)).toEqual(before);
    expect((await place.export()).commit).toBeUndefined();
  });

  test('the name of the catalog wins over the one that the text says', async () => {
    const place = await openSnowflake([
      table,
      'CREATE VIEW PROD.SHOP.OLD__DBT_TMP AS SELECT ID FROM PROD.SHOP.ORDERS',
      'CREATE VIEW PROD.SHOP.B AS SELECT ID FROM PROD.SHOP.ORDERS',
    ]);
    const { relations } = place.account.databases.get('PROD')?.schemas.get('SHOP') ?? { relations: new Map() };
    relations.set('RENAMED', { ...relations.get('B'), name: 'RENAMED' });
    place.account.printedNames.set('PROD.SHOP.RENAMED', 'B');
    expect(await place.export()).toMatchObject({ unreadable: [], views: 2 });
    expect(fileOf(place, 'prod/shop/renamed.sql')).toContain('CREATE OR REPLACE VIEW "PROD"."SHOP"."RENAMED"');
    expect(files(place)).toEqual(['prod/shop/b.sql', 'prod/shop/renamed.sql']);
  });

  test('ignored comments and tags stay out of files and are no drift, and an apply loses neither', async () => {
    const view =
      "CREATE OR REPLACE VIEW PROD.SHOP.A COMMENT = 'run 17' WITH TAG (PROD.SHOP.RUN_ID = '17', PROD.SHOP.TEAM = 'x') AS SELECT ID FROM PROD.SHOP.ORDERS";
    const place = await openSnowflake([table, view], { target: { ignore: { comments: ['^run \\d+$'], labels: ['*RUN_ID*'] } } });
    await place.export();
    expect(fileOf(place, 'prod/shop/a.sql')).not.toMatch(/RUN_ID|run 17/);
    place.server.run([view.replaceAll('17', '18')]);
    expect((await place.status()).differing).toEqual([]);
    edit(place, 'prod/shop/a.sql', narrow);
    await place.apply('worktree');
    expect(relation(place, 'PROD', 'SHOP', 'A')).toMatchObject({
      comment: 'run 18',
      tags: new Map([
        ['PROD.SHOP.RUN_ID', '18'],
        ['PROD.SHOP.TEAM', 'x'],
      ]),
    });
  });
});

describe('a listing that lacks something is no deletion', () => {
  const three = [
    table,
    ...['A', 'B', 'C'].map((name) => `CREATE VIEW PROD.SHOP.${name} AS SELECT ID FROM PROD.SHOP.ORDERS`),
    'CREATE VIEW PROD.OTHER.X AS SELECT 1 AS ONE',
  ];

  test('a secure view of somebody else, a hidden policy and a view that cannot be shown are named; the others are read, and nothing is deleted', async () => {
    const place = await openSnowflake([...three, "CREATE VIEW PROD.SHOP.T WITH TAG (PROD.SHOP.X = '1') AS SELECT ID FROM PROD.SHOP.ORDERS"]);
    await place.export();
    place.server.run([
      'ALTER VIEW PROD.SHOP.A SET SECURE',
      'GRANT OWNERSHIP ON VIEW PROD.SHOP.A TO ROLE WRITER COPY CURRENT GRANTS',
      'ALTER VIEW PROD.SHOP.C SET SECURE',
    ]);
    place.account.hidden.add('definition of PROD.SHOP.B');
    place.account.globalRights.clear();
    const { unreadable, changes } = await place.export();
    expect(unreadable.map(({ name, reason }) => `${name.name}: ${reason}`)).toEqual([
      expect.stringMatching(/^A: the definition of a secure view is shown to its owner alone; missing: OWNERSHIP of PROD\.SHOP\.A/),
      expect.stringMatching(/^B: .*Insufficient privileges.* \(003001\)$/),
      expect.stringMatching(/^T: a tag of it is hidden from this role.*missing: APPLY TAG ON ACCOUNT$/),
    ]);
    expect(changes.map(({ view }) => relationKey(view))).toEqual(['PROD.SHOP.C']);
    expect([files(place), files(place, 'refs/viewsync/prod')].map((list) => list.length)).toEqual([5, 5]);
  });

  test('grants, comments of columns and states that are not shown stay as they were recorded, and come back', async () => {
    const place = await openSnowflake([
      ...three,
      'GRANT SELECT ON VIEW PROD.SHOP.A TO ROLE READER',
      "COMMENT ON COLUMN PROD.SHOP.B.ID IS 'number'",
      "CREATE DYNAMIC TABLE PROD.SHOP.D TARGET_LAG = '1 hour' WAREHOUSE = WH AS SELECT ID FROM PROD.SHOP.ORDERS",
      'ALTER DYNAMIC TABLE PROD.SHOP.D SUSPEND',
    ]);
    await place.export();
    const before = stateOf(place);
    for (const what of ['grants of PROD.SHOP.A', 'columns of PROD.SHOP.B', 'state of PROD.SHOP.D']) place.account.hidden.add(what);
    const { commit, notes } = await place.export();
    expect([commit, notes.map((note) => /every (.*?) of ([\w.]+)\./.exec(note)?.slice(1))]).toEqual([
      undefined,
      [
        ['comment', 'PROD.SHOP.B'],
        ['grant', 'PROD.SHOP.A'],
        ['suspended', 'PROD.SHOP.D'],
      ],
    ]);
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    edit(place, 'prod/shop/a.sql', narrow);
    await place.apply('worktree');
    expect(fileOf(place, 'prod/shop/a.sql')).toContain('GRANT SELECT ON VIEW "PROD"."SHOP"."A" TO ROLE "READER"');
    place.server.run(['DROP VIEW PROD.SHOP.A', 'DROP VIEW PROD.SHOP.B', 'DROP DYNAMIC TABLE PROD.SHOP.D']);
    await place.apply('HEAD~1');
    expect(stateOf(place)).toEqual(before);
  });

  test('a text that is cut off, wherever, and a hidden masking policy are named, and their files stay', async () => {
    const place = await openSnowflake([
      ...three,
      'CREATE VIEW PROD.SHOP.M (ID WITH MASKING POLICY PROD.SHOP.MASK) AS SELECT ID FROM PROD.SHOP.ORDERS',
      'CREATE VIEW PROD.SHOP.R WITH ROW ACCESS POLICY PROD.SHOP.ROWS ON (ID) AS SELECT ID FROM PROD.SHOP.ORDERS',
    ]);
    await place.export();
    place.account.globalRights.clear();
    // Behind the table's name, in the middle of a word, and before everything.
    place.account.cutTexts.set('PROD.SHOP.A', -1).set('PROD.SHOP.B', -4).set('PROD.SHOP.C', 0);
    const { unreadable, changes } = await place.export();
    expect(unreadable.map(({ name, reason }) => `${name.name}: ${reason}`)).toEqual([
      ...['A', 'B'].map((name) => `${name}: the text of GET_DDL is cut off: it does not end as a statement does`),
      'C: its definition came back empty',
      ...['M', 'R'].map((name) => expect.stringMatching(`^${name}: a policy of it is hidden from this role`)),
    ]);
    expect([changes, files(place).length, files(place, 'refs/viewsync/prod').length]).toEqual([[], 6, 6]);
  });

  test('a view that only some listings hold is named, and its file stays', async () => {
    const place = await openSnowflake(three);
    await place.export();
    place.account.injections.push({ matches: /^SHOW VIEWS IN /, times: 2, cutRows: 1 });
    expect((await place.export()).unreadable).toEqual([]);
    place.account.injections.push({ matches: /^SHOW VIEWS IN /, times: 50, cutRows: 1 });
    const { unreadable } = await place.export();
    expect(unreadable.map(({ name, reason }) => [name.name, reason])).toContainEqual(['C', expect.stringContaining('missing in SHOW VIEWS')]);
    expect(files(place)).toHaveLength(4);
    place.account.injections.length = 0;
    expect((await place.export()).unreadable).toEqual([]);
  });

  test('a schema that is hidden, and rights that have changed, take no file away until that is allowed', async () => {
    const place = await openSnowflake(three);
    await place.export();
    place.account.hidden.add('PROD.SHOP');
    const { unproven, commit } = await place.export();
    expect(unproven.map(({ name, because }) => [name.name, because.split(':')[0]])).toEqual(
      ['A', 'B', 'C'].map((name) => [name, 'PROD.SHOP is not listed any more']),
    );
    expect([commit === undefined || files(place).length === 4, files(place, 'refs/viewsync/prod').length]).toEqual([true, 4]);
    place.account.hidden.delete('PROD.SHOP');
    expect((await place.status()).differing).toEqual([]);
    place.account.access.set('PROD.SHOP', 'MONITOR');
    place.server.run(['DROP VIEW PROD.SHOP.C']);
    for (const night of [1, 2])
      expect(
        (await place.export()).unproven.map(({ because }) => because),
        `night ${night}`,
      ).toEqual([expect.stringContaining('the rights of this role')]);
    expect(files(place)).toHaveLength(4);
    const shown = await place.export({ allowed: ['MANY_DELETIONS'], commit: 'dry run' });
    expect([shown.files.filter(({ after }) => after === undefined).map(({ path }) => path), files(place).length]).toEqual([['views/prod/prod/shop/c.sql'], 4]);
    expect(await place.export({ allowed: ['MANY_DELETIONS'] })).toMatchObject({ unproven: [], subject: 'prod: 1 view deleted' });
    expect(files(place)).toHaveLength(3);
  });

  test('a view that was dropped is deleted, and who changed another is told', async () => {
    const place = await openSnowflake(three);
    await place.export();
    place.server.run(['DROP VIEW PROD.SHOP.C', 'CREATE OR REPLACE VIEW PROD.SHOP.B AS SELECT TOTAL FROM PROD.SHOP.ORDERS']);
    expect(await place.export()).toMatchObject({ subject: 'prod: 1 view changed, 1 deleted', unproven: [] });
    expect(place.git('log', '-1', '--format=%(trailers:key=Viewsync-Changed-By)').trim()).toBe('Viewsync-Changed-By: PROD.SHOP.B ADA');
    expect(files(place)).toHaveLength(3);
  });
});

describe('many views', () => {
  test('pages of a SHOW are read schema by schema, also where a schema begins before the last name of another', async () => {
    const account = createAccount({ PROD: ['SCHEMA_A', 'SCHEMA_B'] });
    account.showLimit = 3;
    const views = ['SCHEMA_A.M1', 'SCHEMA_A.M2', 'SCHEMA_A.M3', 'SCHEMA_A.M4', 'SCHEMA_B.A1', 'SCHEMA_B.A2'];
    const place = await openSnowflake(
      views.map((name) => `CREATE VIEW PROD.${name} AS SELECT 1 AS ONE`),
      { account },
    );
    expect(await place.export()).toMatchObject({ views: 6, unreadable: [] });
  });

  test('over forty schemas, with one view unreadable and pages cut short: every file stays, what changed is recorded, and each doubt is named', async () => {
    const schemas = Array.from({ length: 40 }, (_, index) => `S${String(index).padStart(2, '0')}`);
    const account = createAccount({ PROD: schemas });
    // Four views in each schema: a database takes many pages, and a schema two.
    account.showLimit = 3;
    const views = schemas.flatMap((schema) => ['A', 'B', 'C', 'D'].map((name) => `PROD.${schema}.${name}`));
    const place = await openSnowflake(
      views.map((name) => `CREATE VIEW ${name} AS SELECT 1 AS ONE`),
      { account },
    );
    expect(await place.export()).toMatchObject({ views: 160, unreadable: [], unproven: [] });
    account.hidden.add('definition of PROD.S07.B');
    account.injections.push({ matches: /^SHOW VIEWS IN SCHEMA "PROD"\."S01" .*FROM/, times: Number.POSITIVE_INFINITY, cutRows: 1 });
    place.server.run(['CREATE OR REPLACE VIEW PROD.S05.A AS SELECT 2 AS TWO', 'DROP VIEW PROD.S05.B']);
    const result = await place.export();
    expect(result.changes.map(({ view, change }) => `${relationKey(view)} ${change}`)).toEqual(['PROD.S05.A modified', 'PROD.S05.B deleted']);
    expect(result.unreadable.map(({ name, reason }) => `${relationKey(name)}: ${reason}`)).toEqual([
      expect.stringMatching(/^PROD\.S01\.D: it is missing in SHOW VIEWS: a listing was cut short/),
      expect.stringMatching(/^PROD\.S07\.B: .*Insufficient privileges/),
    ]);
    expect(needsPerson(result)).toBe(true);
    expect([files(place), files(place, 'refs/viewsync/prod')].map(({ length }) => length)).toEqual([159, 159]);
  });

  test('no number of views takes more statements, but one for each 150 definitions', async () => {
    const count = async (views: number) => {
      const account = createAccount({ PROD: ['SHOP'] });
      const server = await startSnowflake(account);
      onTestFinished(() => server[Symbol.asyncDispose]());
      server.run(Array.from({ length: views }, (_, index) => `CREATE VIEW PROD.SHOP.V${index} AS SELECT 1 AS ONE`));
      const warehouse = await connectAccount(server.options, {}, { patience: quick });
      const { snapshot, queries } = await warehouse.inspect({ schemas: ['*'] });
      await warehouse.close();
      return [snapshot.views.length, queries - Math.ceil(views / 150)];
    };
    expect([await count(10), await count(301)]).toEqual([
      [10, 10],
      [301, 10],
    ]);
  });

  test('an answer that would be too much is asked for in parts', async () => {
    const place = await openSnowflake([
      table,
      ...['SHOP.A', 'SHOP.B', 'OTHER.C', 'OTHER.D'].map((name) => `CREATE VIEW PROD.${name} AS SELECT ID FROM PROD.SHOP.ORDERS`),
    ]);
    place.account.tooMuch = 3;
    expect(await place.export()).toMatchObject({ views: 4, unreadable: [] });
    expect(place.account.log.some((sql) => sql.includes("TABLE_SCHEMA IN ('OTHER')"))).toBe(true);
  });
});

describe('a run that fails', () => {
  const chain = [
    table,
    ...Array.from({ length: 12 }, (_, index) => `CREATE VIEW PROD.SHOP.V${index + 10} AS SELECT ID FROM PROD.SHOP.${index === 0 ? 'ORDERS' : `V${index + 9}`}`),
  ];
  const refusal = { code: '003001', sqlState: '42501', message: 'Insufficient privileges.' };

  async function openChanged(): Promise<{ readonly place: SnowflakePlace; readonly before: unknown }> {
    const place = await openSnowflake([...chain, 'GRANT SELECT ON VIEW PROD.SHOP.V12 TO ROLE READER']);
    await place.export();
    const before = stateOf(place);
    for (let number = 10; number < 22; number++) edit(place, `prod/shop/v${number}.sql`, (text) => text.replace('SELECT\n', 'SELECT DISTINCT\n'));
    return { place, before };
  }

  test('at view 7 of 12 puts back the six before it', async () => {
    const { place, before } = await openChanged();
    place.account.injections.push({ matches: /^CREATE OR REPLACE VIEW "PROD"."SHOP"."V16"/, times: 1, error: refusal });
    await expect(place.apply('worktree')).rejects.toMatchObject({
      code: 'STEP_FAILED',
      exitCode: 2,
      message: expect.stringMatching(
        /^Step 7 of 12 \(replace PROD\.SHOP\.V16\) was refused: Insufficient privileges\. The 6 of 12 steps applied before were undone/,
      ),
    });
    expect(stateOf(place)).toEqual(before);
    expect((await place.status()).run).toBeUndefined();
  });

  test('tries again what only passes, and sends a statement again whose answer was lost', async () => {
    const { place } = await openChanged();
    const locked = { code: '000625', sqlState: '57014', message: 'Statement was aborted because of a lock conflict.' };
    place.account.injections.push({ matches: /^CREATE OR REPLACE VIEW .*"V12"/, times: 2, error: locked });
    await place.apply('worktree');
    expect(place.account.log.filter((sql) => sql.startsWith('CREATE OR REPLACE VIEW "PROD"."SHOP"."V12"'))).toHaveLength(3);
  });
});

test('from before a run is recorded until its end is, another one is kept out, and the run itself is not', async () => {
  const place = await openSnowflake([table, 'CREATE VIEW PROD.SHOP.A AS SELECT ID FROM PROD.SHOP.ORDERS']);
  const [first, second] = [await place.connect(), await place.connect()];
  await first.runAlone?.(async () => {
    expect([await first.isBusy(), await second.isBusy()]).toEqual([false, true]);
    await first.transact({ lockTimeout: 1, attempts: 1, locks: [] }, async () => undefined);
    await expect(second.runAlone?.(async () => undefined)).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' });
  });
  expect(await second.isBusy()).toBe(false);
  await Promise.all([first.close(), second.close()]);
});

test('the story: a new version of a table loses the views on it; check halts before, and everything comes back with its grants', async () => {
  const place = await openSnowflake([
    'CREATE TABLE PROD.SHOP.PRODUCT_V1 (ID NUMBER, NAME TEXT)',
    'CREATE VIEW PROD.SHOP.PRODUCT_MASTER AS SELECT ID, NAME FROM PROD.SHOP.PRODUCT_V1',
    ...['ACME', 'BOLT', 'CORE'].flatMap((customer) => [
      `CREATE SECURE VIEW PROD.OTHER.${customer} WITH TAG (PROD.SHOP.CUSTOMER = '${customer}') AS SELECT ID, NAME FROM PROD.SHOP.PRODUCT_MASTER`,
      `GRANT SELECT ON VIEW PROD.OTHER.${customer} TO ROLE READER`,
    ]),
  ]);
  await place.export();
  place.server.run(['CREATE VIEW PROD.OTHER.LATE AS SELECT ID FROM PROD.SHOP.PRODUCT_MASTER']);
  const warehouse = await place.connect();
  const check = () => checkRelations(place.project, place.target, { warehouse, relations: ['PROD.SHOP.PRODUCT_V1'], backup: 'look', push: 'keep' });
  const states = (await check()).dependents.map(({ view, state }) => `${view} ${state}`);
  expect(states).toEqual([
    'PROD.OTHER.ACME current',
    'PROD.OTHER.BOLT current',
    'PROD.OTHER.CORE current',
    'PROD.OTHER.LATE missing',
    'PROD.SHOP.PRODUCT_MASTER current',
  ]);
  await place.export();
  expect((await check()).dependents.every(({ state }) => state === 'current')).toBe(true);
  await warehouse.close();
  const before = stateOf(place);
  place.server.run([
    'CREATE TABLE PROD.SHOP.PRODUCT_V2 (ID NUMBER, NAME TEXT)',
    ...['OTHER.ACME', 'OTHER.BOLT', 'OTHER.CORE', 'OTHER.LATE', 'SHOP.PRODUCT_MASTER'].map((name) => `DROP VIEW PROD.${name}`),
  ]);
  edit(place, 'prod/shop/product_master.sql', (text) => text.replaceAll('PRODUCT_V1', 'PRODUCT_V2'));
  await place.apply('worktree', { allowed: ['WIDENS_ACCESS'], overwrite: ['PROD.SHOP.PRODUCT_MASTER'] });
  const after = JSON.stringify(stateOf(place)).replaceAll('PRODUCT_V2', 'PRODUCT_V1');
  for (const name of ['ACME', 'BOLT', 'CORE'])
    expect(relation(place, 'PROD', 'OTHER', name)).toMatchObject({
      isSecure: true,
      grants: [{ grantee: 'READER' }],
      tags: new Map([['PROD.SHOP.CUSTOMER', name]]),
    });
  expect(after.length).toBeGreaterThan(JSON.stringify(before).length);
});
