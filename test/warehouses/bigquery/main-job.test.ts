import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bigquery } from '../../../src/warehouses/bigquery/adapter.ts';
import { type BigQueryPlace, keepStage, openBigQuery, openStage, type Stage } from './place.ts';

const shop = [
  "CREATE VIEW `my-project.shop.big` OPTIONS (description = 'It\\'s big', labels = [('team', 'sales'), ('tier', '1')]) AS -- more than ten\nSELECT id, customer, total, address FROM `my-project.raw.orders` WHERE total > 10 # enough?",
  "CREATE VIEW `my-project.shop.best` OPTIONS (friendly_name = 'Best', expiration_timestamp = TIMESTAMP '2030-01-01T00:00:00.000Z') AS SELECT customer FROM shop.big",
  'CREATE VIEW `my-project.other.elsewhere` AS SELECT 1 AS one',
  'CREATE VIEW `my-project.shop.count` AS SELECT COUNT(*) AS n FROM `my-project`.raw.orders',
  "GRANT `roles/bigquery.dataViewer` ON VIEW `my-project.shop.big` TO 'user:ada@example.com', 'specialGroup:allAuthenticatedUsers'",
];

/** Everything that a view can have: what is not to be had by a statement is put into the server's catalog. */
function decorate({ server, table }: BigQueryPlace): void {
  const big = table('shop', 'big');
  big.schema = big.schema.map((field) => {
    if (field.name === 'customer') return { ...field, description: 'who "buys"', policyTags: { names: ['projects/p/locations/eu/taxonomies/1/policyTags/2'] } };
    if (field.name !== 'address') return field;
    return { ...field, fields: field.fields?.map((inner) => (inner.name === 'street' ? { ...inner, description: 'and number' } : inner)) ?? [] };
  });
  const raw = server.project.datasets.get('raw');
  if (raw) raw.access = [{ role: 'OWNER', userByEmail: 'boss@example.com' }, { view: { projectId: 'my-project', datasetId: 'shop', tableId: 'big' } }];
}

async function openShop(): Promise<BigQueryPlace> {
  const place = await openBigQuery({ options: { iam: true } });
  place.run(...shop);
  decorate(place);
  return place;
}

let stage: Stage | undefined;

/** The same, exported. */
async function openExported(): Promise<BigQueryPlace> {
  if (stage) return openStage(stage, { options: { iam: true } });
  const place = await openShop();
  await place.export();
  stage = keepStage(place);
  return place;
}

const fileOf = ({ directory }: BigQueryPlace, path: string) => readFileSync(join(directory, 'views/prod', path), 'utf8');

function editFile(place: BigQueryPlace, path: string, change: (text: string) => string): void {
  writeFileSync(join(place.directory, 'views/prod', path), change(fileOf(place, path)));
}

/** What the server's own catalog has of a view beside its query. */
function belongings({ server, table }: BigQueryPlace, name: string) {
  const { description, friendlyName, expirationTime, labels, bindings, schema } = table('shop', name);
  const access = [...server.project.datasets.values()].map(({ id, access: entries }) => ({ id, entries }));
  return structuredClone({ description, friendlyName, expirationTime, labels, bindings, schema, access });
}

test('every view has a file below project and dataset, with everything that belongs to it', async () => {
  const place = await openShop();
  expect(await place.export()).toMatchObject({ subject: 'prod: baseline, 4 views' });
  expect(fileOf(place, 'my-project/shop/big.sql')).toMatchInlineSnapshot(`
    "-- view: "my-project".shop.big
    -- reads: "my-project".raw.orders
    -- columns: id INT64
    --          customer STRING
    --          total NUMERIC
    --          address STRUCT<street STRING, city STRING>

    CREATE OR REPLACE VIEW \`my-project\`.\`shop\`.\`big\`
    OPTIONS (
      description = 'It\\'s big',
      labels = [('team', 'sales'), ('tier', '1')]
    )
    AS
    -- more than ten
    SELECT
      id,
      customer,
      total,
      address
    FROM
      \`my-project.raw.orders\`
    WHERE
      total > 10 # enough?
    ;

    -- viewsync: {"view":"my-project.shop.big","column":"address.street","description":"and number"}
    ALTER VIEW \`my-project\`.\`shop\`.\`big\` ALTER COLUMN \`customer\` SET OPTIONS (description = 'who "buys"');
    -- viewsync: {"view":"my-project.shop.big","column":"customer","policyTags":["projects/p/locations/eu/taxonomies/1/policyTags/2"]}
    GRANT \`roles/bigquery.dataViewer\` ON VIEW \`my-project\`.\`shop\`.\`big\` TO 'specialGroup:allAuthenticatedUsers';
    GRANT \`roles/bigquery.dataViewer\` ON VIEW \`my-project\`.\`shop\`.\`big\` TO 'user:ada@example.com';
    -- viewsync: {"view":"my-project.shop.big","authorizedBy":"my-project.raw"}
    "
  `);
  expect((await place.export()).commit).toBeUndefined();
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  expect((await place.status()).differing).toEqual([]);
});

