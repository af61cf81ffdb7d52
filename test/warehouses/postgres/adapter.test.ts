import { describe, expect, test } from 'vitest';
import { postgres } from '../../../src/warehouses/postgres/adapter.ts';
import { quoteRelation } from '../../../src/warehouses/postgres/names.ts';
import { allPostgresServers, createDatabase } from '../../support/postgres-server.ts';
import { behavesLikeWarehouse, type WarehouseFixture } from '../behaves-like-warehouse.ts';

async function makeFixture(version: number): Promise<WarehouseFixture> {
  const database = await createDatabase(version);
  await database.query('CREATE SCHEMA one; CREATE SCHEMA two');
  return {
    schema: 'one',
    otherSchema: 'two',
    dialect: postgres.dialect,
    connect: () => postgres.connect({ url: database.url }, {}),
    createView: async (name, definition) => {
      await database.query(`CREATE VIEW ${quoteRelation(name)} AS ${definition}`);
    },
    dropView: async (name) => {
      await database.query(`DROP VIEW ${quoteRelation(name)}`);
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

describe.each(allPostgresServers())('PostgreSQL $version', ({ version }) => {
  behavesLikeWarehouse(() => makeFixture(version));
});

test('takes a url and nothing else', () => {
  expect(postgres.validateOptions({ url: '${DATABASE_URL}' })).toEqual([]);
  expect(postgres.validateOptions({ url: 5, user: 'bob' }).map((fault) => fault.path)).toEqual([['url'], ['user']]);
});
