import { describe, expect, test } from 'vitest';
import { namedIn, readScript } from '../../../src/core/script.ts';
import { postgresDialect } from '../../../src/warehouses/postgres/dialect.ts';
import { scriptRules } from '../../../src/warehouses/postgres/script-rules.ts';

const read = (text: string) => readScript([{ file: 'a.sql', text }], postgresDialect);

describe('a script', () => {
  test('is split where the server would split it', () => {
    const text = `CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END;
/* a; /* nested; */ */ SELECT E'it\\'s; one', $x$ two; $x$;

CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)`;
    expect(read(text).map(({ line, statement }) => [line, statement.text.slice(0, 15)])).toEqual([
      [1, 'CREATE FUNCTION'],
      [2, "SELECT E'it\\'s;"],
      [4, 'CREATE RULE r A'],
    ]);
  });

  test.each([
    'BEGIN',
    'commit work',
    'ROLLBACK',
    'START TRANSACTION',
    'SAVEPOINT a',
    'END',
    'PREPARE TRANSACTION $$x$$',
    'VACUUM t',
    'ALTER SYSTEM SET a = 1',
    'CREATE DATABASE d',
    'CREATE INDEX CONCURRENTLY ON t (a)',
    'create unique index concurrently i on t (a)',
    'DROP INDEX CONCURRENTLY i',
    'REINDEX TABLE CONCURRENTLY t',
    'ALTER TABLE t DETACH PARTITION p CONCURRENTLY',
    'COPY t FROM STDIN',
    'COPY (SELECT 1) TO STDOUT WITH (FORMAT csv)',
    'SET SESSION AUTHORIZATION bob',
    '\\i other.sql',
    'SELECT 1 \\gexec',
  ])('is refused with its line for %s', (statement) => {
    expect(() => read(`SELECT 1;\n\n${statement};\nSELECT 2;`)).toThrow(
      expect.objectContaining({
        code: 'SCRIPT_REFUSED',
        exitCode: 65,
        message: expect.stringMatching(/^a\.sql:3: /),
        suggestions: [expect.stringContaining('--on')],
      }),
    );
  });

  test.each([
    'CREATE INDEX ON t (concurrently)',
    "COMMENT ON TABLE t IS 'commit; \\i'",
    'DO $$ BEGIN PERFORM 1; END $$',
    "COPY t FROM '/data/t.csv'",
    'REFRESH MATERIALIZED VIEW CONCURRENTLY m',
    'SET ROLE bob',
    'ALTER TABLE t ADD COLUMN vacuum int',
  ])('is taken with %s', (statement) => {
    expect(read(statement)).toHaveLength(1);
  });

  test('that leaves a quote open is refused at its line', () => {
    expect(() => read("SELECT 1;\nSELECT 'open;\n")).toThrow(
      expect.objectContaining({ code: 'SCRIPT_REFUSED', message: expect.stringMatching(/^a\.sql:2: /) }),
    );
  });
});

const dropsOf = (sql: string) => read(sql).map(({ statement }) => scriptRules.dropsByName(statement))[0];

test('what a statement drops by name is found, also inside of a block, and nothing that it takes along', () => {
  expect(dropsOf('DROP VIEW IF EXISTS a.v, "W" CASCADE')).toEqual({ views: [['a', 'v'], ['W']], schemas: [] });
  expect(dropsOf('DROP MATERIALIZED VIEW m')).toEqual({ views: [['m']], schemas: [] });
  expect(dropsOf('DROP SCHEMA a, b CASCADE')).toEqual({ views: [], schemas: ['a', 'b'] });
  expect(dropsOf("DO $$ BEGIN EXECUTE 'DROP VIEW a.v'; DROP VIEW w; END $$")?.views).toEqual(expect.arrayContaining([['a', 'v'], ['w']]));
  expect(dropsOf('DROP TABLE t CASCADE')).toEqual({ views: [], schemas: [] });
  expect(dropsOf("COMMENT ON TABLE t IS 'DROP VIEW v'")).toEqual({ views: [], schemas: [] });
});

test('every dotted name counts, also inside of strings that are code', () => {
  expect(namedIn('ALTER TABLE App."T 1" ADD c int; DO $$ SELECT x.y $$', postgresDialect)).toEqual(
    expect.arrayContaining([
      ['app', 'T 1'],
      ['x', 'y'],
    ]),
  );
});
