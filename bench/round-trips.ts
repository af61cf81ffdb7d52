import { bigquery } from '../src/warehouses/bigquery/adapter.ts';
import { addTable, createProject, datasetOf, insertTable } from '../test/support/bigquery/project.ts';
import { startBigQuery } from '../test/support/bigquery/server.ts';

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

const sizes = [10, 1000, 20_000];

/** Round trips for inspecting few and many views over the same forty datasets in three locations, as a table in Markdown. Throws when they differ. */
export async function measureRoundTrips(): Promise<string> {
  const rows: Measured[] = [];
  for (const size of sizes) rows.push(await measureBigQuery(size));
  if (new Set(rows.map(({ roundTrips }) => roundTrips)).size > 1)
    throw new Error(`Round trips grow with the views: ${rows.map(({ roundTrips }) => roundTrips).join(', ')}.`);
  const lines = rows.map(({ warehouse, views, roundTrips, pages, milliseconds }) => `| ${[warehouse, views, roundTrips, pages, milliseconds].join(' | ')} |`);
  return ['| warehouse | views | round trips | more pages | milliseconds |', '| --- | --- | --- | --- | --- |', ...lines].join('\n');
}
