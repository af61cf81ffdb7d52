import { expect, onTestFinished, test } from 'vitest';
import { redshift } from '../../../src/warehouses/redshift/adapter.ts';
import { quoteIdentifier, quoteRelation, quoteText } from '../../../src/warehouses/redshift/names.ts';
import { createRole } from '../../support/postgres-server.ts';
import { startRedshift } from '../../support/redshift/server.ts';
import { openPlace } from '../../support/workplace.ts';

// Lower case, as names are on a cluster that does not tell cases apart.
const names = [
  'a b',
  'a.b',
  'a"b',
  "a'b",
  'select',
  'tag',
  '1st',
  'größe',
  'con',
  '-',
  '$x',
  'a\\b',
  'as',
  'with no schema binding',
  '😀',
  '..',
  'x'.repeat(60),
];

test('views, columns, comments and grantees may be called anything', async () => {
  const server = await startRedshift();
  onTestFinished(() => server[Symbol.asyncDispose]());
  await server.database.query(`${createRole('"rs o\'brien; \\"x\\""'.replaceAll('\\"', '""'), ' LOGIN')} CREATE SCHEMA "s 1"; CREATE SCHEMA "s.2"`);
  const base = { schema: 's 1', name: 'base' };
  const columns = names.map((name, index) => `${index} AS ${quoteIdentifier(name)}`).join(', ');
  await server.run(`CREATE VIEW ${quoteRelation(base)} AS SELECT ${columns}`);
  for (const name of names) {
    const relation = { schema: 's.2', name };
    await server.run(
      `CREATE VIEW ${quoteRelation(relation)} AS SELECT ${quoteIdentifier(name)} FROM ${quoteRelation(base)}`,
      `COMMENT ON VIEW ${quoteRelation(relation)} IS ${quoteText(`${name} 'quoted' \\ -- $$ ; /*`)}`,
      `COMMENT ON COLUMN ${quoteRelation(relation)}.${quoteIdentifier(name)} IS ${quoteText(name)}`,
      `GRANT SELECT ON ${quoteRelation(relation)} TO "rs o'brien; ""x"""`,
    );
  }
  const target = { name: 'prod', warehouse: 'redshift', scope: { schemas: ['*'] }, ignored: { comments: [], labels: [] }, allowUnreadable: [], options: {} };
  const place = await openPlace(target, () => redshift.connect({ url: server.url }, {}));
  const read = async () => {
    const warehouse = await place.connect();
    return (await warehouse.inspect(target.scope).finally(() => warehouse.close())).snapshot.views;
  };
  await place.export();
  const before = await read();
  expect(
    before
      .filter(({ name }) => name.schema === 's.2')
      .map(({ name }) => name.name)
      .sort(),
  ).toEqual([...names].sort());
  for (const name of names) await server.run(`DROP VIEW ${quoteRelation({ schema: 's.2', name })}`);
  await server.run(`DROP VIEW ${quoteRelation(base)}`);
  await place.apply('HEAD');
  expect(await read()).toEqual(before);
  expect((await place.status()).differing).toEqual([]);
});
