import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differInSpacingAlone } from '../../src/core/spacing.ts';
import { normalizeTokens } from '../../src/core/tokens.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';

const isAlike = (left: string, right: string) => differInSpacingAlone(left, right, postgresDialect.lexicalRules);

describe('differInSpacingAlone', () => {
  test.each([
    ['SELECT a,b FROM t', ' SELECT\n  a,\n  b\nFROM\n  t\n'],
    ['numeric(12,2)', 'numeric (12, 2)'],
    ["COALESCE(x,'a  b')", "COALESCE(\n  x,\n  'a  b'\n)"],
    ["'it''s' || \"my  name\"", "'it''s'   ||\n\"my  name\""],
  ])('says yes where only white space between tokens differs: %s', (left, right) => {
    expect(isAlike(left, right)).toBe(true);
  });

  test.each([
    ['SELECT a b', 'SELECT ab'],
    ["'a b'", "'a  b'"],
    ["'a' 'b'", "'a''b'"],
    ["'a'\n'b'", "'a' 'b'"],
    ['"a b"', '"ab"'],
    ['x - -1', 'x --1'],
    ['a', 'a, b'],
    ["'a", "'a'"],
    ["E'a' ", "E 'a'"],
    ['SELECT A', 'SELECT a'],
  ])('never says yes where it may matter: %s', (left, right) => {
    expect([isAlike(left, right), isAlike(right, left)]).toEqual([false, false]);
  });

  test('says yes only to texts with the same tokens, whatever they are made of', () => {
    const piece = fastCheck.constantFrom(
      ...["'", '"', "''", 'a', 'E', 'b1', '1', '.', ',', '(', ')', '-', '--', '/', '*', '$', '\\', '::', '[', ']', ';', ' ', '  ', '\n', '\t'],
    );
    const text = fastCheck.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    const spaced = text.chain((left) =>
      fastCheck
        .array(fastCheck.constantFrom('', ' ', '\n'), { minLength: left.length, maxLength: left.length })
        .map((blanks) => [left, [...left].map((character, index) => character + blanks[index]).join('')] as const),
    );
    fastCheck.assert(
      fastCheck.property(spaced, ([left, right]) => {
        if (isAlike(left, right)) expect(tokensOf(left)).toEqual(tokensOf(right));
      }),
      { numRuns: 3000 },
    );
  });
});

/** The tokens, or that there are none because a quote is never closed. */
function tokensOf(text: string): readonly string[] | 'unreadable' {
  try {
    return normalizeTokens(text, postgresDialect);
  } catch {
    return 'unreadable';
  }
}
