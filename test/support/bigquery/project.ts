import { analyze, fromLegacy } from './analyze.ts';
import { type AccessEntry, type Binding, type Dataset, type Field, Refusal, type Table } from './resources.ts';
import { literal, readStatement, type Statement } from './statements.ts';

/** A project of BigQuery in memory. Every rule names the page of the vendor that it is from. */
export interface Project {
  readonly id: string;
  readonly datasets: Map<string, Dataset>;
  /** Who ran which statement about what. */
  readonly jobs: { readonly dataset: string; readonly table: string; readonly user: string }[];
  /** What table functions (`shop.recent`) and connections (`EXTERNAL_QUERY my-project.eu.crm`) return. */
  readonly functions: Map<string, readonly Field[]>;
  /** Projects that queries of this one may read, by their names; those of the same server. */
  readonly others: Map<string, Project>;
  /** What becomes of columns that are patched together with a query: what they have is lost unless it is `kept`. */
  together?: 'kept' | 'refused';
  /** How many changes of one table are allowed in how many milliseconds; without it there is no limit. */
  quota?: { readonly changes: number; readonly window: number };
}

let etags = 0;
const newEtag = () => `etag-${++etags}`;

export function createProject(id: string, datasets: Readonly<Record<string, string>>): Project {
  const entries = Object.entries(datasets).map(([name, location]) => [name, { id: name, location, etag: newEtag(), access: [], tables: new Map() }] as const);
  return { id, datasets: new Map<string, Dataset>(entries), jobs: [], functions: new Map(), others: new Map() };
}

// https://cloud.google.com/bigquery/docs/error-messages: notFound
function notFound(what: string): never {
  throw new Refusal(404, 'notFound', `Not found: ${what}`);
}

export function datasetOf(project: Project, name: string): Dataset {
  return project.datasets.get(name) ?? notFound(`Dataset ${project.id}:${name}`);
}

export function tableOf(project: Project, dataset: string, table: string): Table {
  return (
    datasetOf(project, dataset).tables.get(table) ??
    notFound(`Table ${project.id}:${dataset}.${table} was not found in location ${datasetOf(project, dataset).location}`)
  );
}

interface Place {
  readonly project: Project;
  readonly dataset: string;
  readonly table: string;
}

/** A name in a query. Without a project it is in the project of the query. https://cloud.google.com/bigquery/docs/views#view_limitations */
function placeOf(project: Project, name: string): Place {
  const parts = name.split('.');
  const [table = '', dataset = '', ...catalog] = parts.toReversed();
  if (parts.length < 2) throw new Refusal(400, 'invalid', `Table "${name}" must be qualified with a dataset (e.g. dataset.table).`);
  const named = catalog.length > 0 ? catalog.toReversed().join('.') : project.id;
  const of = named === project.id ? project : (project.others.get(named) ?? notFound(`Project ${named}`));
  return { project: of, dataset, table };
}

type Syntax = 'standard' | 'legacy';

const text = (name: string): Field => ({ name, type: 'STRING', mode: 'NULLABLE' });

/** https://cloud.google.com/bigquery/docs/information-schema-tables: the few columns that tests ask for. */
const catalogColumns = ['table_catalog', 'table_schema', 'table_name', 'table_type'].map(text);

/** The youngest of the tables counts, and none may be a view. https://cloud.google.com/bigquery/docs/querying-wildcard-tables#limitations */
function columnsOfMany(project: Project, dataset: string, prefix: string): readonly Field[] {
  const found = [...datasetOf(project, dataset).tables.values()].filter(({ id }) => id.startsWith(prefix));
  if (found.length === 0) notFound(`Table ${project.id}:${dataset}.${prefix}* does not match any table`);
  if (found.some(({ query }) => query !== undefined)) throw new Refusal(400, 'invalidQuery', 'Views cannot be queried through prefix.');
  return [...(found.at(-1)?.schema ?? []), text('_TABLE_SUFFIX')];
}

function functionOf({ functions }: Project, name: string): readonly Field[] {
  return functions.get(name) ?? notFound(`Function ${name}`);
}

