import { expect, test } from 'vitest';
import { behavesLikeWarehouse, type WarehouseFixture } from '../behaves-like-warehouse.ts';
import { createEngine, run } from './engine.ts';
import { quoteRelation } from './grammar.ts';
import { memoryAdapter } from './warehouse.ts';

async function makeFixture(): Promise<WarehouseFixture> {
  const engine = createEngine();
  const { dialect, connect } = memoryAdapter(engine);
  return {
    catalog: 'MAIN',
    schema: 'ONE',
    otherSchema: 'TWO',
    dialect,
    connect: () => connect({}, {}),
    createView: async (name, definition) => run(engine, `CREATE VIEW ${quoteRelation(name)} AS ${definition}`),
    dropView: async (name) => run(engine, `DROP VIEW ${quoteRelation(name)}`),
    [Symbol.asyncDispose]: async () => engine.views.clear(),
  };
}

behavesLikeWarehouse(makeFixture);

test('takes no options', () => {
  const { validateOptions } = memoryAdapter(createEngine());
  expect(validateOptions({})).toEqual([]);
  expect(validateOptions({ url: 'memory:' }).map(({ path }) => path)).toEqual([['url']]);
});
