import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { type Environment, homeOf, invalid, type Parameters } from './libpq.ts';

/** One way to open the connection; libpq tries them in order. */
export type Attempt = { readonly tls: false } | { readonly tls: ConnectionOptions };

export const tlsModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof tlsModes)[number];

/** The mode that libpq would use. `sslrootcert=system` makes `verify-full` the default and allows no weaker one. */
export function readTlsMode(parameters: Parameters): TlsMode {
  const isSystem = parameters['sslrootcert'] === 'system';
  const mode = parameters['sslmode'] ?? (isSystem ? 'verify-full' : 'prefer');
  const known = tlsModes.find((each) => each === mode);
  if (known === undefined) throw invalid(`"${mode}" is no sslmode; known are ${tlsModes.join(', ')}.`);
  if (isSystem && known !== 'verify-full') throw invalid(`With sslrootcert=system the weak sslmode "${known}" may not be used (use verify-full).`);
  return known;
}

/**
 * What to try, in order. A root certificate that is there is always checked against, also under `require`; sockets never use TLS.
 * https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export async function listAttempts(parameters: Parameters, environment: Environment): Promise<readonly Attempt[]> {
  const mode = readTlsMode(parameters);
  if (mode === 'disable' || parameters['host']?.startsWith('/')) return [{ tls: false }];
  const encrypted = { tls: await readTlsOptions(mode, parameters, environment) };
  if (mode === 'allow') return [{ tls: false }, encrypted];
  return mode === 'prefer' ? [encrypted, { tls: false }] : [encrypted];
}

async function readTlsOptions(mode: TlsMode, parameters: Parameters, environment: Environment): Promise<ConnectionOptions> {
  const own = await readOwnCertificate(parameters, environment);
  if (parameters['sslrootcert'] === 'system') return { ...own, rejectUnauthorized: true };
  const file = parameters['sslrootcert'] ?? join(homeOf(environment), '.postgresql', 'root.crt');
  const ca = await readFile(file, 'utf8').catch(() => undefined);
  if (ca === undefined && mode.startsWith('verify-')) {
    throw invalid(`The root certificate "${file}" cannot be read, and sslmode=${mode} needs it: give its path as sslrootcert, or "system" for the system's.`);
  }
  if (ca === undefined) return { ...own, rejectUnauthorized: false };
  return mode === 'verify-full' ? { ...own, ca, rejectUnauthorized: true } : { ...own, ca, rejectUnauthorized: true, checkServerIdentity: () => undefined };
}

async function readOwnCertificate(parameters: Parameters, environment: Environment): Promise<ConnectionOptions> {
  const folder = join(homeOf(environment), '.postgresql');
  const [cert, key] = await Promise.all([
    readNamed(parameters['sslcert'], join(folder, 'postgresql.crt')),
    readNamed(parameters['sslkey'], join(folder, 'postgresql.key')),
  ]);
  return cert === undefined || key === undefined ? {} : { cert, key };
}

async function readNamed(named: string | undefined, standard: string): Promise<string | undefined> {
  return readFile(named ?? standard, 'utf8').catch(() => {
    if (named === undefined) return undefined;
    throw invalid(`The file "${named}" cannot be read.`);
  });
}
