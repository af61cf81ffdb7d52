import { describe, expect, test } from 'vitest';
import { fingerprint, sameTokens } from '../../src/core/tokens.ts';
import { postgresqlComparison } from './postgresql-rules.ts';

describe('PostgreSQL texts have the same tokens', () => {
  test.each([
    ['white space', 'SELECT  a\n,b', 'SELECT a, b'],
    ['comments', 'SELECT a -- first\n, /* second */ b', 'SELECT a, b'],
    ['the case of words and numbers', 'select A, 1E5', 'SELECT a, 1e5'],
    ['spaces around operators that stay apart', 'a = - 1', 'a= -1'],
  ])('whatever %s', (_what, left, right) => {
    expect(sameTokens(left, right, postgresqlComparison)).toBe(true);
    expect(fingerprint(left, postgresqlComparison)).toBe(fingerprint(right, postgresqlComparison));
  });
});

describe('PostgreSQL texts differ', () => {
  test.each([
    ['in a literal', "SELECT 'a b'", "SELECT 'a  b'"],
    ['in the case of a literal', "SELECT 'a'", "SELECT 'A'"],
    ['in the case of a quoted name', 'SELECT "a"', 'SELECT "A"'],
    ['in the case of a letter that PostgreSQL does not fold', 'SELECT ä', 'SELECT Ä'],
    ['in a newline that joins two literals', "SELECT 'a'\n'b'", "SELECT 'a' 'b'"],
    ['in where an operator ends', 'a @- 1', 'a @ - 1'],
    ['in length', 'SELECT a', 'SELECT a, b'],
    ['in a boundary between tokens', "SELECT E'a'", "SELECT E 'a'"],
  ])('%s', (_what, left, right) => {
    expect(sameTokens(left, right, postgresqlComparison)).toBe(false);
    expect(fingerprint(left, postgresqlComparison)).not.toBe(fingerprint(right, postgresqlComparison));
  });
});

test('comments count where the warehouse keeps them', () => {
  const keeping = { ...postgresqlComparison, keepsComments: true };
  expect(sameTokens('SELECT a -- x', 'SELECT a -- y', keeping)).toBe(false);
  expect(sameTokens('SELECT a -- x', 'SELECT  a  -- x', keeping)).toBe(true);
});

test('the case of words counts where names are exact', () => {
  expect(sameTokens('SELECT A', 'SELECT a', { ...postgresqlComparison, folds: 'exact' })).toBe(false);
});
