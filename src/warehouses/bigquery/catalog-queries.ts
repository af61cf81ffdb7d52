/**
 * The queries of the catalog. `R` stands for what is looked at: `` `project`.`region-eu`.INFORMATION_SCHEMA ``, or one dataset's. Everything
 * comes as text. Each costs the least that BigQuery bills, whatever the number of views.
 * https://cloud.google.com/bigquery/docs/information-schema-intro
 */
const queries = {
  /** Every relation, and of views what their own columns do not say: the statement of a materialized one, a list of columns behind the name. */
  tables: `SELECT table_catalog, table_schema, table_name, table_type,
  IF(table_type = 'MATERIALIZED VIEW', ddl, REGEXP_EXTRACT(ddl, r'^CREATE VIEW \`[^\`]*\`\\s*\\(([^()]*)\\)')) AS ddl
FROM R.TABLES
WHERE @everything OR CONCAT(table_schema, '.', table_name) IN UNNEST(@names)`,

  views: `SELECT table_catalog, table_schema, table_name, view_definition, use_standard_sql
FROM R.VIEWS
WHERE @everything OR CONCAT(table_schema, '.', table_name) IN UNNEST(@names)`,

  options: `SELECT o.table_catalog, o.table_schema, o.table_name, o.option_name, o.option_value
FROM R.TABLE_OPTIONS o JOIN R.TABLES t USING (table_schema, table_name)
WHERE t.table_type IN ('VIEW', 'MATERIALIZED VIEW') AND (@everything OR CONCAT(table_schema, '.', table_name) IN UNNEST(@names))`,

  /** Columns, and of the fields in them those that have something. */
  columns: `SELECT f.table_catalog, f.table_schema, f.table_name, f.column_name, f.field_path, f.data_type, f.description,
  TO_JSON_STRING(f.policy_tags) AS policy_tags, CAST(c.ordinal_position AS STRING) AS position
FROM R.COLUMN_FIELD_PATHS f
JOIN R.COLUMNS c USING (table_schema, table_name, column_name)
JOIN R.TABLES t USING (table_schema, table_name)
WHERE t.table_type IN ('VIEW', 'MATERIALIZED VIEW') AND (@everything OR CONCAT(table_schema, '.', table_name) IN UNNEST(@names))
  AND (f.field_path = f.column_name OR f.description IS NOT NULL OR ARRAY_LENGTH(f.policy_tags) > 0)`,

  /** Columns of what views with a star read, without those that no star stands for. https://cloud.google.com/bigquery/docs/information-schema-columns */
  sources: `SELECT table_catalog, table_schema, table_name, column_name, data_type
FROM R.COLUMNS
WHERE is_hidden = 'NO' AND (@everything OR CONCAT(table_schema, '.', table_name) IN UNNEST(@names))`,

  /** Who ran the last statement about a view, of the last 30 days; a call of the interface leaves no job. */
  authors: `SELECT destination_table.project_id AS table_catalog, destination_table.dataset_id AS table_schema,
  destination_table.table_id AS table_name,
  ARRAY_AGG(user_email ORDER BY creation_time DESC LIMIT 1)[OFFSET(0)] AS user_email
FROM R.JOBS
WHERE creation_time > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 30 DAY) AND state = 'DONE' AND error_result IS NULL
  AND statement_type IN ('CREATE_VIEW', 'CREATE_MATERIALIZED_VIEW', 'ALTER_VIEW', 'ALTER_MATERIALIZED_VIEW')
  AND (@everything OR CONCAT(destination_table.dataset_id, '.', destination_table.table_id) IN UNNEST(@names))
GROUP BY table_catalog, table_schema, table_name`,
} as const;

export type CatalogQuery = keyof typeof queries;

/** The text of a query about one region (`region-eu`) or dataset of a project. */
export function catalogQuery(query: CatalogQuery, { project, qualifier }: { readonly project: string; readonly qualifier: string }): string {
  return queries[query].replace(/\bR\./g, `\`${project}\`.\`${qualifier}\`.INFORMATION_SCHEMA.`);
}

/** What a location is called in a query: `EU` is `region-eu`. */
export function regionOf(location: string): string {
  return `region-${location.toLowerCase()}`;
}
