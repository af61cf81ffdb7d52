import pg from 'pg';
import { bigquery } from '../src/warehouses/bigquery/adapter.ts';
import { findEmbeddedBinaries, type Server, startServer } from '../src/warehouses/postgres/embedded-server.ts';
import { redshift } from '../src/warehouses/redshift/adapter.ts';
import { addTable, createProject, datasetOf, insertTable } from '../test/support/bigquery/project.ts';
import { startBigQuery } from '../test/support/bigquery/server.ts';
import type { TestDatabase } from '../test/support/postgres-server.ts';
import { startRedshift } from '../test/support/redshift/server.ts';

/** What inspecting so many views took. */
interface Measured {
  readonly warehouse: string;
  readonly views: number;
  readonly roundTrips: number;
  /** Second and later pages. */
  readonly pages: number;
  readonly milliseconds: number;
}

const locations = ['EU', 'US', 'europe-west1'];
const datasets = Array.from({ length: 40 }, (_, index) => `dataset_${index}`);

async function measureBigQuery(views: number): Promise<Measured> {
  const project = createProject('my-project', Object.fromEntries(datasets.map((name, index) => [name, locations[index % locations.length] ?? ''])));
  addTable(project, 'dataset_0', 'orders', [
    { name: 'id', type: 'INTEGER', mode: 'REQUIRED' },
    { name: 'customer', type: 'STRING', mode: 'NULLABLE' },
  ]);
  for (let number = 0; number < views; number++) {
    const dataset = datasetOf(project, datasets[number % datasets.length] ?? '');
    const query = `SELECT id, customer FROM \`my-project.dataset_0.orders\` WHERE id > ${number}`;
    insertTable(project, dataset, `view_${number}`, { view: { query, useLegacySql: false }, labels: { team: 'sales' } });
  }
  await using server = await startBigQuery(project);
  server.pageSize = 20_000;
  const warehouse = await bigquery.connect({ project: project.id, endpoint: server.url }, {});
  const found = await warehouse.inspect({ schemas: ['*'] });
  if (found.snapshot.views.length !== views) throw new Error(`${found.snapshot.views.length} of ${views} views were found.`);
  const pages = server.calls.filter(({ query }) => query.has('pageToken')).length;
  return { warehouse: 'bigquery', views, roundTrips: found.queries, pages, milliseconds: Math.round(found.milliseconds) };
}

/** A database of a server for the bench, as the tests have theirs. */
async function createDatabase(server: Server, name: string): Promise<TestDatabase> {
  const run = async (url: string, sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return client.query(sql).finally(() => client.end());
  };
  await run(server.url, `CREATE DATABASE ${name}`);
  const url = server.url.replace('/postgres?', `/${name}?`);
  const query = async (sql: string) => (await run(url, sql)).rows;
  return { version: 18, name, url, urlFor: () => url, query, load: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
}

const redshiftSchemas = Array.from({ length: 40 }, (_, index) => `schema_${index}`);

async function measureRedshift(server: Server, views: number): Promise<Measured> {
  const database = await createDatabase(server, `views_${views}`);
  await using simulation = await startRedshift(database);
  await database.query(`CREATE TABLE public.orders (id int, customer text); ${redshiftSchemas.map((name) => `CREATE SCHEMA ${name};`).join(' ')}`);
  for (let start = 0; start < views; start += 500) {
    const numbers = Array.from({ length: Math.min(500, views - start) }, (_, index) => start + index);
    const create = (number: number) =>
      `CREATE VIEW ${redshiftSchemas[number % 40]}.view_${number} AS SELECT id, customer FROM public.orders WHERE id > ${number};`;
    await database.query(numbers.map(create).join(' '));
  }
  const warehouse = await redshift.connect({ url: simulation.url }, {});
  const found = await warehouse.inspect({ schemas: ['*'] });
  await warehouse.close();
  if (found.snapshot.views.length !== views) throw new Error(`${found.snapshot.views.length} of ${views} views were found.`);
  return { warehouse: 'redshift', views, roundTrips: found.queries, pages: 0, milliseconds: Math.round(found.milliseconds) };
}

async function measureRedshifts(): Promise<readonly Measured[]> {
  const server = await startServer({ binaries: findEmbeddedBinaries() });
  try {
    const rows: Measured[] = [];
    for (const size of sizes) rows.push(await measureRedshift(server, size));
    return rows;
  } finally {
    await server.stop();
  }
}

const sizes = [10, 1000, 20_000];

function requireEqual(rows: readonly Measured[]): readonly Measured[] {
  if (new Set(rows.map(({ roundTrips }) => roundTrips)).size === 1) return rows;
  throw new Error(`Round trips grow with the views of ${rows[0]?.warehouse}: ${rows.map(({ roundTrips }) => roundTrips).join(', ')}.`);
}

/** Round trips for inspecting few and many views over the same forty schemas, as a table in Markdown. Throws when they differ for one warehouse. */
export async function measureRoundTrips(): Promise<string> {
  const ofBigQuery: Measured[] = [];
  for (const size of sizes) ofBigQuery.push(await measureBigQuery(size));
  const rows = [...requireEqual(ofBigQuery), ...requireEqual(await measureRedshifts())];
  const lines = rows.map(({ warehouse, views, roundTrips, pages, milliseconds }) => `| ${[warehouse, views, roundTrips, pages, milliseconds].join(' | ')} |`);
  return ['| warehouse | views | round trips | more pages | milliseconds |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}
