import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { redshift } from '../../../src/warehouses/redshift/adapter.ts';
import { type SimulatedRedshift, startRedshift } from '../../support/redshift/server.ts';

let server: SimulatedRedshift;
let port = 0;

/** What AWS was asked, as an action or a target with the content. */
const asked: string[] = [];
let isDenied = false;

// https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeClusters.html and API_GetClusterCredentials.html
function answerXml(action: string): string {
  const content =
    action === 'DescribeClusters'
      ? `<Clusters><Cluster><Endpoint><Address>127.0.0.1</Address><Port>${port}</Port></Endpoint></Cluster></Clusters>`
      : `<DbUser>postgres</DbUser><DbPassword>temporary-secret</DbPassword><Expiration>2030-01-01T00:00:00Z</Expiration>`;
  return `<${action}Response xmlns="http://redshift.amazonaws.com/doc/2012-12-01/"><${action}Result>${content}</${action}Result></${action}Response>`;
}

// https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html
function answerJson(target: string): object {
  if (target.endsWith('GetWorkgroup')) return { workgroup: { endpoint: { address: '127.0.0.1', port } } };
  return { dbUser: 'postgres', dbPassword: 'temporary-secret', expiration: 1_900_000_000 };
}

const denied =
  '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:x is not authorized to perform it</Message></Error></ErrorResponse>';

const aws = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk));
  request.on('end', () => {
    const target = String(request.headers['x-amz-target'] ?? '');
    asked.push(target === '' ? body.replace(/&Version=[^&]*/, '') : `${target} ${body}`);
    if (isDenied) response.writeHead(403, { 'content-type': 'text/xml' }).end(denied);
    else if (target !== '') response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answerJson(target)));
    else response.writeHead(200, { 'content-type': 'text/xml' }).end(answerXml(new URLSearchParams(body).get('Action') ?? ''));
  });
});

beforeAll(async () => {
  server = await startRedshift();
  port = Number(new URL(server.url).port);
  await new Promise<void>((resolve) => aws.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(aws.address() as AddressInfo).port}`;
  const environment = { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-1', AWS_MAX_ATTEMPTS: '1' };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => aws.close(resolve));
  await server[Symbol.asyncDispose]();
});
afterEach(() => {
  asked.length = 0;
  isDenied = false;
});

const url = () => `postgresql://127.0.0.1:${port}/${server.database.name}?sslmode=disable`;

async function roleOf(options: Record<string, unknown>): Promise<string> {
  const warehouse = await redshift.connect(options, {});
  try {
    return (await warehouse.inspect({ schemas: ['*'] })).session.role;
  } finally {
    await warehouse.close();
  }
}

test('credentials of a cluster come from AWS for whoever we are there, and the database from the url', async () => {
  expect(await roleOf({ url: url(), iam: { cluster: 'shop' } })).toBe('postgres');
  expect(asked).toEqual([
    'Action=DescribeClusters&ClusterIdentifier=shop',
    `Action=GetClusterCredentialsWithIAM&DbName=${server.database.name}&ClusterIdentifier=shop&DurationSeconds=900`,
  ]);
});

test('a database user of a cluster is not made when it does not exist', async () => {
  expect(await roleOf({ url: url(), iam: { cluster: 'shop', user: 'backup' } })).toBe('postgres');
  expect(asked[1]).toContain('Action=GetClusterCredentials&');
  expect(asked[1]).toContain('DbUser=backup');
  expect(asked[1]).toContain('AutoCreate=false');
});

test('a workgroup gives credentials too', async () => {
  expect(await roleOf({ url: url(), iam: { workgroup: 'shop' } })).toBe('postgres');
  expect(asked.map((question) => question.split(' ')[0])).toEqual(['RedshiftServerless.GetWorkgroup', 'RedshiftServerless.GetCredentials']);
});

test('where the url names no host AWS does, and then only TLS will do', async () => {
  const refused = redshift.connect({ url: `postgresql:///${server.database.name}`, iam: { workgroup: 'shop' } }, { PGHOST: '' });
  await expect(refused).rejects.toMatchObject({ code: 'CONNECTION_FAILED', message: expect.stringMatching(/127\.0\.0\.1.*TLS|SSL/s) });
});

test('what AWS refuses is said in its words, with the actions that the policy needs', async () => {
  isDenied = true;
  await expect(redshift.connect({ url: url(), iam: { cluster: 'shop' } }, {})).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: expect.stringContaining('AWS gives no credentials for the cluster "shop": User: arn:x is not authorized'),
    suggestions: ['aws sts get-caller-identity shows as whom you are known to AWS.', expect.stringContaining('redshift:DescribeClusters')],
  });
});

test('no error holds the temporary password', async () => {
  const lost = redshift.connect({ url: `postgresql://127.0.0.1:1/x?sslmode=disable`, iam: { cluster: 'shop' } }, {});
  const error: unknown = await lost.catch((reason: unknown) => reason);
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('temporary-secret');
  expect(error).toMatchObject({ code: 'CONNECTION_FAILED' });
});

test('a package of AWS that is not installed is named with the command that installs it', async () => {
  vi.doMock('@aws-sdk/client-redshift-serverless', () => {
    throw new Error("Cannot find package '@aws-sdk/client-redshift-serverless'");
  });
  await expect(redshift.connect({ url: url(), iam: { workgroup: 'shop' } }, {})).rejects.toMatchObject({
    code: 'CONNECTION_FAILED',
    message: 'Temporary credentials need the package "@aws-sdk/client-redshift-serverless", which is not installed. Nothing was done.',
    suggestions: ['npm install @aws-sdk/client-redshift-serverless'],
  });
  vi.doUnmock('@aws-sdk/client-redshift-serverless');
});
