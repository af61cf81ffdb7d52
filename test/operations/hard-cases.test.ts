import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HazardName } from '../../src/core/plan.ts';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { newestServer } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const tables = 'CREATE TABLE public.t (id int PRIMARY KEY, a varchar(20), b int);';

async function open(version: number, ...sql: readonly string[]): Promise<Workplace> {
  const place = await openWorkplace({ version });
  for (const statements of [tables, ...sql]) await place.database.query(statements);
  await place.export();
  return place;
}

/** Puts another definition into a view's file, as a person would. */
function edit(place: Workplace, view: string, change: (text: string) => string): void {
  const file = join(place.directory, `views/prod/public/${view}.sql`);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

const define = (query: string) => (text: string) => text.replace(/ AS\nSELECT[\s\S]*?\n;/, () => ` AS\n${query}\n;`);
const acts = async (place: Workplace, revision = 'worktree') => (await place.plan(revision)).plan.steps.map(({ sql }) => sql.split('\n')[0]);

/** Applies what is in the work tree, and holds the law that the plan is empty afterwards. */
async function applied(place: Workplace, ...allowed: readonly HazardName[]): Promise<void> {
  await place.apply('worktree', { allowed });
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
}

describe.each([newestServer().version])('on PostgreSQL %i', (version) => {
  test('a replace never clears options', async () => {
    const place = await open(version, 'CREATE VIEW v WITH (security_barrier=true) AS SELECT id, a FROM t');
    edit(place, 'v', define('SELECT id, a FROM public.t WHERE id > 0'));
    await applied(place);
    expect(await place.database.query("SELECT reloptions FROM pg_class WHERE relname = 'v'")).toEqual([{ reloptions: ['security_barrier=true'] }]);
  });

  test('columns decide whether a view is replaced, renamed or re-created', async () => {
    const remade = (view: string) => [`DROP VIEW public.${view}`, `CREATE VIEW public.${view} AS`, `ALTER VIEW public.${view} OWNER TO postgres`];
    const replaced = (view: string) => [`CREATE OR REPLACE VIEW public.${view} AS`];
    const cases: Record<string, { readonly query: string; readonly expected: readonly string[] }> = {
      appended: { query: 'SELECT id, a, b FROM public.t', expected: replaced('appended') },
      reordered: { query: 'SELECT a, id FROM public.t', expected: remade('reordered') },
      retyped: { query: 'SELECT id, a::text AS a FROM public.t', expected: remade('retyped') },
      lengthened: { query: 'SELECT id, a::varchar(30) AS a FROM public.t', expected: remade('lengthened') },
      collated: { query: 'SELECT id, a COLLATE "C" AS a FROM public.t', expected: remade('collated') },
      shortened: { query: 'SELECT id FROM public.t', expected: remade('shortened') },
      swapped: { query: 'SELECT id AS a, a AS id FROM public.t', expected: remade('swapped') },
      renamed: { query: 'SELECT id, a AS label FROM public.t', expected: ['ALTER VIEW public.renamed RENAME COLUMN a TO label'] },
    };
    const place = await open(
      version,
      Object.keys(cases)
        .map((view) => `CREATE VIEW ${view} AS SELECT id, a FROM t`)
        .join(';'),
    );
    for (const [view, { query }] of Object.entries(cases)) edit(place, view, define(query));
    const { plan } = await place.plan('worktree');
    for (const [view, { expected }] of Object.entries(cases)) {
      expect(plan.steps.filter((step) => step.view.name === view).map(({ sql }) => sql.split('\n')[0])).toEqual(expected);
    }
    await applied(place);
  });

  test('renaming a column keeps grants, comments and dependents', async () => {
    const place = await open(
      version,
      "CREATE VIEW v AS SELECT id, a FROM t; CREATE VIEW w AS SELECT a FROM v; GRANT SELECT (a) ON v TO PUBLIC; COMMENT ON COLUMN v.a IS 'label'",
    );
    edit(place, 'v', (text) => define('SELECT id, a AS label FROM public.t')(text).replaceAll('(a)', '(label)').replace('v.a IS', 'v.label IS'));
    expect(await acts(place)).toEqual(['ALTER VIEW public.v RENAME COLUMN a TO label']);
    await place.apply('worktree');
    expect(
      await place.database.query("SELECT has_column_privilege('public', 'v', 'label', 'SELECT') AS granted, col_description('v'::regclass, 2) AS comment"),
    ).toEqual([{ granted: true, comment: 'label' }]);
    expect(await place.database.query('SELECT a FROM w')).toEqual([]);
  });

  test('swapped names of columns are no rename', async () => {
    const place = await open(version, 'CREATE VIEW v AS SELECT id, b FROM t');
    edit(place, 'v', define('SELECT b AS id, id AS b FROM public.t'));
    expect(await acts(place)).toEqual(['CREATE OR REPLACE VIEW public.v AS']);
    await applied(place);
  });

  test('a view over system views and functions that return rows comes back', async () => {
    const place = await open(
      version,
      'CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS $$SELECT * FROM t$$; CREATE VIEW v AS SELECT c.relname, s.n, f.id FROM information_schema.tables i JOIN pg_class c ON c.relname = i.table_name, generate_series(1, 2) s(n), f()',
    );
    await place.database.query('DROP VIEW v');
    await place.apply('HEAD');
    expect((await place.export()).commit).toBeUndefined();
  });

  test('only options differ: SET and RESET, no CREATE', async () => {
    const place = await open(version, 'CREATE VIEW v WITH (security_barrier=true) AS SELECT id, a FROM t');
    edit(place, 'v', (text) => text.replace('security_barrier = true', 'check_option = local'));
    expect(await acts(place)).toEqual(['ALTER VIEW public.v RESET (security_barrier)', 'ALTER VIEW public.v SET (check_option = local)']);
    await applied(place, 'WIDENS_ACCESS');
  });

  test('options that were set in another order are set again in the order of the file, by the fewest statements, and an export writes the order of the server', async () => {
    const place = await open(
      version,
      `CREATE VIEW v WITH (security_barrier=true, check_option=local) AS SELECT id, a FROM t;
       CREATE MATERIALIZED VIEW m WITH (fillfactor=50, toast.autovacuum_enabled=false, autovacuum_enabled=false) AS SELECT id, a FROM t;
       ALTER MATERIALIZED VIEW m ALTER a SET (n_distinct_inherited=5); ALTER MATERIALIZED VIEW m ALTER a SET (n_distinct=3)`,
    );
    const order = () =>
      place.database.query(
        "SELECT relname::text AS name, reloptions AS own, (SELECT attoptions FROM pg_attribute WHERE attrelid = c.oid AND attname = 'a') AS of_a FROM pg_class c WHERE relname IN ('v', 'm') ORDER BY 1",
      );
    const before = await order();
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    await place.database.query(
      'ALTER VIEW v SET (security_barrier = true); ALTER MATERIALIZED VIEW m SET (fillfactor = 60); ALTER MATERIALIZED VIEW m ALTER a SET (n_distinct_inherited=5)',
    );
    const damaged = await order();
    expect(await acts(place, 'HEAD')).toEqual([
      'ALTER MATERIALIZED VIEW public.m SET (fillfactor = 50)',
      'ALTER MATERIALIZED VIEW public.m SET (autovacuum_enabled = false)',
      'ALTER VIEW public.v SET (check_option = local)',
      'ALTER MATERIALIZED VIEW public.m ALTER COLUMN a SET (n_distinct = 3)',
    ]);
    await place.apply('HEAD', { allowed: ['WIDENS_ACCESS'] });
    expect(await order()).toEqual(before);
    await place.apply('HEAD');
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    await place.rollback();
    expect(await order()).toEqual(damaged);
    expect(place.git('show', 'HEAD:views/prod/public/v.sql')).toContain('WITH (check_option = local, security_barrier = true)');
    await place.database.query('DROP VIEW v; DROP MATERIALIZED VIEW m');
    await place.apply('HEAD');
    expect(await order()).toEqual(damaged);
    expect((await place.export()).commit).toBeUndefined();
  });

  test('a view that groups by a primary key is refused by name while the key is away, and comes back with it', async () => {
    const place = await open(version, 'CREATE VIEW v AS SELECT id, a FROM t GROUP BY id');
    await place.database.query('ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE');
    await expect(place.apply('HEAD')).rejects.toMatchObject({ message: expect.stringMatching(/public\.v.*"t\.a" must appear in the GROUP BY/s) });
    await place.database.query('ALTER TABLE t ADD PRIMARY KEY (id)');
    await place.apply('HEAD');
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('only a comment, a grant or the owner differs: no CREATE', async () => {
    const place = await open(version, "CREATE VIEW v AS SELECT id, a FROM t; COMMENT ON VIEW v IS 'old'");
    edit(place, 'v', (text) =>
      text.replace("'old'", "'new'").replace('OWNER TO postgres', 'OWNER TO pg_monitor').replace('COMMENT', 'GRANT SELECT ON public.v TO PUBLIC;\nCOMMENT'),
    );
    expect(await acts(place)).toEqual(['ALTER VIEW public.v OWNER TO pg_monitor', 'GRANT SELECT ON public.v TO PUBLIC', "COMMENT ON VIEW public.v IS 'new'"]);
    await applied(place, 'WIDENS_ACCESS');
  });

  test('a table that gains a column is no drift of a view over all its columns', async () => {
    const place = await open(version, 'CREATE TABLE item (id int, title text); CREATE VIEW ie AS SELECT i.*, 1 AS k FROM item i');
    await place.database.query('ALTER TABLE item ADD new_col text');
    expect((await place.status()).differing).toEqual([]);
    expect((await place.export()).commit).toBeUndefined();
  });

  test('a renamed column of a table is told as such and not as an edit', async () => {
    const place = await open(version, 'CREATE VIEW v AS SELECT id, a FROM t');
    await place.database.query('ALTER TABLE t RENAME a TO a_new');
    await place.export();
    expect(place.git('log', '-1', '--format=%B')).toContain('public.v: definition (a relation that it reads changed)');
  });

  test('a natural join keeps its columns when a table gains another common one', async () => {
    const place = await open(version, 'CREATE TABLE n1 (x int, y1 int); CREATE TABLE n2 (x int, y int); CREATE VIEW v AS SELECT * FROM n1 NATURAL JOIN n2');
    await place.database.query('ALTER TABLE n1 ADD y int; DROP VIEW v');
    await place.apply('HEAD');
    expect(await place.database.query("SELECT pg_get_viewdef('v'::regclass) AS text")).toMatchObject([{ text: expect.stringMatching(/JOIN n2 USING \(x\)/) }]);
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  });

  test('a text that the server prints otherwise when it is loaded again is neither drift nor a step', async () => {
    const place = await open(version, "CREATE VIEW v AS SELECT id FROM t WHERE a IN ('x', 'y')");
    await place.database.query('DROP VIEW v');
    await place.apply('HEAD');
    expect((await place.plan('HEAD')).plan.steps).toEqual([]);
    expect((await place.status()).differing).toEqual([]);
    expect((await place.export()).commit).toBeUndefined();
  });

  test('hand-written SQL that the server prints otherwise is in sync once it is applied', async () => {
    const place = await open(version, 'CREATE VIEW v AS SELECT id, a FROM t');
    edit(
      place,
      'v',
      define("select t.*, 1 as one /* as written */ from public.t natural join (values (1,'x')) as other(id, note) where b between 1 and 2 or a = 'x;--'"),
    );
    await applied(place);
    expect(readFileSync(join(place.directory, 'views/prod/public/v.sql'), 'utf8')).toContain('/* as written */');
  });

  test('whatever a definition holds comes back', async () => {
    const definitions = new Map<string, string>([
      [
        'recursion with search and cycle',
        'WITH RECURSIVE tree(id, b) AS (SELECT id, b FROM t WHERE b IS NULL UNION ALL SELECT t.id, t.b FROM t JOIN tree ON tree.id = t.b) SEARCH DEPTH FIRST BY id SET ordering CYCLE id SET looped USING path SELECT id, b, looped FROM tree',
      ],
      [
        'window, filter and grouping sets',
        'SELECT b, count(*) FILTER (WHERE id > 1) AS n, sum(count(*)) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t GROUP BY GROUPING SETS ((b), ())',
      ],
      ['lateral with ordinality', "SELECT t.id, x.part, x.n FROM t, LATERAL unnest(string_to_array(t.a, ',')) WITH ORDINALITY AS x(part, n)"],
      ['xmltable', "SELECT x.* FROM t, XMLTABLE('/r' PASSING xmlparse(document '<r/>') COLUMNS a text PATH '@a') x"],
      [
        'strings of every kind',
        `SELECT $q$a $$ ; -- /* b$q$ AS one, E'\\\\n\\'' AS two, U&'d\\0061t' AS three, ';' AS four, '--' AS five, '/*' AS six, e'line\\r\\nbreak' AS seven`,
      ],
      ['no columns at all', 'SELECT'],
      ['values', "VALUES (1, 'a'), (2, 'b')"],
      ['an unnamed column', 'SELECT 1, 2'],
      ['dates and intervals', "SELECT '2026-01-01 00:00+02'::timestamptz AS a, '1 day 2 hours'::interval AS b, '\\x00ff'::bytea AS c, 0.1::float8 AS d"],
    ]);
    if (version < 14) definitions.delete('recursion with search and cycle');
    const names = [...definitions.keys()].map((_, index) => `v${index}`);
    const columns = (query: string) => (query.startsWith('SELECT 1, 2') ? '(a, "?column?")' : '');
    const place = await open(version, [...definitions.values()].map((query, index) => `CREATE VIEW v${index} ${columns(query)} AS ${query}`).join(';'));
    const texts = () => place.database.query(`SELECT name, pg_get_viewdef(name::regclass) AS text FROM unnest(ARRAY['${names.join("', '")}']) name`);
    const before = await texts();
    await place.database.query(`DROP VIEW ${names.join(', ')}`);
    await place.apply('HEAD');
    expect(await texts()).toEqual(before);
    expect((await place.export()).commit).toBeUndefined();
  });

  test('comparisons that are printed without their operator come back with it', async () => {
    const body = version < 14 ? "AS 'SELECT count(*) FROM public.nulled'" : 'BEGIN ATOMIC SELECT count(NULLIF(email, $1::citext)) FROM nulled; END';
    const place = await open(
      version,
      `CREATE SCHEMA "My Types"; CREATE EXTENSION citext SCHEMA "My Types"; CREATE EXTENSION hstore; SET search_path = public, "My Types";
       CREATE TABLE u (id int PRIMARY KEY, email citext, more hstore); CREATE TABLE w (email citext, more hstore, n int);
       INSERT INTO u VALUES (1, 'A@x', 'a=>1'); INSERT INTO w VALUES ('a@X', 'a=>1', 1);
       CREATE VIEW joined AS SELECT id, n FROM u JOIN w USING (email); CREATE VIEW natural_joined AS SELECT * FROM (SELECT id, email FROM u) a NATURAL LEFT JOIN (SELECT email, n FROM w) b;
       CREATE VIEW nulled AS SELECT NULLIF(email, '') AS email, NULLIF(more, 'a=>2') AS more FROM u; CREATE VIEW over_nulled AS SELECT email FROM nulled WHERE email = 'a@X';
       CREATE VIEW cased AS SELECT id, email, CASE email WHEN 'a@x' THEN 1 ELSE 2 END AS c, CASE WHEN more = 'a=>1' THEN 1 END AS plain FROM u;
       CREATE VIEW distinct_ones AS SELECT u.id FROM u, w WHERE u.email IS DISTINCT FROM w.email OR u.more IS NOT DISTINCT FROM w.more;
       CREATE VIEW among_rows AS SELECT id FROM u WHERE (id, email) IN (SELECT n, email FROM w) AND (id, email) <> ALL (SELECT n, email FROM w) OR (id, email) = (SELECT 1, NULL::citext);
       CREATE VIEW rows_compared AS SELECT u.id FROM u, w WHERE (u.id, u.email) < (w.n, w.email);
       CREATE RULE changed AS ON UPDATE TO cased WHERE new.email IS DISTINCT FROM old.email DO INSTEAD NOTHING;
       CREATE FUNCTION found(text) RETURNS bigint LANGUAGE sql ${body};
       CREATE MATERIALIZED VIEW held AS SELECT email, found('a@x') AS f FROM over_nulled; CREATE INDEX held_email ON held (NULLIF(email, ''));
       RESET search_path`,
    );
    const before = await describeCatalog(place.database.url);
    const views = ['joined', 'natural_joined', 'nulled', 'over_nulled', 'cased', 'distinct_ones', 'among_rows', 'rows_compared'];
    const read = () => Promise.all([...views, 'held'].map((view) => place.database.query(`SELECT * FROM ${view}`)));
    const rows = await read();
    await place.database.query(`DROP VIEW ${views.join(', ')} CASCADE`);
    await place.apply('HEAD');
    expect([await describeCatalog(place.database.url), await read()]).toEqual([before, rows]);
    edit(place, 'nulled', define(`SELECT NULLIF((email), (''::"My Types".citext)) AS email, NULLIF(more, '"a"=>"2"'::public.hstore) AS more FROM public.u`));
    expect((await place.plan('worktree')).plan).toMatchObject({ steps: [], refusals: [] });
  });

  test('one changed WHERE at the bottom of a chain of 500 views is one statement', async () => {
    const chain = Array.from({ length: 500 }, (_, index) => `CREATE VIEW v${index} AS SELECT id, b FROM ${index === 0 ? 't' : `v${index - 1}`}`);
    const place = await open(version, chain.join(';'));
    edit(place, 'v0', define('SELECT id, b FROM public.t WHERE id > 5'));
    expect(await acts(place)).toEqual(['CREATE OR REPLACE VIEW public.v0 AS']);
    await applied(place);
  });
});
