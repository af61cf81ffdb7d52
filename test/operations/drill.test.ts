import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DrillOptions, type DrillResult, drillRevision } from '../../src/operations/drill-revision.ts';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { createDatabase, createRole, postgresServers, type TestDatabase } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const drill = ({ project, target }: Workplace, options: Partial<DrillOptions> = {}) => drillRevision(project, target, { revision: 'HEAD', ...options });

const outcomes = ({ views }: DrillResult) =>
  Object.fromEntries(views.map(({ view, outcome, because }) => [view, because === undefined ? outcome : `${outcome}: ${because}`]));

/** A role of its own for each database: other tests drill on the same server. */
const drillerOf = ({ name }: TestDatabase) => `${name}_driller`;

const scratchDatabases = (database: TestDatabase) =>
  database.query(`SELECT datname FROM pg_database WHERE datname LIKE 'viewsync_drill_%' AND pg_get_userbyid(datdba) = '${drillerOf(database)}'`);

async function open(version?: number): Promise<Workplace> {
  const database = await createDatabase(version);
  const driller = drillerOf(database);
  await database.query(`CREATE ROLE ${driller} SUPERUSER LOGIN`);
  onTestFinished(async () => {
    await database.query(`DROP ROLE ${driller}`);
    await database[Symbol.asyncDispose]();
  });
  return openWorkplace({ database, target: { options: { url: database.urlFor(driller) } } });
}

