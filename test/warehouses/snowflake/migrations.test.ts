import { describe, expect, test } from 'vitest';
import { findRelation } from '../../support/snowflake/account.ts';
import { openSnowflake, type SnowflakePlace } from './place.ts';

const customers = ['ACME', 'BOLT', 'CORE'];

const products = [
  'CREATE TABLE PROD.SHOP.PRODUCT_V1 (ID NUMBER, PRICE NUMBER)',
  'CREATE TABLE PROD.SHOP.PRODUCT_V2 (ID NUMBER, PRICE NUMBER, COLOR TEXT)',
  "CREATE VIEW PROD.SHOP.PRODUCT_MASTER COMMENT = 'all of them' AS SELECT * FROM PROD.SHOP.PRODUCT_V1",
  'GRANT SELECT ON VIEW PROD.SHOP.PRODUCT_MASTER TO ROLE WRITER',
  ...customers.flatMap((customer) => [
    `CREATE SECURE VIEW PROD.OTHER.${customer} WITH TAG (PROD.SHOP.CUSTOMER = '${customer}') AS SELECT ID, PRICE FROM PROD.SHOP.PRODUCT_MASTER`,
    `GRANT SELECT ON VIEW PROD.OTHER.${customer} TO ROLE READER WITH GRANT OPTION`,
  ]),
  'GRANT SELECT ON VIEW PROD.OTHER.ACME TO SHARE PARTNER',
  'CREATE VIEW PROD.SHOP.EVERYTHING AS SELECT * FROM PRODUCT_MASTER',
];

const relation = ({ account }: SnowflakePlace, ...path: readonly string[]) => findRelation(account, ['PROD', ...path]);

const columns = (place: SnowflakePlace, ...path: readonly string[]) => relation(place, ...path)?.columns.map(({ name }) => name);

const grants = (place: SnowflakePlace, ...path: readonly string[]) =>
  relation(place, ...path)?.grants.map(({ privilege, grantedTo, grantee, isGrantable }) => `${privilege} ${grantedTo} ${grantee}${isGrantable ? ' *' : ''}`);

async function states(place: SnowflakePlace): Promise<Record<string, string>> {
  const { dependents } = await place.check(['PROD.SHOP.PRODUCT_V1']);
  return Object.fromEntries(dependents.map(({ view, state }) => [view.split('.').at(-1), state]));
}

function requireAsBefore(place: SnowflakePlace): void {
  for (const customer of customers) {
    expect(relation(place, 'OTHER', customer)).toMatchObject({ isSecure: true, owner: 'VIEWSYNC', tags: new Map([['PROD.SHOP.CUSTOMER', customer]]) });
    expect(grants(place, 'OTHER', customer)).toEqual(['SELECT ROLE READER *', ...(customer === 'ACME' ? ['SELECT SHARE PARTNER'] : [])]);
  }
}

test('check halts while a view on a table is not backed up; a command that loses them gives them back with their grants', async () => {
  const place = await openSnowflake(products);
  expect(new Set(Object.values(await states(place)))).toEqual(new Set(['missing']));
  await place.export();
  place.server.run(["ALTER VIEW PROD.OTHER.BOLT SET COMMENT = 'new'"]);
  expect(await states(place)).toMatchObject({ ACME: 'current', BOLT: 'stale', PRODUCT_MASTER: 'current' });
  await place.export();
  expect(new Set(Object.values(await states(place)))).toEqual(new Set(['current']));
  const { length } = place.account.carriedOut;
  const result = await place.migrateAround(['PROD.SHOP.PRODUCT_V1'], async () => {
    expect(place.account.carriedOut.slice(length).filter((sql) => /^(CREATE|DROP|ALTER VIEW|GRANT)/.test(sql))).toEqual([]);
    place.server.run([
      ...customers.map((customer) => `DROP VIEW PROD.OTHER.${customer}`),
      'CREATE OR REPLACE VIEW PROD.SHOP.PRODUCT_MASTER COPY GRANTS AS SELECT * FROM PROD.SHOP.PRODUCT_V2',
      'DROP TABLE PROD.SHOP.PRODUCT_V1',
    ]);
    return 0;
  });
  expect(result).toMatchObject({ exitCode: 0, broken: [], dropped: [] });
  expect(result.restored.toSorted()).toEqual([...customers.map((customer) => `PROD.OTHER.${customer}`), 'PROD.SHOP.EVERYTHING']);
  requireAsBefore(place);
  expect(relation(place, 'OTHER', 'BOLT')?.comment).toBe('new');
  expect(columns(place, 'SHOP', 'EVERYTHING')).toEqual(['ID', 'PRICE', 'COLOR']);
  expect((await place.status()).differing).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
});

test('a migration that loses its connection behind the command is ended by one command, which brings everything back', async () => {
  const place = await openSnowflake(products);
  await place.export();
  const lost = place.migrateAround(['PROD.SHOP.PRODUCT_V1'], async () => {
    place.server.run(customers.map((customer) => `DROP VIEW PROD.OTHER.${customer}`));
    place.server.run(['ALTER TABLE PROD.SHOP.PRODUCT_V1 ADD COLUMN COLOR TEXT']);
    const error = { code: '000099', sqlState: '57P01', message: 'The service is gone.' };
    place.account.injections.push({ matches: /^SHOW SCHEMAS/, times: 1, error });
    return 0;
  });
  await expect(lost).rejects.toMatchObject({ suggestions: expect.arrayContaining(['viewsync migrate --continue']) });
  expect((await place.status()).run).toMatchObject({ command: 'migrate', isRunning: false });
  const ended = await place.continueMigration();
  expect(ended).toMatchObject({ broken: [] });
  requireAsBefore(place);
  expect(columns(place, 'SHOP', 'EVERYTHING')).toEqual(['ID', 'PRICE', 'COLOR']);
  expect(await place.status()).toMatchObject({ differing: [], stale: [] });
  expect((await place.status()).run).toBeUndefined();
});

