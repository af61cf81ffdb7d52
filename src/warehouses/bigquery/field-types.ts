import type { Column } from '../../core/view.ts';
import type { Field } from './jobs.ts';

// The interface has kept the names of legacy SQL. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema
const names: Readonly<Record<string, string>> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL', RECORD: 'STRUCT' };

function parametersOf({ precision, scale, maxLength }: Field): string {
  if (maxLength !== undefined) return `(${maxLength})`;
  if (precision === undefined) return '';
  return scale === undefined ? `(${precision})` : `(${precision}, ${scale})`;
}

function typeOf(field: Field): string {
  const name = names[field.type] ?? field.type;
  if (name === 'STRUCT') return `STRUCT<${(field.fields ?? []).map((inner) => `${inner.name} ${writeType(inner)}`).join(', ')}>`;
  if (name === 'RANGE') return `RANGE<${field.rangeElementType?.type ?? ''}>`;
  return `${name}${parametersOf(field)}`;
}

/** A field's type as GoogleSQL and the catalog write it: `ARRAY<STRUCT<a INT64>>`. */
export function writeType(field: Field): string {
  return field.mode === 'REPEATED' ? `ARRAY<${typeOf(field)}>` : typeOf(field);
}

/** The field at a path. Column names are the same in upper and lower case. https://cloud.google.com/bigquery/docs/schemas#column_names */
export function findField(fields: readonly Field[], [first = '', ...rest]: readonly string[]): Field | undefined {
  const field = fields.find(({ name }) => name.toLowerCase() === first.toLowerCase());
  return field === undefined || rest.length === 0 ? field : findField(field.fields ?? [], rest);
}

export function toColumns(fields: readonly Field[] | undefined): readonly Column[] {
  return (fields ?? []).map((field) => ({ name: field.name, type: writeType(field) }));
}
