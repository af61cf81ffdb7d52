import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pathInTarget } from '../../../src/core/path.ts';
import { type RelationName, relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../../src/core/view-file.ts';
import { bigquery } from '../../../src/warehouses/bigquery/adapter.ts';
import { bigqueryDialect } from '../../../src/warehouses/bigquery/dialect.ts';
import type { Inspection, Warehouse } from '../../../src/warehouses/warehouse.ts';
import { addTable, createProject, insertTable, type Project, run, tableOf } from '../../support/bigquery/project.ts';
import { type BigQueryPlace, openBigQuery, type Parts } from './place.ts';

async function inspect(place: BigQueryPlace): Promise<Inspection> {
  const warehouse = await place.connect();
  try {
    return await warehouse.inspect({ schemas: ['*'] });
  } finally {
    await warehouse.close();
  }
}

function viewOf({ snapshot }: Inspection, schema: string, name: string): View {
  const view = snapshot.views.find((each) => each.name.schema === schema && each.name.name === name);
  if (!view) throw new Error(`There is no view ${schema}.${name}.`);
  return view;
}

/** A view's file, read again. */
function throughFile(view: View): View {
  return readViewFile(writeViewFile(view, bigqueryDialect), pathInTarget(view.name, bigqueryDialect), bigqueryDialect).view;
}

const readKeys = (reads: readonly RelationName[]) => reads.map(relationKey);

describe('names and locations', () => {
  test('every location is read, and what a view reads is found however its name is quoted', async () => {
    const place = await openBigQuery();
    place.run(
      'CREATE VIEW `my-project.shop.a` AS SELECT id FROM `my-project.raw.orders`',
      'CREATE VIEW `my-project`.`shop`.`b` AS SELECT id FROM my-project.raw.orders',
      'CREATE VIEW my-project.shop.c AS SELECT id FROM `my-project`.raw.`orders` AS o',
      'CREATE VIEW `my-project.shop.d` AS SELECT id FROM raw.orders',
      'CREATE VIEW `my-project.other.us` AS SELECT 1 AS one',
      'CREATE VIEW `my-project.far.west` AS SELECT 1 AS one',
    );
    const found = await inspect(place);
    expect(found.snapshot.views.map(({ name }) => `${name.schema}.${name.name}`)).toEqual(['far.west', 'other.us', 'shop.a', 'shop.b', 'shop.c', 'shop.d']);
    for (const name of ['a', 'b', 'c', 'd']) expect(readKeys(viewOf(found, 'shop', name).reads), name).toEqual(['"my-project".raw.orders']);
  });

  test('round trips do not grow with views, and every page is read', async () => {
    const place = await openBigQuery();
    place.run('CREATE VIEW `my-project.shop.a` AS SELECT id, customer FROM `my-project.raw.orders`');
    const few = await inspect(place);
    for (let number = 0; number < 30; number++) place.run(`CREATE VIEW \`my-project.shop.v${number}\` AS SELECT id, customer FROM shop.a`);
    place.server.pageSize = 7;
    const many = await inspect(place);
    expect(many.snapshot.views.length).toBe(31);
    expect(many.snapshot.views.every(({ columns, definition }) => columns.length === 2 && definition !== '')).toBe(true);
    expect(many.queries).toBe(few.queries);
  });

  test('hostile names and texts come through a file unchanged', async () => {
    const place = await openBigQuery();
    const texts = ["it's", 'a "quote"', 'back\\slash', 'new\nline', '`tick`', '\u2028 and \u0000', '😀 -- viewsync: {"a":1}', "'''", '; DROP'];
    const names = ['with space', 'größe', 'View', 'view', '123', 'select'];
    for (const [index, name] of names.entries()) {
      const view = insertTable(place.server.project, place.server.project.datasets.get('shop') as never, name, {
        view: { query: 'SELECT 1 AS one -- end', useLegacySql: false },
      });
      view.description = texts[index];
      view.schema = view.schema.map((field) => ({ ...field, description: texts[index + 3] ?? '' }));
      view.labels = { key: 'ä_1' };
    }
    const { snapshot } = await inspect(place);
    expect(snapshot.views.map(({ name }) => name.name).sort()).toEqual([...names].sort());
    for (const view of snapshot.views) expect(throughFile(view)).toEqual({ ...view, columns: view.columns, unseen: undefined });
    expect(viewOf({ snapshot } as Inspection, 'shop', 'View').attachments.find(({ kind }) => kind === 'comment')?.value).toBe('back\\slash');
  });
});

describe('what a query may name beside relations', () => {
  const views: Readonly<Record<string, string>> = {
    external: `SELECT e.name, o.id FROM EXTERNAL_QUERY("my-project.eu.crm", '''SELECT "name" FROM raw.customers WHERE a = 'it"s' ''') AS e JOIN raw.orders AS o ON o.customer = e.name`,
    days: "SELECT day, _TABLE_SUFFIX AS suffix FROM `my-project.raw.events_*` WHERE _TABLE_SUFFIX > '2024'",
    recent: 'SELECT r.id FROM shop.recent_orders(7) AS r',
    there: 'SELECT t.table_name FROM shop.INFORMATION_SCHEMA.TABLES AS t',
    skus: 'SELECT c.id, i.sku FROM raw.carts AS c, UNNEST(c.items) AS i WITH OFFSET AS position',
    paths: 'SELECT i.sku FROM raw.carts AS c, c.items AS i',
    abroad: 'SELECT id FROM other-project.raw.orders',
    top: 'SELECT sku FROM shop.skus',
  };

  test('external queries, wildcards, table functions, the catalog, arrays and other projects are exported, checked and restored', async () => {
    const place = await openBigQuery();
    const { project } = place.server;
    const [id, day] = [
      { name: 'id', type: 'INTEGER' },
      { name: 'day', type: 'DATE' },
    ];
    const items = { name: 'items', type: 'RECORD', mode: 'REPEATED', fields: [{ name: 'sku', type: 'STRING' }] };
    for (const table of ['events_20240101', 'events_20240102']) addTable(project, 'raw', table, [day]);
    addTable(project, 'raw', 'carts', [id, items]);
    project.functions.set('shop.recent_orders', [id]).set('EXTERNAL_QUERY my-project.eu.crm', [{ name: 'name', type: 'STRING' }]);
    const other = createProject('other-project', { raw: 'EU' });
    addTable(other, 'raw', 'orders', [id]);
    project.others.set(other.id, other);
    place.run(...Object.entries(views).map(([name, query]) => `CREATE VIEW \`my-project.shop.${name}\` AS ${query}`));

    await place.export();
    const found = await inspect(place);
    const reads = Object.fromEntries(Object.keys(views).map((name) => [name, readKeys(viewOf(found, 'shop', name).reads).join(' ')]));
    expect(reads).toEqual({
      external: '"my-project".raw.orders',
      days: '"my-project".raw."events_*"',
      recent: '',
      there: '"my-project".shop."INFORMATION_SCHEMA.TABLES"',
      skus: '"my-project".raw.carts',
      paths: '"my-project".raw.carts',
      abroad: '"other-project".raw.orders',
      top: '"my-project".shop.skus',
    });
    const dependentsOf = async (relation: string) => (await place.check([relation])).dependents.map(({ view }) => view.split('.').at(-1));
    expect(await dependentsOf('raw.events_20240101')).toEqual(['days']);
    expect(await dependentsOf('other-project.raw.orders')).toEqual(['abroad']);
    expect(await dependentsOf('raw.carts')).toEqual(['paths', 'skus', 'top']);
    expect(await dependentsOf('my-project.raw.orders')).toEqual(['external']);

    place.run(...Object.keys(views).map((name) => `DROP VIEW \`my-project.shop.${name}\``));
    expect((await place.plan('HEAD')).plan).toMatchObject({ refusals: [], steps: { length: 8 } });
    await place.apply('HEAD');
    expect(Object.keys(views).map((name) => place.table('shop', name).query?.replace(/\s+/g, ''))).toEqual(
      Object.values(views).map((query) => query.replace(/\s+/g, '')),
    );
    expect((await place.status()).differing).toEqual([]);

    project.others.clear();
    place.run('DROP VIEW `my-project.shop.abroad`');
    expect((await place.plan('HEAD')).plan.refusals).toMatchObject([{ because: expect.stringContaining('Not found: Project other-project') }]);
  });
});

describe('several projects', () => {
  async function openTwo(parts: Parts = {}): Promise<BigQueryPlace & { readonly other: Project }> {
    const place = await openBigQuery({ ...parts, options: { projects: ['other-project'], ...parts.options } });
    const { project } = place.server;
    const other = createProject('other-project', { shop: 'US', raw: 'EU' });
    project.others.set(other.id, other);
    other.others.set(project.id, project);
    place.run(
      'CREATE VIEW `my-project.shop.twin` AS SELECT id FROM raw.orders',
      "GRANT `roles/bigquery.dataViewer` ON VIEW `my-project.shop.twin` TO 'user:ada@example.com'",
    );
    run(other, 'CREATE VIEW `other-project.raw.base` AS SELECT id, id AS more FROM my-project.shop.twin');
    run(other, "CREATE VIEW `other-project.shop.twin` OPTIONS (labels = [('team', 'sales')]) AS SELECT more FROM raw.base");
    return { ...place, other };
  }
  const files = (place: BigQueryPlace) =>
    place
      .git('ls-files', 'views')
      .split('\n')
      .filter((path) => path.endsWith('.sql'));

  test('another target that keeps one of them, too, waits for a run of this one', async () => {
    const place = await openTwo();
    await place.export();
    const shared = { ...place.target.options, project: 'other-project', projects: [] };
    const [first, second] = [await place.connect(), await bigquery.connect(shared, {})];
    const alone = (warehouse: Warehouse, work: () => Promise<unknown>) => warehouse.runAlone?.(work);
    await alone(first, () => expect(alone(second, async () => undefined)).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' }));
    await alone(second, () => expect(alone(first, async () => undefined)).rejects.toMatchObject({ code: 'RUN_IN_PROGRESS' }));
    const locks = [place.server.project, place.other].flatMap(({ datasets }) => [...datasets.values()].filter(({ tables }) => tables.has('viewsync_lock')));
    expect(locks).toEqual([]);
  });

  test('the views of each are kept apart, put in one order and restored by jobs of their own', async () => {
    const place = await openTwo({ options: { iam: true } });
    const { other, server } = place;
    const raw = server.project.datasets.get('raw');
    if (raw) raw.access = [{ view: { projectId: 'other-project', datasetId: 'shop', tableId: 'twin' } }];
    await place.export();
    expect(files(place)).toEqual(['views/prod/my-project/shop/twin.sql', 'views/prod/other-project/raw/base.sql', 'views/prod/other-project/shop/twin.sql']);
    expect((await place.check(['my-project.shop.twin'])).dependents.map(({ view, state }) => `${view} ${state}`)).toEqual([
      '"other-project".raw.base current',
      '"other-project".shop.twin current',
    ]);
    const queries = () => [server.project, other].map((project) => tableOf(project, 'shop', 'twin').query?.replace(/\s+/g, ' '));
    const before = queries();
    place.run('DROP VIEW `my-project.shop.twin`');
    for (const view of ['shop.twin', 'raw.base']) run(other, `DROP VIEW \`other-project.${view}\``);
    const { plan } = await place.apply('HEAD');
    expect(plan.steps.map(({ kind, view }) => `${kind} ${view.catalog}.${view.schema}.${view.name}`).filter((step) => step.startsWith('create'))).toEqual([
      'create my-project.shop.twin',
      'create other-project.raw.base',
      'create other-project.shop.twin',
    ]);
    expect(queries()).toEqual(before);
    expect(tableOf(other, 'shop', 'twin').labels).toEqual({ team: 'sales' });
    expect(raw?.access).toEqual([{ view: { projectId: 'other-project', datasetId: 'shop', tableId: 'twin' } }]);
    expect((await place.status()).differing).toEqual([]);
    expect((await place.export()).commit).toBeUndefined();
    server.closed.catalog.add('shop');
    expect((await place.export()).unreadable.map(({ name }) => name.catalog)).toEqual(['my-project', 'other-project']);
  });

  test('a glob chooses among them, and one that names another project is an error', async () => {
    const place = await openTwo({ target: { scope: { schemas: ['other-*.*.twin'] } } });
    await place.export();
    expect(files(place)).toEqual(['views/prod/other-project/shop/twin.sql']);
    const warehouse = await place.connect();
    await expect(warehouse.inspect({ schemas: ['my-project.*', 'third.*.*'] })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('"third.*.*"'),
      suggestions: [expect.stringContaining('projects: [')],
    });
    place.server.lacking.add('bigquery.tables.update');
    const { findings } = await warehouse.examine();
    expect(findings.map(({ found, suggestions }) => `${found} ${suggestions.join(' ')}`)).toEqual([
      expect.stringMatching(/on views in my-project\.shop, other-project\.raw, other-project\.shop: .*`other-project`\.`raw`/),
    ]);
  });
});

test('a query that cannot be read to its end is kept as it is, named every time, and no difference', async () => {
  const place = await openBigQuery();
  place.run('CREATE VIEW `my-project.shop.odd` AS SELECT id FROM raw.orders');
  const odd = "SELECT id FROM raw.orders WHERE customer = 'never closed;\n; DROP";
  place.table('shop', 'odd').query = odd;
  const first = await place.export();
  expect(first.notes).toEqual([expect.stringMatching(/odd\.sql: viewsync cannot read the query to its end/)]);
  expect(readFileSync(join(place.directory, 'views/prod/my-project/shop/odd.sql'), 'utf8')).toContain(`AS\n-- viewsync: {"verbatim":2}\n${odd}\n;\n`);
  const again = await place.export();
  expect([again.commit, again.notes]).toEqual([undefined, first.notes]);
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  expect((await place.check(['raw.orders'])).dependents).toMatchObject([{ state: 'current' }]);
});

describe('columns that go stale', () => {
  test('views that take over all columns of a replaced one are put over themselves, and no others', async () => {
    const place = await openBigQuery();
    place.run(
      'CREATE VIEW `my-project.shop.base` AS SELECT id, customer FROM `my-project.raw.orders`',
      'CREATE VIEW `my-project.shop.middle` AS SELECT * FROM shop.base WHERE id * 2 > 0',
      "CREATE VIEW `my-project.shop.top` OPTIONS (labels = [('team', 'sales')]) AS SELECT * EXCEPT (id) FROM shop.middle AS m",
      'CREATE VIEW `my-project.shop.other` AS SELECT id * 2 AS twice FROM shop.base',
    );
    await place.export();
    const path = join(place.directory, 'views/prod/my-project/shop/base.sql');
    writeFileSync(path, readFileSync(path, 'utf8').replace('customer\n', 'customer,\n  total\n'));
    const { plan } = await place.apply('worktree');
    expect(plan.steps.map(({ view, because }) => `${view.name}: ${because}`)).toEqual([
      'base: its definition differs',
      'middle: it takes over the columns of "my-project".shop.base, which change',
      'top: it takes over the columns of "my-project".shop.middle, which change',
    ]);
    const columns = (name: string) => place.table('shop', name).schema.map((field) => field.name);
    expect(['base', 'middle', 'top'].map(columns)).toEqual([
      ['id', 'customer', 'total'],
      ['id', 'customer', 'total'],
      ['customer', 'total'],
    ]);
    expect(place.table('shop', 'top').labels).toEqual({ team: 'sales' });
    expect((await place.status()).differing).toEqual([]);
    expect((await place.export()).commit).toBeUndefined();
  });
});

describe('legacy SQL', () => {
  test('a view in legacy SQL stays one through a file, a change and a restore', async () => {
    const place = await openBigQuery();
    const { project } = place.server;
    insertTable(project, project.datasets.get('shop') as never, 'old', {
      view: { query: 'SELECT id FROM [my-project:raw.orders]' },
      labels: { team: 'sales' },
    });
    insertTable(project, project.datasets.get('shop') as never, 'older', { view: { query: 'SELECT id FROM [my-project:shop.old]' } });
    await place.export();
    const found = viewOf(await inspect(place), 'shop', 'older');
    expect(readKeys(found.reads)).toEqual(['"my-project".shop.old']);
    expect(writeViewFile(found, bigqueryDialect)).toContain('-- viewsync: {"legacySql":true}\nAS\nSELECT id FROM [my-project:shop.old]\n;');
    place.run('DROP VIEW `my-project.shop.older`', 'DROP VIEW `my-project.shop.old`', 'CREATE VIEW `my-project.shop.stays` AS SELECT 1 AS one');
    await place.apply('HEAD', { allowed: ['MANY_DELETIONS'] });
    expect(place.table('shop', 'old')).toMatchObject({ useLegacySql: true, labels: { team: 'sales' } });
    expect(place.table('shop', 'older')).toMatchObject({ useLegacySql: true });
    expect((await place.status()).differing).toEqual([]);
  });
});

describe('materialized views', () => {
  test('partition, clusters and options are kept, and a new query is a new statement', async () => {
    const place = await openBigQuery();
    const options = "OPTIONS (enable_refresh = true, refresh_interval_minutes = 30.0, max_staleness = INTERVAL '4:0:0' HOUR TO SECOND)";
    place.run(
      `CREATE MATERIALIZED VIEW \`my-project.shop.sums\` PARTITION BY RANGE_BUCKET(id, GENERATE_ARRAY(0, 100, 10)) CLUSTER BY customer, id ${options} AS SELECT id, customer FROM \`my-project.raw.orders\``,
    );
    const view = viewOf(await inspect(place), 'shop', 'sums');
    expect(throughFile(view)).toEqual({ ...view, unseen: undefined });
    expect(view.attachments.map(({ kind, key, value }) => [kind, key, value])).toEqual([
      ['partition', '', 'RANGE_BUCKET(id, GENERATE_ARRAY(0, 100, 10))'],
      ['cluster', '', 'customer, id'],
      ['option', 'enable_refresh', 'true'],
      ['option', 'max_staleness', "INTERVAL '4:0:0' HOUR TO SECOND"],
      ['option', 'refresh_interval_minutes', '30.0'],
    ]);
    await place.export();
    const before = structuredClone(place.table('shop', 'sums'));
    place.run('CREATE OR REPLACE MATERIALIZED VIEW `my-project.shop.sums` AS SELECT id FROM `my-project.raw.orders`');
    await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'HAZARD', message: expect.stringContaining('computes it again') });
    const { plan } = await place.apply('HEAD', { allowed: ['REBUILDS_MATERIALIZED_VIEW'] });
    expect(plan.steps.map(({ kind, sql }) => `${kind} ${sql.split('`')[0]}`)).toEqual(['replace CREATE OR REPLACE MATERIALIZED VIEW ']);
    expect(place.table('shop', 'sums')).toMatchObject({ options: before.options, schema: before.schema });
    expect(place.table('shop', 'sums').layout?.replace(/\s+/g, ' ')).toBe(before.layout);
  });
});

describe('views whose columns went stale', () => {
  const orders = '`my-project.raw.orders`';

  test('status and plan name them, apply puts them over themselves, and of no other view anything is asked', async () => {
    const place = await openBigQuery();
    addTable(place.server.project, 'raw', 'wide', [
      { name: 'id', type: 'INTEGER', mode: 'NULLABLE' },
      { name: 'more', type: 'STRING', mode: 'NULLABLE' },
    ]);
    place.run(
      `CREATE VIEW \`my-project.shop.plain\` OPTIONS (labels = [('team', 'sales')]) AS SELECT * FROM ${orders}`,
      'CREATE VIEW `my-project.shop.above` AS SELECT p.*, 1 AS one FROM shop.plain AS p',
      `CREATE VIEW \`my-project.shop.partly\` AS SELECT * EXCEPT (total, address, color) REPLACE (CAST(id AS STRING) AS id) FROM ${orders}`,
      'CREATE VIEW `my-project.shop.joined` AS SELECT w.*, o.total AS total FROM `my-project.raw.wide` AS w JOIN `my-project.raw.orders` o ON o.id = w.id',
      `CREATE VIEW \`my-project.shop.named\` AS SELECT id FROM ${orders}`,
    );
    await place.export();
    const asked = () => place.server.calls.filter(({ body }) => body?.configuration?.dryRun === true).length;
    expect([(await place.status()).stale, asked()]).toEqual([[], 0]);
    place.run('ALTER TABLE `my-project.raw.orders` ADD COLUMN color STRING');
    const { stale, differing } = await place.status();
    expect([stale, differing]).toEqual([
      [
        { view: '"my-project".shop.above', because: 'its columns are no longer those of its query: it now gives "color"; viewsync apply makes it again' },
        { view: '"my-project".shop.plain', because: 'its columns are no longer those of its query: it now gives "color"; viewsync apply makes it again' },
      ],
      [],
    ]);
    expect(asked()).toBe(2);
    const { plan } = await place.apply('HEAD');
    expect(plan.steps.map(({ kind, view, because }) => [kind, view.name, because])).toEqual([
      ['replace', 'plain', 'its columns are no longer those of its query'],
      ['replace', 'above', 'its columns are no longer those of its query'],
    ]);
    expect(tableOf(place.server.project, 'shop', 'plain').labels).toEqual({ team: 'sales' });
    expect(await place.status()).toMatchObject({ stale: [], differing: [] });
  });

  test('one that describes a column which is gone is named and left alone', async () => {
    const place = await openBigQuery();
    place.run(
      `CREATE VIEW \`my-project.shop.plain\` AS SELECT * FROM ${orders}`,
      "ALTER VIEW `my-project.shop.plain` ALTER COLUMN total SET OPTIONS (description = 'with tax')",
    );
    await place.export();
    const table = tableOf(place.server.project, 'raw', 'orders');
    table.schema = table.schema.filter(({ name }) => name !== 'total');
    expect((await place.status()).stale).toMatchObject([{ because: expect.stringContaining('it no longer gives "total"') }]);
    const { plan } = await place.plan('HEAD');
    expect([plan.steps, plan.left]).toMatchObject([[], [{ because: expect.stringContaining('Give it a file that fits') }]]);
  });
});

test('what BigQuery would not have is refused before the first step, and a view whose time is over is neither deleted nor made', async () => {
  const place = await openBigQuery();
  const long = `SELECT 1 AS one -- ${'x'.repeat(262_144)}`;
  place.run(
    "CREATE VIEW `my-project.shop.passing` OPTIONS (expiration_timestamp = TIMESTAMP '2031-01-01T00:00:00.000Z') AS SELECT 1 AS one",
    'CREATE VIEW `my-project.shop.other` AS SELECT 1 AS one',
  );
  await place.export();
  const path = (name: string) => join(place.directory, 'views/prod/my-project/shop', `${name}.sql`);
  const edit = (name: string, from: string, to: string) => writeFileSync(path(name), readFileSync(path(name), 'utf8').replace(from, to));
  edit('passing', '2031', '2021');
  edit('other', 'SELECT', `${long}\nUNION ALL SELECT`);
  await expect(place.apply('worktree')).rejects.toMatchObject({
    code: 'PLAN_IMPOSSIBLE',
    message: expect.stringMatching(
      /shop\.other cannot be had as wanted: its query has 26\d{4} characters, and 262144 are the most\. .*shop\.passing .* its expiration was at 2021/,
    ),
  });
  expect(tableOf(place.server.project, 'shop', 'passing').expirationTime).toBe(String(Date.parse('2031-01-01')));
  // One that has expired since is gone, whatever else of it is asked for.
  place.git('checkout', '--quiet', '.');
  tableOf(place.server.project, 'shop', 'passing').expirationTime = String(Date.parse('2021-01-01'));
  await place.export();
  place.run('DROP VIEW `my-project.shop.passing`');
  const { plan } = await place.plan('HEAD');
  expect(plan.refusals.map(({ because }) => because)).toEqual([expect.stringContaining('BigQuery deletes what has expired')]);
  await place.export();
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
});
