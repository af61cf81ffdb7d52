import type { RelationName } from '../../core/relation.ts';
import { quoteIdentifier, quoteRelation, quoteText } from './names.ts';

/** Which relations of one database are asked for: all, those of some schemas, or some by name. */
export type Part = 'all' | { readonly schemas: readonly string[] } | { readonly names: readonly Pick<RelationName, 'schema' | 'name'>[] };

function condition(part: Part, schema = 'TABLE_SCHEMA', name = 'TABLE_NAME'): string {
  if (part === 'all') return `${schema} <> 'INFORMATION_SCHEMA'`;
  if ('schemas' in part) return `${schema} IN (${part.schemas.map(quoteText).join(', ')})`;
  return `(${schema}, ${name}) IN (${part.names.map((each) => `(${quoteText(each.schema)}, ${quoteText(each.name)})`).join(', ')})`;
}

function relation(database: string, name: string): string {
  return `${quoteIdentifier(database)}.INFORMATION_SCHEMA.${name}`;
}

/** Columns are named, since a vendor may add some. https://docs.snowflake.com/en/sql-reference/info-schema/tables */
export const relationsQuery = (database: string, part: Part) =>
  `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, IS_DYNAMIC, TABLE_OWNER, BYTES, COMMENT, CREATED, LAST_DDL FROM ${relation(database, 'TABLES')} WHERE ${condition(part)}`;

/** https://docs.snowflake.com/en/sql-reference/info-schema/views */
export const viewsQuery = (database: string, part: Part) =>
  `SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_OWNER, IS_SECURE, COMMENT FROM ${relation(database, 'VIEWS')} WHERE ${condition(part)}`;

const viewTypes = "(TABLE_TYPE IN ('VIEW', 'MATERIALIZED VIEW') OR IS_DYNAMIC = 'YES')";

const columnRow = 'TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, COMMENT';

/** Of everything that has columns: only a drill asks for so many. */
export const tableColumnsQuery = (database: string, part: Part) => `SELECT ${columnRow} FROM ${relation(database, 'COLUMNS')} WHERE ${condition(part)}`;

/** Of views alone: a database has far more columns of tables. https://docs.snowflake.com/en/sql-reference/info-schema/columns */
export const columnsQuery = (database: string, part: Part) =>
  `SELECT ${columnRow}
FROM ${relation(database, 'COLUMNS')}
WHERE ${condition(part)} AND (TABLE_SCHEMA, TABLE_NAME) IN (SELECT TABLE_SCHEMA, TABLE_NAME FROM ${relation(database, 'TABLES')} WHERE ${viewTypes})`;

/** https://docs.snowflake.com/en/sql-reference/info-schema/table_privileges */
export const privilegesQuery = (database: string, part: Part) =>
  `SELECT TABLE_SCHEMA, TABLE_NAME, GRANTEE, GRANTED_TO, PRIVILEGE_TYPE, IS_GRANTABLE
FROM ${relation(database, 'TABLE_PRIVILEGES')}
WHERE ${condition(part)} AND (TABLE_SCHEMA, TABLE_NAME) IN (SELECT TABLE_SCHEMA, TABLE_NAME FROM ${relation(database, 'TABLES')} WHERE ${viewTypes})`;

/** What our roles may do with each schema. https://docs.snowflake.com/en/sql-reference/info-schema/object_privileges */
export const accessQuery = (database: string) =>
  `SELECT OBJECT_NAME, GRANTEE, PRIVILEGE_TYPE FROM ${relation(database, 'OBJECT_PRIVILEGES')} WHERE OBJECT_TYPE = 'SCHEMA' AND IS_ROLE_IN_SESSION(GRANTEE)`;

export const authorsQuery = (database: string, names: readonly Pick<RelationName, 'schema' | 'name'>[]) =>
  `SELECT TABLE_SCHEMA, TABLE_NAME, LAST_DDL_BY FROM ${relation(database, 'TABLES')} WHERE ${condition({ names })}`;

export const sessionQuery =
  'SELECT CURRENT_ORGANIZATION_NAME() AS ORGANIZATION, CURRENT_ACCOUNT_NAME() AS ACCOUNT, CURRENT_ROLE() AS ROLE, CURRENT_VERSION() AS VERSION, CURRENT_WAREHOUSE() AS WAREHOUSE, CURRENT_USER() AS USER_NAME';

/** Milliseconds since 1970, by the server's clock. */
export const clockQuery = 'SELECT DATE_PART(EPOCH_MILLISECOND, CURRENT_TIMESTAMP()) AS NOW';

/** The most rows that a SHOW gives. https://docs.snowflake.com/en/sql-reference/sql/show */
export const showLimit = 10_000;

/** A page of a SHOW; `FROM` continues behind a name. https://docs.snowflake.com/en/sql-reference/sql/show-views */
export function showPage(what: string, limit: number, behind?: string): string {
  return `SHOW ${what} LIMIT ${limit}${behind === undefined ? '' : ` FROM ${quoteText(behind)}`}`;
}

/** How many definitions one statement asks for. */
export const definitionsAtOnce = 150;

/** A view whose definition is asked for. */
export interface Wanted {
  readonly name: RelationName;
  readonly kind: 'view' | 'materialized view' | 'dynamic table';
}

function definitionOf({ name, kind }: Wanted, index: number): string {
  const type = kind === 'dynamic table' ? 'DYNAMIC_TABLE' : 'VIEW';
  return `SELECT ${index} AS N, GET_DDL('${type}', ${quoteText(quoteRelation(name))}, TRUE) AS DDL`;
}

/** GET_DDL takes constants alone, so each view is a branch. https://docs.snowflake.com/en/sql-reference/functions/get_ddl */
export function definitionsQuery(views: readonly Wanted[]): string {
  return views.map(definitionOf).join('\nUNION ALL\n');
}
