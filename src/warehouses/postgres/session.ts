import { findComparisonPath } from './comparison-path.ts';

/**
 * What a transaction of ours always sets, so that neither ALTER ROLE … SET nor a pooler's session changes what the server prints or makes.
 * https://www.postgresql.org/docs/current/runtime-config-client.html
 */
const settings: Readonly<Record<string, string>> = {
  search_path: '',
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  quote_all_identifiers: 'off',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  transform_null_equals: 'off',
  array_nulls: 'on',
  xmloption: 'content',
  extra_float_digits: '3',
  lc_monetary: 'C',
  default_tablespace: '',
  default_table_access_method: 'heap',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  client_min_messages: 'error',
};

// Version 17 brought this one.
const withoutTimeout = "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'";

const pinned = [...Object.entries(settings).map(([name, value]) => `SET LOCAL ${name} = '${value}'`), withoutTimeout].join('; ');

/** The names of what is pinned. */
export const pinnedSettings: readonly string[] = [...Object.keys(settings), 'transaction_timeout'];

/** Pins it again inside an open transaction that writes. */
export const pin = `${pinned}; ${findComparisonPath}`;

/** Every name qualified and nothing locked for long: one consistent look at the catalogs. */
export const beginReading = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${pinned}`;

/**
 * Each statement sees what is committed before it starts; the way in which steps run. A routine whose body is text may name what comes back
 * after it, so bodies are not checked, as in what pg_dump writes.
 */
export const beginWriting = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${pin}; SET LOCAL check_function_bodies = 'off'`;
