import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { quoteText } from './names.ts';

/** What never changes while we are connected. */
export interface ServerFacts {
  /** In words: `Redshift 1.0.97034`. */
  readonly server: string;
  /** What tells this database from any other, as `target.json` holds it. */
  readonly identity: Readonly<Record<string, string>>;
  /** Whether names in double quotes keep their case. https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html */
  readonly caseSensitive: boolean;
}

/**
 * What a session of ours always sets: every name comes qualified, and people who look at running queries see who we are.
 * https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html
 */
const settings = (command: string) => [
  // Every schema in it has to exist, and this one is searched anyway. https://docs.aws.amazon.com/redshift/latest/dg/r_search_path.html
  'SET search_path TO pg_catalog',
  `SET query_group TO ${quoteText(`viewsync ${command}`)}`,
  'SET statement_timeout TO 0',
  "SET timezone TO 'UTC'",
  "SET datestyle TO 'ISO, MDY'",
];

/** Prepares a session and asks the server what it is. `CONNECTION_FAILED` for one that is no Redshift. */
export async function readServer(connection: Connection, command: string): Promise<ServerFacts> {
  const [row] = await connection.query<{ text: string }>('SELECT version() AS text');
  const version = /Redshift ([\d.]+)/.exec(row?.text ?? '')?.[1];
  if (version === undefined) throw notRedshift(connection.place, row?.text ?? '');
  for (const setting of settings(command)) await connection.run(setting);
  const [shown] = await connection.query<Record<string, string>>('SHOW enable_case_sensitive_identifier');
  const [database] = await connection.query<{ name: string }>('SELECT current_database()::varchar AS name');
  return {
    server: `Redshift ${version}`,
    identity: { ...(await readNamespace(connection)), database: database?.name ?? '' },
    caseSensitive: /^(on|true|t|1)$/.test(Object.values(shown ?? {})[0] ?? ''),
  };
}

/** https://docs.aws.amazon.com/redshift/latest/dg/r_CURRENT_NAMESPACE.html: clusters that cannot share data have none. */
async function readNamespace(connection: Connection): Promise<Readonly<Record<string, string>>> {
  try {
    const [row] = await connection.query<{ namespace: string }>('SELECT current_namespace AS namespace');
    return { namespace: row?.namespace ?? '' };
  } catch (error) {
    if (!isServerError(error)) throw error;
    return { place: connection.place };
  }
}

function notRedshift(place: string, text: string): ViewsyncError {
  return new ViewsyncError('CONNECTION_FAILED', {
    message: `${place} is not a Redshift cluster; it says "${text}". Nothing was read.`,
    suggestions: ['Set `warehouse:` in viewsync.yaml to the kind of warehouse that it is.'],
  });
}
