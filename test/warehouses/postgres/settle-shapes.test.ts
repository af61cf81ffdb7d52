import { describe, expect, test } from 'vitest';
import { relationKey } from '../../../src/core/relation.ts';
import { postgres } from '../../../src/warehouses/postgres/adapter.ts';
import { allPostgresServers, createDatabase } from '../../support/postgres-server.ts';

// What users of other tools lost: each is a definition that the server can print and that must be the same when it is read back.
const shapes: Readonly<Record<string, string>> = {
  recursive: 'WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r',
  searching:
    'WITH RECURSIVE r(n, m) AS (SELECT id, a FROM s.t UNION ALL SELECT t.id, t.a FROM s.t, r WHERE t.id = r.m) SEARCH DEPTH FIRST BY n SET o CYCLE n SET c USING p SELECT n, m, c FROM r',
  materialized: 'WITH x AS MATERIALIZED (SELECT * FROM s.base), y AS NOT MATERIALIZED (SELECT * FROM x) SELECT * FROM y',
  windowed:
    'SELECT id, sum(a) OVER w AS s, count(*) FILTER (WHERE a > 1) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) AS c FROM s.base WINDOW w AS (PARTITION BY b ORDER BY id)',
  grouping: 'SELECT a, b, grouping(a, b) AS g FROM s.base GROUP BY GROUPING SETS ((a, b), ROLLUP (a), ())',
  lateral: 'SELECT base.id, l.x FROM s.base, LATERAL (SELECT base.a * 2 AS x) l',
  ordinality: 'SELECT u.n, u.o FROM unnest(ARRAY[3, 2]) WITH ORDINALITY u(n, o)',
  xml: "SELECT x.v FROM xmltable('/a' PASSING ('<a>1</a>'::xml) COLUMNS v int PATH '.') x",
  strings: "SELECT $q$it's; -- $$ /* $q$ AS a, E'back\\\\slash\\n' AS b, U&'\\0041' AS c, 'two'\n'x' AS d",
  varchar: "SELECT id FROM s.t WHERE b IN ('x', 'y')",
  between: 'SELECT id FROM s.t WHERE (a BETWEEN 1 AND 2) AND NOT (id BETWEEN 3 AND 4)',
  joined: 'SELECT base.id, o.id AS other FROM s.base LEFT JOIN s.t o ON TRUE',
  natural: 'SELECT id FROM s.base NATURAL JOIN s.t',
  merged: 'SELECT j.id FROM s.base JOIN s.t USING (id) AS j',
  values: "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) v(x, y)",
  union: "SELECT 'PUBLIC'::name AS n UNION SELECT b::name FROM s.base",
  moment: "SELECT '2020-01-01 00:00:00+02'::timestamptz AS t, '1 day 2 hours'::interval AS i, 0.1::float8 AS f, 'infinity'::date AS d",
  collated: 'SELECT b COLLATE "C" AS b FROM s.base ORDER BY b COLLATE "POSIX"',
  whole: 'SELECT base AS whole, (base).id AS part FROM s.base',
  quoted: 'SELECT id AS "select", a AS "A ""b""", b AS "?column?" FROM s.base "order"',
  only: 'SELECT id, tableoid::regclass AS src FROM ONLY s.t',
  locked: 'SELECT id FROM s.t FOR UPDATE OF t SKIP LOCKED',
  nothing: 'SELECT',
};

const since14: ReadonlySet<string> = new Set(['searching', 'merged']);

describe.each(allPostgresServers())('on PostgreSQL $version', ({ version }) => {
  test('every shape of definition is the same as itself, also over a view that changes', async () => {
    await using database = await createDatabase(version);
    await database.query('CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY, a int, b varchar(20)); CREATE VIEW s.base AS SELECT id, a, b FROM s.t');
    const known = Object.entries(shapes).filter(([name]) => version >= 14 || !since14.has(name));
    for (const [name, sql] of known) await database.query(`CREATE VIEW s.${name} AS ${sql}`);
    const warehouse = await postgres.connect({ url: database.url }, {});
    const { views } = (await warehouse.inspect({ schemas: ['*'] })).snapshot;
    const changed = views.map((live) => ({ live, wanted: live.name.name === 'base' ? { ...live, definition: 'SELECT id, a, b FROM s.t WHERE a > 0' } : live }));
    const written = views.map((live) => ({ live, wanted: { ...live, definition: shapes[live.name.name] ?? live.definition } }));
    for (const requests of [views.map((live) => ({ live, wanted: live })), changed, written]) {
      const settled = await warehouse.settle(requests);
      const others = [...settled].filter(([, { outcome }]) => outcome !== 'same').map(([key, answer]) => ({ key, ...answer }));
      expect(others).toEqual(requests === changed ? [expect.objectContaining({ key: 's.base', outcome: 'different' })] : []);
      expect(settled.size).toBe(views.length);
    }
    expect(views.map(({ name }) => relationKey(name))).toContain('s.nothing');
    await warehouse.close();
  });
});