test('a replaced view keeps labels, rights, policy tags and its entry in access lists, without being dropped', async () => {
  const place = await openExported();
  const before = belongings(place, 'big');
  editFile(place, 'my-project/shop/big.sql', (text) => text.replace('total > 10', 'total > 11'));
  const { plan } = await place.apply('worktree');
  expect(plan.steps.map(({ kind }) => kind)).toEqual(['replace']);
  expect(plan.steps[0]?.sql).toMatchInlineSnapshot(`
    "CREATE OR REPLACE VIEW \`my-project\`.\`shop\`.\`big\`
    OPTIONS (
      description = 'It\\'s big',
      labels = [('team', 'sales'), ('tier', '1')]
    )
    AS
    -- more than ten
    SELECT
      id,
      customer,
      total,
      address
    FROM
      \`my-project.raw.orders\`
    WHERE
      total > 11 # enough?
    ;
    -- viewsync: {"view":"my-project.shop.big","column":"address.street","description":"and number"}
    ALTER VIEW \`my-project\`.\`shop\`.\`big\` ALTER COLUMN \`customer\` SET OPTIONS (description = 'who "buys"');
    -- viewsync: {"view":"my-project.shop.big","column":"customer","policyTags":["projects/p/locations/eu/taxonomies/1/policyTags/2"]}"
  `);
  expect(place.table('shop', 'big').query).toContain('total > 11 # enough?');
  expect(belongings(place, 'big')).toEqual(before);
  expect(place.server.changes.filter((change) => !change.includes('lock'))).toEqual(['PATCH shop.big', 'PATCH shop.big']);
  expect((await place.status()).differing).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
});

test('HEAD brings back what was dropped, rollback undoes it, and rollback again redoes it', async () => {
  const place = await openExported();
  const before = ['big', 'best'].map((name) => [place.table('shop', name).query, belongings(place, name)]);
  place.run('DROP VIEW `my-project.shop.best`', 'DROP VIEW `my-project.shop.big`');
  await place.apply('HEAD');
  const state = () => ['big', 'best'].map((name) => [place.table('shop', name).query, belongings(place, name)]);
  expect(state().map(([, rest]) => rest)).toEqual(before.map(([, rest]) => rest));
  expect((await place.status()).differing).toEqual([]);
  await place.rollback();
  expect([...(place.server.project.datasets.get('shop')?.tables.keys() ?? [])]).toEqual(['count']);
  await place.rollback();
  expect(state().map(([, rest]) => rest)).toEqual(before.map(([, rest]) => rest));
  expect(place.git('status', '--porcelain')).toBe('');
});

