import { describe, expect, test } from 'vitest';
import { findMentions, findReferences, readsOf, standardReferences } from '../../src/core/references.ts';
import { createDatabase, postgresServers } from '../support/postgres-server.ts';
import { parsedRelations } from './parsed-relations.ts';
import { postgresqlQueries } from './postgresql-queries.ts';
import { postgresqlRules } from './postgresql-rules.ts';

const dialect = { lexicalRules: postgresqlRules, folds: 'lower', hasCatalogs: false, referenceRules: standardReferences } as const;

function namesOf(sql: string): string[] {
  return findReferences(sql, dialect)
    .map(({ name }) => [name.catalog, name.schema, name.name].filter((part) => part !== undefined).join('.'))
    .sort();
}

describe("finds the relations that PostgreSQL's own parser finds", () => {
  test.each(postgresqlQueries.map((sql) => [sql]))('in %s', async (sql) => {
    expect(namesOf(sql)).toEqual(await parsedRelations(sql));
  });

  test('in each query as a part of another one', async () => {
    for (const inner of postgresqlQueries) {
      for (const sql of [
        `SELECT extract(day FROM (${inner})) FROM (${inner}) q, z`,
        `WITH a AS (${inner}), b AS (TABLE a) SELECT * FROM b WHERE EXISTS (${inner})`,
      ]) {
        expect(namesOf(sql), sql).toEqual(await parsedRelations(sql));
      }
    }
  });
});

test.each(postgresServers().map(({ version }) => [version]))(
  "finds what PostgreSQL's own parser finds in every view that version %i comes with",
  async (version) => {
    await using database = await createDatabase(version);
    const views = await database.query("SELECT viewname, rtrim(definition, ';') AS sql FROM pg_views");
    expect(views.length).toBeGreaterThan(100);
    for (const { viewname, sql } of views) expect(namesOf(sql), viewname).toEqual(await parsedRelations(sql));
  },
);

test.each(postgresqlQueries.map((sql) => [sql]))('a CREATE header before the query changes nothing: %s', (sql) => {
  expect(namesOf(`CREATE MATERIALIZED VIEW s.v WITH (fillfactor = 70) AS ${sql}`)).toEqual(namesOf(sql));
});

test('a reference says where it stands', () => {
  const sql = 'SELECT * FROM shop . "Order Lines" /* x */ AS l, b';
  expect(findReferences(sql, dialect).map(({ start, end }) => sql.slice(start, end))).toEqual(['shop . "Order Lines"', 'b']);
});

test('what a definition reads is sorted, unique and has a schema', () => {
  expect(readsOf('SELECT * FROM b.x, a.x, x, "B".x, B.X', dialect)).toEqual([
    { schema: 'B', name: 'x' },
    { schema: 'a', name: 'x' },
    { schema: 'b', name: 'x' },
  ]);
});

test('a catalog before the schema is no part of the name where names have none', () => {
  expect(readsOf('SELECT * FROM db.shop.orders', dialect)).toEqual([{ schema: 'shop', name: 'orders' }]);
});

test('an unclosed quote makes the references unknown, not none', () => {
  expect(() => findReferences("SELECT * FROM a WHERE 'x", dialect)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
});

test('a mention is every place that names a known relation', () => {
  const sql = 'SELECT (NULL::shop.orders).id, shop.orders.*, db.shop.orders.id, f(o), shop.other, orders.id, "shop"."orders" FROM shop.orders o';
  const found = findMentions(sql, dialect, new Set(['shop.orders']));
  expect(found.map(({ start, end }) => sql.slice(start, end))).toEqual(['shop.orders', 'shop.orders', 'db.shop.orders.id', '"shop"."orders"', 'shop.orders']);
});

test.each([
  ['many WITH queries', `WITH ${Array.from({ length: 20_000 }, (_, index) => `q${index} AS (SELECT * FROM t${index})`).join(', ')} SELECT * FROM q1`],
  ['deep brackets', `SELECT * FROM ${'('.repeat(100_000)} a ${')'.repeat(100_000)}`],
  ['long chains', `SELECT * FROM a${'.b'.repeat(100_000)}`],
])('takes time in proportion to the length of %s', (_name, sql) => {
  const started = process.cpuUsage();
  findReferences(sql, dialect);
  findMentions(sql, dialect, new Set(['a.b']));
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(3000);
});
