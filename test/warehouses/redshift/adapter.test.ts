import { expect, test } from 'vitest';
import { redshift } from '../../../src/warehouses/redshift/adapter.ts';
import { quoteRelation } from '../../../src/warehouses/redshift/names.ts';
import { startRedshift } from '../../support/redshift/server.ts';
import { behavesLikeWarehouse, type WarehouseFixture } from '../behaves-like-warehouse.ts';

async function makeFixture(): Promise<WarehouseFixture> {
  const server = await startRedshift();
  await server.database.query('CREATE SCHEMA one; CREATE SCHEMA two');
  return {
    schema: 'one',
    otherSchema: 'two',
    dialect: redshift.dialect,
    connect: () => redshift.connect({ url: server.url }, {}),
    createView: (name, definition) => server.run(`CREATE VIEW ${quoteRelation(name)} AS ${definition}`),
    dropView: (name) => server.run(`DROP VIEW ${quoteRelation(name)}`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

behavesLikeWarehouse(makeFixture);

test('takes a url and temporary credentials, and nothing else', () => {
  const faultsOf = (options: Record<string, unknown>) => redshift.validateOptions(options).map(({ path, message }) => `${path.join('.')}: ${message}`);
  expect(faultsOf({ url: '${REDSHIFT_URL}' })).toEqual([]);
  expect(faultsOf({ iam: { workgroup: 'w', region: 'eu-west-1' } })).toEqual([]);
  expect(faultsOf({ url: 5, user: 'bob' })).toEqual([
    'url: "url" must be text, such as ${REDSHIFT_URL}.',
    'user: "user" is not an option of a redshift target; "url" and "iam" are.',
  ]);
  expect(faultsOf({ iam: {} })).toEqual(['iam: Name either the "cluster" or, on Serverless, the "workgroup".']);
  expect(faultsOf({ iam: { cluster: 'c', profile: 'p' } })).toEqual([
    'iam.profile: "profile" is not an option of a redshift target; "cluster", "workgroup", "region" and "user" are.',
  ]);
});
