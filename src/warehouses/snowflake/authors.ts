import { type RelationName, relationKey } from '../../core/relation.ts';
import { authorsQuery } from './catalog-queries.ts';
import type { Connection } from './connection.ts';
import { mapSome } from './read-catalog.ts';

interface AuthorRow {
  readonly TABLE_SCHEMA: string;
  readonly TABLE_NAME: string;
  readonly LAST_DDL_BY: string | null;
}

const namesAtOnce = 500;

/** Who ran the last DDL on each view. https://docs.snowflake.com/en/sql-reference/info-schema/tables */
export async function findAuthors(connection: Connection, names: readonly RelationName[]): Promise<ReadonlyMap<string, string>> {
  const parts = [...Map.groupBy(names, ({ catalog = '' }) => catalog)].flatMap(([database, all]) =>
    Array.from({ length: Math.ceil(all.length / namesAtOnce) }, (_, index) => ({
      database,
      some: all.slice(index * namesAtOnce, (index + 1) * namesAtOnce),
    })),
  );
  const found = await mapSome(parts, async ({ database, some }) => {
    const rows = await connection.query<AuthorRow>(authorsQuery(database, some));
    return rows.flatMap(({ TABLE_SCHEMA, TABLE_NAME, LAST_DDL_BY }) =>
      LAST_DDL_BY === null ? [] : [[relationKey({ catalog: database, schema: TABLE_SCHEMA, name: TABLE_NAME }), LAST_DDL_BY] as const],
    );
  });
  return new Map(found.flat());
}
