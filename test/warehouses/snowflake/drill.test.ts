import { expect, test } from 'vitest';
import { drillRevision } from '../../../src/operations/drill-revision.ts';
import { createAccount } from '../../support/snowflake/account.ts';
import { openSnowflake, type SnowflakePlace, stateOf } from './place.ts';

const shop = [
  'CREATE TABLE PROD.SHOP.ORDERS (ID NUMBER, TOTAL NUMBER, EMAIL TEXT)',
  'CREATE TABLE PROD.SHOP.GONE (ID NUMBER)',
  'CREATE FUNCTION PROD.OTHER.TWICE (X NUMBER) RETURNS NUMBER AS $$2 * X$$',
  "CREATE VIEW PROD.SHOP.BIG (ID, TOTAL, EMAIL WITH MASKING POLICY PROD.SHOP.MASK) COMMENT = 'big' WITH TAG (PROD.SHOP.T = 'it''s') AS SELECT ID, TOTAL, EMAIL FROM prod.shop.orders",
  'GRANT SELECT ON VIEW PROD.SHOP.BIG TO ROLE READER',
  'GRANT SELECT ON VIEW PROD.SHOP.BIG TO SHARE PARTNER',
  'CREATE VIEW STAGE.MAIN."Odd ""one""" AS SELECT * FROM "PROD"."SHOP".BIG /* PROD.SHOP.BIG */',
  'CREATE VIEW PROD.OTHER.LAST AS SELECT ID FROM SHOP.GONE',
  'CREATE VIEW PROD.OTHER.AFTER AS SELECT ID FROM LAST',
  'GRANT OWNERSHIP ON VIEW PROD.OTHER.AFTER TO ROLE WRITER COPY CURRENT GRANTS',
];

async function openShop(): Promise<SnowflakePlace> {
  const place = await openSnowflake(shop, { account: createAccount({ PROD: ['SHOP', 'OTHER'], STAGE: ['MAIN'] }, ['READER', 'WRITER']) });
  place.account.roles.get('VIEWSYNC')?.add('WRITER');
  await place.export();
  return place;
}

const databases = ({ account }: SnowflakePlace) => [...account.databases.keys()];

const drill = ({ project, target }: SnowflakePlace) => drillRevision(project, target, { revision: 'HEAD' });

test('a drill makes every view in scratch databases on empty stand-ins, compares, and leaves nothing behind', async () => {
  const place = await openShop();
  const before = stateOf(place);
  const drilled = await drill(place);
  expect(drilled.views.map(({ view, outcome, because }) => `${view}: ${because ?? outcome}`)).toEqual([
    'PROD.OTHER.AFTER: restored identical',
    'PROD.OTHER.LAST: restored identical',
    'PROD.SHOP.BIG: restored identical',
    'STAGE.MAIN."Odd ""one""": restored identical',
  ]);
  expect(drilled).toMatchObject({ place: 'scratch databases on "service" on myaccount', missing: [], restored: 4 });
  expect([stateOf(place), databases(place), place.account.transactions]).toEqual([before, ['PROD', 'STAGE'], []]);
  const made = place.account.carriedOut.filter((sql) => /^(CREATE|DROP|GRANT|ALTER (VIEW|TABLE)|COMMENT)/.test(sql));
  expect(made.filter((sql) => !sql.includes('VIEWSYNC_DRILL_'))).toEqual([]);
});

test('what a view needs and no longer finds is named, and with it what reads that view', async () => {
  const place = await openShop();
  place.server.run(['DROP TABLE PROD.SHOP.GONE']);
  const { views, differing, needing } = await drill(place);
  expect([differing, needing]).toEqual([0, 2]);
  expect(views.filter(({ outcome }) => outcome === 'needs').map(({ view, because }) => `${view} needs ${because}`)).toEqual([
    'PROD.OTHER.AFTER needs PROD.OTHER.LAST, which was not restored',
    'PROD.OTHER.LAST needs PROD.SHOP.GONE, which no longer exists',
  ]);
});

test('a drill that fails half way or was killed is cleaned up; one that goes on, or is of another user, is not', async () => {
  const place = await openShop();
  place.account.databases.set('VIEWSYNC_DRILL_OTHER_0', { name: 'VIEWSYNC_DRILL_OTHER_0', origin: '', kind: 'STANDARD', schemas: new Map(), futureGrants: [] });
  const refusal = { code: '000099', sqlState: '57014', message: 'The service is in a bad mood.' };
  place.account.injections.push({ matches: /^SELECT .* FROM "VIEWSYNC_DRILL_\w+"\.INFORMATION_SCHEMA/s, times: 1, error: refusal });
  await expect(drill(place)).rejects.toThrow('bad mood');
  expect(databases(place)).toEqual(['PROD', 'STAGE', 'VIEWSYNC_DRILL_OTHER_0']);
  const [mine = ''] = place.account.carriedOut.flatMap((sql) => /"(VIEWSYNC_DRILL_\w+)_0"/.exec(sql)?.[1] ?? []);
  const killed = mine.replace(/_\d+_[0-9A-F]+$/, '_1_00000000_0');
  const running = mine.replace(/_\d+_[0-9A-F]+$/, '_2_00000000');
  place.server.run([`CREATE DATABASE "${killed}"`, `CREATE DATABASE "${running}_0"`]);
  place.account.transactions.push({ id: 99, session: 99, user: 'SERVICE', name: running, startedOn: Date.now() });
  await drill(place);
  expect(databases(place)).toEqual(['PROD', 'STAGE', 'VIEWSYNC_DRILL_OTHER_0', `${running}_0`]);
});

test('a role that may not create databases is told, with the grant to ask for', async () => {
  const place = await openShop();
  place.account.globalRights.get('VIEWSYNC')?.delete('CREATE DATABASE');
  await expect(drill(place)).rejects.toMatchObject({
    code: 'PRIVILEGE_MISSING',
    suggestions: ['GRANT CREATE DATABASE ON ACCOUNT TO ROLE "VIEWSYNC";', expect.stringContaining('--on TARGET')],
  });
  expect(place.account.transactions).toEqual([]);
});
