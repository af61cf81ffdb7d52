import { expect, test } from 'vitest';
import { readStatus } from '../../../src/operations/read-status.ts';
import { redshift } from '../../../src/warehouses/redshift/adapter.ts';
import { createRole } from '../../support/postgres-server.ts';
import { openExported, openShop, type Shop, stateOf } from './shop.ts';

const sent = ({ server }: Shop) =>
  server.statements.filter((sql) => /^(CREATE (?!TEMP)|DROP (?!TABLE)|ALTER|GRANT|REVOKE|COMMENT)/.test(sql) && !sql.includes('viewsync_trial'));

async function dropAll({ server }: Shop): Promise<void> {
  await server.run(
    'DROP MATERIALIZED VIEW shop.daily',
    ...['finance.margin', 'finance.best', 'finance.sales', 'finance.clicks', 'shop.product_master'].map((view) => `DROP VIEW ${view}`),
  );
}

test('an export keeps each sort of view in a file that says what it is, from which everything comes back with rights of users, groups and roles', async () => {
  const shop = await openExported();
  expect(shop.fileOf('finance/sales.sql')).toMatchInlineSnapshot(`
    "-- view: finance.sales
    -- reads: shop.orders
    --        shop.product_master
    -- columns: id integer
    --          name character varying(20)
    --          total numeric

    CREATE OR REPLACE VIEW finance.sales AS
    (
      -- what was sold
      select
        o.id,
        p.name,
        o.quantity * p.price as total
      from
        shop.orders o
        join shop.product_master p on p.id = o.product
    )
    WITH NO SCHEMA BINDING
    ;

    ALTER TABLE finance.sales OWNER TO rs_ada;
    ATTACH RLS POLICY own_rows ON finance.sales TO ROLE rs_reporting;
    ALTER TABLE finance.sales ROW LEVEL SECURITY ON CONJUNCTION TYPE OR;
    GRANT SELECT ON finance.sales TO ROLE rs_reporting;
    COMMENT ON VIEW finance.sales IS 'late';
    "
  `);
  expect(shop.fileOf('shop/daily.sql')).toMatchInlineSnapshot(`
    "-- view: shop.daily
    -- reads: shop.product_v1
    -- columns: id integer
    --          day date
    --          n bigint

    CREATE MATERIALIZED VIEW shop.daily
    BACKUP NO
    DISTSTYLE KEY
    DISTKEY (id)
    COMPOUND SORTKEY (day, id) AS
    SELECT
      id,
      day,
      count(*) AS n
    FROM
      shop.product_v1
    GROUP BY
      id,
      day
    ;

    ALTER TABLE shop.daily OWNER TO postgres;
    ALTER MATERIALIZED VIEW shop.daily AUTO REFRESH YES;
    "
  `);
  // The server that stands in prints columns with their relation up to version 15.
  expect(shop.fileOf('shop/product_master.sql').replaceAll('  product_v1.', '  ')).toMatchInlineSnapshot(`
    "-- view: shop.product_master
    -- reads: shop.product_v1
    -- columns: id integer
    --          name character varying(20)
    --          price numeric(12,2)

    CREATE OR REPLACE VIEW shop.product_master AS
    SELECT
      id,
      name,
      price
    FROM
      shop.product_v1
    ;

    ALTER TABLE shop.product_master OWNER TO postgres;
    ATTACH MASKING POLICY hide ON shop.product_master (price) USING (price, id) TO rs_bob PRIORITY 10;
    GRANT SELECT ON shop.product_master TO GROUP rs_analysts;
    GRANT SELECT ON shop.product_master TO rs_bob WITH GRANT OPTION;
    COMMENT ON VIEW shop.product_master IS 'It''s the \\\\ master';
    COMMENT ON COLUMN shop.product_master.price IS 'in euro';
    "
  `);
  expect((await shop.export()).commit).toBeUndefined();
  const before = await stateOf(shop);
  await dropAll(shop);
  await shop.apply('HEAD');
  expect(await stateOf(shop)).toEqual(keptTexts(before));
  expect((await shop.plan('HEAD')).plan.steps).toEqual([]);
  expect((await shop.export()).commit).toBeUndefined();
});

