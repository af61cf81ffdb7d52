import { compareRelations, parseRelationKey, type RelationName, relationKey } from './relation.ts';
import type { Column, View } from './view.ts';

/** What the comment lines at the top of a view file say. For people: no decision is made from it but which columns a view had. */
export interface ViewHeader {
  readonly name: string;
  readonly reads: readonly string[];
  readonly columns: readonly Column[];
  /** What else stands in comments there: the user's own. */
  readonly notes: string;
}

// Nothing that a name or type holds may end the comment line or reach a terminal as a control sequence.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to be escaped.
const unsafe = /[\\\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

function escapeUnsafe(text: string): string {
  return text.replace(unsafe, (character) => (character === '\\' ? '\\\\' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

function readEscapes(text: string): string {
  return text.replace(/\\(?:\\|u([0-9a-f]{4}))/g, (_, code) => (code === undefined ? '\\' : String.fromCharCode(Number.parseInt(code, 16))));
}

function columnText({ name, type }: Column): string {
  return `${/^[A-Za-z0-9_$]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`} ${type}`;
}

function labelled(label: string, items: readonly string[]): string[] {
  const indent = ' '.repeat(label.length + 2);
  return items.map((item, index) => `-- ${index === 0 ? `${label}: ` : indent}${escapeUnsafe(item)}`);
}

type Headed = Pick<View, 'name' | 'kind' | 'reads' | 'columns'>;

/** What the first line calls it: nothing for a bystander, whose first line says of what. */
function titleOf({ name, kind }: Headed): string {
  if (kind === 'bystander') return '';
  return name.object === undefined ? relationKey(name) : relationKey(name).slice(name.object.kind.length + 1);
}

/** What the header of a view says, as `readHeader` reads it. */
export function headerOf(view: Headed): ViewHeader {
  return { name: titleOf(view), reads: view.reads.map(relationKey), columns: view.columns, notes: '' };
}

/** Returns the header of a view's file: its name, what it reads, its columns; one line each, aligned. */
export function writeHeader(view: Headed): string {
  const { name, reads, columns } = headerOf(view);
  if (view.kind === 'bystander') return labelled('bystander of', reads).join('\n');
  const title = labelled(view.kind === 'container' ? 'schema' : 'view', [name]);
  return [...title, ...labelled('reads', reads), ...labelled('columns', columns.map(columnText))].join('\n');
}

/** The items below each label, and the lines that belong to none. */
interface Lines {
  readonly items: Readonly<Record<string, readonly string[]>>;
  readonly notes: readonly string[];
}

const labelLine = /^-- (view|schema|bystander of|reads|columns): (.*)$/;
const continuation = /^-- {7,}(\S.*)$/;

function readLine({ items, notes }: Lines, label: string, line: string): Lines {
  const item = labelLine.exec(line)?.[2] ?? continuation.exec(line)?.[1];
  if (label === '' || item === undefined) return { items, notes: [...notes, line] };
  return { items: { ...items, [label]: [...(items[label] ?? []), item.trimEnd()] }, notes };
}

function readLines(text: string): Lines {
  let lines: Lines = { items: {}, notes: [] };
  let label = '';
  for (const line of text.split(/\r?\n/)) {
    label = labelLine.exec(line)?.[1] ?? (continuation.test(line) ? label : '');
    lines = readLine(lines, label, line);
  }
  return lines;
}

const column = /^(?:"((?:[^"]|"")*)"|([A-Za-z0-9_$]+)) (.+)$/s;

function readColumn(item: string): Column[] {
  const [, quoted, plain, type] = column.exec(readEscapes(item)) ?? [];
  const name = quoted?.replaceAll('""', '"') ?? plain;
  return name === undefined || type === undefined ? [] : [{ name, type }];
}

/** Reads what stands before the CREATE statement. Columns are empty unless every line of them can be read; never throws. */
export function readHeader(text: string): ViewHeader {
  const { items, notes } = readLines(text);
  const columnItems = items['columns'] ?? [];
  const columns = columnItems.flatMap(readColumn);
  return {
    name: readEscapes(items['view']?.[0] ?? items['schema']?.[0] ?? ''),
    reads: (items['bystander of'] ?? items['reads'] ?? []).map(readEscapes),
    columns: columns.length === columnItems.length ? columns : [],
    notes: notes.join('\n').trim(),
  };
}

/** The names below `reads` or `bystander of`, in whatever order somebody wrote them. */
export function namesRead({ reads }: ViewHeader): readonly RelationName[] {
  return reads.flatMap((key) => parseRelationKey(key) ?? []).sort(compareRelations);
}

/** Whether a header says the same as a view. */
export function isHeaderOf(header: ViewHeader, view: Headed): boolean {
  const wanted = headerOf(view);
  const textsOf = ({ name, reads, columns }: ViewHeader) => [name, ...reads, ...columns.map(columnText)];
  const [said, meant] = [textsOf(header), textsOf(wanted)];
  return said.length === meant.length && header.reads.length === wanted.reads.length && said.every((text, index) => text === meant[index]);
}