/** The columns of a relation; those of a view as its query gives them now. */
function columnsOf(reader: Project, name: string, syntax: Syntax): readonly Field[] {
  if (/(^|\.)INFORMATION_SCHEMA\.\w+$/i.test(name)) return catalogColumns;
  const { project, dataset, table: id } = placeOf(reader, name);
  if (id.endsWith('*')) return columnsOfMany(project, dataset, id.slice(0, -1));
  const table = tableOf(project, dataset, id);
  if (table.query === undefined) return table.schema;
  const isLegacy = table.useLegacySql === true;
  // https://cloud.google.com/bigquery/docs/views#view_limitations: the two kinds cannot be mixed.
  if (isLegacy && syntax === 'standard') throw new Refusal(400, 'invalidQuery', `Cannot reference a legacy SQL view in a standard SQL query: ${name}`);
  if (!isLegacy && syntax === 'legacy') throw new Refusal(400, 'invalidQuery', `Cannot reference a standard SQL view in a legacy SQL query: ${name}`);
  const columns = analyzeQuery(project, table.query, syntax);
  if (!table.columnList) return columns;
  // https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#view_column_name_list
  if (table.columnList.length !== columns.length)
    throw new Refusal(400, 'invalidQuery', `View ${name} has ${table.columnList.length} column names but its query has ${columns.length}`);
  return columns.map((column, index) => ({ ...column, name: table.columnList?.[index] ?? column.name }));
}

export function analyzeQuery(project: Project, query: string, syntax: Syntax): readonly Field[] {
  return analyze(syntax === 'legacy' ? fromLegacy(query) : query, (name, what) =>
    what === 'function' ? functionOf(project, name) : columnsOf(project, name, syntax),
  );
}

const wide = 10_000;

/** Counts a change. https://cloud.google.com/bigquery/quotas#standard_tables: five metadata updates in ten seconds. */
export function change(project: Project, table: Table): void {
  const { changes: allowed, window } = project.quota ?? { changes: Number.POSITIVE_INFINITY, window: wide };
  const recent = table.changes.filter((time) => time > Date.now() - window);
  if (recent.length >= allowed)
    throw new Refusal(
      403,
      'rateLimitExceeded',
      'Exceeded rate limits: too many table update operations for this table. For more information, see https://cloud.google.com/bigquery/docs/troubleshoot-quotas',
    );
  Object.assign(table, { changes: [...recent, Date.now()], etag: newEtag() });
}

const newTable = (id: string, type: Table['type'], schema: readonly Field[]): Table => ({
  id,
  type,
  etag: newEtag(),
  schema,
  labels: {},
  options: {},
  bindings: [],
  changes: [],
});

/** Makes a table outside of any interface, as a test's stage. */
export function addTable(project: Project, dataset: string, id: string, schema: readonly Field[]): Table {
  const table = newTable(id, 'TABLE', schema);
  datasetOf(project, dataset).tables.set(id, table);
  return table;
}

function requireFree(dataset: Dataset, id: string, project: Project): void {
  if (dataset.tables.has(id)) throw new Refusal(409, 'duplicate', `Already Exists: Table ${project.id}:${dataset.id}.${id}`);
}

function setOptions(table: Table, options: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(options)) setOption(table, key, value === 'NULL' ? undefined : value);
}

function setOption(table: Table, key: string, value: string | undefined): void {
  if (key === 'description') table.description = value === undefined ? undefined : literal(value);
  else if (key === 'friendly_name') table.friendlyName = value === undefined ? undefined : literal(value);
  else if (key === 'expiration_timestamp')
    table.expirationTime = value === undefined ? undefined : String(Date.parse(literal(value.slice('TIMESTAMP '.length))));
  else if (key === 'labels')
    table.labels = Object.fromEntries(
      [...(value ?? '').matchAll(/\(\s*('(?:[^'\\]|\\.)*')\s*,\s*('(?:[^'\\]|\\.)*')\s*\)/g)].map(([, label = '', text = '']) => [
        literal(label),
        literal(text),
      ]),
    );
  else {
    const { [key]: _, ...others } = table.options;
    table.options = value === undefined ? others : { ...others, [key]: value };
  }
}

const unnamed = /^f\d+_$/;

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_view_statement */
function createView(project: Project, statement: Extract<Statement, { what: 'create' }>): void {
  const { dataset: datasetName, table: id } = placeOf(project, statement.name);
  const dataset = datasetOf(project, datasetName);
  const schema = schemaOf(project, statement);
  const existing = dataset.tables.get(id);
  if (existing && !statement.mayReplace) requireFree(dataset, id, project);
  if (existing && existing.type !== statement.kind)
    throw new Refusal(400, 'invalid', `${project.id}:${datasetName}.${id} is not allowed for this operation because it is currently a ${existing.type}.`);
  const table = existing ?? newTable(id, statement.kind, schema);
  if (existing) change(project, existing);
  // Options that are not restated are gone; rights on the view and its entries in access lists stay.
  Object.assign(table, {
    schema,
    query: statement.query,
    useLegacySql: false,
    layout: statement.layout,
    columnList: statement.columns,
    description: undefined,
    friendlyName: undefined,
    expirationTime: undefined,
    labels: {},
    options: {},
  });
  setOptions(table, statement.options);
  dataset.tables.set(id, table);
}