/** A comment before CREATE and the name under which a view was first made are not kept. */
function keptTexts(state: unknown): unknown {
  return (state as readonly Record<string, unknown>[]).map((row) => ({ ...row, definition: expect.any(String) }));
}

test('the same columns are one replace, which keeps owner, rights and comments, and a rollback is another one', async () => {
  const shop = await openExported();
  const before = (await stateOf(shop)) as readonly Record<string, unknown>[];
  shop.editFile('shop/product_master.sql', (text) => text.replace(/FROM\s+shop\.product_v1/, 'FROM shop.product_v1 WHERE id > 0'));
  shop.server.statements.length = 0;
  await shop.apply('worktree');
  expect(sent(shop)).toEqual(['ALTER TABLE shop.product_master OWNER TO postgres', expect.stringMatching(/^CREATE OR REPLACE VIEW shop\.product_master AS\n/)]);
  const after = (await stateOf(shop)) as readonly Record<string, unknown>[];
  expect(after).toEqual(before.map((row) => (row['relname'] === 'product_master' ? { ...row, definition: expect.stringContaining('id > 0') } : row)));
  await shop.rollback();
  expect(await stateOf(shop)).toEqual(before);
});

test('another type of a column rebuilds the closure in one transaction, late-binding views from their text', async () => {
  const shop = await openExported();
  shop.editFile('shop/product_master.sql', (text) => text.replace(/\bprice\b(?=\s+FROM)/, 'price::float8 AS price'));
  const { plan } = await shop.plan('worktree');
  expect(plan.refusals).toEqual([]);
  expect(plan.steps.map(({ kind, view }) => `${kind} ${view.schema}.${view.name}`).filter((step) => !step.startsWith('alter'))).toEqual([
    'drop finance.best',
    'drop finance.sales',
    'drop finance.margin',
    'drop shop.product_master',
    'create shop.product_master',
    'create finance.margin',
    'create finance.sales',
    'create finance.best',
  ]);
  expect(plan.steps.find(({ kind }) => kind === 'drop')?.because).toContain('which has to be dropped and made again');
  shop.server.statements.length = 0;
  await shop.apply('worktree');
  const commit = shop.server.statements.lastIndexOf('COMMIT');
  const begin = shop.server.statements.lastIndexOf('BEGIN', commit);
  expect(shop.server.statements.slice(begin, commit).filter((sql) => /^(CREATE|DROP) (?!TEMP|TABLE)(?!.*viewsync_trial)/.test(sql))).toHaveLength(8);
  expect(shop.server.statements.filter((sql) => /cascade/i.test(sql))).toEqual([]);
  expect(await shop.status()).toMatchObject({ differing: [] });
});

test('a late-binding view over a table that is not there is restored; one that breaks on the way rolls everything back', async () => {
  const shop = await openExported();
  await shop.server.run('DROP VIEW finance.clicks');
  await shop.apply('HEAD');
  expect((await shop.status()).differing).toEqual([]);
  const before = await stateOf(shop);
  shop.editFile('finance/best.sql', (text) => text.replace(/select\s+name/, 'select nothing'));
  await expect(shop.apply('worktree')).rejects.toMatchObject({
    code: 'ROLLED_BACK',
    message: expect.stringContaining('finance.best cannot be queried: column "nothing" does not exist'),
  });
  expect(await stateOf(shop)).toEqual(before);
});

test('a materialized view is never replaced: other storage drops it and makes it again, an automatic refresh is one statement', async () => {
  const shop = await openExported();
  shop.editFile('shop/daily.sql', (text) => text.replace(/^ALTER MATERIALIZED VIEW.*\n/m, ''));
  shop.server.statements.length = 0;
  await shop.apply('worktree');
  expect(sent(shop).slice(1)).toEqual(['ALTER MATERIALIZED VIEW shop.daily AUTO REFRESH NO']);
  shop.editFile('shop/daily.sql', (text) => text.replace('DISTKEY (id)', 'DISTKEY (day)'));
  const { plan } = await shop.plan('worktree');
  expect(plan.hazards).toMatchObject([{ name: 'REBUILDS_MATERIALIZED_VIEW', because: expect.stringContaining('7') }]);
  expect(plan.steps.slice(0, 2).map(({ sql }) => sql)).toEqual([
    'DROP MATERIALIZED VIEW shop.daily',
    expect.stringMatching(/^CREATE MATERIALIZED VIEW shop\.daily\nBACKUP NO\nDISTSTYLE KEY\nDISTKEY \(day\)\nCOMPOUND SORTKEY \(day, id\) AS\n/),
  ]);
});

