import { connectAccount } from '../../../src/warehouses/snowflake/adapter.ts';
import { snowflakeDialect } from '../../../src/warehouses/snowflake/dialect.ts';
import { createAccount } from '../../support/snowflake/account.ts';
import { startSnowflake } from '../../support/snowflake/server.ts';
import { behavesLikeWarehouse, type WarehouseFixture } from '../behaves-like-warehouse.ts';
import { quick } from './place.ts';

async function makeFixture(): Promise<WarehouseFixture> {
  const server = await startSnowflake(createAccount({ MAIN: ['ONE', 'TWO'] }));
  const { quoteRelation } = snowflakeDialect;
  return {
    catalog: 'MAIN',
    schema: 'ONE',
    otherSchema: 'TWO',
    dialect: snowflakeDialect,
    connect: () => connectAccount(server.options, {}, { patience: quick }),
    createView: async (name, definition) => server.run([`CREATE VIEW ${quoteRelation(name)} AS ${definition}`]),
    dropView: async (name) => server.run([`DROP VIEW ${quoteRelation(name)}`]),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

behavesLikeWarehouse(makeFixture);
