import { describe, expect, onTestFinished, test } from 'vitest';
import { type Connection, type Deadlines, openConnection } from '../../../src/warehouses/snowflake/connection.ts';
import { readOptions } from '../../../src/warehouses/snowflake/options.ts';
import { type Account, createAccount, findRelation, type Injection } from '../../support/snowflake/account.ts';
import { type SnowflakeServer, startSnowflake } from '../../support/snowflake/server.ts';
import { openSnowflake } from './place.ts';

const shop = ['CREATE TABLE PROD.SHOP.T (ID NUMBER)', ...['OLD', 'OTHER'].map((name) => `CREATE VIEW PROD.SHOP.${name} AS SELECT ID FROM PROD.SHOP.T`)];

const deadlines: Deadlines = { statement: 20_000, retries: 10_000, interrupted: 300 };

async function connect(
  more: Partial<Deadlines> = {},
): Promise<{ readonly server: SnowflakeServer; readonly account: Account; readonly connection: Connection }> {
  const account = createAccount({ PROD: ['SHOP'] }, ['READER']);
  const server = await startSnowflake(account);
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.run(shop);
  const options = await readOptions(server.options, {}, { command: 'apply' });
  const connection = await openConnection(options, { ...deadlines, ...more });
  onTestFinished(() => connection.close());
  return { server, account, connection };
}

const create = 'CREATE VIEW PROD.SHOP.NEW AS SELECT ID FROM PROD.SHOP.T';

/** Sends a statement into a fault and tells how it ended and how often it was carried out. */
async function send(sql: string, fault: Omit<Injection, 'matches' | 'times'>, { times = 1, repeats = false } = {}) {
  const { account, connection } = await connect();
  account.repeatsRequests = repeats;
  account.injections.push({ matches: new RegExp(`^${sql.slice(0, 20).replaceAll(/[.()]/g, '\\$&')}`), times, ...fault });
  const ending = await connection.query(sql, { repeat: 'harmful' }).then(
    () => 'done',
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  );
  return [ending, account.carriedOut.filter((each) => each === sql).length];
}

const statements = [
  create,
  'CREATE OR REPLACE VIEW PROD.SHOP.OLD COPY GRANTS AS SELECT 1 AS ID',
  'GRANT SELECT ON VIEW PROD.SHOP.OLD TO ROLE READER',
  'DROP VIEW PROD.SHOP.OTHER',
  "ALTER VIEW PROD.SHOP.OLD SET COMMENT = 'x'",
  'COMMIT',
];

test('a statement whose answer is lost is carried out once, whatever it is', async () => {
  expect(await Promise.all(statements.map((sql) => send(sql, { swallow: true })))).toEqual(statements.map(() => ['done', 1]));
});

test('one that never arrived, that was put off by HTTP, or that runs for long is carried out once', async () => {
  const faults: readonly Omit<Injection, 'matches' | 'times'>[] = [
    { refuseConnection: true },
    { http: { status: 503, retryAfter: 1 } },
    { http: { status: 429, retryAfter: 1 } },
    { inProgress: 3 },
    { ends: 'token' },
    { ends: 'session' },
  ];
  expect(await Promise.all(faults.map((fault) => send(create, fault)))).toEqual(faults.map(() => ['done', 1]));
});

test('what passes is tried again, and what does not is told at once', async () => {
  const refuse = (code: string) => send(create, { error: { code, sqlState: '57014', message: `refused with ${code}` } });
  const passing = ['000625', '000603', '300002', '390189'];
  expect(await Promise.all(passing.map(refuse))).toEqual(passing.map(() => ['done', 1]));
  const lasting = ['003001', '002003', '001003', '000630'];
  expect(await Promise.all(lasting.map(refuse))).toEqual(lasting.map((code) => [`${code}: refused with ${code}`, 0]));
});

describe('where the server does not know a request again', () => {
  test('a statement is still carried out once, and what comes is a refusal', async () => {
    const refused = expect.stringMatching(/already exists|does not exist/);
    expect(await Promise.all([create, 'DROP VIEW PROD.SHOP.OTHER'].map((sql) => send(sql, { swallow: true }, { repeats: true })))).toEqual([
      [refused, 1],
      [refused, 1],
    ]);
  });

  test('what is refused behind an answer that we gave up on is told as open, and not as refused', async () => {
    const { account, connection } = await connect({ statement: 400 });
    account.repeatsRequests = true;
    account.injections.push({ matches: /^CREATE/, times: 1, swallow: true });
    const lost = { code: 'CONNECTION_LOST', message: expect.stringMatching(/no answer within 0\.4 s; asked again, it said: .*already exists/) };
    await expect(connection.query(create, { repeat: 'harmful' })).rejects.toMatchObject(lost);
  });

  test('an apply puts back what it surely did, leaves what somebody may just have made, and ends its run', async () => {
    const place = await openSnowflake(shop);
    await place.export();
    place.server.run(['DROP VIEW PROD.SHOP.OLD', 'DROP VIEW PROD.SHOP.OTHER']);
    place.account.repeatsRequests = true;
    place.account.injections.push({ matches: /^CREATE VIEW "PROD"."SHOP"."OTHER"/, times: 1, swallow: true });
    await expect(place.apply('HEAD')).rejects.toMatchObject({ code: 'STEP_FAILED', exitCode: 2 });
    const isThere = (name: string) => findRelation(place.account, ['PROD', 'SHOP', name]) !== undefined;
    expect([isThere('OLD'), isThere('OTHER'), (await place.status()).run]).toEqual([false, true, undefined]);
    await place.apply('HEAD');
    expect([isThere('OLD'), isThere('OTHER')]).toEqual([true, true]);
  });
});

test('in a new session the place is the one that was chosen before', async () => {
  const { account, connection } = await connect();
  await connection.query('USE SCHEMA "PROD"."SHOP"');
  account.injections.push({ matches: /^CREATE/, times: 1, ends: 'session' });
  await connection.query('CREATE VIEW HERE AS SELECT ID FROM T');
  expect(findRelation(account, ['PROD', 'SHOP', 'HERE'])).toBeDefined();
});

describe('the end of patience', () => {
  const locked = { code: '000625', sqlState: '57014', message: 'locked' };

  test('the deadline raises what was said last', async () => {
    const { account, connection } = await connect({ retries: 200 });
    account.injections.push({ matches: /^CREATE/, times: Number.POSITIVE_INFINITY, error: locked });
    await expect(connection.query(create)).rejects.toMatchObject({ code: '000625' });
  });

  test('Ctrl-C ends the wait between two attempts at once, and soon the wait for an answer', async () => {
    const { account, connection } = await connect({ retries: 60_000 });
    account.injections.push({ matches: /^CREATE/, times: Number.POSITIVE_INFINITY, error: locked });
    account.injections.push({ matches: /^DROP/, times: Number.POSITIVE_INFINITY, refuseConnection: true });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 400);
    const from = performance.now();
    const { signal } = controller;
    const ends = ['CREATE VIEW PROD.SHOP.NEW AS SELECT 1 AS ONE', 'DROP VIEW PROD.SHOP.OLD'].map((sql) => connection.query(sql, { repeat: 'harmful', signal }));
    expect(await Promise.allSettled(ends)).toMatchObject([
      { reason: { code: '000625' } },
      { reason: { code: 'CONNECTION_LOST', message: expect.stringContaining('no answer within 0.3 s of the interruption') } },
    ]);
    expect(performance.now() - from).toBeLessThan(10_000);
  });
});