test('a table is replaced around a command: check names what depends on it, and all of it comes back with its rights', async () => {
  const shop = await openShop();
  const dependents = ['finance.best', 'finance.margin', 'finance.sales', 'shop.daily', 'shop.product_master'];
  const unsaved = await shop.check(['shop.product_v1']);
  expect(unsaved.dependents.map(({ view, state }) => `${view} ${state}`)).toEqual(dependents.map((view) => `${view} missing`));
  await shop.export();
  expect((await shop.check(['shop.product_v1'])).dependents.map(({ state }) => state)).toEqual(dependents.map(() => 'current'));
  const before = (await stateOf(shop)) as readonly Record<string, unknown>[];
  const result = await shop.migrateAround(
    ['shop.product_v1'],
    async () => {
      await shop.server.database.query(
        'DROP TABLE shop.product_v1; CREATE TABLE shop.product_v1 (sku text, id int, name varchar(20), price numeric(12,2), day date)',
      );
      return 0;
    },
    { allowed: ['REBUILDS_MATERIALIZED_VIEW'] },
  );
  expect(result).toMatchObject({ exitCode: 0, broken: [], changes: [] });
  expect([...result.restored].sort()).toEqual(dependents);
  expect(await stateOf(shop)).toEqual(before.map((row) => ({ ...row, definition: expect.any(String) })));
  expect((await shop.status()).differing).toEqual([]);
});

test('a script replaces a table in one transaction without savepoints; where a view does not fit, nothing has happened', async () => {
  const shop = await openExported();
  const before = (await stateOf(shop)) as readonly Record<string, unknown>[];
  const script = (columns: string) => `
    ALTER TABLE shop.product_v1 ADD COLUMN sku varchar(10);
    SET search_path TO shop, public;
    DROP TABLE product_v1;
    CREATE TABLE product_v1 (${columns});
    INSERT INTO product_v1 (id) VALUES (1)`;
  const misfit = shop.migrate(script('id int, name varchar(20), day date'));
  await expect(misfit).rejects.toMatchObject({ code: 'VIEW_MISFIT', message: expect.stringMatching(/shop\.product_master.*price/s) });
  expect(await stateOf(shop)).toEqual(before);
  expect((await shop.status()).run).toBeUndefined();
  const result = await shop.migrate(script('sku text, id int, name varchar(20), price numeric(12,2), day date'));
  expect(result).toMatchObject({ broken: [], dropped: [], changes: [] });
  expect(result.restored).toEqual(['finance.margin', 'shop.daily', 'shop.product_master']);
  expect(await stateOf(shop)).toEqual(before.map((row) => ({ ...row, definition: expect.any(String) })));
  expect(await shop.server.database.query('SELECT sku, id FROM shop.product_v1')).toEqual([{ sku: null, id: 1 }]);
  expect((await shop.status()).differing).toEqual([]);
  await expect(shop.migrate('ALTER TABLE shop.orders ALTER COLUMN id TYPE bigint')).rejects.toMatchObject({
    code: 'SCRIPT_REFUSED',
    message: expect.stringContaining('inside a transaction'),
  });
});

test('a text that cannot be read to its end is kept as it is, named, and restored', async () => {
  const shop = await openShop();
  const odd = `create view finance.odd as select o.id as "n", 'it; is\n; GRANT ALL ON x TO y\n from shop.orders o`;
  await shop.server.run(`${odd} with no schema binding`, 'GRANT SELECT ON finance.odd TO rs_bob');
  const { notes } = await shop.export();
  expect(notes).toEqual([expect.stringMatching(/^views\/prod\/finance\/odd\.sql: viewsync cannot read the query to its end/)]);
  expect(shop.fileOf('finance/odd.sql')).toContain(`AS\n-- viewsync: {"verbatim":3}\n${odd.slice(odd.indexOf('select'))}\nWITH NO SCHEMA BINDING\n;\n\nALTER`);
  const again = await shop.export();
  expect([again.commit, again.notes.length]).toEqual([undefined, 1]);
  await shop.server.run('DROP VIEW finance.odd');
  // The server behind cannot read it either, so it cannot be queried, before and after.
  await shop.apply('HEAD', { verify: 'skip' });
  const [stored] = await shop.server.database.query("SELECT query FROM redshift.late_binding WHERE view = 'finance.odd'::regclass");
  expect(stored?.['query']).toBe(odd.slice(odd.indexOf('select')));
  expect((await shop.status()).differing).toEqual([]);
});

