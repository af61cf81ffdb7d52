import { expect, test } from 'vitest';
import { matchGlobs } from '../../src/core/glob.ts';
import { hostileNames } from '../faults/hostile.ts';

test.each(['*', '**', '{*,x}'])('%s matches every name there can be', (glob) => {
  const matches = matchGlobs([glob]);
  expect([...hostileNames, 'a/../b', './a', 'a/./b', '//', 'a//b'].filter((name) => !matches(name))).toEqual([]);
});

test('a star stands for any characters, and the rest for itself', () => {
  const matches = matchGlobs(['scratch_*', 's?.v[12]']);
  expect(['scratch_', 'scratch_a/b', 'scratch_\n', 's1.v2'].map(matches)).toEqual([true, true, true, true]);
  expect(['xscratch_', 'scratch', 's1.v3', 'Scratch_a', ''].map(matches)).toEqual([false, false, false, false, false]);
});

test('no glob matches nothing', () => {
  expect(['', 'a', '*'].map(matchGlobs([]))).toEqual([false, false, false]);
});
