import { describe, expect, test } from 'vitest';
import { type Description, type PlanRequest, planChanges } from '../../src/core/planner.ts';
import { relationKey } from '../../src/core/relation.ts';
import { hasStar } from '../../src/core/stale.ts';
import type { View } from '../../src/core/view.ts';
import { snowflakeDialect } from '../../src/warehouses/snowflake/dialect.ts';
import { view } from '../support/views.ts';

const inShop = (each: View): View => ({
  ...each,
  name: { catalog: 'P', ...each.name },
  reads: each.reads.map((read) => ({ catalog: 'P', ...read })),
});
const shop = (key: string, parts: Parameters<typeof view>[1]) => inShop(view(key, parts));

function plan(
  live: readonly View[],
  wanted: readonly View[],
  described: Record<string, Description> = {},
  stale: ReadonlyMap<string, View['columns']> = new Map(),
) {
  const request: PlanRequest = {
    ...{ target: 'prod', dialect: snowflakeDialect, live, wanted, drops: [], kept: [], described: new Map(Object.entries(described)), containers: [] },
    ...{ roles: [], role: 'ME', relations: new Set(live.map(({ name }) => relationKey(name))), available: new Set(), sizes: new Map(), exported: new Map() },
    ...{ rowSecurity: { bypassing: new Set(), exempt: new Map() }, allowed: [] },
    stale,
  };
  const { steps, refusals, left } = planChanges(request);
  return {
    left: left.map(({ view, because }) => `${view.name}: ${because}`),
    steps: steps.map(({ kind, view, because }) => `${kind} ${view.name}: ${because}`),
    refusals: refusals.map(({ because }) => because),
  };
}

const base = shop('S.A', { reads: [], definition: 'SELECT 1 AS ID', columns: ['ID'] });
const changed = { ...base, definition: 'SELECT 1 AS ID, 2 AS MORE' };
const star = shop('S.B', { reads: ['S.A'], definition: 'SELECT * FROM P.S.A', columns: ['ID'] });
const top = shop('S.C', { reads: ['S.B'], definition: 'SELECT B.* FROM P.S.B', columns: ['ID'] });
const plain = shop('S.D', { reads: ['S.B'], definition: 'SELECT ID FROM P.S.B', columns: ['ID'] });
const live = [base, star, top, plain];
const more: Description = {
  outcome: 'different',
  columns: [
    { name: 'ID', type: '' },
    { name: 'MORE', type: '' },
  ],
};

test.each([
  ['SELECT * FROM t', true],
  ['SELECT DISTINCT a.* FROM t a', true],
  ['SELECT x, * FROM t', true],
  ['SELECT count(*), a * b FROM t -- SELECT *', false],
])('%s takes over columns: %s', (sql, expected) => {
  expect(hasStar(sql, snowflakeDialect)).toBe(expected);
});

test('what takes over columns that change is made again, one level after the other, and nothing else is', () => {
  expect(plan(live, [changed], { 'P.S.A': more }).steps).toEqual([
    'replace A: its definition differs',
    'replace B: it takes over the columns of P.S.A, which change',
    'replace C: it takes over the columns of P.S.B, which change',
  ]);
});

test('columns that nobody knows count as changed, and the same columns do not', () => {
  expect(plan(live, [changed], { 'P.S.A': { outcome: 'unproven', because: '' } }).steps).toHaveLength(3);
  expect(plan(live, [changed], { 'P.S.A': { outcome: 'different', columns: base.columns } }).steps).toEqual(['replace A: its definition differs']);
});

test('a view that calls the columns otherwise is named, and nothing runs', () => {
  const renamed = { ...star, columns: [{ name: 'NUMBER', type: '' }] };
  const { refusals } = plan([base, renamed, plain], [changed], { 'P.S.A': more });
  expect(refusals).toEqual([
    expect.stringContaining('P.S.B does not fit the warehouse as it is now: it takes over the columns of P.S.A, which change, and names or protects its own'),
  ]);
});

describe('views that went stale before', () => {
  const more = new Map([['P.S.B', [...star.columns, { name: 'MORE', type: '' }]]]);

  test('are made again where they are wanted, and with them what takes over their columns', () => {
    expect(plan(live, [star], {}, more).steps).toEqual([
      'replace B: its columns are no longer those of its query',
      'replace C: it takes over the columns of P.S.B, which change',
    ]);
    expect(plan(live, [base], {}, more).steps).toEqual([]);
  });

  test('are left and named where they name or protect their columns', () => {
    const masked = { ...star, attachments: [{ kind: 'masking policy', key: 'ID', value: 'M', make: 'MASK', unmake: 'UNMASK' }] };
    expect(plan([base, masked, plain], [masked], {}, more)).toMatchObject({
      steps: [],
      refusals: [],
      left: ['B: its columns are no longer those of its query, and it names or protects them itself. Give it a file that fits.'],
    });
  });
});
