import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findReaders, orderByReads, reach } from '../../src/core/graph.ts';

const graph = (edges: Record<string, readonly string[]>) => new Map(Object.entries(edges));
const order = (edges: Record<string, readonly string[]>) => orderByReads(graph(edges)).map(({ members }) => members.join('='));

test('puts everything after what it reads, ties by name', () => {
  expect(order({ c: [], b: ['a'], a: ['c'], d: [] })).toEqual(['c', 'a', 'b', 'd']);
});

test('keeps a circle together and tells it apart from a view that reads itself', () => {
  const components = orderByReads(graph({ a: ['b'], b: ['a'], c: ['c'], d: ['a'] }));
  expect(components.map(({ members, isCircular }) => [members.join(), isCircular])).toEqual(
    [
      ['a,b', true],
      ['c', true],
      ['d', false],
    ].toSorted(),
  );
});

test('ignores what is no node', () => {
  expect(order({ a: ['table'] })).toEqual(['a']);
});

test('orders any graph so that only circles look forward', () => {
  const names = fc.constantFrom(...'abcdefgh');
  fc.assert(
    fc.property(fc.dictionary(names, fc.array(names, { maxLength: 4 })), (edges) => {
      const ordered = orderByReads(graph(edges));
      const position = new Map(ordered.flatMap(({ members }, index) => members.map((member) => [member, index] as const)));
      expect([...position.keys()].sort()).toEqual(Object.keys(edges).sort());
      for (const [node, reads] of Object.entries(edges)) {
        for (const read of reads.filter((other) => other in edges)) expect(position.get(read)).toBeLessThanOrEqual(position.get(node) ?? -1);
      }
    }),
  );
});

test('reaches everything that reads a view, with the view through which it came', () => {
  const readers = findReaders(graph({ a: [], b: ['a'], c: ['b'], d: ['x'] }));
  expect([...reach(['a'], readers)]).toEqual([
    ['a', undefined],
    ['b', 'a'],
    ['c', 'b'],
  ]);
});
