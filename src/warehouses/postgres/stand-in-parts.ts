/** What the queries for stand-ins are made of. */

/** No schema of the server's own. */
export const user = (namespace: string) => `${namespace}.nspname !~ '^pg_' AND ${namespace}.nspname <> 'information_schema'`;

/** No member of an extension. */
export const own = (catalog: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

/** The same without what the server makes by itself with something else, such as the functions of a range. */
export const made = (catalog: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype IN ('e', 'i'))`;

/** A row of a query: what it is in words, and the statement that makes it. */
export const row = (what: string, sql: string, relation = 'NULL::text AS schema, NULL::text AS name') => `SELECT ${what} AS what, ${relation}, ${sql} AS sql`;
