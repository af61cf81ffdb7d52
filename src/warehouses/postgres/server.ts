import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';

/** What never changes while we are connected. */
export interface ServerFacts {
  /** Major version. */
  readonly version: number;
  /** What tells this database from any other, as `target.json` holds it. */
  readonly identity: Readonly<Record<string, string>>;
  /** Whether it is a standby, on which nothing can be created. */
  readonly isStandby: boolean;
}

const oldest = 13;

// Between two questions lie git, a plan, and a person who is asked. Version 14 brought this setting; where a pooler's session has none, it is left alone.
const stayConnected = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout' AND setting <> '0'";

/** Asks the server what it is. `CONNECTION_FAILED` for one that is too old or only resembles PostgreSQL. */
export async function readServer(connection: Connection): Promise<ServerFacts> {
  const version = await readVersion(connection);
  await connection.query(stayConnected);
  const [row] = await connection.query<{ standby: boolean; identifiable: boolean; database: string; oid: string }>(
    `SELECT pg_is_in_recovery() AS standby, has_function_privilege('pg_control_system()', 'EXECUTE') AS identifiable, datname::text AS database, oid::text
     FROM pg_database WHERE datname = current_database()`,
  );
  if (row === undefined) throw new ViewsyncError('INTERNAL', { message: `The server does not list the database of ${connection.place}.` });
  return { version, isStandby: row.standby, identity: { ...(await identify(connection, row)), database: row.database } };
}

/** Managed servers may keep the system identifier to themselves; the database's oid then has to do, which a restored copy may share. */
async function identify(connection: Connection, row: { readonly identifiable: boolean; readonly oid: string }): Promise<Readonly<Record<string, string>>> {
  if (!row.identifiable) return { databaseOid: row.oid };
  const [control] = await connection.query<{ system: string }>('SELECT system_identifier::text AS system FROM pg_control_system()');
  return { system: control?.system ?? '' };
}

async function readVersion(connection: Connection): Promise<number> {
  const [row] = await connection.query<{ text: string; number: string }>("SELECT version() AS text, current_setting('server_version_num') AS number");
  const text = row?.text ?? '';
  const major = Math.trunc(Number(row?.number ?? 0) / 10_000);
  if (/^PostgreSQL/.test(text) && !/Redshift/.test(text) && major >= oldest) return major;
  throw new ViewsyncError('CONNECTION_FAILED', {
    message: `${connection.place} is not a PostgreSQL server of version ${oldest} or later; it says "${text}". Nothing was read.`,
    suggestions: ['Set `warehouse:` in viewsync.yaml to the kind of warehouse that it is.'],
  });
}