/** Everything that a view can need, in names that have to be quoted. */
const rich = `
  ${createRole('drill_owner')} ${createRole('drill_reader')} ${createRole('drill_grantor')}
  CREATE SCHEMA app; GRANT USAGE ON SCHEMA app TO PUBLIC; CREATE SCHEMA "My Schema"; CREATE EXTENSION pg_trgm SCHEMA app;
  CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok'); CREATE DOMAIN app.price AS numeric(12,2) CHECK (VALUE >= 0);
  CREATE TYPE app.pair AS (a int, b text); CREATE TYPE app.span AS RANGE (SUBTYPE = int);
  CREATE COLLATION app.german (PROVIDER = libc, LOCALE = 'C'); CREATE COLLATION app.caseless (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false); CREATE SEQUENCE app.numbers; CREATE TEXT SEARCH CONFIGURATION app.words (COPY = simple);
  CREATE TABLE app.t (id int PRIMARY KEY, mood app.mood, price app.price, pair app.pair, span app.span, name text COLLATE app.german, word text COLLATE app.caseless, "Odd ""name" timestamptz(3));
  CREATE TABLE "My Schema"."My Table" (id int, day date) PARTITION BY RANGE (day);
  CREATE TABLE "My Schema".part PARTITION OF "My Schema"."My Table" FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
  CREATE FUNCTION app.twice(app.price, factor int DEFAULT 2) RETURNS app.price LANGUAGE sql IMMUTABLE AS 'SELECT $1 * factor';
  CREATE FUNCTION app.many(n int) RETURNS TABLE (i int, s text) LANGUAGE sql AS 'SELECT 1, ''x''';
  CREATE FUNCTION app.add(state int, next int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT state + next';
  CREATE AGGREGATE app.total(int) (SFUNC = app.add, STYPE = int, INITCOND = '0');
  CREATE OPERATOR app.+% (FUNCTION = app.add, LEFTARG = int, RIGHTARG = int);
  CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE VIEW app.all_kinds AS SELECT t.id, mood, app.twice(price) AS double, pair, (pair).a, span, name, "Odd ""name", nextval('app.numbers'::regclass) AS n,
    to_tsvector('app.words', name) AS words, app.similarity(name, 'x') AS alike, id OPERATOR(app.+%) 1 AS more FROM app.t WHERE mood <> 'sad';
  CREATE VIEW app.grouped AS SELECT id, mood, price FROM app.t GROUP BY id;
  CREATE VIEW app.summed AS SELECT app.total(a.id) AS sum, m.s FROM app.all_kinds a, app.many(3) m GROUP BY m.s;
  CREATE VIEW "My Schema"."My View" AS SELECT id, day FROM "My Schema"."My Table" JOIN "My Schema".part p USING (id, day);
  CREATE ACCESS METHOD drill_heap TYPE TABLE HANDLER heap_tableam_handler;
  CREATE MATERIALIZED VIEW app.held USING drill_heap AS SELECT id FROM app.t;
  CREATE MATERIALIZED VIEW app.stored AS SELECT id, app.twice(price) AS double FROM app.t; CREATE UNIQUE INDEX stored_id ON app.stored (id);
  CREATE VIEW app.ring AS SELECT 1 AS one; CREATE VIEW app.ring_back AS SELECT one FROM app.ring; CREATE OR REPLACE VIEW app.ring AS SELECT one FROM app.ring_back;
  ALTER VIEW app.all_kinds OWNER TO drill_owner; GRANT SELECT ON app.all_kinds TO drill_grantor WITH GRANT OPTION;
  SET ROLE drill_grantor; GRANT SELECT ON app.all_kinds TO drill_reader; RESET ROLE;
  COMMENT ON VIEW app.grouped IS 'one row each'; CREATE TRIGGER note INSTEAD OF INSERT ON app.grouped FOR EACH ROW EXECUTE FUNCTION app.note();
  CREATE RULE keep AS ON DELETE TO app.summed DO INSTEAD INSERT INTO app.t (id) VALUES (1) ON CONFLICT ON CONSTRAINT t_pkey DO NOTHING;
  CREATE TABLE app.child (more int) INHERITS (app.t); CREATE TYPE app.shape AS (a int); CREATE TABLE app.typed OF app.shape; CREATE INDEX t_mood ON app.t (mood);
  CREATE PROCEDURE app.run(INOUT n int) LANGUAGE plpgsql AS 'BEGIN n := 1; END'; CREATE FUNCTION app.small(int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 9';
  CREATE DOMAIN app.few AS int DEFAULT 2 NOT NULL CHECK (app.small(VALUE)); CREATE FUNCTION app.same(app.pair, app.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1).a = ($2).a';
  CREATE OPERATOR app.== (FUNCTION = app.same, LEFTARG = app.pair, RIGHTARG = app.pair, COMMUTATOR = OPERATOR(app.==), HASHES); CREATE FUNCTION app.hash(app.pair) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
  CREATE OPERATOR CLASS app.pair_hash FOR TYPE app.pair USING hash AS OPERATOR 1 app.==, FUNCTION 1 app.hash(app.pair);
  CREATE VIEW app.tied AS SELECT c::app.t AS parent, y::app.shape AS shape, part::"My Schema"."My Table" AS whole, 'app.t_mood'::regclass AS index, 'app.run(int)'::regprocedure AS run, 3::app.few AS few
    FROM app.child c, app.typed y, "My Schema".part;
  CREATE MATERIALIZED VIEW app.joined AS SELECT l.id, r.id AS other FROM app.t l FULL JOIN app.t r ON l.pair OPERATOR(app.==) r.pair;
  INSERT INTO app.t (id, mood, price) VALUES (1, 'sad', 3)`;

