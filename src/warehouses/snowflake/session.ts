import { sessionQuery } from './catalog-queries.ts';
import type { Connection } from './connection.ts';

/** Where we are and as whom. */
export interface Account {
  readonly identity: Readonly<Record<string, string>>;
  readonly role: string;
  readonly user: string;
  readonly version: string;
  /** The virtual warehouse that queries run on; undefined when there is none. */
  readonly compute?: string;
}

interface SessionRow {
  readonly ORGANIZATION: string | null;
  readonly ACCOUNT: string;
  readonly ROLE: string | null;
  readonly VERSION: string;
  readonly WAREHOUSE: string | null;
  readonly USER_NAME: string | null;
}

export async function readAccount(connection: Connection): Promise<Account> {
  const [row] = await connection.query<SessionRow>(sessionQuery);
  const organization = row?.ORGANIZATION ? { organization: row.ORGANIZATION } : {};
  return {
    identity: { account: row?.ACCOUNT ?? '', ...organization },
    role: row?.ROLE ?? '',
    user: row?.USER_NAME ?? '',
    version: row?.VERSION ?? '',
    ...(row?.WAREHOUSE ? { compute: row.WAREHOUSE } : {}),
  };
}