test('what a user may not see of policies, rights and refreshes stays as it was last recorded, and comes back', async () => {
  const shop = await openExported();
  const files = ['finance/sales.sql', 'shop/product_master.sql', 'finance/margin.sql', 'shop/daily.sql'];
  const texts = files.map(shop.fileOf);
  await shop.server.database.query(`${createRole('rs_plain', ' LOGIN')} GRANT USAGE ON SCHEMA shop, finance TO rs_plain`);
  // Altered after it was made, which its text does not say.
  await shop.server.run('ALTER MATERIALIZED VIEW shop.daily AUTO REFRESH NO');
  await shop.export();
  const daily = shop.fileOf('shop/daily.sql');
  expect(daily).not.toContain('AUTO REFRESH YES');
  await using plain = Object.assign(await redshift.connect({ url: shop.server.urlFor('rs_plain') }, {}), {
    [Symbol.asyncDispose]: () => plain.close(),
  });
  const quiet = await shop.export({ warehouse: plain });
  expect(quiet.commit).toBeUndefined();
  expect(quiet.notes.map((note) => /every (.*?) of (.*?)\. /.exec(note)?.slice(1))).toEqual([
    ['auto refresh, grant, masking policy, row policy, row security and shared row security', 'shop.daily'],
    ['grant, masking policy, row policy, row security and shared row security', '5 views (finance.best, finance.clicks, finance.margin, ...)'],
  ]);
  // Where somebody is shown no rows instead of being refused, nothing is said of what others see either.
  await shop.server.database.query(`ALTER VIEW redshift.svv_rls_attached_policy RENAME TO every_policy;
    CREATE VIEW redshift.svv_rls_attached_policy AS SELECT * FROM redshift.every_policy WHERE false; GRANT SELECT ON redshift.svv_rls_attached_policy TO PUBLIC`);
  await shop.server.run("COMMENT ON VIEW finance.sales IS 'later'");
  const seen = await shop.export({ warehouse: plain });
  expect(seen.files.map(({ path }) => path)).toEqual(['views/prod/finance/sales.sql']);
  expect(shop.fileOf('finance/sales.sql')).toBe(texts[0]?.replace("'late'", "'later'"));
  expect([shop.fileOf('shop/product_master.sql'), shop.fileOf('finance/margin.sql'), shop.fileOf('shop/daily.sql')]).toEqual([texts[1], texts[2], daily]);
  expect(await readStatus(shop.project, shop.target, { warehouse: plain })).toMatchObject({ differing: [], unseen: seen.notes });
  await shop.server.database.query('DROP VIEW redshift.svv_rls_attached_policy; ALTER VIEW redshift.every_policy RENAME TO svv_rls_attached_policy');
  const before = (await stateOf(shop)) as readonly Record<string, unknown>[];
  // A late-binding view stands when what it reads goes; only who may query it can tell that it no longer works.
  expect((await shop.status()).stale).toEqual([]);
  await shop.server.run('DROP VIEW finance.margin', 'DROP VIEW shop.product_master');
  const { stale } = await shop.status();
  expect(stale.map(({ view, because }) => [view, because])).toEqual([
    ['finance.best', expect.stringContaining('sales')],
    ['finance.sales', expect.stringContaining('product_master')],
  ]);
  expect((await readStatus(shop.project, shop.target, { warehouse: plain })).stale).toEqual([]);
  await shop.apply('HEAD');
  await dropAll(shop);
  await shop.export({ warehouse: plain, allowed: ['MANY_DELETIONS'] });
  await shop.apply('HEAD~1');
  expect(await stateOf(shop)).toEqual(before.map((row) => ({ ...row, definition: expect.any(String) })));
});