export function schemaOf(project: Project, { query, columns }: Extract<Statement, { what: 'create' }>): readonly Field[] {
  const found = analyzeQuery(project, query, 'standard');
  const index = columns ? -1 : found.findIndex(({ name }) => unnamed.test(name));
  if (index >= 0) throw new Refusal(400, 'invalidQuery', `CREATE VIEW columns must be named, but column ${index + 1} has no name`);
  return columns ? found.map((column, position) => ({ ...column, name: columns[position] ?? column.name })) : found;
}

/** Dropping looks at no reader, and takes the view out of every access list. https://cloud.google.com/bigquery/docs/authorized-views */
function dropView(project: Project, { name, kind }: Extract<Statement, { what: 'drop' }>): void {
  const { dataset, table } = placeOf(project, name);
  if (tableOf(project, dataset, table).type !== kind) throw new Refusal(400, 'invalid', `${name} is not a ${kind}`);
  datasetOf(project, dataset).tables.delete(table);
  const isDropped = ({ view }: AccessEntry) => view?.projectId === project.id && view.datasetId === dataset && view.tableId === table;
  for (const { datasets } of [project, ...project.others.values()])
    for (const each of datasets.values()) each.access = each.access.filter((entry) => !isDropped(entry));
}

function describeColumn(table: Table, column: string, description: string | null): void {
  if (!table.schema.some(({ name }) => name === column)) throw new Refusal(400, 'invalidQuery', `Column not found: ${column}`);
  table.schema = table.schema.map(({ description: old, ...field }) =>
    field.name !== column ? { ...field, ...(old === undefined ? {} : { description: old }) } : description === null ? field : { ...field, description },
  );
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-control-language */
function changeRights(table: Table, { what, roles, members }: Extract<Statement, { what: 'grant' | 'revoke' }>): void {
  const pairs = new Set(table.bindings.filter(({ condition }) => !condition).flatMap(({ role, members: all }) => all.map((member) => `${role}\0${member}`)));
  for (const role of roles) for (const member of members) what === 'grant' ? pairs.add(`${role}\0${member}`) : pairs.delete(`${role}\0${member}`);
  const grouped = Map.groupBy(
    [...pairs].sort().map((pair) => pair.split('\0')),
    ([role = '']) => role,
  );
  const bindings: Binding[] = [...grouped].map(([role, group]) => ({ role, members: group.map(([, member = '']) => member) }));
  table.bindings = [...bindings, ...table.bindings.filter(({ condition }) => condition)];
}

/** Runs one statement, which changes everything that it says or nothing. */
export function run(project: Project, sql: string, user = 'ada@example.com'): void {
  const statement = readStatement(sql);
  const { project: owner, dataset, table } = placeOf(project, statement.name);
  // Where its names lack the project, a view may only be made by a job of its own. https://cloud.google.com/bigquery/docs/views#view_limitations
  if (owner !== project) throw new Refusal(400, 'notSimulated', `A job of ${project.id} changes nothing in ${owner.id} here.`);
  if (!['drop', 'grant', 'revoke'].includes(statement.what)) project.jobs.push({ dataset, table, user });
  switch (statement.what) {
    case 'create':
      createView(project, statement);
      break;
    case 'drop':
      dropView(project, statement);
      break;
    default:
      alterView(project, statement);
  }
}

function alterView(project: Project, statement: Exclude<Statement, { what: 'create' | 'drop' }>): void {
  const { dataset, table: id } = placeOf(project, statement.name);
  const table = tableOf(project, dataset, id);
  change(project, table);
  switch (statement.what) {
    case 'set options':
      setOptions(table, statement.options);
      break;
    // https://cloud.google.com/bigquery/docs/managing-table-schemas: views on the table are not looked at.
    case 'add column':
      table.schema = [...table.schema, { name: statement.column, type: statement.type, mode: 'NULLABLE' }];
      break;
    case 'drop column':
      table.schema = table.schema.filter(({ name }) => name !== statement.column);
      break;
    case 'describe column':
      describeColumn(table, statement.column, statement.description);
      break;
    default:
      changeRights(table, statement);
  }
}

export interface TableBody {
  readonly view?: { readonly query?: string; readonly useLegacySql?: boolean };
  readonly schema?: { readonly fields: readonly Field[] };
  readonly labels?: Readonly<Record<string, string | null>>;
  readonly description?: string | null;
  readonly friendlyName?: string | null;
  readonly expirationTime?: string | null;
}

function mergeLabels(old: Table['labels'], labels: NonNullable<TableBody['labels']>): Table['labels'] {
  return Object.fromEntries(Object.entries({ ...old, ...labels }).flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
}

/** Only descriptions and policy tags may differ, and modes must be those of a view. https://cloud.google.com/bigquery/docs/managing-table-schemas */
function checkSchema(old: readonly Field[], fields: readonly Field[], path = ''): void {
  for (const [index, { name, type, mode, fields: inner }] of fields.entries()) {
    const known = old[index];
    if (known?.name !== name || known.type !== type) throw new Refusal(400, 'invalid', `Provided Schema does not match: field ${path}${name}`);
    if (mode === 'REQUIRED') throw new Refusal(400, 'invalid', `Field ${path}${name} has changed mode from NULLABLE to REQUIRED`);
    if (inner) checkSchema(known.fields ?? [], inner, `${path}${name}.`);
  }
  if (fields.length < old.length) throw new Refusal(400, 'invalid', 'Provided Schema does not match: fields are missing');
}

const withoutEmpty = ({ description, policyTags, fields, ...field }: Field): Field => ({
  ...field,
  ...(description ? { description } : {}),
  ...(policyTags && policyTags.names.length > 0 ? { policyTags } : {}),
  ...(fields ? { fields: fields.map(withoutEmpty) } : {}),
});

const tagsOf = (fields: readonly Field[]) => JSON.stringify(fields.map(({ policyTags }) => policyTags?.names ?? []));

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/patch */
export function patchTable(project: Project, table: Table, body: TableBody, lacking: ReadonlySet<string> = new Set()): void {
  // Whether a query and columns can be patched in one call is not documented: what the columns have is lost, kept, or refused, as a test asks for.
  if (body.view && body.schema && project.together === 'refused') throw new Refusal(400, 'invalid', "Schema field shouldn't be used as input with a view");
  const isLegacy = body.view?.useLegacySql ?? table.useLegacySql ?? false;
  const schema = body.view ? analyzeQuery(project, body.view.query ?? table.query ?? '', isLegacy ? 'legacy' : 'standard') : undefined;
  if (body.schema) checkSchema(schema ?? table.schema, body.schema.fields);
  // https://cloud.google.com/bigquery/docs/column-level-security#permissions
  if (body.schema && lacking.has('bigquery.tables.setCategory') && tagsOf(body.schema.fields) !== tagsOf(table.schema))
    throw new Refusal(403, 'accessDenied', `Access Denied: Permission bigquery.tables.setCategory denied on table ${project.id}:${table.id}`);
  change(project, table);
  // The columns are found anew, without what the old ones had.
  if (schema) Object.assign(table, { query: body.view?.query ?? table.query, useLegacySql: isLegacy, schema });
  if (body.schema && (!body.view || project.together === 'kept')) table.schema = body.schema.fields.map(withoutEmpty);
  if (body.labels) table.labels = mergeLabels(table.labels, body.labels);
  for (const key of ['description', 'friendlyName', 'expirationTime'] as const) if (body[key] !== undefined) table[key] = body[key] ?? undefined;
}

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/insert: a view's columns follow from its query. */
export function insertTable(project: Project, dataset: Dataset, id: string, body: TableBody): Table {
  requireFree(dataset, id, project);
  if (body.view && body.schema) throw new Refusal(400, 'invalid', "Schema field shouldn't be used as input with a view");
  const isLegacy = body.view?.useLegacySql ?? body.view !== undefined;
  const schema = body.view ? analyzeQuery(project, body.view.query ?? '', isLegacy ? 'legacy' : 'standard') : (body.schema?.fields ?? []);
  const table = newTable(id, body.view ? 'VIEW' : 'TABLE', schema);
  if (body.view) Object.assign(table, { query: body.view.query, useLegacySql: isLegacy });
  for (const key of ['description', 'friendlyName', 'expirationTime'] as const) if (body[key] !== undefined) table[key] = body[key] ?? undefined;
  if (body.labels) table.labels = mergeLabels({}, body.labels);
  dataset.tables.set(id, table);
  return table;
}

/** The whole list is put in the place of the old one. https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/patch */
export function patchDataset(dataset: Dataset, body: { readonly access?: readonly AccessEntry[] }): void {
  if (body.access) dataset.access = body.access;
  dataset.etag = newEtag();
}
