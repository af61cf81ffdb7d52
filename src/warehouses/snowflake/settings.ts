import { readFile, stat } from 'node:fs/promises';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { ViewsyncError } from '../../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of a connection under the names that Snowflake's own tools give them, in lower case with `_`. */
export type Settings = Readonly<Record<string, string>>;

/** https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections */
function folderOf(environment: Environment): string {
  return environment['SNOWFLAKE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.snowflake');
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

async function requirePrivate(path: string): Promise<void> {
  if (platform() === 'win32') return;
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  throw new ViewsyncError('CONFIG_INVALID', {
    message: `"${path}" holds credentials and others may read it. Nothing was done.`,
    suggestions: [`chmod 600 '${path}'`],
  });
}

type Table = Readonly<Record<string, unknown>>;

function asTable(value: unknown): Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : {};
}

async function readToml(path: string): Promise<Table | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  await requirePrivate(path);
  const { parse, TomlError } = await import('smol-toml');
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The message of the parser quotes the line, which may hold a password.
    throw new ViewsyncError('CONFIG_INVALID', { message: `"${path}" is no TOML: line ${error.line}, column ${error.column}. Nothing was done.` });
  }
}

function asSettings(table: Table): Settings {
  const entries = Object.entries(table).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return Object.fromEntries(entries.map(([key, value]) => [key.toLowerCase(), String(value)]));
}

/** A named connection of `connections.toml`, or of the table `connections` in `config.toml`. */
async function readConnection(name: string, environment: Environment, isAskedFor: boolean): Promise<Settings> {
  const folder = folderOf(environment);
  const own = await readToml(join(folder, 'connections.toml'));
  const tables = own ?? asTable((await readToml(join(folder, 'config.toml')))?.['connections']);
  if (tables[name] !== undefined) return asSettings(asTable(tables[name]));
  if (!isAskedFor) return {};
  throw new ViewsyncError('CONFIG_INVALID', {
    message: `There is no connection "${name}" in "${join(folder, 'connections.toml')}". Nothing was done.`,
    suggestions: Object.keys(tables).map((known) => `connection: ${known}`),
  });
}

const variables: readonly string[] = [
  ...['account', 'user', 'password', 'role', 'warehouse', 'host', 'port', 'protocol', 'authenticator', 'token', 'token_file_path'],
  ...['private_key_path', 'private_key_file', 'private_key_file_pwd', 'private_key_passphrase', 'workload_identity_provider'],
];

function readVariables(environment: Environment): Settings {
  const found = variables.flatMap((name) => {
    const value = environment[`SNOWFLAKE_${name.toUpperCase()}`];
    return value ? [[name, value] as const] : [];
  });
  return Object.fromEntries(found);
}

/** What `viewsync.yaml` says, then `SNOWFLAKE_*` variables, then the named or default connection of the user's own files. */
export async function readSettings(own: Settings, environment: Environment): Promise<Settings> {
  const { connection, ...rest } = own;
  const name = connection ?? environment['SNOWFLAKE_DEFAULT_CONNECTION_NAME'] ?? 'default';
  return { ...(await readConnection(name, environment, connection !== undefined)), ...readVariables(environment), ...rest };
}
