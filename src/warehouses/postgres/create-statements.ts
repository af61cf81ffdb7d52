import type { CreateForm } from '../../core/dialect.ts';
import { type Column, isView, populatedKind, type View } from '../../core/view.ts';
import { optionAssignment } from './attachments.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';

/** Whether a view is a materialized one that has to hold data. */
export function isPopulated({ kind, attachments }: View): boolean {
  return kind === 'materialized view' && !attachments.some((each) => each.kind === populatedKind && each.value === 'unpopulated');
}

function header(view: View, create: string): string {
  const find = (wanted: string) => view.attachments.find(({ kind }) => kind === wanted)?.value;
  const options = view.attachments.filter(({ kind }) => kind === 'option').map(({ key, value }) => optionAssignment(key, value));
  const [method, tablespace] = [find('access method'), find('tablespace')];
  const clauses = [
    ...(method === undefined ? [] : [`USING ${quoteIdentifier(method)}`]),
    ...(options.length === 0 ? [] : [`WITH (${options.join(', ')})`]),
    ...(tablespace === undefined ? [] : [`TABLESPACE ${quoteIdentifier(tablespace)}`]),
  ];
  return `${[`${create} ${quoteRelation(view.name)}`, ...clauses].join('\n')} AS`;
}

/**
 * The CREATE statement. A replace restates all options, since it would clear them otherwise.
 * https://www.postgresql.org/docs/current/sql-createview.html https://www.postgresql.org/docs/current/sql-creatematerializedview.html
 */
export function createView(view: View, form: CreateForm): string {
  if (!isView(view)) return view.definition;
  if (view.kind === 'view') return `${header(view, form === 'create' ? 'CREATE VIEW' : 'CREATE OR REPLACE VIEW')}\n${view.definition}`;
  const isFull = form === 'file' && isPopulated(view);
  return `${header(view, 'CREATE MATERIALIZED VIEW')}\n${view.definition}\nWITH ${isFull ? 'DATA' : 'NO DATA'}`;
}

function nullOf({ name, type }: Column): string {
  const [, plain = type, collation = ''] = /^(.*?)( COLLATE .*)?$/s.exec(type) ?? [];
  return `NULL::${plain}${collation} AS ${quoteIdentifier(name)}`;
}

/** A view of the same columns that reads nothing, as pg_dump makes it to break a circle. */
export function createPlaceholder({ kind, name, columns }: View): string | undefined {
  if (kind !== 'view' || columns.length === 0) return undefined;
  return `CREATE OR REPLACE VIEW ${quoteRelation(name)} AS\nSELECT\n  ${columns.map(nullOf).join(',\n  ')}`;
}
