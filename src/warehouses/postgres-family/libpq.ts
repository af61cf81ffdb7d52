import { readFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parse } from 'pg-connection-string';
import { ViewsyncError } from '../../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Connection parameters by libpq's names, as libpq finds them: the url, then the service file, then environment variables. */
export type Parameters = Readonly<Record<string, string | undefined>>;

// https://www.postgresql.org/docs/current/libpq-envars.html
const variables: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  service: 'PGSERVICE',
  servicefile: 'PGSERVICEFILE',
  options: 'PGOPTIONS',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  sslmode: 'PGSSLMODE',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslcrl: 'PGSSLCRL',
  sslcrldir: 'PGSSLCRLDIR',
  require_auth: 'PGREQUIREAUTH',
  channel_binding: 'PGCHANNELBINDING',
  requirepeer: 'PGREQUIREPEER',
  hostaddr: 'PGHOSTADDR',
};

const harmless = new Set([
  ...['application_name', 'fallback_application_name', 'client_encoding', 'gssencmode', 'krbsrvname', 'gsslib', 'gssdelegation', 'sslsni', 'sslcompression'],
  ...['keepalives', 'keepalives_idle', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout', 'target_session_attrs', 'load_balance_hosts'],
]);

// The driver cannot do what these ask for. To go on without it would be less safe than what was asked for.
const unsupported = ['sslcrl', 'sslcrldir', 'require_auth', 'channel_binding', 'requirepeer', 'hostaddr'];

/** All parameters, of which only `host` may be missing. `CONFIG_INVALID` for what libpq would not take either, or what cannot be honoured. */
export async function readParameters(url: string | undefined, environment: Environment, defaultPort = '5432'): Promise<Parameters> {
  const fromUrl = url === undefined ? {} : parseUrl(url);
  const fromEnvironment = Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, environment[variable] || undefined]));
  const fromService = await readService({ ...fromEnvironment, ...fromUrl }, environment);
  const all: Parameters = { ...fromEnvironment, ...fromService, ...fromUrl };
  for (const name of unsupported) if (all[name] !== undefined && all[name] !== 'prefer') throw invalid(`The connection parameter "${name}" is not supported.`);
  const user = all['user'] ?? userInfo().username;
  return { ...all, user, dbname: all['dbname'] ?? user, port: all['port'] ?? defaultPort };
}

function parseUrl(url: string): Parameters {
  if (!/^postgres(?:ql)?:\/\//.test(url)) throw invalid('`url` must start with "postgresql://".');
  const [address = '', query = ''] = url.split(/\?(.*)/s);
  const given = Object.fromEntries(new URLSearchParams(query));
  for (const name of Object.keys(given)) {
    if (variables[name] === undefined && !harmless.has(name)) throw invalid(`\`url\` has the unknown parameter "${name}".`);
  }
  const { host, port, user, password, database } = parseAddress(address);
  const located = { host, port, user, password, dbname: database };
  const entries = Object.entries({ ...located, ...given }).map(([name, value]) => [name, given[name] || value || undefined] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function parseAddress(address: string): ReturnType<typeof parse> {
  try {
    return parse(address);
  } catch {
    throw invalid('`url` cannot be read: a password in it must be percent-encoded, and only one host is supported.');
  }
}

/** https://www.postgresql.org/docs/current/libpq-pgservice.html */
async function readService(parameters: Parameters, environment: Environment): Promise<Parameters> {
  const { service } = parameters;
  if (service === undefined) return {};
  const ownFile = parameters['servicefile'] ?? join(homeOf(environment), '.pg_service.conf');
  const files = [ownFile, ...(environment['PGSYSCONFDIR'] === undefined ? [] : [join(environment['PGSYSCONFDIR'], 'pg_service.conf')])];
  for (const file of files) {
    const found = parseService(await readFile(file, 'utf8').catch(() => ''), service);
    if (found !== undefined) return found;
  }
  throw invalid(`The service "${service}" stands in none of the files ${files.map((file) => `"${file}"`).join(', ')}.`);
}

function parseService(text: string, service: string): Parameters | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const start = lines.indexOf(`[${service}]`);
  if (start === -1) return undefined;
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.startsWith('['));
  const own = rest.slice(0, end === -1 ? undefined : end).filter((line) => line.includes('=') && !line.startsWith('#'));
  return Object.fromEntries(own.map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]));
}

/** The home directory, where libpq's files are. */
export function homeOf(environment: Environment): string {
  return environment['HOME'] ?? homedir();
}

export function invalid(problem: string): ViewsyncError {
  return new ViewsyncError('CONFIG_INVALID', {
    message: `${problem} Nothing was done.`,
    suggestions: ['Change `url` of the target in viewsync.yaml, or the environment variable that it names.'],
  });
}
