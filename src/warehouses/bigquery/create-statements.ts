import type { CreateForm } from '../../core/dialect.ts';
import { endStatement, writeReservedLine } from '../../core/reserved-line.ts';
import type { Attachment, View } from '../../core/view.ts';
import { columnKinds, inlineKinds } from './attachments.ts';
import { writeString } from './literals.ts';
import { quoteRelation } from './names.ts';

function findValue({ attachments }: View, kind: string): string | undefined {
  return attachments.find((attachment) => attachment.kind === kind)?.value;
}

function writeOption({ kind, key, value }: Attachment): string[] {
  if (kind === 'option') return [`${key} = ${value}`];
  return kind === 'comment' ? [`description = ${writeString(value)}`] : [];
}

function writeOptions({ attachments }: View): string[] {
  const labels = attachments.filter(({ kind }) => kind === 'label').map(({ key, value }) => `(${writeString(key)}, ${writeString(value)})`);
  const options = [...attachments.flatMap(writeOption), ...(labels.length > 0 ? [`labels = [${labels.join(', ')}]`] : [])];
  return options.length === 0 ? [] : [`OPTIONS (\n${options.map((option) => `  ${option}`).join(',\n')}\n)`];
}

/** A view whose columns have names of their own, or a materialized one, is not to be had by patching its query. */
export function isReplacedByStatement(view: Pick<View, 'kind' | 'attachments'>): boolean {
  return view.kind === 'materialized view' || view.attachments.some(({ kind }) => kind === 'columns');
}

/** Kinds that the step of a view sets: whatever a statement would lose, or the columns alone where the query is patched and the rest stays. */
export function restatedKinds(view: View, making: 'create' | 'replace'): readonly string[] {
  if (making === 'create') return [...inlineKinds, ...columnKinds];
  return isReplacedByStatement(view) ? [...inlineKinds, ...columnKinds, 'grant'] : ['legacy SQL', ...columnKinds];
}

function writeHead(view: View, form: CreateForm): string {
  const columns = findValue(view, 'columns');
  const what = view.kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW';
  const name = `${form === 'create' ? 'CREATE' : 'CREATE OR REPLACE'} ${what} ${quoteRelation(view.name)}`;
  return columns === undefined ? name : `${name} (${columns})`;
}

/** The CREATE statement alone, without a semicolon. */
function writeCreate(view: View, form: CreateForm): string {
  const [partition, cluster] = [findValue(view, 'partition'), findValue(view, 'cluster')];
  const lines = [
    writeHead(view, form),
    ...(partition === undefined ? [] : [`PARTITION BY ${partition}`]),
    ...(cluster === undefined ? [] : [`CLUSTER BY ${cluster}`]),
    ...writeOptions(view),
    ...(findValue(view, 'legacy SQL') === undefined ? [] : [writeReservedLine({ legacySql: true })]),
  ];
  return `${lines.join('\n')}\nAS\n${view.definition}`;
}

/**
 * `Dialect.createView`. A step holds more than a file's first statement: what the columns have, which is lost with the old ones. All of it is
 * carried out together; see `actions.ts`.
 */
export function createView(view: View, form: CreateForm): string {
  const create = writeCreate(view, form);
  if (form === 'file') return create;
  const restated = restatedKinds(view, form).filter((kind) => !inlineKinds.includes(kind));
  const others = view.attachments.filter(({ kind }) => restated.includes(kind)).map(({ make }) => make);
  // The definition may end in a comment, which must not take in the semicolon.
  return [`${create}\n`, ...others].map((sql, index, { length }) => (index < length - 1 ? endStatement(sql) : sql)).join('\n');
}
