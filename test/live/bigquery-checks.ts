import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Step } from '../../src/core/plan.ts';
import { relationKey } from '../../src/core/relation.ts';
import type { View } from '../../src/core/view.ts';
import { bigquery } from '../../src/warehouses/bigquery/adapter.ts';
import { type Call, type Client, createClient } from '../../src/warehouses/bigquery/client.ts';
import { openDriver } from '../../src/warehouses/bigquery/driver.ts';
import { runStatement } from '../../src/warehouses/bigquery/jobs.ts';
import type { Warehouse } from '../../src/warehouses/warehouse.ts';

export interface LiveProject {
  readonly project: string;
  readonly location: string;
  /** Somebody who may be given a role: `user:ada@example.com`. */
  readonly member: string;
  /** Another address than Google's. */
  readonly endpoint?: string;
}

const dataset = `viewsync_live_${process.pid}`;

/** Says what was found where the code does not depend on it. */
function tell(check: string, found: string): void {
  process.stdout.write(`bigquery, check ${check}: ${found}\n`);
}

/**
 * What the adapter takes for granted and no page says for certain: `docs/verification.md` lists it. In a dataset of its own, which is dropped
 * afterwards. The account needs roles/bigquery.user, dataOwner on what it makes, and nothing else.
 */
export function checkBigQuery(getProject: () => LiveProject): void {
  let live: LiveProject;
  let client: Client;
  let warehouse: Warehouse;

  const path = (rest: string) => `${live.project}/datasets/${dataset}${rest}`;
  const call = <T>(method: Call['method'], rest: string, body?: object) =>
    client.call<T>({ method, path: path(rest), ...(body === undefined ? {} : { body }) });
  const named = (view: string) => `\`${live.project}\`.\`${dataset}\`.\`${view}\``;
  const run = (sql: string) => runStatement(client, sql, { project: live.project, location: live.location });
  const readViews = async () => (await warehouse.inspect({ schemas: [dataset] })).snapshot.views;
  const viewOf = async (name: string): Promise<View> => (await readViews()).find((view) => view.name.name === name) as View;
  const step = (kind: Step['kind'], view: View, sql: string): Step => ({ kind, view: view.name, sql, because: 'a check' });
  const carryOut = (locks: readonly View[], steps: readonly Step[]) =>
    warehouse.transact({ lockTimeout: 5000, attempts: 1, locks }, async (transaction) => {
      const { failure } = await transaction.execute(steps);
      if (failure) throw new Error(`${failure.code}: ${failure.message}`);
    });

  beforeAll(async () => {
    live = getProject();
    const { project, endpoint } = live;
    client = createClient(await openDriver({ project, endpoint, userAgent: 'viewsync-live' }), {
      project,
      projects: [project],
      labels: { tool: 'viewsync' },
      patience: 60_000,
    });
    await client.call({
      method: 'POST',
      path: `${project}/datasets`,
      body: { datasetReference: { projectId: project, datasetId: dataset }, location: live.location },
    });
    await call('POST', '/tables', {
      tableReference: { projectId: project, datasetId: dataset, tableId: 'base' },
      schema: {
        fields: [
          { name: 'id', type: 'INTEGER' },
          { name: 'name', type: 'STRING' },
        ],
      },
    });
    await run(`CREATE VIEW ${named('a')} OPTIONS (description = 'it\\'s a', labels = [('team', 'live')]) AS SELECT id, name FROM ${named('base')} -- all`);
    await run(`CREATE VIEW ${named('b')} AS SELECT id FROM ${named('a')}`);
    await run(`ALTER VIEW ${named('a')} ALTER COLUMN name SET OPTIONS (description = 'its name')`);
    await run(`GRANT \`roles/bigquery.dataViewer\` ON VIEW ${named('a')} TO '${live.member}'`);
    const { access } = await call<{ access: readonly object[] }>('GET', '');
    await call('PATCH', '', { access: [...access, { view: { projectId: project, datasetId: dataset, tableId: 'a' } }] });
    warehouse = await bigquery.connect({ project, iam: true, ...(endpoint === undefined ? {} : { endpoint }) }, process.env);
  });
  afterAll(async () => {
    await warehouse?.close();
    await client?.call({ method: 'DELETE', path: path(''), query: { deleteContents: 'true' } }).catch(() => undefined);
  });

  test('1 and 2: rights on a view and its entry in an access list are the same after a patch and after CREATE OR REPLACE VIEW', async () => {
    const before = await viewOf('a');
    expect(before.attachments.map(({ kind }) => kind)).toEqual(['comment', 'label', 'column comment', 'grant', 'authorization']);
    const definition = `SELECT id, name FROM ${named('base')} WHERE id > 0`;
    await carryOut([before], [step('replace', before, warehouse.dialect.createView({ ...before, definition }, 'replace'))]);
    const patched = await viewOf('a');
    expect(patched).toMatchObject({ definition, attachments: before.attachments });
    await run(warehouse.dialect.createView(before, 'file'));
    expect((await viewOf('a')).attachments).toEqual(before.attachments.filter(({ kind }) => kind !== 'column comment'));
    await carryOut([], [step('alter', before, before.attachments.find(({ kind }) => kind === 'column comment')?.make ?? '')]);
    expect(await viewOf('a')).toEqual(before);
  });

  test('3: which relations a dry run says that a query references', async () => {
    const configuration = { dryRun: true, query: { query: `SELECT * FROM ${named('b')}`, useLegacySql: false } };
    const body = { configuration, jobReference: { projectId: live.project, location: live.location } };
    type Answer = { statistics?: { query?: { referencedTables?: readonly { tableId: string }[] } } };
    const { statistics } = await client.call<Answer>({ method: 'POST', path: `${live.project}/jobs`, body });
    tell('3', `referencedTables of a view on a view: ${statistics?.query?.referencedTables?.map(({ tableId }) => tableId).join(', ') ?? 'none'}`);
  });

  test('4: a view in legacy SQL is told from the others, dropped and made again', async () => {
    const query = `SELECT id FROM [${live.project}:${dataset}.base]`;
    await call('POST', '/tables', { tableReference: { projectId: live.project, datasetId: dataset, tableId: 'legacy' }, view: { query, useLegacySql: true } });
    const before = await viewOf('legacy');
    expect(before).toMatchObject({ definition: query, attachments: [{ kind: 'legacy SQL' }] });
    await carryOut(
      [before],
      [step('drop', before, warehouse.dialect.dropView(before)), step('create', before, warehouse.dialect.createView(before, 'create'))],
    );
    expect(await viewOf('legacy')).toEqual(before);
  });

  test('5: whether query and columns can be patched in one call', async () => {
    const body = { view: { query: `SELECT id FROM ${named('a')} WHERE id > 1` }, schema: { fields: [{ name: 'id', type: 'INTEGER', description: 'its id' }] } };
    const answer = await call('PATCH', '/tables/b', body).then(
      () => 'yes, so it could be one call',
      (error: Error) => `no: ${error.message}`,
    );
    tell('5', answer);
  });

  test('6: the catalog shows a change right after it, every time', async () => {
    const times = live.endpoint === undefined ? 10 : 2;
    for (let number = 0; number < times; number++) {
      const definition = `SELECT id FROM ${named('a')} WHERE id > ${number}`;
      const before = await viewOf('b');
      const seen = await warehouse.transact({ lockTimeout: 5000, attempts: 1, locks: [before] }, async (transaction) => {
        await transaction.execute([step('replace', before, warehouse.dialect.createView({ ...before, definition }, 'replace'))]);
        return transaction.inspect([before.name]);
      });
      expect(seen.map((view) => view.definition)).toEqual([definition]);
    }
  }, 300_000);

  test('7: what a patch makes of a view with a list of columns behind its name', async () => {
    await run(`CREATE VIEW ${named('listed')} (first, second) AS SELECT id, name FROM ${named('base')}`);
    expect((await viewOf('listed')).attachments).toMatchObject([{ kind: 'columns' }]);
    await call('PATCH', '/tables/listed', { view: { query: `SELECT id, name FROM ${named('base')} WHERE id > 0`, useLegacySql: false } });
    tell('7', `columns after a patch: ${(await viewOf('listed')).columns.map(({ name }) => name).join(', ')}`);
  });

  test('definitions are compared by dry runs, and nothing stays', async () => {
    const [a, b] = [await viewOf('a'), await viewOf('b')];
    const settled = await warehouse.settle([
      { live: a, wanted: { ...a, definition: `SELECT id, 1.5 AS more FROM ${named('base')}` } },
      { live: b, wanted: { ...b, definition: `SELECT more FROM ${named('a')}` } },
    ]);
    expect(settled.get(relationKey(a.name))).toMatchObject({
      outcome: 'different',
      columns: [
        { name: 'id', type: 'INT64' },
        { name: 'more', type: 'FLOAT64' },
      ],
    });
    expect(settled.get(relationKey(b.name))).toMatchObject({ outcome: 'different', columns: [{ name: 'more', type: 'FLOAT64' }] });
    expect((await viewOf('a')).definition).toBe(a.definition);
  });
}
