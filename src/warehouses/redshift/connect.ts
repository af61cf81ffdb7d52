import { type ConnectOptions, connect } from '../postgres-family/connect.ts';
import type { Connection } from '../postgres-family/connection.ts';
import { type Environment, readParameters } from '../postgres-family/libpq.ts';
import { fetchCredentials } from './iam.ts';
import type { RedshiftOptions } from './options.ts';

/** https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-to-cluster.html */
const defaultPort = '5439';

/** Statements are sent one by one: that Redshift answers several that were sent at once is written nowhere. */
const settings: ConnectOptions = { defaultPort, sending: 'one by one' };

/** Who connects, and to which database where it is not the target's. */
export interface Session {
  readonly command: string;
  readonly database?: string;
}

/** Opens a connection as libpq would, to another `database` where one is named, with temporary credentials where the target asks for them. */
export async function connectCluster({ url, iam }: RedshiftOptions, environment: Environment, { command, database }: Session): Promise<Connection> {
  const own = { ...settings, applicationName: `viewsync ${command}` };
  const other = database === undefined ? {} : { dbname: database };
  if (iam === undefined) return connect(url, environment, { ...own, known: other });
  const given = await readParameters(url, environment, defaultPort);
  const fetched = await fetchCredentials(iam, given['dbname'] ?? 'dev');
  // Where the url names a host, such as that of a tunnel, it counts; so does how it wants to be encrypted.
  const kept = Object.fromEntries(
    ['host', 'port', 'sslmode'].flatMap((name) => (given['host'] !== undefined && given[name] !== undefined ? [[name, given[name]]] : [])),
  );
  return connect(url, environment, { ...own, known: { ...fetched, ...kept, ...other } });
}
