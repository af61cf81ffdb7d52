import { bigquery } from '../../../src/warehouses/bigquery/adapter.ts';
import { quoteRelation } from '../../../src/warehouses/bigquery/names.ts';
import { createProject, run } from '../../support/bigquery/project.ts';
import { startBigQuery } from '../../support/bigquery/server.ts';
import { behavesLikeWarehouse, type WarehouseFixture } from '../behaves-like-warehouse.ts';

async function makeFixture(): Promise<WarehouseFixture> {
  const server = await startBigQuery(createProject('my-project', { one: 'EU', two: 'US' }));
  const { project } = server;
  return {
    catalog: project.id,
    schema: 'one',
    otherSchema: 'two',
    dialect: bigquery.dialect,
    connect: () => bigquery.connect({ project: project.id, endpoint: server.url }, {}),
    createView: async (name, definition) => run(project, `CREATE VIEW ${quoteRelation(name)} AS ${definition}`),
    dropView: async (name) => run(project, `DROP VIEW ${quoteRelation(name)}`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

behavesLikeWarehouse(makeFixture);
