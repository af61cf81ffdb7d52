import type { RelationName } from '../../core/relation.ts';
import type { ColumnPatch, Patch } from './actions.ts';
import type { Client } from './client.ts';
import { dryRun, type Field } from './jobs.ts';
import { isServerError, ServerError } from './server-error.ts';
import type { TableResource, Tables } from './tables.ts';

/** What a run works with. */
export interface Executor {
  readonly client: Client;
  readonly tables: Tables;
  /** Where the views of a dataset live. */
  locationOf(name: RelationName): Promise<string>;
}

type Columns = NonNullable<Patch['columns']>;

function patchField(field: Field, path: readonly string[], patch: ColumnPatch): Field {
  const [first] = path;
  if (first === undefined) {
    return {
      ...field,
      ...(patch.description === undefined ? {} : { description: patch.description ?? '' }),
      ...(patch.policyTags === undefined ? {} : { policyTags: { names: patch.policyTags } }),
    };
  }
  return { ...field, fields: patchFields(field.fields ?? [], path, patch) };
}

/** Column names are the same in upper and lower case. https://cloud.google.com/bigquery/docs/schemas#column_names */
function patchFields(fields: readonly Field[], [first = '', ...rest]: readonly string[], patch: ColumnPatch): readonly Field[] {
  const index = fields.findIndex(({ name }) => name.toLowerCase() === first.toLowerCase());
  const field = fields[index];
  if (field === undefined) throw new ServerError(400, 'invalid', `There is no column "${[first, ...rest].join('.')}".`);
  return fields.with(index, patchField(field, rest, patch));
}

/** The columns as they are with what changes put over them: a mode that is not theirs would be refused. */
function patchColumns(fields: readonly Field[] | undefined, columns: Columns): readonly Field[] {
  return Object.entries(columns).reduce((patched, [path, patch]) => patchFields(patched, path.split('.'), patch), fields ?? []);
}

function findField(fields: readonly Field[] | undefined, [first = '', ...rest]: readonly string[]): Field | undefined {
  const field = fields?.find(({ name }) => name.toLowerCase() === first.toLowerCase());
  return rest.length === 0 ? field : findField(field?.fields, rest);
}

/** Whether every column has what it is to have. */
function hasColumns({ schema }: TableResource, columns: Columns): boolean {
  return Object.entries(columns).every(([path, { description, policyTags }]) => {
    const field = findField(schema?.fields, path.split('.'));
    const tags = [...(field?.policyTags?.names ?? [])].sort().join('\n');
    return (
      (description === undefined || (description ?? '') === (field?.description ?? '')) &&
      (policyTags === undefined || tags === [...policyTags].sort().join('\n'))
    );
  });
}

/** Columns of a view are never REQUIRED, whatever those are that it reads. */
function asOfView({ mode, fields, ...field }: Field): Field {
  return { ...field, ...(mode === 'REPEATED' ? { mode } : {}), ...(fields === undefined ? {} : { fields: fields.map(asOfView) }) };
}

interface View {
  readonly query?: string;
  readonly useLegacySql?: boolean;
}

/** The columns that a query gives, with what they are to have; undefined where BigQuery does not tell. */
async function describeColumns({ client, locationOf }: Executor, name: RelationName, { view, columns }: { view: View; columns: Columns }) {
  const place = { project: name.catalog ?? client.project, location: await locationOf(name) };
  try {
    const fields = await dryRun(client, view.query ?? '', { place, syntax: view.useLegacySql === true ? 'legacy' : 'standard' });
    return fields && patchColumns(fields.map(asOfView), columns);
  } catch (error) {
    if (isServerError(error)) return undefined;
    throw error;
  }
}

/** Query and columns in one call, which no page rules out or promises; undefined where that was refused. */
async function patchTogether(executor: Executor, { view, table }: Patch, fields: readonly Field[]): Promise<TableResource | undefined> {
  try {
    return await executor.tables.patch(view, () => ({ ...table, schema: { fields } }));
  } catch (error) {
    if (isServerError(error) && error.status === 400) return undefined;
    throw error;
  }
}

/**
 * Everything in one call, since BigQuery allows five changes of a view in ten seconds. Where it loses what a new query's columns are to have, or
 * takes no columns with a query, these get a call of their own. https://cloud.google.com/bigquery/quotas#standard_tables
 */
export async function patchView(executor: Executor, patch: Patch): Promise<void> {
  const { tables } = executor;
  const { view: name, table, columns } = patch;
  if (columns === undefined) return void (await tables.patch(name, () => table));
  const overColumns = ({ schema }: TableResource) => ({ schema: { fields: patchColumns(schema?.fields, columns) } });
  const view = table['view'] as View | undefined;
  if (view?.query === undefined) return void (await tables.patch(name, (found) => ({ ...table, ...overColumns(found) })));
  const fields = await describeColumns(executor, name, { view, columns });
  const together = fields && (await patchTogether(executor, patch, fields));
  const patched = together ?? (await tables.patch(name, () => table));
  if (!hasColumns(patched, columns)) await tables.patch(name, overColumns);
}
