import type { AttachmentChange, Change, ColumnChange } from './change.ts';
import { hasAttachmentChange } from './compare.ts';
import { type RelationName, relationKey } from './relation.ts';

/** A line `Key: value` at the end of a commit message; the keys of ours begin with `Viewsync-`. */
export interface Trailer {
  readonly key: string;
  readonly value: string;
}

/** Longest list of views in one message; the rest is counted. */
const longestList = 50;

type Noun = 'view' | 'bystander' | 'schema';

function nounOf({ object }: RelationName): Noun {
  if (object === undefined) return 'view';
  return object.kind === 'schema' ? 'schema' : 'bystander';
}

function countNoun(count: number, noun: Noun): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}

export function countViews(count: number): string {
  return countNoun(count, 'view');
}

const nouns: readonly Noun[] = ['view', 'bystander', 'schema'];

/** `3 views, 1 bystander`: how many of each kind of thing; what there is none of is left out. */
export function countObjects(names: readonly RelationName[]): string {
  const counts = nouns.map((noun) => ({ noun, count: names.filter((name) => nounOf(name) === noun).length })).filter(({ count }) => count > 0);
  return counts.length === 0 ? countViews(0) : counts.map(({ noun, count }) => countNoun(count, noun)).join(', ');
}

function summarizeNoun(changes: readonly Change[], noun: Noun): readonly string[] {
  const count = (kind: Change['change']) => changes.filter(({ view, change }) => change === kind && nounOf(view) === noun).length;
  const parts = [
    { count: count('modified'), verb: 'changed' },
    { count: count('added'), verb: 'added' },
    { count: count('deleted'), verb: 'deleted' },
  ].filter((part) => part.count > 0);
  return parts.map((part, index) => `${index === 0 ? countNoun(part.count, noun) : part.count} ${part.verb}`);
}

/** `2 views changed, 1 added, 1 schema added`: what comes first names the kind, what is zero is left out. */
export function summarizeChanges(changes: readonly Change[]): string {
  return nouns.flatMap((noun) => summarizeNoun(changes, noun)).join(', ');
}

/** `reprinted by PostgreSQL 18, 312 views`: what a new major version of the server did to texts that nobody changed. */
export function summarizeReprint(server: string, count: number): string {
  return count === 0 ? `${server}, which prints every view as before` : `reprinted by ${server}, ${countViews(count)}`;
}

function describeColumns({ added, removed, retyped, reordered }: ColumnChange): string[] {
  return [
    ...added.map(({ name, type }) => `+ column ${name} ${type}`),
    ...removed.map(({ name }) => `- column ${name}`),
    ...retyped.map(({ name, from, to }) => `column ${name} ${from} -> ${to}`),
    ...(reordered ? ['columns reordered'] : []),
  ];
}

function describeAttachments(change: AttachmentChange): string[] {
  return [
    ...change.added.map(({ kind, key }) => `+ ${kind} ${key}`.trimEnd()),
    ...change.removed.map(({ kind, key }) => `- ${kind} ${key}`.trimEnd()),
    ...change.changed.map(({ from, to }) => (to.key === '' ? `${to.kind} ${from.value} -> ${to.value}` : `${to.kind} ${to.key}`)),
  ];
}

const definitionWords = {
  same: [],
  different: ['definition'],
  reprinted: ['reprinted by the server'],
  'follows base': ['definition (a relation that it reads changed)'],
} as const;

/** What changed of one view, columns first: `+ column total numeric, definition`. Newlines and the like are made visible. */
export function describeChange(change: Change): string {
  if (change.change !== 'modified') return change.change;
  const parts = [
    ...(change.kindChanged ? ['kind'] : []),
    ...describeColumns(change.columns),
    ...definitionWords[change.definition],
    ...(hasAttachmentChange(change.attachments) ? describeAttachments(change.attachments) : []),
  ];
  return parts.join(', ');
}

/** One line, whatever stands in a name or a comment. */
function onOneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function listChanges(changes: readonly Change[]): string[] {
  const lines = changes.slice(0, longestList).map((change) => onOneLine(`${relationKey(change.view)}: ${describeChange(change)}`));
  const rest = changes.length - lines.length;
  return rest > 0 ? [...lines, `and ${rest} more`] : lines;
}

export interface MessageContent {
  readonly subject: string;
  readonly changes: readonly Change[];
  readonly notes?: readonly string[];
  readonly trailers: readonly Trailer[];
}

/** A commit message: subject, a line per view, notes, trailers. */
export function composeMessage({ subject, changes, notes = [], trailers }: MessageContent): string {
  const blocks = [[onOneLine(subject)], listChanges(changes), notes.map(onOneLine), trailers.map(({ key, value }) => `${key}: ${onOneLine(value)}`)];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}
