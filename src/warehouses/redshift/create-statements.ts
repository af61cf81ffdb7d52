import type { CreateForm } from '../../core/dialect.ts';
import type { View } from '../../core/view.ts';
import { quoteRelation } from './names.ts';

function inlineTexts({ attachments }: View, kind: string): readonly string[] {
  return attachments.filter((attachment) => attachment.kind === kind).map(({ make }) => make);
}

// The order in which the documentation has them.
const storageOrder = ['BACKUP', 'DISTSTYLE', 'DISTKEY', 'SORTKEY', 'COMPOUND SORTKEY', 'INTERLEAVED SORTKEY', 'other'];

function storageTexts({ attachments }: View): readonly string[] {
  const storage = attachments.filter(({ kind }) => kind === 'storage');
  return storage.toSorted((left, right) => storageOrder.indexOf(left.key) - storageOrder.indexOf(right.key)).map(({ make }) => make);
}

/**
 * The CREATE statement. A materialized view is filled by it, since Redshift has no WITH NO DATA.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html https://docs.aws.amazon.com/redshift/latest/dg/materialized-view-create-sql-command.html
 */
export function createView(view: View, form: CreateForm): string {
  const isView = view.kind === 'view';
  const create = !isView ? 'CREATE MATERIALIZED VIEW' : form === 'create' ? 'CREATE VIEW' : 'CREATE OR REPLACE VIEW';
  const header = [`${create} ${quoteRelation(view.name)}`, ...inlineTexts(view, 'column list')].join(' ');
  const head = [header, ...storageTexts(view)].join('\n');
  return [`${head} AS`, view.definition, ...inlineTexts(view, 'binding')].join('\n');
}

export function dropView({ kind, name }: View): string {
  return `DROP ${kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW'} ${quoteRelation(name)}`;
}
