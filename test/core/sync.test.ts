import { expect, test } from 'vitest';
import { compareSides, type SyncState } from '../../src/core/sync.ts';

const equal = (left: string, right: string) => left === right;

test.each<[string, string | undefined, string | undefined | 'unknown', string | undefined, SyncState]>([
  ['nothing changed', 'A', 'A', 'A', 'in sync'],
  ['only the warehouse changed', 'A', 'A', 'B', 'drift'],
  ['only git changed', 'B', 'A', 'A', 'pending'],
  ['both changed', 'B', 'A', 'C', 'conflict'],
  ['both changed alike', 'B', 'A', 'B', 'in sync'],
  ['the view is new in the warehouse', undefined, undefined, 'A', 'drift'],
  ['the view is gone from the warehouse', 'A', 'A', undefined, 'drift'],
  ['the file was deleted', undefined, 'A', 'A', 'pending'],
  ['the file is new', 'A', undefined, undefined, 'pending'],
  ['the file was deleted and the view changed', undefined, 'A', 'B', 'conflict'],
  ['the file was changed and the view dropped', 'B', 'A', undefined, 'conflict'],
  ['nothing was recorded and both are there', 'A', 'unknown', 'B', 'conflict'],
  ['nothing was recorded and the file is missing', undefined, 'unknown', 'A', 'drift'],
  ['nothing was recorded and the view is missing', 'A', 'unknown', undefined, 'conflict'],
  ['nothing was recorded and both agree', 'A', 'unknown', 'A', 'in sync'],
])('%s', (_what, git, base, live, state) => {
  expect(compareSides({ git, base, live }, equal)).toBe(state);
});
