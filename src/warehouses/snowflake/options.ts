import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'snowflake-sdk';
import { ViewsyncError } from '../../errors.ts';
import type { Adapter, Caller } from '../warehouse.ts';
import { requestGithubToken } from './github-token.ts';
import { type Environment, readSettings, type Settings } from './settings.ts';

/** Keys of a target in `viewsync.yaml`, and what Snowflake's own tools call the same. `warehouse` is the kind of warehouse there already. */
const keys: Readonly<Record<string, string>> = {
  connection: 'connection',
  account: 'account',
  host: 'host',
  port: 'port',
  protocol: 'protocol',
  user: 'user',
  role: 'role',
  'virtual-warehouse': 'warehouse',
  authenticator: 'authenticator',
  password: 'password',
  token: 'token',
  'token-file': 'token_file_path',
  'private-key-file': 'private_key_path',
  'private-key': 'private_key',
  'private-key-passphrase': 'private_key_passphrase',
  'workload-identity-provider': 'workload_identity_provider',
};

const secrets: readonly string[] = ['password', 'token', 'private-key', 'private-key-passphrase'];

function validateOption(key: string, value: unknown): ReturnType<Adapter['validateOptions']> {
  if (keys[key] === undefined)
    return [{ path: [key], message: `"${key}" is not an option of a snowflake target. Options are: ${Object.keys(keys).join(', ')}.` }];
  if (typeof value !== 'string' && typeof value !== 'number') return [{ path: [key], message: `"${key}" must be text.` }];
  if (secrets.includes(key) && !/^\$\{\w+\}$/.test(String(value)))
    return [{ path: [key], message: `"${key}" would be committed with this file: write \${VARIABLE} and put it into the environment.` }];
  return [];
}

export const validateOptions: Adapter['validateOptions'] = (options) => Object.entries(options).flatMap(([key, value]) => validateOption(key, value));

function toSettings(options: Readonly<Record<string, unknown>>): Settings {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [keys[key] ?? key, String(value)]));
}

/** https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-options; settings are named as in Snowflake's other tools. */
const driverNames: Readonly<Record<string, string>> = {
  account: 'account',
  host: 'host',
  user: 'username',
  username: 'username',
  password: 'password',
  role: 'role',
  warehouse: 'warehouse',
  token: 'token',
  token_file_path: 'tokenFilePath',
  private_key: 'privateKey',
  private_key_path: 'privateKeyPath',
  private_key_file: 'privateKeyPath',
  private_key_passphrase: 'privateKeyPass',
  private_key_file_pwd: 'privateKeyPass',
  passcode: 'passcode',
  oauth_client_id: 'oauthClientId',
  oauth_client_secret: 'oauthClientSecret',
  oauth_authorization_url: 'oauthAuthorizationUrl',
  oauth_token_request_url: 'oauthTokenRequestUrl',
  oauth_scope: 'oauthScope',
  workload_identity_provider: 'workloadIdentityProvider',
};

function inferAuthenticator({ authenticator, private_key, private_key_path, private_key_file, workload_identity_provider }: Settings): string | undefined {
  if (authenticator !== undefined) return authenticator.startsWith('http') ? authenticator : authenticator.toUpperCase();
  if ((private_key ?? private_key_path ?? private_key_file) !== undefined) return 'SNOWFLAKE_JWT';
  return workload_identity_provider === undefined ? undefined : 'WORKLOAD_IDENTITY';
}

/** The token that stands in for a password, from a file or, in a GitHub workflow, from GitHub. */
async function readToken(settings: Settings, authenticator: string | undefined, environment: Environment): Promise<Settings> {
  const { token, token_file_path: file } = settings;
  if (token !== undefined) return {};
  if (file !== undefined && authenticator !== 'WORKLOAD_IDENTITY') return { token: (await readFile(file, 'utf8')).trim() };
  if (authenticator !== 'WORKLOAD_IDENTITY' || settings['workload_identity_provider']?.toUpperCase() !== 'OIDC' || file !== undefined) return {};
  return requestGithubToken(environment);
}

function requireAccount(settings: Settings): void {
  if (settings['account'] !== undefined) return;
  throw new ViewsyncError('CONFIG_INVALID', {
    message:
      'No Snowflake account is named: neither in viewsync.yaml, nor in SNOWFLAKE_ACCOUNT, nor in a connection of ~/.snowflake/connections.toml. Nothing was done.',
    suggestions: ['account: myorg-myaccount', 'connection: NAME'],
  });
}

function accessUrl({ host, port, protocol = 'https' }: Settings): { readonly accessUrl?: string } {
  return host === undefined || port === undefined ? {} : { accessUrl: `${protocol}://${host}:${port}` };
}

const requestTimeout = 90_000;

/** The driver's options for a target, its keys and the user's own settings put together. `CONFIG_INVALID` names what is missing. */
export async function readOptions(options: Readonly<Record<string, unknown>>, environment: Environment, { command }: Caller): Promise<ConnectionOptions> {
  const settings = await readSettings(toSettings(options), environment);
  requireAccount(settings);
  const authenticator = inferAuthenticator(settings);
  const all: Settings = { ...settings, ...(await readToken(settings, authenticator, environment)) };
  const named = Object.entries(all).flatMap(([key, value]) => (driverNames[key] === undefined ? [] : [[driverNames[key], value] as const]));
  return {
    ...(Object.fromEntries(named) as unknown as ConnectionOptions),
    ...(authenticator === undefined ? {} : { authenticator }),
    ...accessUrl(settings),
    application: 'viewsync',
    queryTag: JSON.stringify({ tool: 'viewsync', command }),
    timeout: requestTimeout,
    clientSessionKeepAlive: true,
  };
}
