import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { connectAccount, snowflake } from '../../../src/warehouses/snowflake/adapter.ts';
import { readOptions } from '../../../src/warehouses/snowflake/options.ts';
import { someone, temporaryFolder, temporaryRepository } from '../../support/repository.ts';
import { createAccount } from '../../support/snowflake/account.ts';
import { type SnowflakeServer, startSnowflake } from '../../support/snowflake/server.ts';
import { quick } from './place.ts';

const caller = { command: 'apply' };

async function start(): Promise<SnowflakeServer> {
  const server = await startSnowflake(createAccount({ PROD: ['SHOP'] }));
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** A home folder with these files in `.snowflake`, private as they have to be. */
function homeWith(files: Readonly<Record<string, string>>): string {
  const home = temporaryFolder();
  mkdirSync(join(home, '.snowflake'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, '.snowflake', name), text, { mode: 0o600 });
  return home;
}

test('signs in with a password, says who it is, and leaves neither a log file nor a line behind', async () => {
  const server = await start();
  const before = readdirSync('.');
  const warehouse = await connectAccount(server.options, {}, { caller, patience: quick });
  await warehouse.inspect({ schemas: ['*'] });
  await warehouse.close();
  expect(server.logins[0]).toMatchObject({
    LOGIN_NAME: 'service',
    CLIENT_ENVIRONMENT: { APPLICATION: 'viewsync' },
    SESSION_PARAMETERS: { QUERY_TAG: '{"tool":"viewsync","command":"apply"}' },
  });
  expect(readdirSync('.')).toEqual(before);
});

test('a refused sign-in names account and user, and no password', async () => {
  const server = await start();
  const refused = snowflake.connect({ ...server.options, password: 'wrong' }, {});
  await expect(refused).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    exitCode: 69,
    message: expect.stringMatching(/^Cannot connect as "service" on myaccount: Incorrect username/),
  });
  await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining('wrong') });
});

test('signs in with a key, a programmatic access token and an OAuth token', async () => {
  const server = await start();
  const { password: _, ...options } = server.options;
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'key.p8'), privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'token'), 'from a file\n', { mode: 0o600 });
  for (const more of [
    { 'private-key-file': join(folder, 'key.p8') },
    { authenticator: 'programmatic_access_token', 'token-file': join(folder, 'token') },
    { authenticator: 'oauth', token: 'given' },
  ])
    await (await snowflake.connect({ ...options, ...more }, {})).close();
  expect(server.logins.map(({ AUTHENTICATOR, TOKEN }) => [AUTHENTICATOR, String(TOKEN).replace(/^ey.*/s, 'signed')])).toEqual([
    ['SNOWFLAKE_JWT', 'signed'],
    ['PROGRAMMATIC_ACCESS_TOKEN', 'from a file'],
    ['OAUTH', 'given'],
  ]);
});

test('takes a connection from connections.toml, variables before it and viewsync.yaml before both', async () => {
  const HOME = homeWith({
    'connections.toml':
      '[default]\naccount = "a"\nuser = "default"\n[prod]\naccount = "b"\nuser = "ada"\nauthenticator = "oauth"\ntoken = "t"\nwarehouse = "small"\nrole = "reader"\n',
  });
  expect(await readOptions({}, { HOME }, caller)).toMatchObject({ account: 'a', username: 'default' });
  expect(await readOptions({ connection: 'prod', role: 'WRITER' }, { HOME, SNOWFLAKE_USER: 'bob' }, caller)).toMatchObject({
    ...{ account: 'b', username: 'bob', role: 'WRITER', warehouse: 'small', authenticator: 'OAUTH', token: 't' },
  });
  await expect(readOptions({ connection: 'nowhere' }, { HOME }, caller)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    suggestions: ['connection: default', 'connection: prod'],
  });
  await expect(readOptions({}, { HOME: temporaryFolder() }, caller)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('No Snowflake account is named'),
  });
});

test('a connections.toml that others may read, or that is none, is refused without a word of what it holds', async () => {
  const HOME = homeWith({ 'connections.toml': '[prod]\npassword = s3cr3t\n' });
  await expect(readOptions({}, { HOME }, caller)).rejects.toMatchObject({
    message: expect.stringMatching(/is no TOML: line 2, column \d+\. Nothing was done\.$/),
  });
  chmodSync(join(HOME, '.snowflake/connections.toml'), 0o644);
  await expect(readOptions({}, { HOME }, caller)).rejects.toMatchObject({ code: 'CONFIG_INVALID', suggestions: [expect.stringMatching(/^chmod 600 /)] });
});

