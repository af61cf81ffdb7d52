/** Rows of the queries in `catalog-queries.ts`, as the driver gives them. */
export interface RelationRow {
  readonly TABLE_SCHEMA: string;
  readonly TABLE_NAME: string;
  readonly TABLE_TYPE: string;
  readonly IS_DYNAMIC: string | null;
  readonly TABLE_OWNER: string | null;
  readonly BYTES: number | null;
  readonly COMMENT: string | null;
  readonly CREATED: Date | string | null;
  readonly LAST_DDL: Date | string | null;
}

export interface ViewRow {
  readonly TABLE_SCHEMA: string;
  readonly TABLE_NAME: string;
  readonly TABLE_OWNER: string | null;
  readonly IS_SECURE: string;
  readonly COMMENT: string | null;
}

export interface ColumnRow {
  readonly TABLE_SCHEMA: string;
  readonly TABLE_NAME: string;
  readonly COLUMN_NAME: string;
  readonly ORDINAL_POSITION: number;
  readonly DATA_TYPE: string;
  readonly CHARACTER_MAXIMUM_LENGTH: number | null;
  readonly NUMERIC_PRECISION: number | null;
  readonly NUMERIC_SCALE: number | null;
  readonly COMMENT: string | null;
}

export interface PrivilegeRow {
  readonly TABLE_SCHEMA: string;
  readonly TABLE_NAME: string;
  readonly GRANTEE: string;
  readonly GRANTED_TO: string;
  readonly PRIVILEGE_TYPE: string;
  readonly IS_GRANTABLE: string;
}

export interface AccessRow {
  readonly OBJECT_NAME: string;
  readonly GRANTEE: string;
  readonly PRIVILEGE_TYPE: string;
}

/** https://docs.snowflake.com/en/sql-reference/sql/show-views */
export interface ShownView {
  readonly name: string;
  readonly schema_name: string;
  readonly database_name: string;
  readonly is_secure: string;
  readonly is_materialized: string;
  readonly change_tracking?: string;
  /** The statement as it was typed, maybe under another name; empty where our role may not see it. */
  readonly text?: string | null;
}

/** https://docs.snowflake.com/en/sql-reference/sql/show-databases */
export interface ShownDatabase {
  readonly name: string;
  readonly origin: string | null;
  readonly kind?: string;
}

export interface ShownSchema {
  readonly name: string;
  readonly database_name: string;
}

/** https://docs.snowflake.com/en/sql-reference/sql/show-streams */
export interface ShownStream {
  readonly name: string;
  readonly schema_name: string;
  readonly database_name: string;
  readonly table_name: string | null;
  readonly source_type?: string | null;
}

/** https://docs.snowflake.com/en/sql-reference/sql/show-dynamic-tables */
export interface ShownDynamicTable {
  readonly name: string;
  readonly schema_name: string;
  readonly scheduling_state: string | null;
}

export interface DefinitionRow {
  readonly N: number;
  readonly DDL: string | null;
}

/** Everything that one database says of its relations. */
export interface DatabaseRows {
  readonly database: string;
  readonly relations: readonly RelationRow[];
  readonly views: readonly ViewRow[];
  readonly columns: readonly ColumnRow[];
  readonly privileges: readonly PrivilegeRow[];
  readonly shown: readonly ShownView[];
  readonly streams: readonly ShownStream[];
  readonly dynamic: readonly ShownDynamicTable[];
  readonly schemas: readonly ShownSchema[];
  readonly access: readonly AccessRow[];
}
