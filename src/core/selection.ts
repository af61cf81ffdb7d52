import { ViewsyncError } from '../errors.ts';
import { matchGlobs } from './glob.ts';
import { didYouMean } from './nearest.ts';
import { type RelationName, relationKey } from './relation.ts';
import type { View } from './view.ts';

/** What to take and what to leave out, each a union; nothing to take means everything. */
export interface Selection {
  readonly select: readonly string[];
  readonly exclude: readonly string[];
}

/** A pattern's parts: how many steps to go up to what the matching views read and down to what reads them; `@` goes down and then up. */
interface Pattern {
  readonly glob: string;
  readonly up: number;
  readonly down: number;
  readonly isAround: boolean;
}

type Neighbours = ReadonlyMap<string, readonly string[]>;

interface Graph {
  readonly names: ReadonlyMap<string, RelationName>;
  readonly reads: Neighbours;
  readonly readBy: Neighbours;
}

function toGraph(views: readonly View[]): Graph {
  const names = new Map(views.map(({ name }) => [relationKey(name), name]));
  const reads = new Map(views.map((view) => [relationKey(view.name), view.reads.map(relationKey).filter((key) => names.has(key))]));
  const readBy = new Map<string, string[]>([...names.keys()].map((key) => [key, []]));
  for (const [reader, keys] of reads) for (const key of keys) readBy.get(key)?.push(reader);
  return { names, reads, readBy };
}

function steps(sign: string | undefined, count: string | undefined): number {
  if (sign === undefined) return 0;
  return count === undefined || count === '' ? Number.POSITIVE_INFINITY : Number(count);
}

// The operators are dbt's: https://docs.getdbt.com/reference/node-selection/graph-operators
function parsePattern(text: string): Pattern {
  const [, around, above, upSign, glob = '', downSign, below] = /^(?:(@)|(\d*)(\+))?(.*?)(?:(\+)(\d*))?$/s.exec(text) ?? [];
  return { glob, up: steps(upSign, above), down: steps(downSign, below), isAround: around !== undefined };
}

function dotted({ catalog, schema, name }: RelationName): string {
  return [catalog, schema, name].filter((part) => part !== undefined).join('.');
}

/** How a name may be called: with all its parts, without its catalog, by itself. */
function callings(name: RelationName): readonly string[] {
  const { schema, name: own } = name;
  return [dotted(name), dotted({ schema, name: own }), own];
}

/** The views whose name is the text itself, however it is written. */
function findExact(text: string, { names }: Graph): string[] {
  return [...names].filter(([key, name]) => [key, ...callings(name)].includes(text)).map(([key]) => key);
}

function findMatching(glob: string, graph: Graph): string[] {
  const exact = findExact(glob, graph);
  if (exact.length > 0 || glob === '') return exact;
  const isMatch = matchGlobs([glob]);
  const hasSchema = glob.includes('.');
  return [...graph.names].filter(([, name]) => (hasSchema ? callings(name).slice(0, 2) : [name.name]).some(isMatch)).map(([key]) => key);
}

/** Everything within so many steps of the start, the start among it. */
function reach(start: Iterable<string>, neighbours: Neighbours, limit: number): Set<string> {
  const reached = new Set(start);
  let edge = [...reached];
  for (let step = 0; step < limit && edge.length > 0; step += 1) {
    const next = new Set(edge.flatMap((key) => neighbours.get(key) ?? []).filter((key) => !reached.has(key)));
    for (const key of next) reached.add(key);
    edge = [...next];
  }
  return reached;
}

function failUnmatched(text: string, glob: string, { names }: Graph): never {
  const known = glob.includes('.') ? [...names.keys()] : [...names.values()].map(({ name }) => name);
  throw new ViewsyncError('USAGE', {
    message: `No view matches ${JSON.stringify(text)}.${didYouMean(glob, known)} Nothing was changed.`,
    suggestions: ['viewsync status', "Write globs as 'schema.*', with quotes."],
    details: { pattern: text },
  });
}

function findSelected(text: string, graph: Graph): ReadonlySet<string> {
  const exact = findExact(text, graph);
  const pattern = exact.length > 0 ? { glob: text, up: 0, down: 0, isAround: false } : parsePattern(text);
  const matching = findMatching(pattern.glob, graph);
  if (matching.length === 0) return failUnmatched(text, pattern.glob, graph);
  const { reads, readBy } = graph;
  if (pattern.isAround) return reach(reach(matching, readBy, Number.POSITIVE_INFINITY), reads, Number.POSITIVE_INFINITY);
  return new Set([...reach(matching, reads, pattern.up), ...reach(matching, readBy, pattern.down)]);
}

/**
 * Returns the keys of the views that a selection names. A pattern is a name or glob over `schema.name`, or over the name alone when it
 * holds no dot, with dbt's operators: `+view` with all that it reads, `view+` with all that reads it, `2+view+1` so many steps, `@view` with
 * all that reads it and all that those read. Throws `USAGE` for a pattern that matches nothing.
 */
export function selectViews(views: readonly View[], { select, exclude }: Selection): Set<string> {
  const graph = toGraph(views);
  const selected = select.length === 0 ? graph.names.keys() : select.flatMap((text) => [...findSelected(text, graph)]);
  const excluded = new Set(exclude.flatMap((text) => [...findSelected(text, graph)]));
  return new Set([...selected].filter((key) => !excluded.has(key)));
}
