import { describe, expect, test } from 'vitest';
import { checkRelations } from '../../../src/operations/check-relations.ts';
import { type AroundOptions, migrateAround } from '../../../src/operations/migrate-around.ts';
import { migrateScript, type ScriptMigrationOptions } from '../../../src/operations/migrate-script.ts';
import { addTable } from '../../support/bigquery/project.ts';
import { type BigQueryPlace, openBigQuery } from './place.ts';

const customers = ['ada', 'bob', 'cyd'];

async function openProducts(): Promise<BigQueryPlace> {
  const place = await openBigQuery({ options: { iam: true } });
  const columns = [
    { name: 'id', type: 'INTEGER', mode: 'NULLABLE' },
    { name: 'price', type: 'NUMERIC', mode: 'NULLABLE' },
  ];
  addTable(place.server.project, 'raw', 'product_v1', columns);
  addTable(place.server.project, 'raw', 'product_v2', [...columns, { name: 'color', type: 'STRING', mode: 'NULLABLE' }]);
  place.run(
    'CREATE VIEW `my-project.shop.product_master` AS SELECT * FROM `my-project.raw.product_v1`',
    ...customers.map(
      (name) => `CREATE VIEW \`my-project.shop.${name}\` OPTIONS (labels = [('customer', '${name}')]) AS SELECT id, price FROM shop.product_master`,
    ),
    "GRANT `roles/bigquery.dataViewer` ON VIEW `my-project.shop.ada` TO 'user:ada@example.com'",
    'CREATE VIEW `my-project.shop.everything` AS SELECT * FROM shop.product_master',
  );
  return place;
}

async function check(place: BigQueryPlace): Promise<Record<string, string>> {
  const warehouse = await place.connect();
  const { dependents } = await checkRelations(place.project, place.target, {
    warehouse,
    relations: ['my-project.raw.product_v1'],
    backup: 'look',
    push: 'keep',
  });
  return Object.fromEntries(dependents.map(({ view, state }) => [view.split('.').at(-1), state]));
}

async function migrate(place: BigQueryPlace, runCommand: () => Promise<number>) {
  const options: AroundOptions = {
    warehouse: await place.connect(),
    connect: () => place.connect(),
    relations: ['my-project.raw.product_v1'],
    label: '--on raw.product_v1 -- dbt',
    allowed: [],
    lockTimeout: 1000,
    attempts: 1,
    verify: 'verify',
    push: 'keep',
    confirm: async () => true,
    runCommand,
  };
  return migrateAround(place.project, place.target, options);
}

test('check names every view on a table and whether it is backed up; a migration that loses them gives them back', async () => {
  const place = await openProducts();
  expect(await check(place)).toEqual({ ada: 'missing', bob: 'missing', cyd: 'missing', everything: 'missing', product_master: 'missing' });
  await place.export();
  place.run("ALTER VIEW `my-project.shop.bob` SET OPTIONS (description = 'new')");
  expect(await check(place)).toMatchObject({ ada: 'current', bob: 'stale', product_master: 'current' });
  await place.export();
  const before = customers.map((name) => structuredClone(place.table('shop', name)));
  place.server.changes.length = 0;

  const result = await migrate(place, async () => {
    expect(place.server.changes.filter((change) => !change.includes('lock'))).toEqual([]);
    place.run(...customers.map((name) => `DROP VIEW \`my-project.shop.${name}\``));
    place.run('CREATE OR REPLACE VIEW `my-project.shop.product_master` AS SELECT * FROM `my-project.raw.product_v2`');
    return 0;
  });
  expect(result).toMatchObject({ exitCode: 0, broken: [], dropped: [] });
  expect(result.restored.map((view) => view.split('.').at(-1))).toEqual(['ada', 'bob', 'cyd', 'everything']);
  for (const [index, name] of customers.entries()) {
    const { schema, labels, description, bindings } = before[index] ?? place.table('shop', name);
    expect(place.table('shop', name)).toMatchObject({ schema, labels, bindings, ...(description === undefined ? {} : { description }) });
  }
  expect(place.table('shop', 'everything').schema.map(({ name }) => name)).toEqual(['id', 'price', 'color']);
  expect((await place.status()).differing).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
});

