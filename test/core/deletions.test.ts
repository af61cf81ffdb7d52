import { expect, test } from 'vitest';
import { accessOf, findUnprovenDeletions, keepAccess } from '../../src/core/deletions.ts';
import type { TargetDescription } from '../../src/core/snapshot.ts';

const views = (schema: string, count: number) => Array.from({ length: count }, (_, index) => ({ catalog: 'PROD', schema, name: `V${index}` }));
const container = (name: string, access = 'USAGE') => ({ catalog: 'PROD', name, defaultGrantees: [], access });
const recorded = [...views('A', 60), ...views('B', 3)];
const listing = { recorded, containers: [container('A'), container('B')], access: { 'PROD.A': 'USAGE', 'PROD.B': 'USAGE' } };
const reasons = (gone: typeof recorded, more: Partial<typeof listing> = {}) => [
  ...new Set(findUnprovenDeletions({ ...listing, ...more, gone }).map(({ because }) => because)),
];

test('a few views that are gone from a schema with the same rights were dropped', () => {
  expect(reasons(views('A', 6))).toEqual([]);
  expect(reasons(views('B', 2))).toEqual([]);
});

test('more than a tenth and more than five at once prove nothing', () => {
  expect(reasons(views('A', 7))).toEqual(['7 of 63 views are gone at once']);
});

test('nor do all views of a schema, a schema that is gone, and rights that have changed', () => {
  expect(reasons(views('B', 3))).toEqual(['all 3 views of PROD.B are gone at once']);
  expect(reasons(views('B', 1), { containers: [container('A')] })).toEqual([
    'PROD.B is not listed any more: it was dropped, or this role may no longer use it',
  ]);
  expect(reasons(views('B', 1), { containers: [container('A'), container('B', 'MONITOR')] })).toEqual([
    'the rights of this role on PROD.B were "USAGE" and are "MONITOR"',
  ]);
});

test('rights that have changed are written down only once the deletion was accepted', () => {
  const now: TargetDescription = {
    warehouse: 'x',
    scope: { schemas: ['*'] },
    identity: {},
    unreadable: [],
    access: accessOf([container('A', 'ALL'), container('B', 'MONITOR')]),
  };
  const unproven = [{ name: views('B', 1)[0] ?? { schema: '', name: '' }, because: '' }];
  expect(keepAccess(now, listing.access, unproven).access).toEqual({ 'PROD.A': 'ALL', 'PROD.B': 'USAGE' });
  expect(keepAccess(now, listing.access, []).access).toEqual({ 'PROD.A': 'ALL', 'PROD.B': 'MONITOR' });
});