/** What SQL alone cannot make: types, functions and classes of the server's libraries, and tables with a column of a view's row type. */
const deep = `
  CREATE SCHEMA lib; SET search_path = lib;
  CREATE TYPE base; CREATE FUNCTION base_in(cstring) RETURNS base LANGUAGE internal IMMUTABLE STRICT AS 'int4in'; CREATE FUNCTION base_out(base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out'; CREATE TYPE base (INPUT = base_in, OUTPUT = base_out, LIKE = int4, CATEGORY = 'N', DEFAULT = '5');
  CREATE CAST (base AS int4) WITHOUT FUNCTION; CREATE FUNCTION base_lt(base, base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt'; CREATE FUNCTION base_eq(base, base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq'; CREATE FUNCTION base_le(base, base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4le'; CREATE FUNCTION base_gt(base, base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4gt';CREATE FUNCTION base_ge(base, base) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4ge'; CREATE FUNCTION base_cmp(base, base) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp'; CREATE FUNCTION base_hash(base) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'hashint4';
  CREATE OPERATOR < (LEFTARG = base, RIGHTARG = base, FUNCTION = base_lt, COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel); CREATE OPERATOR = (LEFTARG = base, RIGHTARG = base, FUNCTION = base_eq, COMMUTATOR = =, HASHES, MERGES); CREATE OPERATOR <= (LEFTARG = base, RIGHTARG = base, FUNCTION = base_le); CREATE OPERATOR > (LEFTARG = base, RIGHTARG = base, FUNCTION = base_gt); CREATE OPERATOR >= (LEFTARG = base, RIGHTARG = base, FUNCTION = base_ge);
  CREATE OPERATOR CLASS base_ops DEFAULT FOR TYPE base USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 base_cmp(base, base); CREATE OPERATOR FAMILY bfam USING hash; CREATE OPERATOR CLASS base_hops DEFAULT FOR TYPE base USING hash FAMILY bfam AS OPERATOR 1 =, FUNCTION 1 base_hash(base);
  CREATE FUNCTION acc(internal, int) RETURNS internal LANGUAGE internal IMMUTABLE AS 'int8_avg_accum'; CREATE FUNCTION neg(base) RETURNS base LANGUAGE internal IMMUTABLE AS 'int4um'; CREATE OPERATOR ## (RIGHTARG = base, FUNCTION = neg);
  CREATE AGGREGATE mysum (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0', PARALLEL = safe); CREATE AGGREGATE myavg (bigint) (SFUNC = int8_avg_accum, STYPE = internal, FINALFUNC = numeric_poly_avg, COMBINEFUNC = int8_avg_combine, SERIALFUNC = int8_avg_serialize, DESERIALFUNC = int8_avg_deserialize); CREATE AGGREGATE myperc (float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA); CREATE AGGREGATE hyp (VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL); CREATE FUNCTION larger(anyelement, anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1'; CREATE AGGREGATE amax (anyelement) (SFUNC = larger, STYPE = anyelement);
  CREATE DOMAIN few AS base[] CHECK (cardinality(VALUE) < 5); CREATE TYPE floats AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi);
  CREATE TABLE kept (b base, f few, r floats, i int); CREATE VIEW v AS SELECT b, f, r, b < b AS less, ## b AS negative, b::int AS number FROM kept;
  CREATE VIEW grouped AS SELECT b, mysum(i) AS s, myavg(i) AS a, myperc(0.5::float8) WITHIN GROUP (ORDER BY i) AS p, amax(i) AS m FROM kept GROUP BY b;
  CREATE MATERIALIZED VIEW stored AS SELECT b FROM v; CREATE INDEX ON stored (b); CREATE INDEX ON stored USING hash (b base_hops);
  CREATE TABLE rows (one v, more v[]); CREATE VIEW over_rows AS SELECT (one).less, more FROM rows; CREATE MATERIALIZED VIEW indexed AS SELECT 1::float8 AS a; CREATE INDEX ON indexed (a) WHERE a > 10::numeric; CREATE TABLE deeper (x over_rows); CREATE VIEW over_deeper AS SELECT (x).less FROM deeper`;

