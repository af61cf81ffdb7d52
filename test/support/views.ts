import { type RelationName, relationKey } from '../../src/core/relation.ts';
import type { Attachment, Column, View } from '../../src/core/view.ts';

/** `shop.orders` as a name. */
export function name(text: string): RelationName {
  const [schema = '', relation = ''] = text.split('.');
  return { schema, name: relation };
}

export interface ViewParts {
  readonly reads?: readonly string[];
  readonly definition?: string;
  /** `a integer` each. */
  readonly columns?: readonly string[];
  readonly kind?: View['kind'];
  readonly attachments?: readonly Attachment[];
  readonly unrestorable?: readonly string[];
}

function column(text: string): Column {
  const [first = '', ...rest] = text.split(' ');
  return { name: first, type: rest.join(' ') };
}

/** A view that selects `id` from what it reads. */
export function view(
  key: string,
  { reads = ['shop.t'], definition, columns = ['id integer'], kind = 'view', attachments = [], unrestorable = [] }: ViewParts = {},
): View {
  const names = reads.map(name).sort((left, right) => (relationKey(left) < relationKey(right) ? -1 : 1));
  return {
    name: name(key),
    kind,
    definition: definition ?? `SELECT ${columns.map((text) => column(text).name).join(', ')} FROM ${reads.join(', ')}`,
    columns: columns.map(column),
    reads: names,
    attachments,
    unrestorable,
  };
}
