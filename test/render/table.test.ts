import { Ansis } from 'ansis';
import { describe, expect, test } from 'vitest';
import { count, duration } from '../../src/render/count.ts';
import { renderTable } from '../../src/render/table.ts';

describe('a table', () => {
  test('lines its columns up, and leaves no blanks at the ends of lines', () => {
    expect(
      renderTable([
        ['a', 'bb', 'c'],
        ['aaa', 'b', ''],
      ]),
    ).toBe('a    bb  c\naaa  b');
  });

  test('does not count colours as width', () => {
    const { red } = new Ansis(1);
    expect(
      renderTable([
        [red('a'), 'b'],
        ['aaa', 'b'],
      ]),
    ).toBe(`${red('a')}    b\naaa  b`);
  });

  test('of no rows is nothing', () => {
    expect(renderTable([])).toBe('');
  });
});

describe('numbers', () => {
  test('come with the right form of the noun', () => {
    expect([count(0, 'view'), count(1, 'view'), count(2, 'query', 'queries')]).toEqual(['0 views', '1 view', '2 queries']);
  });

  test('of milliseconds are told as people do', () => {
    expect([duration(640), duration(2440), duration(185_000)]).toEqual(['640 ms', '2.4 s', '3 min 5 s']);
  });
});
