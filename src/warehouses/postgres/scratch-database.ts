import type { Connection } from '../postgres-family/connection.ts';
import { quoteIdentifier, quoteText } from './names.ts';

/** The server on which a scratch database is made, as its database for the views has it. */
export interface Host {
  readonly role: string;
  readonly isStandby: boolean;
  readonly mayCreate: boolean;
  readonly pid: number;
  /** When our session there began, in seconds; with `pid` it tells it from every other. */
  readonly since: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `c`, `i` or `b`. */
  readonly provider: string;
  readonly locale: string | null;
}

const prefix = 'viewsync_drill_';

// What tells the locale has other names from version to version, and `to_jsonb` takes a row as it is.
const hostQuery = `
SELECT current_user::text AS role, pg_is_in_recovery() AS "isStandby", (r.rolsuper OR r.rolcreatedb) AND NOT pg_is_in_recovery() AS "mayCreate",
       a.pid, trunc(extract(epoch FROM a.backend_start))::text AS since, pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS collate,
       d.datctype::text AS ctype, coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale
FROM pg_database d, pg_roles r, pg_stat_activity a
WHERE d.datname = current_database() AND r.rolname = current_user AND a.pid = pg_backend_pid()`;

export async function readHost(connection: Connection): Promise<Host> {
  const [row] = await connection.query<Host>(hostQuery);
  return row as Host;
}

/** The session that holds a scratch database stands in its name, so that nobody takes it for a leftover before somebody is connected to it. */
export function nameScratch({ pid, since }: Host, random: string): string {
  return `${prefix}${pid}_${since}_${random}`;
}

function localeSql({ provider, locale }: Host): string {
  if (locale === null || provider === 'c') return '';
  return provider === 'i' ? ` LOCALE_PROVIDER = icu ICU_LOCALE = ${quoteText(locale)}` : ` LOCALE_PROVIDER = builtin BUILTIN_LOCALE = ${quoteText(locale)}`;
}

/** Text sorts and folds there as it does in the database of the views. */
export function createDatabaseSql(name: string, host: Host): string {
  const text = `ENCODING = ${quoteText(host.encoding)} LC_COLLATE = ${quoteText(host.collate)} LC_CTYPE = ${quoteText(host.ctype)}`;
  return `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE = template0 ${text}${localeSql(host)}`;
}

const leftoversQuery = `
SELECT d.datname::text AS name FROM pg_database d
WHERE d.datname ~ '^${prefix}[0-9]+_[0-9]+_[0-9a-f]+$' AND pg_has_role(d.datdba, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid::text = split_part(d.datname, '_', 3)
    AND coalesce(trunc(extract(epoch FROM a.backend_start))::text, '') IN ('', split_part(d.datname, '_', 4)))`;

/** Scratch databases that nobody uses any more, of drills that were killed. */
export async function findLeftovers(connection: Connection): Promise<readonly string[]> {
  return (await connection.query<{ name: string }>(leftoversQuery)).map(({ name }) => name);
}