describe('a file with SQL', () => {
  test('runs statement by statement; what it loses comes back, what went stale is mended, what it drops by name stays away', async () => {
    const place = await openSnowflake(products);
    await place.export();
    const result = await place.migrate(
      `USE SCHEMA PROD.SHOP;
       ALTER TABLE PRODUCT_V1 ADD COLUMN COLOR VARCHAR(10);
       DROP VIEW PROD.OTHER.CORE;
       CREATE OR REPLACE SCHEMA PROD.OTHER;
       CREATE VIEW NEW_ONE AS SELECT COLOR FROM PRODUCT_V1;`,
      { misfits: 'skip', allowed: ['MANY_DELETIONS'] },
    );
    expect(result.acts.map(({ origin, because, view }) => `${origin}: ${because}${view === undefined ? '' : ` (${view})`}`)).toEqual([
      ...[1, 2, 3, 4, 5].map((line) => `script: migration.sql:${line}`),
      'viewsync: its columns are no longer those of its query (PROD.SHOP.PRODUCT_MASTER)',
      'viewsync: a replace loses it (PROD.SHOP.PRODUCT_MASTER)',
      'viewsync: its columns are no longer those of its query (PROD.SHOP.EVERYTHING)',
      ...['ACME', 'BOLT'].map((customer) => `viewsync: it was dropped for the migration (PROD.OTHER.${customer})`),
      ...['ACME', 'BOLT', 'ACME', 'ACME', 'BOLT'].map((customer) => `viewsync: it belongs to the view (PROD.OTHER.${customer})`),
    ]);
    expect(result).toMatchObject({ broken: [], restored: ['PROD.OTHER.ACME', 'PROD.OTHER.BOLT', 'PROD.SHOP.EVERYTHING', 'PROD.SHOP.PRODUCT_MASTER'] });
    expect(relation(place, 'OTHER', 'CORE')).toBeUndefined();
    expect(grants(place, 'OTHER', 'ACME')).toEqual(['SELECT ROLE READER *', 'SELECT SHARE PARTNER']);
    expect(relation(place, 'SHOP', 'PRODUCT_MASTER')).toMatchObject({ comment: 'all of them', grants: [{ grantee: 'WRITER' }] });
    expect(['PRODUCT_MASTER', 'EVERYTHING'].map((name) => columns(place, 'SHOP', name))).toEqual(Array(2).fill(['ID', 'PRICE', 'COLOR']));
    expect((await place.status()).differing).toEqual([]);
  });

  test('stops at a statement that is refused; what ran before it stays, and the views that it took along are back', async () => {
    const place = await openSnowflake(products);
    await place.export();
    const failed = place.migrate('CREATE OR REPLACE SCHEMA PROD.OTHER; ALTER TABLE PROD.SHOP.NOBODY ADD COLUMN X NUMBER;');
    await expect(failed).rejects.toMatchObject({
      code: 'STEP_FAILED',
      exitCode: 2,
      message: expect.stringMatching(/^migration\.sql:1: .*NOBODY.* 1 of 2 statements took effect and stay; views that these took along are back\.$/),
    });
    requireAsBefore(place);
    expect(await place.status()).toMatchObject({ differing: [], stale: [] });
  });

  test('a view that no longer fits is named, and its file stays', async () => {
    const place = await openSnowflake(products);
    await place.export();
    const result = await place.migrate('ALTER TABLE PROD.SHOP.PRODUCT_V1 DROP COLUMN PRICE', { misfits: 'skip' });
    expect(result.restored.toSorted()).toEqual(['PROD.SHOP.EVERYTHING', 'PROD.SHOP.PRODUCT_MASTER']);
    expect(result.broken.map(({ view, because }) => `${view}: ${because}`)).toEqual(
      customers.map((customer) => expect.stringMatching(`^PROD.OTHER.${customer}: .*invalid identifier 'PRICE'`)),
    );
    expect(place.git('ls-files', 'views')).toContain('prod/other/acme.sql');
  });

  test.each([
    ['BEGIN; DROP VIEW PROD.SHOP.EVERYTHING; COMMIT', 'begins or ends a transaction'],
    ['USE ROLE ACCOUNTADMIN', 'changes the session'],
    ['DECLARE x DEFAULT 1', 'belongs to a script'],
    ['DROP DATABASE PROD', 'takes every view of a database along'],
  ])('%s is refused before anything runs', async (sql, because) => {
    const place = await openSnowflake(['CREATE VIEW PROD.SHOP.EVERYTHING AS SELECT 1 AS ONE']);
    await expect(place.migrate(sql)).rejects.toMatchObject({ code: 'SCRIPT_REFUSED', message: expect.stringContaining(because) });
    expect(place.account.changes).toBe(0);
  });
});