describe.each(postgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('everything that views need is stood in for, they come back identical, and nothing of the target is touched', async () => {
    const place = await open(version);
    await place.database.query(rich);
    await place.export();
    const before = await describeCatalog(place.database.url);
    const tip = place.git('for-each-ref');
    const result = await drill(place, { on: 'server' });
    expect(outcomes(result)).toEqual(Object.fromEntries(result.views.map(({ view }) => [view, 'restored identical'])));
    expect(result).toMatchObject({ restored: 10, differing: 0, needing: 0, missing: [], server: expect.stringContaining(`PostgreSQL ${version}`) });
    expect([await describeCatalog(place.database.url), place.git('for-each-ref')]).toEqual([before, tip]);
    expect(await scratchDatabases(place.database)).toEqual([]);
  });

  test('what an extension would have brought is told with why there is none', async () => {
    const place = await open(version);
    const weak = `drill_untrusted_${version}`;
    await place.database.query(`${createRole(weak, ' LOGIN CREATEDB')} CREATE SCHEMA app; CREATE EXTENSION pg_stat_statements SCHEMA app;
      CREATE VIEW app.statements AS SELECT query FROM app.pg_stat_statements; ALTER VIEW app.statements OWNER TO ${weak}`);
    await place.export();
    const result = await drill({ ...place, target: { ...place.target, options: { url: place.database.urlFor(weak) } } }, { on: 'server' });
    expect(outcomes(result)).toEqual({
      'app.statements': expect.stringMatching(
        /^needs: app\.pg_stat_statements, which may belong to what could not be made: extension pg_stat_statements \(permission denied/,
      ),
    });
    expect(result.missing).toMatchObject([{ what: 'extension pg_stat_statements' }]);
  });

  test.each([version].filter((each) => each >= 18))('an extension makes its schema itself, and views may stand in it', async () => {
    const place = await open(version);
    const folder = mkdtempSync(join(tmpdir(), 'viewsync-extensions-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'extension'));
    const scripts = {
      drill_first: 'CREATE SCHEMA first; CREATE TABLE first.t (id int);',
      a_second: 'CREATE SCHEMA second; CREATE VIEW second.of_first AS SELECT id FROM first.t;',
    };
    for (const [name, sql] of Object.entries(scripts)) {
      const needed = name === 'a_second' ? "requires = 'drill_first'\n" : '';
      writeFileSync(join(folder, 'extension', `${name}.control`), `default_version = '1'\nsuperuser = true\n${needed}`);
      writeFileSync(join(folder, 'extension', `${name}--1.sql`), sql);
    }
    chmodSync(folder, 0o755);
    const path = `'$system:${folder}'`;
    await place.database.query(`SET extension_control_path = ${path}; CREATE EXTENSION drill_first; CREATE EXTENSION a_second;
      CREATE TABLE second.mine (id int); CREATE VIEW first.v AS SELECT m.id FROM second.mine m JOIN second.of_first USING (id);
      ALTER ROLE ${drillerOf(place.database)} SET extension_control_path = ${path}`);
    await place.export();
    const result = await drill(place, { on: 'server' });
    expect({ outcomes: outcomes(result), missing: result.missing }).toEqual({ outcomes: { 'first.v': 'restored identical' }, missing: [] });
  });

  test('a role that may not create databases is told what to ask for; one that may needs no more than that', async () => {
    const place = await open(version);
    const weak = `drill_weak_${version}`;
    await place.database.query(`${createRole(weak, ' LOGIN NOCREATEDB')} CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY);
      CREATE VIEW app.v AS SELECT id, count(*) AS n FROM app.t GROUP BY id; ALTER VIEW app.v OWNER TO ${weak}; CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.t;
      ALTER MATERIALIZED VIEW app.m OWNER TO ${weak}`);
    await place.export();
    const options = { url: place.database.urlFor(weak) };
    const far = { ...place, target: { ...place.target, options } };
    await expect(drill(far, { on: 'server' })).rejects.toMatchObject({
      code: 'PRIVILEGE_MISSING',
      exitCode: 3,
      suggestions: [expect.stringContaining(`ALTER ROLE ${weak} CREATEDB`), expect.stringContaining('--on embedded'), expect.stringContaining('--on TARGET')],
    });
    await place.database.query(`ALTER ROLE ${weak} CREATEDB; ALTER ROLE ${weak} SET default_transaction_read_only = on`);
    expect(outcomes(await drill(far))).toEqual({ 'app.m': 'restored identical', 'app.v': 'restored identical' });
  });
});

test('types and classes out of libraries are stood in for, and tables with a column of a view that comes back before what reads them', async () => {
  const place = await open(postgresServers()[0]?.version);
  await place.database.query(deep);
  await place.export();
  const result = await drill(place, { on: 'server' });
  expect(outcomes(result)).toEqual(Object.fromEntries(result.views.map(({ view }) => [view, 'restored identical'])));
  expect(result).toMatchObject({ restored: 6, missing: [] });
  // The text that a column of another type, or another version, makes the server print otherwise.
  const file = join(place.directory, 'views/prod/lib/indexed.sql');
  writeFileSync(file, readFileSync(file, 'utf8').replace('((10)::numeric)::double precision', '(10)::numeric'));
  expect(outcomes(await drill(place, { on: 'server', revision: 'worktree' }))).toMatchObject({ 'lib.indexed': 'restored identical' });
});

test('what cannot be stood in is named, and the other views are proven', async () => {
  const place = await open();
  const gone = `drill_gone_${place.database.name}`;
  await place.database.query(`${createRole(gone)} CREATE SCHEMA app; CREATE TABLE app.orders (id int); CREATE TABLE app.kept (id int);
    CREATE FUNCTION app.f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION app.changed(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE VIEW app.lost AS SELECT id FROM app.orders; CREATE VIEW app.above AS SELECT id FROM app.lost; CREATE VIEW app.called AS SELECT app.f(id) AS f FROM app.kept;
    CREATE VIEW app.granted AS SELECT id FROM app.kept; GRANT SELECT ON app.granted TO ${gone}; CREATE VIEW app.retyped AS SELECT id FROM app.kept;
    CREATE OPERATOR app.+% (FUNCTION = int4pl, LEFTARG = int, RIGHTARG = int); CREATE VIEW app.summed AS SELECT 1 OPERATOR(app.+%) 2 AS three;
    CREATE TABLE app.wide (id int, a int); CREATE VIEW app.narrow AS SELECT id, a FROM app.wide;
    CREATE VIEW app.other AS SELECT 1 AS one; CREATE VIEW app.outside AS SELECT one FROM app.other;
    CREATE DOMAIN app.must AS int NOT NULL; CREATE FUNCTION app.must() RETURNS app.must LANGUAGE sql AS 'SELECT 3'; CREATE MATERIALIZED VIEW app.musts AS SELECT app.must() AS must`);
  await place.export();
  await place.database.query(`DROP VIEW app.above, app.lost, app.called, app.granted, app.retyped, app.summed, app.narrow; DROP OPERATOR app.+% (int, int);
    ALTER TABLE app.wide DROP a; DROP TABLE app.orders; DROP FUNCTION app.f(int);
    ALTER TABLE app.kept ALTER id TYPE bigint; DROP OWNED BY ${gone}; DROP ROLE ${gone}`);
  writeFileSync(join(place.directory, 'views/prod/app/other.sql'), 'CREATE VIEW app.other AS');
  const expected = {
    'app.above': 'needs: app.lost, which was not restored',
    'app.called': 'needs: function app.f(bigint), which no longer exists',
    'app.granted': `needs: role "${gone}"`,
    'app.lost': 'needs: app.orders, which no longer exists',
    'app.musts': 'restored identical',
    'app.narrow': expect.stringMatching(/^needs: column \S*a, which no longer exists$/),
    'app.other': 'restored identical',
    'app.outside': 'restored identical',
    'app.retyped': 'differs: column id integer -> bigint',
    'app.summed': 'needs: operator integer app.+% integer, which no longer exists',
  };
  const result = await drill(place);
  expect([outcomes(result), result.restored, result.differing, result.needing]).toEqual([expected, 3, 1, 6]);
  expect(result.missing).toMatchObject([{ what: 'NOT NULL of domain app.must' }]);
  const edited = outcomes(await drill(place, { revision: 'worktree' }));
  expect(edited['views/prod/app/other.sql']).toMatch(/^needs: a file that can be read: /);
  expect(edited['app.outside']).toBe('restored identical');
  expect(await scratchDatabases(place.database)).toEqual([]);
});

test.runIf((postgresServers().at(-1)?.version ?? 18) >= 14)(
  'on a server that is started for it, with the roles that the views name, and functions that stand between views',
  async () => {
    const place = await open(postgresServers().at(-1)?.version);
    await place.database.load('obstacles.sql');
    await place.database.query('CREATE FUNCTION app.through() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM app.f_v3(); END');
    await place.export();
    const result = await drill(place, { on: 'embedded' });
    expect(result.views.filter(({ outcome }) => outcome !== 'restored identical')).toEqual([]);
    expect(result.views.map(({ view }) => view)).toEqual(expect.arrayContaining(['app.v_uses_f', 'app.m2', 'function app.through()']));
    expect(result.place).toContain('started for it');
  },
);

test('on the server of another target, where no role is made', async () => {
  const [newest, oldest] = [postgresServers()[0], postgresServers().at(-1)];
  const [place, other] = [await open(oldest?.version), await open(newest?.version)];
  const alone = `drill_alone_${place.database.name}`;
  await place.database.query(`CREATE ROLE ${alone}; CREATE SCHEMA app; CREATE TABLE app.t (id int, a varchar(9));
    CREATE VIEW app.v AS SELECT id, a FROM app.t WHERE a IN ('x', 'y'); CREATE VIEW app.w AS SELECT id FROM app.v; GRANT SELECT ON app.w TO ${alone}`);
  await place.export();
  const targets = [place.target, { ...other.target, name: 'other' }];
  const result = await drill({ ...place, project: { ...place.project, targets } }, { on: 'other' });
  await place.database.query(`DROP OWNED BY ${alone}; DROP ROLE ${alone}`);
  const isSame = newest === oldest;
  expect(outcomes(result)).toEqual({ 'app.v': 'restored identical', 'app.w': isSame ? 'restored identical' : `needs: role "${alone}"` });
  expect([result.server, await scratchDatabases(other.database)]).toEqual([expect.stringContaining(`PostgreSQL ${newest?.version}`), []]);
});

test('a word that is no place and no target is told with the places that there are', async () => {
  const place = await open();
  await place.database.query('CREATE VIEW public.v AS SELECT 1 AS one');
  await place.export();
  await expect(drill(place, { on: 'moon' })).rejects.toMatchObject({ code: 'USAGE', suggestions: ['--on server', '--on embedded', '--on prod'] });
});

describe('the scratch database goes', () => {
  async function openShop(): Promise<Workplace> {
    const place = await open();
    await place.database.query('CREATE SCHEMA app; CREATE TABLE app.t (id int)');
    const views = Array.from({ length: 100 }, (_, index) => `CREATE VIEW app.v${index} AS SELECT id FROM app.t`);
    await place.database.query(views.join(';'));
    await place.export();
    return place;
  }

  async function start(place: Workplace): Promise<{ readonly child: ChildProcess; readonly ended: Promise<unknown[]> }> {
    writeFileSync(join(place.directory, 'viewsync.yaml'), 'targets:\n  prod:\n    warehouse: postgres\n    url: ${DATABASE_URL}\n');
    const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
    const environment = { ...process.env, DATABASE_URL: place.database.urlFor(drillerOf(place.database)) };
    const child = spawn(process.execPath, [program, 'drill'], { cwd: place.directory, env: environment, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const isMade = async () => (await scratchDatabases(place.database)).length === 1;
    await expect.poll(isMade, { interval: 5, timeout: 20_000 }).toBe(true);
    return { child, ended };
  }

  test('after Ctrl-C, and with the next drill after a kill', async () => {
    const place = await openShop();
    const interrupted = await start(place);
    interrupted.child.kill('SIGINT');
    expect(await interrupted.ended).toEqual([130, null]);
    expect(await scratchDatabases(place.database)).toEqual([]);
    const killed = await start(place);
    killed.child.kill('SIGKILL');
    await killed.ended;
    expect((await drill(place)).restored).toBe(100);
    expect(await scratchDatabases(place.database)).toEqual([]);
  });
});
