import { type RelationName, relationKey } from './relation.ts';
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

/** Returns the header of a view's file: its name, what it reads, its columns; one line each, aligned. */
export function writeHeader({ name, reads, columns }: Pick<View, 'name' | 'reads' | 'columns'>): string {
  const lines = [...labelled('view', [relationKey(name)]), ...labelled('reads', reads.map(relationKey)), ...labelled('columns', columns.map(columnText))];
  return lines.join('\n');
}

/** The items below each label, and the lines that belong to none. */
interface Lines {
  readonly items: Readonly<Record<string, readonly string[]>>;
  readonly notes: readonly string[];
}

const labelLine = /^-- (view|reads|columns): (.*)$/;
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
    name: readEscapes(items['view']?.[0] ?? ''),
    reads: (items['reads'] ?? []).map(readEscapes),
    columns: columns.length === columnItems.length ? columns : [],
    notes: notes.join('\n').trim(),
  };
}

/** Whether a header says the same as a view. */
export function isHeaderOf(
  header: ViewHeader,
  view: { readonly name: RelationName; readonly reads: readonly RelationName[]; readonly columns: readonly Column[] },
): boolean {
  const said = [header.name, ...header.reads, ...header.columns.map(columnText)];
  const meant = [relationKey(view.name), ...view.reads.map(relationKey), ...view.columns.map(columnText)];
  return said.length === meant.length && header.reads.length === view.reads.length && said.every((text, index) => text === meant[index]);
}
