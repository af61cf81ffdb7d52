import { type CatalogQuery, catalogQuery } from '../../../src/warehouses/bigquery/catalog-queries.ts';
import type { Project } from './project.ts';
import { type Dataset, type Field, Refusal, type Table } from './resources.ts';

/** Rows of texts. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

interface Relation {
  readonly dataset: Dataset;
  readonly table: Table;
}

const kinds: readonly CatalogQuery[] = ['tables', 'views', 'options', 'columns', 'sources', 'authors'];

const isView = ({ table }: Relation) => table.type !== 'TABLE';
const quote = (text: string) => JSON.stringify(text);
const typeNames: Readonly<Record<string, string>> = { TABLE: 'BASE TABLE', VIEW: 'VIEW', MATERIALIZED_VIEW: 'MATERIALIZED VIEW' };

/** The statement that would make the view. https://cloud.google.com/bigquery/docs/information-schema-tables */
function ddlOf(project: Project, { dataset, table }: Relation): string {
  const options = optionsOf(table).map(([name, value]) => `${name}=${value}`);
  const lines = [
    `CREATE ${typeNames[table.type]} \`${project.id}.${dataset.id}.${table.id}\``,
    ...(table.layout ? [table.layout] : []),
    ...(options.length > 0 ? [`OPTIONS(\n  ${options.join(',\n  ')}\n)`] : []),
  ];
  return `${lines.join('\n')}\nAS ${table.query};`;
}

/** Values as SQL. https://cloud.google.com/bigquery/docs/information-schema-table-options */
function optionsOf(table: Table): readonly (readonly [string, string])[] {
  const { description, friendlyName, expirationTime, labels } = table;
  const pairs = Object.entries(labels).map(([key, value]) => `STRUCT(${quote(key)}, ${quote(value)})`);
  return [
    ...(description === undefined ? [] : [['description', quote(description)] as const]),
    ...(friendlyName === undefined ? [] : [['friendly_name', quote(friendlyName)] as const]),
    ...(expirationTime === undefined ? [] : [['expiration_timestamp', `TIMESTAMP ${quote(new Date(Number(expirationTime)).toISOString())}`] as const]),
    ...(pairs.length === 0 ? [] : [['labels', `[${pairs.join(', ')}]`] as const]),
    ...Object.entries(table.options).map(([key, value]) => [key, value.replace(/'((?:[^'\\]|\\.)*)'/g, '"$1"')] as const),
  ];
}

const sqlNames: Readonly<Record<string, string>> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' };

export function sqlType({ type, mode, fields }: Field): string {
  const own = type === 'RECORD' ? `STRUCT<${(fields ?? []).map((field) => `${field.name} ${sqlType(field)}`).join(', ')}>` : (sqlNames[type] ?? type);
  return mode === 'REPEATED' ? `ARRAY<${own}>` : own;
}

type ColumnRow = readonly (string | null)[];

/** https://cloud.google.com/bigquery/docs/information-schema-column-field-paths */
function columnRows({ dataset, table }: Relation): readonly ColumnRow[] {
  const rowOf = (column: Field, position: number, field: Field, path: string): readonly ColumnRow[] => {
    const isShown = path === column.name || field.description !== undefined || field.policyTags !== undefined;
    const row = [
      dataset.id,
      table.id,
      column.name,
      path,
      sqlType(field),
      field.description ?? null,
      JSON.stringify(field.policyTags?.names ?? []),
      String(position),
    ];
    return [...(isShown ? [row] : []), ...(field.fields ?? []).flatMap((inner) => rowOf(column, position, inner, `${path}.${inner.name}`))];
  };
  return table.schema.flatMap((column, index) => rowOf(column, index + 1, column, column.name));
}

