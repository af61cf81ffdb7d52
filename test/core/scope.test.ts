import { expect, test } from 'vitest';
import { matchScope, mayHold } from '../../src/core/scope.ts';

const upper = { folds: 'upper', hasCatalogs: true } as const;
const lower = { folds: 'lower', hasCatalogs: false } as const;
const name = (catalog: string, schema: string, view = 'V') => ({ catalog, schema, name: view });

test.each([
  [['*'], [name('PROD', 'SHOP')], []],
  [
    ['PROD.*.*', '!*.dbt_alice.*'],
    [name('PROD', 'SHOP'), name('PROD', 'dbt_bob')],
    [name('DEV', 'SHOP'), name('PROD', 'DBT_ALICE'), name('PROD', 'dbt_alice')],
  ],
  [['prod.shop'], [name('PROD', 'SHOP')], [name('PROD', 'OTHER'), name('DEV', 'SHOP')]],
  [['shop'], [name('PROD', 'SHOP'), name('DEV', 'SHOP')], [name('PROD', 'SHOPS')]],
  [['*.*.fct_*', '!*.*.fct_old'], [name('PROD', 'SHOP', 'FCT_A')], [name('PROD', 'SHOP', 'DIM_A'), name('PROD', 'SHOP', 'FCT_OLD')]],
  [['"my.db".*.*'], [name('my.db', 'S')], [name('MY.DB', 'S')]],
  [['{PROD,TEST}.S.*'], [name('TEST', 'S')], [name('DEV', 'S')]],
])('%j holds what it names and nothing else', (schemas, inside, outside) => {
  const holds = matchScope({ schemas }, upper);
  expect([inside.filter((each) => !holds(each)), outside.filter(holds)]).toEqual([[], []]);
});

test('without catalogs a glob is a schema as a whole, dots and case included', () => {
  const holds = matchScope({ schemas: ['my.schema', '!Other'] }, lower);
  expect(
    [
      { schema: 'my.schema', name: 'v' },
      { schema: 'my', name: 'schema' },
      { schema: 'Other', name: 'v' },
    ].map(holds),
  ).toEqual([true, false, false]);
});

test.each([upper, lower])('what a running dbt makes is left out, unless it is asked for', (naming) => {
  const views = ['a__dbt_tmp', 'A__DBT_BACKUP', 'a__dbt_tmp_2', 'dbt_tmp'].map((view) => name('PROD', 'S', view));
  expect(views.map(matchScope({ schemas: ['*'] }, naming))).toEqual([false, naming.folds === 'lower', true, true]);
  expect(views.map(matchScope({ schemas: ['*'], leaveOut: [] }, naming))).toEqual([true, true, true, true]);
});

test('a catalog or schema that can hold nothing of the scope is known without being read', () => {
  const may = mayHold({ schemas: ['PROD.*.*', 'TEST.s.*', '!PROD.raw', '!*.*.x'] }, upper);
  expect([{ catalog: 'PROD' }, { catalog: 'TEST' }, { catalog: 'DEV' }].map(may)).toEqual([true, true, false]);
  expect([name('PROD', 'A'), name('PROD', 'RAW'), name('TEST', 'S'), name('TEST', 'A')].map(may)).toEqual([true, false, true, false]);
  expect(mayHold({ schemas: ['*', '!DEV'] }, upper)({ catalog: 'DEV' })).toBe(true);
  expect(mayHold({ schemas: ['*', '!DEV.*'] }, upper)({ catalog: 'DEV' })).toBe(false);
});
