import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { View } from '../../src/core/view.ts';
import { isHeaderOf, readHeader, writeHeader } from '../../src/core/view-header.ts';

const described = {
  kind: 'view',
  name: { schema: 'analytics', name: 'product_margin' },
  reads: [
    { schema: 'analytics', name: 'product_master' },
    { schema: 'finance', name: 'cost' },
  ],
  columns: [
    { name: 'product_id', type: 'integer' },
    { name: 'Margin %', type: 'numeric(12,2)' },
    { name: 'note', type: 'text COLLATE "C"' },
  ],
} satisfies Partial<View>;

test('a header says what the view is called, what it reads and which columns it has', () => {
  expect(writeHeader(described)).toMatchInlineSnapshot(`
    "-- view: analytics.product_margin
    -- reads: analytics.product_master
    --        finance.cost
    -- columns: product_id integer
    --          "Margin %" numeric(12,2)
    --          note text COLLATE "C""
  `);
});

test('a view that reads nothing and has no columns has a header of one line', () => {
  expect(writeHeader({ kind: 'view', name: { schema: 's', name: 'v' }, reads: [], columns: [] })).toBe('-- view: s.v');
});

const part = fastCheck.string({
  unit: fastCheck.oneof(
    fastCheck.constantFrom('\n', '\r', '\\', '"', ' ', '.', '-', 'u', '\u2028', '\u001b', 'columns: '),
    fastCheck.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
  minLength: 1,
});
const relation = fastCheck.record({ schema: part, name: part });
const type = part.map((text) => `t${text}t`);

test('what a header says is read back, and no name breaks out of its comment', () => {
  fastCheck.assert(
    fastCheck.property(relation, fastCheck.array(relation), fastCheck.array(fastCheck.record({ name: part, type })), (name, reads, columns) => {
      const text = writeHeader({ kind: 'view', name, reads, columns });
      const header = readHeader(text);
      expect(header.columns).toEqual(columns);
      expect(header.notes).toBe('');
      expect(isHeaderOf(header, { kind: 'view', name, reads, columns })).toBe(true);
      expect(text.split(/[\n\r\u2028\u2029\u0085]/).filter((line) => !line.startsWith('-- '))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

describe('a header is read leniently', () => {
  test('when it is not there', () => {
    expect(readHeader('')).toEqual({ name: '', reads: [], columns: [], notes: '' });
  });

  test('when people wrote something else there, which is kept apart', () => {
    expect(readHeader('-- Ask finance before changing this.\n-- view: s.v\n-- columns: a integer\n\n/* more */').notes).toBe(
      '-- Ask finance before changing this.\n\n/* more */',
    );
  });

  test('when a line of the columns cannot be read, as if there were none', () => {
    expect(readHeader('-- view: s.v\n-- columns: a integer\n--          b').columns).toEqual([]);
  });

  test('when its lines end in CR LF', () => {
    expect(readHeader(writeHeader(described).replaceAll('\n', '\r\n')).columns).toEqual(described.columns);
  });
});

test.each([
  ['another column type', { ...described, columns: [{ name: 'product_id', type: 'bigint' }, ...described.columns.slice(1)] }],
  ['another relation that is read', { ...described, reads: described.reads.slice(1) }],
  ['another name', { ...described, name: { schema: 'analytics', name: 'margin' } }],
  ['a column less', { ...described, columns: described.columns.slice(1) }],
])('a header is not that of a view with %s', (_what, view) => {
  expect(isHeaderOf(readHeader(writeHeader(described)), view)).toBe(false);
});