function answer(kind: CatalogQuery, project: Project, relations: readonly Relation[]): Answer {
  const views = relations.filter(isView);
  switch (kind) {
    case 'tables':
      return {
        columns: ['table_catalog', 'table_schema', 'table_name', 'table_type', 'ddl'],
        rows: relations.map((each) => [
          project.id,
          each.dataset.id,
          each.table.id,
          typeNames[each.table.type] ?? '',
          each.table.type === 'MATERIALIZED_VIEW' ? ddlOf(project, each) : (each.table.columnList?.join(', ') ?? null),
        ]),
      };
    case 'views':
      return {
        columns: ['table_catalog', 'table_schema', 'table_name', 'view_definition', 'use_standard_sql'],
        rows: views
          .filter(({ table }) => table.type === 'VIEW')
          .map(({ dataset, table }) => [project.id, dataset.id, table.id, table.query ?? null, table.useLegacySql ? 'NO' : 'YES']),
      };
    case 'options':
      return {
        columns: ['table_catalog', 'table_schema', 'table_name', 'option_name', 'option_value'],
        rows: views.flatMap(({ dataset, table }) => optionsOf(table).map(([name, value]) => [project.id, dataset.id, table.id, name, value])),
      };
    case 'authors':
      return {
        columns: ['table_catalog', 'table_schema', 'table_name', 'user_email'],
        rows: views.flatMap(({ dataset, table }) => {
          const last = project.jobs.findLast((job) => job.dataset === dataset.id && job.table === table.id);
          return last ? [[project.id, dataset.id, table.id, last.user]] : [];
        }),
      };
    // https://cloud.google.com/bigquery/docs/information-schema-columns
    case 'sources':
      return {
        columns: ['table_catalog', 'table_schema', 'table_name', 'column_name', 'data_type'],
        rows: relations.flatMap(({ dataset, table }) => table.schema.map((field) => [project.id, dataset.id, table.id, field.name, sqlType(field)])),
      };
    case 'columns':
      return {
        columns: ['table_catalog', 'table_schema', 'table_name', 'column_name', 'field_path', 'data_type', 'description', 'policy_tags', 'position'],
        rows: views.flatMap(columnRows).map((row) => [project.id, ...row]),
      };
  }
}

export interface CatalogRequest {
  readonly sql: string;
  readonly location: string;
  /** Undefined for everything. */
  readonly names: ReadonlySet<string> | undefined;
  /** Datasets whose catalog the account may not read. */
  readonly denied: ReadonlySet<string>;
  /** Relations that are left out. */
  readonly hidden: ReadonlySet<string>;
}

const qualified = /`([^`]+)`\.`([^`]+)`\.INFORMATION_SCHEMA\./;

/** Answers one of the catalog's queries; refuses loudly every other one. */
export function readInformationSchema(reader: Project, { sql, location, names, denied, hidden }: CatalogRequest): Answer {
  const [, named = '', qualifier = ''] = qualified.exec(sql) ?? [];
  const kind = kinds.find((each) => catalogQuery(each, { project: named, qualifier }) === sql);
  if (kind === undefined) throw new Refusal(400, 'notSimulated', `This server does not know the query: ${sql.slice(0, 200)}`);
  const project = named === reader.id ? reader : reader.others.get(named);
  if (project === undefined) throw new Refusal(404, 'notFound', `Not found: Project ${named}`);
  const isRegion = qualifier.startsWith('region-');
  // A query looks at one region, and runs there. https://cloud.google.com/bigquery/docs/information-schema-intro#considerations
  if (isRegion && qualifier !== `region-${location.toLowerCase()}`)
    throw new Refusal(404, 'notFound', `Not found: Dataset ${named}:${qualifier} was not found in location ${location}`);
  const datasets = [...project.datasets.values()].filter((dataset) =>
    isRegion ? dataset.location.toLowerCase() === location.toLowerCase() : dataset.id === qualifier,
  );
  const closed = datasets.find(({ id }) => denied.has(id));
  if (closed)
    throw new Refusal(
      403,
      'accessDenied',
      `Access Denied: Table ${named}:${qualifier}.INFORMATION_SCHEMA.${kind.toUpperCase()}: User does not have permission to query table, or perhaps it does not exist.`,
    );
  const relations = datasets.flatMap((dataset) => [...dataset.tables.values()].map((table) => ({ dataset, table })));
  const isShown = ({ dataset, table }: Relation) => !hidden.has(`${dataset.id}.${table.id}`) && (names?.has(`${dataset.id}.${table.id}`) ?? true);
  return answer(kind, project, relations.filter(isShown));
}