test('a view that no longer fits is named, the others come back, and its file stays', async () => {
  const place = await openProducts();
  await place.export();
  const result = await migrate(place, async () => {
    place.run('DROP VIEW `my-project.shop.ada`');
    place.run('CREATE OR REPLACE VIEW `my-project.shop.product_master` AS SELECT id FROM `my-project.raw.product_v1`');
    return 1;
  });
  expect(result).toMatchObject({ exitCode: 1 });
  expect(result.broken.map(({ view, because }) => `${view.split('.').at(-1)}: ${because}`)).toEqual([
    expect.stringMatching(/^ada: Unrecognized name: price/),
    expect.stringMatching(/^bob: Unrecognized name: price/),
    expect.stringMatching(/^cyd: Unrecognized name: price/),
  ]);
  expect(place.git('ls-files', 'views')).toContain('shop/ada.sql');
});

describe('a file with SQL', () => {
  const script = (place: BigQueryPlace, text: string, options: Partial<ScriptMigrationOptions> = {}) =>
    place.connect().then((warehouse) =>
      migrateScript(place.project, place.target, {
        warehouse,
        scripts: [{ file: 'm.sql', text }],
        mode: 'run',
        misfits: 'skip',
        allowed: [],
        lockTimeout: 1000,
        attempts: 1,
        verify: 'verify',
        push: 'keep',
        confirm: async () => true,
        ...options,
      }),
    );

  test('its statements run one by one; what they lose comes back, what they drop by name does not, what went stale is mended', async () => {
    const place = await openProducts();
    await place.export();
    const result = await script(
      place,
      `ALTER TABLE \`my-project.raw.product_v1\` ADD COLUMN color STRING;
       CREATE OR REPLACE VIEW \`my-project.shop.product_master\` AS SELECT * FROM \`my-project.raw.product_v1\`;
       DROP VIEW \`my-project.shop.cyd\`;
       CREATE VIEW \`my-project.shop.new\` AS SELECT color FROM \`my-project.shop.product_master\`;`,
    );
    expect(result.acts.map(({ origin, because }) => `${origin}: ${because}`)).toEqual([
      'script: m.sql:1',
      'script: m.sql:2',
      'script: m.sql:3',
      'script: m.sql:4',
      'viewsync: its columns are no longer those of its query',
    ]);
    expect(result).toMatchObject({ broken: [], restored: ['"my-project".shop.everything'] });
    expect([...(place.server.project.datasets.get('shop')?.tables.keys() ?? [])].sort()).toEqual(['ada', 'bob', 'everything', 'new', 'product_master']);
    expect((await place.status()).differing).toEqual([]);
  });

  test('the first statement that is refused stops it, and what ran before is told and recorded', async () => {
    const place = await openProducts();
    await place.export();
    const failing = script(
      place,
      'ALTER TABLE `my-project.raw.product_v1` ADD COLUMN color STRING;\nDROP VIEW `my-project.shop.ada`;\nDROP VIEW `my-project.shop.gone`;',
    );
    await expect(failing).rejects.toMatchObject({
      code: 'STEP_FAILED',
      message: expect.stringMatching(/^m\.sql:3: Not found: .* 2 of 3 statements took effect/),
    });
    expect((await place.status()).run).toBeUndefined();
    await expect(script(place, 'DROP VIEW `my-project.shop.gone`;')).rejects.toMatchObject({
      code: 'SCRIPT_FAILED',
      message: expect.stringContaining('nothing changed'),
    });
    await expect(script(place, 'DECLARE x INT64;')).rejects.toMatchObject({ code: 'SCRIPT_REFUSED' });
    await expect(script(place, 'SELECT 1;', { mode: 'rehearse' })).rejects.toMatchObject({ code: 'USAGE' });
  });
});
