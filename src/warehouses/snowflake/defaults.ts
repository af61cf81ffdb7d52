import type { Container } from '../../core/snapshot.ts';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteSchema } from './names.ts';
import { mapSome } from './read-catalog.ts';

/** https://docs.snowflake.com/en/sql-reference/sql/show-grants: `SHOW FUTURE GRANTS`. */
interface FutureGrant {
  readonly privilege: string;
  readonly grant_on: string;
  readonly grant_to: string;
  readonly grantee_name: string;
}

const kinds: ReadonlySet<string> = new Set(['VIEW', 'MATERIALIZED_VIEW', 'MATERIALIZED VIEW']);

function toText({ privilege, grant_to, grantee_name }: FutureGrant): string {
  return `${privilege} TO ${grant_to.replaceAll('_', ' ')} ${quoteIdentifier(grantee_name)}`;
}

/** Those of a schema win over those of its database as a whole. https://docs.snowflake.com/en/sql-reference/sql/grant-privilege#considerations */
export async function findDefaults(connection: Connection, containers: readonly Container[]): Promise<readonly Container[]> {
  return mapSome(containers, async (container) => {
    const { catalog = '', name } = container;
    const own = await connection.query<FutureGrant>(`SHOW FUTURE GRANTS IN SCHEMA ${quoteSchema({ catalog, schema: name })}`);
    const grants = own.length > 0 ? own : await connection.query<FutureGrant>(`SHOW FUTURE GRANTS IN DATABASE ${quoteIdentifier(catalog)}`);
    const ofViews = grants.filter(({ grant_on, privilege }) => kinds.has(grant_on.toUpperCase()) && privilege !== 'OWNERSHIP');
    return { ...container, defaultGrantees: [...new Set(ofViews.map(toText))].sort() };
  });
}