test('what the account may not see of rights and access lists stays as it was last recorded, and comes back', async () => {
  const place = await openExported();
  const before = structuredClone([place.table('shop', 'big').bindings, place.server.project.datasets.get('raw')?.access]);
  const text = fileOf(place, 'my-project/shop/big.sql');
  const { closed } = place.server;
  const kindsIn = (notes: readonly string[]) => [...new Set(notes.flatMap((note) => /every (.*?) of/.exec(note)?.[1]?.split(/, | and /) ?? []))].sort();
  for (const part of ['access', 'whole'] as const) {
    closed.policies.add('shop');
    closed[part].add('raw');
    const { files, notes, unproven } = await place.export();
    // Which datasets we are told of is kept, too.
    expect([files.filter(({ path }) => path.endsWith('.sql')), kindsIn(notes), unproven]).toEqual([[], ['authorization', 'grant'], []]);
    expect(await place.status()).toMatchObject({ differing: [], unseen: notes });
    closed[part].clear();
  }
  closed.access.add('raw');
  // What can be seen is recorded, beside what cannot.
  place.run("ALTER VIEW `my-project.shop.big` SET OPTIONS (description = 'Bigger')");
  expect((await place.export()).files.map(({ path }) => path)).toContain('views/prod/my-project/shop/big.sql');
  expect(fileOf(place, 'my-project/shop/big.sql')).toBe(text.replace("It\\'s big", 'Bigger'));
  place.run('DROP VIEW `my-project.shop.big`');
  // An access list that is not shown cannot be written without losing the rest of it: nothing is made without its entry.
  await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'STEP_FAILED', message: expect.stringContaining('access list') });
  expect(place.server.project.datasets.get('shop')?.tables.has('big')).toBe(false);
  closed.access.clear();
  await place.apply('HEAD');
  expect([place.table('shop', 'big').bindings, place.server.project.datasets.get('raw')?.access]).toEqual(before);
  // Rights that nobody asks for any more are not gone either.
  const asked = { ...place.target.options, iam: false };
  const plain = await bigquery.connect(asked, {});
  const quiet = await place.export({ warehouse: plain });
  expect([quiet.commit, kindsIn(quiet.notes)]).toEqual([undefined, ['grant']]);
});

test('all that changes of a view is one step and one call, whatever becomes of columns that come with a query', async () => {
  const place = await openExported();
  editFile(place, 'my-project/shop/big.sql', (text) =>
    text
      .replace("description = 'It\\'s big'", "description = 'Bigger'")
      .replace("('team', 'sales'), ('tier', '1')", "('team', 'trade'), ('cost', '2')")
      .replace('who "buys"', 'whoever buys')
      .replace('and number', 'and floor'),
  );
  const changes = () => place.server.changes.splice(0).filter((change) => !change.includes('lock'));
  changes();
  const { plan } = await place.apply('worktree');
  expect(plan.steps).toMatchInlineSnapshot(`
    [
      {
        "because": "the label tier is not wanted; its comment  differs; its label cost is missing; its label team differs; its column comment address.street differs; its column comment customer differs",
        "kind": "alter",
        "sql": "-- viewsync: {"view":"my-project.shop.big","labels":{"tier":null}}
    ALTER VIEW \`my-project\`.\`shop\`.\`big\` SET OPTIONS (description = 'Bigger');
    -- viewsync: {"view":"my-project.shop.big","labels":{"cost":"2"}}
    -- viewsync: {"view":"my-project.shop.big","labels":{"team":"trade"}}
    -- viewsync: {"view":"my-project.shop.big","column":"address.street","description":"and floor"}
    ALTER VIEW \`my-project\`.\`shop\`.\`big\` ALTER COLUMN \`customer\` SET OPTIONS (description = 'whoever buys')",
        "view": {
          "catalog": "my-project",
          "name": "big",
          "schema": "shop",
        },
      },
    ]
  `);
  expect(changes()).toEqual(['PATCH shop.big']);
  const columns = ({ schema }: ReturnType<typeof place.table>) => schema.map(({ description, policyTags }) => [description, policyTags]);
  const before = columns(place.table('shop', 'big'));
  expect(place.table('shop', 'big')).toMatchObject({ description: 'Bigger', labels: { team: 'trade', cost: '2' } });
  for (const [number, together] of (['kept', undefined, 'refused'] as const).entries()) {
    if (together === undefined) delete place.server.project.together;
    else place.server.project.together = together;
    editFile(place, 'my-project/shop/big.sql', (text) => text.replace(/total > \d+/, `total > ${20 + number}`).replace(/Big\w*'/, `Big${number}'`));
    await place.apply('worktree');
    const sent = together === 'kept' ? 1 : 2;
    expect(changes().slice(-sent), together).toEqual(Array.from({ length: sent }, () => 'PATCH shop.big'));
    expect([place.table('shop', 'big').query, columns(place.table('shop', 'big'))]).toEqual([expect.stringContaining(`total > ${20 + number}`), before]);
    expect(await place.status()).toMatchObject({ differing: [] });
  }
});
