import { compareText } from './relation.ts';

/** Edges by key: what each node reads. Keys that are no nodes are ignored. */
export type Reads = ReadonlyMap<string, readonly string[]>;

/** Nodes that read each other, in one group; most groups have one member. */
export interface Component {
  readonly members: readonly string[];
  /** Whether the members form a circle, or the only one reads itself. */
  readonly isCircular: boolean;
}

interface Visit {
  readonly node: string;
  readonly edges: readonly string[];
  next: number;
}

/**
 * Strongly connected components, members sorted. Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of
 * our own: a chain of ten thousand views would overflow the call stack.
 */
function findComponents(reads: Reads): Component[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const components: Component[] = [];
  const visits: Visit[] = [];

  const enter = (node: string) => {
    index.set(node, index.size);
    low.set(node, index.size - 1);
    open.push(node);
    isOpen.add(node);
    visits.push({ node, edges: (reads.get(node) ?? []).filter((edge) => reads.has(edge)), next: 0 });
  };
  const lower = (node: string, to: number) => low.set(node, Math.min(low.get(node) ?? to, to));
  const close = (visit: Visit) => {
    if (low.get(visit.node) !== index.get(visit.node)) return;
    const members = open.splice(open.lastIndexOf(visit.node)).sort(compareText);
    for (const member of members) isOpen.delete(member);
    components.push({ members, isCircular: members.length > 1 || visit.edges.includes(visit.node) });
  };
  const advance = (visit: Visit) => {
    const edge = visit.edges[visit.next++];
    if (edge === undefined) {
      visits.pop();
      close(visit);
      const parent = visits.at(-1);
      if (parent) lower(parent.node, low.get(visit.node) ?? 0);
    } else if (!index.has(edge)) enter(edge);
    else if (isOpen.has(edge)) lower(visit.node, index.get(edge) ?? 0);
  };

  for (const node of reads.keys()) {
    if (!index.has(node)) enter(node);
    for (let visit = visits.at(-1); visit; visit = visits.at(-1)) advance(visit);
  }
  return components;
}

type Compare = (left: string, right: string) => number;

function insertSorted(queue: string[], name: string, compare: Compare): void {
  let from = 0;
  let to = queue.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compare(queue[middle] ?? '', name) < 0) from = middle + 1;
    else to = middle;
  }
  queue.splice(from, 0, name);
}

/** The components that some nodes read, each by its first member, once. */
function needsOf(members: readonly string[], { reads, home }: { reads: Reads; home: ReadonlyMap<string, string> }): readonly string[] {
  return [...new Set(members.flatMap((member) => reads.get(member) ?? []).flatMap((read) => home.get(read) ?? []))];
}

/** Components in an order in which everything comes after what it reads; ties are broken by rank, the lowest first, and then by name. */
export function orderByReads(reads: Reads, rankOf: (key: string) => number = () => 0): readonly Component[] {
  const byName = new Map(findComponents(reads).map((component) => [component.members[0] ?? '', component]));
  const ranks = new Map([...byName.keys()].map((name) => [name, rankOf(name)]));
  const compare: Compare = (left, right) => (ranks.get(left) ?? 0) - (ranks.get(right) ?? 0) || compareText(left, right);
  const home = new Map([...byName].flatMap(([name, component]) => component.members.map((member) => [member, name] as const)));
  const needs: Reads = new Map([...byName].map(([name, { members }]) => [name, needsOf(members, { reads, home }).filter((need) => need !== name)]));
  const readers = findReaders(needs);
  const open = new Map([...needs].map(([name, { length }]) => [name, length]));
  const ready = [...needs].flatMap(([name, { length }]) => (length === 0 ? [name] : [])).sort(compare);
  const ordered: Component[] = [];
  for (let name = ready.shift(); name !== undefined; name = ready.shift()) {
    ordered.push(byName.get(name) as Component);
    for (const reader of readers.get(name) ?? []) {
      const left = (open.get(reader) ?? 0) - 1;
      open.set(reader, left);
      if (left === 0) insertSorted(ready, reader, compare);
    }
  }
  return ordered;
}

/** The edges turned round: who reads each node. */
export function findReaders(reads: Reads): Reads {
  const readers = new Map<string, string[]>();
  for (const [node, edges] of reads) {
    for (const edge of new Set(edges)) {
      const known = readers.get(edge);
      if (known) known.push(node);
      else readers.set(edge, [node]);
    }
  }
  return readers;
}

/** Everything that can be reached from `start` along the edges, `start` included; each with the node through which it was reached first. */
export function reach(start: Iterable<string>, edges: Reads): ReadonlyMap<string, string | undefined> {
  const reached = new Map<string, string | undefined>([...start].map((node) => [node, undefined]));
  const queue = [...reached.keys()];
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    for (const next of edges.get(node) ?? []) {
      if (reached.has(next)) continue;
      reached.set(next, node);
      queue.push(next);
    }
  }
  return reached;
}
