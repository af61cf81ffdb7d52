import { describe, expect, test } from 'vitest';
import { positionAt, splitStatements } from '../../src/core/statements.ts';
import { postgresqlRules } from './postgresql-rules.ts';

function texts(text: string): string[] {
  return splitStatements(text, postgresqlRules).map((statement) => statement.text);
}

describe('statements of a text', () => {
  test('end at a semicolon and come without it and without the comments around them', () => {
    expect(texts('-- head\nSELECT 1 -- one\n;\n/* two */ SELECT /* in */ 2;;\nSELECT 3')).toEqual(['SELECT 1', 'SELECT /* in */ 2', 'SELECT 3']);
  });

  test.each([
    ['SELECT \';\', $$;$$, ";" -- ;'],
    ['CREATE RULE r AS ON INSERT TO v DO ALSO (SELECT 1; SELECT 2)'],
    ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END'],
    ['SELECT CASE WHEN a THEN 1 END'],
  ])('are not split inside of %s', (sql) => {
    expect(texts(`${sql}\n;\nSELECT 9;`)).toEqual([sql.replace(' -- ;', ''), 'SELECT 9']);
  });

  test('know where they and their tokens stand in the file, comments left out', () => {
    const text = '-- head\n\nSELECT /* in */ 1;';
    const [statement] = splitStatements(text, postgresqlRules);
    expect(text.slice(statement?.start, statement?.end)).toBe('SELECT /* in */ 1');
    expect(statement?.tokens.map((token) => text.slice(token.start, token.end))).toEqual(['SELECT', '1']);
  });
});

test('a position counts lines and characters from 1', () => {
  expect(positionAt('a\n😀b\nc', 0)).toEqual({ line: 1, column: 1 });
  expect(positionAt('a\n😀b\nc', 4)).toEqual({ line: 2, column: 2 });
  expect(positionAt('a\n😀b\nc', 6)).toEqual({ line: 3, column: 1 });
});

test('a run of statements that belong together is one statement', () => {
  const text = 'SELECT 1; SET ROLE a; GRANT x; RESET ROLE; SELECT 2; SET ROLE b; GRANT y';
  const runs = [{ opens: 'SET ROLE', closes: 'RESET ROLE' }];
  expect(splitStatements(text, postgresqlRules, runs).map((statement) => statement.text)).toEqual([
    'SELECT 1',
    'SET ROLE a; GRANT x; RESET ROLE',
    'SELECT 2',
    'SET ROLE b; GRANT y',
  ]);
});

test('a statement stops behind its semicolon, also when a comment stands before it', () => {
  const text = 'SELECT 1 -- one;\n; SELECT 2';
  expect(splitStatements(text, postgresqlRules).map(({ start, stop }) => text.slice(start, stop))).toEqual(['SELECT 1 -- one;\n;', 'SELECT 2']);
});

test('a statement knows the comments before its semicolon, for warehouses that keep them', () => {
  expect(splitStatements('SELECT 1 -- one;\n; SELECT 2; SELECT 3 -- end', postgresqlRules).map(({ tail }) => tail)).toEqual([' -- one;\n', '', '']);
});
