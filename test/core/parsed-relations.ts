import { parse } from 'libpg-query';

type Node = Readonly<Record<string, unknown>>;

/** Names of WITH queries that can be seen. */
type Names = ReadonlySet<string>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

function relationOf(range: Node, names: Names): string[] {
  const name = String(range['relname']);
  if (typeof range['schemaname'] !== 'string') return names.has(name) ? [] : [name];
  const catalog = typeof range['catalogname'] === 'string' ? [range['catalogname']] : [];
  return [[...catalog, range['schemaname'], name].join('.')];
}

function queriesOf(clause: Node): Node[] {
  return (clause['ctes'] as Node[]).map((item) => item['CommonTableExpr'] as Node);
}

/** Walks the queries of a WITH clause; returns what they read and the names that the statement's rest can see. */
function walkWith(clause: Node, names: Names): { readonly relations: string[]; readonly names: Names } {
  const queries = queriesOf(clause);
  const all = new Set([...names, ...queries.map((query) => String(query['ctename']))]);
  const visible = new Set(names);
  const relations = queries.flatMap((query) => {
    const read = walk(query['ctequery'], clause['recursive'] === true ? all : new Set(visible));
    visible.add(String(query['ctename']));
    return read;
  });
  return { relations, names: all };
}

function walkFields(node: Node, names: Names): string[] {
  const clause = node['withClause'];
  const inner = isNode(clause) ? walkWith(clause, names) : { relations: [], names };
  const rest = Object.entries(node).filter(([key]) => key !== 'withClause' && key !== 'lockingClause');
  return [
    ...inner.relations,
    ...rest.flatMap(([key, value]) => (key === 'RangeVar' && isNode(value) ? relationOf(value, inner.names) : walk(value, inner.names))),
  ];
}

function walk(value: unknown, names: Names): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => walk(item, names));
  return isNode(value) ? walkFields(value, names) : [];
}

/** The relations that PostgreSQL's own parser finds in a query, sorted, each as often as it stands there. */
export async function parsedRelations(sql: string): Promise<string[]> {
  return walk(await parse(sql), new Set()).sort();
}