test('in a GitHub workflow the identity of the job stands in for a password', async () => {
  const github = createServer((request, response) => response.end(JSON.stringify({ value: `${request.headers.authorization} ${request.url}` })));
  github.listen(0, '127.0.0.1');
  await once(github, 'listening');
  onTestFinished(() => void github.close());
  const environment = {
    HOME: temporaryFolder(),
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}/token?a=1`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x',
  };
  const options = await readOptions({ account: 'a', 'workload-identity-provider': 'OIDC' }, environment, caller);
  expect(options).toMatchObject({
    authenticator: 'WORKLOAD_IDENTITY',
    workloadIdentityProvider: 'OIDC',
    token: 'Bearer x /token?a=1&audience=snowflakecomputing.com',
  });
});

test('a secret in viewsync.yaml, and a key that is none, are told before anything is connected', () => {
  expect(snowflake.validateOptions({ account: 'a', password: '${SNOWFLAKE_PASSWORD}' })).toEqual([]);
  expect(snowflake.validateOptions({ password: 's3cr3t', acount: 'a' })).toEqual([
    { path: ['password'], message: expect.stringMatching(/^"password" would be committed with this file/) },
    { path: ['acount'], message: expect.stringContaining('is not an option of a snowflake target') },
  ]);
});

test('an answer that does not come ends by itself, and a cut-off one is not taken for the whole', async () => {
  const server = await start();
  const warehouse = await connectAccount(server.options, {}, { patience: { ...quick, deadlines: { statement: 200, retries: 100, interrupted: 100 } } });
  server.account.injections.push({ matches: /^SHOW ROLES/, times: 9, latency: 2000 });
  await expect(warehouse.inspect({ schemas: ['*'] })).rejects.toMatchObject({
    code: 'CONNECTION_LOST',
    message: expect.stringContaining('no answer within 0.2 s'),
  });
  await warehouse.close();
});

test('doctor names each missing right with the statement that grants it', async () => {
  const server = await start();
  server.run([
    'CREATE TABLE PROD.SHOP.T (ID NUMBER)',
    "CREATE VIEW PROD.SHOP.TAGGED WITH TAG (PROD.SHOP.X = '1') AS SELECT ID FROM T",
    'CREATE VIEW PROD.SHOP.ROWS WITH ROW ACCESS POLICY PROD.SHOP.P ON (ID) AS SELECT ID FROM T',
    'CREATE SECURE VIEW PROD.SHOP.HIDDEN AS SELECT ID FROM T',
    'GRANT OWNERSHIP ON VIEW PROD.SHOP.HIDDEN TO ROLE ACCOUNTADMIN COPY CURRENT GRANTS',
    'CREATE VIEW PROD.SHOP.THEIRS AS SELECT ID FROM T',
    'GRANT OWNERSHIP ON VIEW PROD.SHOP.THEIRS TO ROLE ACCOUNTADMIN COPY CURRENT GRANTS',
  ]);
  server.account.globalRights.clear();
  server.account.access.set('PROD.SHOP', 'USAGE');
  const warehouse = await connectAccount(server.options, {}, { patience: quick });
  const { clock, findings } = await warehouse.examine();
  await warehouse.close();
  expect(Math.abs(clock.getTime() - Date.now())).toBeLessThan(60_000);
  expect(findings.map(({ suggestions }) => suggestions[0])).toEqual([
    'GRANT APPLY MASKING POLICY ON ACCOUNT TO ROLE "VIEWSYNC";',
    'GRANT APPLY ROW ACCESS POLICY ON ACCOUNT TO ROLE "VIEWSYNC";',
    'GRANT APPLY TAG ON ACCOUNT TO ROLE "VIEWSYNC";',
    'GRANT OWNERSHIP ON VIEW "PROD"."SHOP"."HIDDEN" TO ROLE ... COPY CURRENT GRANTS;   (a role that VIEWSYNC is a member of)',
    'GRANT ROLE "ACCOUNTADMIN" TO ROLE "VIEWSYNC";',
    'GRANT CREATE VIEW ON SCHEMA "PROD"."SHOP" TO ROLE "VIEWSYNC";',
    'GRANT CREATE DATABASE ON ACCOUNT TO ROLE "VIEWSYNC";',
  ]);
  // What a role has that ours is a member of, through another one, counts.
  server.account.roles.set('MIDDLE', new Set(['ACCOUNTADMIN']));
  server.account.roles.get('VIEWSYNC')?.add('MIDDLE');
  const all = ['APPLY MASKING POLICY', 'APPLY ROW ACCESS POLICY', 'APPLY TAG', 'CREATE DATABASE'];
  server.account.globalRights.set('ACCOUNTADMIN', new Set(all));
  server.account.access.set('PROD.SHOP', 'CREATE VIEW');
  const again = await connectAccount(server.options, {}, { patience: quick });
  expect((await again.examine()).findings).toEqual([]);
  await again.close();
});

/** Runs a built program in a folder with a repository whose target is the account. */
async function runProgram(program: string, server: SnowflakeServer, args: readonly string[]) {
  const directory = temporaryRepository();
  writeFileSync(
    join(directory, 'viewsync.yaml'),
    'targets:\n  prod:\n    warehouse: snowflake\n    account: a\n    host: 127.0.0.1\n    port: ${PORT}\n    protocol: http\n    user: u\n    password: ${PASSWORD}\n',
  );
  const child = spawn(process.execPath, [program, ...args], {
    cwd: directory,
    env: { ...someone, PORT: String(server.port), PASSWORD: 'secret' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[code], stdout, stderr] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr, files: readdirSync(directory) };
}

const root = fileURLToPath(new URL('../../..', import.meta.url));

test('the driver writes nothing to stdout, to stderr, or into the folder', async () => {
  const ended = await runProgram(join(root, 'bin/run.js'), await start(), ['status', '--json']);
  expect([ended.code, ended.stderr, ended.files.sort()]).toEqual([0, '', ['.git', 'viewsync.yaml']]);
  expect(JSON.parse(ended.stdout)).toMatchObject({ server: 'Snowflake 9.30.1' });
});

test('a driver that is not installed is told with the command that installs it', async () => {
  const folder = temporaryFolder();
  for (const part of ['bin', 'dist', 'package.json', 'oclif.manifest.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
  const { code, stderr } = await runProgram(join(folder, 'bin/run.js'), await start(), ['export']);
  expect([code, stderr]).toEqual([69, expect.stringMatching(/DRIVER_MISSING.*npm install snowflake-sdk/s)]);
});
