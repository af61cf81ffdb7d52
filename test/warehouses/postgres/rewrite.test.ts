import { describe, expect, test } from 'vitest';
import { postgresDialect } from '../../../src/warehouses/postgres/dialect.ts';
import { quoteIdentifier } from '../../../src/warehouses/postgres/names.ts';
import { findKnownReads, rewriteReferences } from '../../../src/warehouses/postgres-family/rewrite.ts';

const replacements = new Map([
  ['app.v1', { schema: 'pg_temp', name: 't1' }],
  ['app."My View"', { schema: 'pg_temp', name: 't2' }],
]);
const rewrite = (sql: string): string => rewriteReferences(sql, replacements, { ...postgresDialect, quoteIdentifier }).text;

describe('rewriting references', () => {
  test.each([
    ['SELECT a FROM app.v1', 'SELECT a FROM pg_temp.t1 AS v1'],
    ['SELECT a FROM app.v1 v', 'SELECT a FROM pg_temp.t1 v'],
    ['SELECT a FROM app.v1 AS v (x, y)', 'SELECT a FROM pg_temp.t1 AS v (x, y)'],
    ['SELECT a FROM APP.V1 WHERE a > 0', 'SELECT a FROM pg_temp.t1 AS v1 WHERE a > 0'],
    ['SELECT a FROM app.v1, app."My View" JOIN app.other USING (a)', 'SELECT a FROM pg_temp.t1 AS v1, pg_temp.t2 AS "My View" JOIN app.other USING (a)'],
    ['SELECT app.v1.a, app.v1.* FROM app.v1', 'SELECT v1.a, v1.* FROM pg_temp.t1 AS v1'],
    ['SELECT NULL::app.v1, v1.a FROM app.v1', 'SELECT NULL::pg_temp.t1, v1.a FROM pg_temp.t1 AS v1'],
    ["SELECT 'app.v1' AS t /* app.v1 */ FROM app.v1 -- app.v1", "SELECT 'app.v1' AS t /* app.v1 */ FROM pg_temp.t1 AS v1 -- app.v1"],
    ['WITH v1 AS (SELECT * FROM app.v1) SELECT * FROM v1', 'WITH v1 AS (SELECT * FROM pg_temp.t1 AS v1) SELECT * FROM v1'],
    ['SELECT a FROM app.v1 TABLESAMPLE system (1)', 'SELECT a FROM pg_temp.t1 AS v1 TABLESAMPLE system (1)'],
    ['SELECT a FROM (app.v1 CROSS JOIN app.other)', 'SELECT a FROM (pg_temp.t1 AS v1 CROSS JOIN app.other)'],
    ['SELECT v1.a FROM other.v1', 'SELECT v1.a FROM other.v1'],
  ])('%s', (sql, expected) => {
    expect(rewrite(sql)).toBe(expected);
  });

  test('tells an alias that repeats the name from none', () => {
    const replaced = (sql: string) => rewriteReferences(sql, replacements, { ...postgresDialect, quoteIdentifier }).replaced;
    expect(replaced('SELECT a FROM app.v1 v1')).not.toEqual(replaced('SELECT a FROM app.v1'));
    expect(replaced('SELECT a FROM app.v1 other')).toEqual(replaced('SELECT a FROM app.v1'));
  });

  test('finds every known relation that a text names, once', () => {
    expect(findKnownReads('SELECT NULL::app.v1, x.a FROM app.other x JOIN app.v1 USING (a)', new Set(replacements.keys()), postgresDialect)).toEqual([
      'app.v1',
    ]);
  });
});
