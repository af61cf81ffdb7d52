/** The queries of one WITH list, by name with the number of those before them. */
export interface WithList {
  readonly names: Map<string, number>;
  isRecursive: boolean;
  readonly around: Scope | undefined;
}

/** What a query can see: the first `visible` queries of a list, all of them when it is recursive, and what is around the list. */
export interface Scope {
  readonly list: WithList;
  readonly visible: number;
}

/** A scope in which nothing of a new WITH list is visible yet. */
export function openList(around: Scope | undefined): Scope {
  return { list: { names: new Map(), isRecursive: false, around }, visible: 0 };
}

/** The scope behind a query of a WITH list, which then can be seen. */
export function addQuery(scope: Scope, name: string): Scope {
  const { list, visible } = scope;
  if (!list.names.has(name)) list.names.set(name, visible);
  return { list, visible: visible + 1 };
}

/** Whether an unqualified name is that of a WITH query. To be asked when everything has been read: a recursive list shows its later queries too. */
export function isWithQuery(name: string, scope: Scope | undefined): boolean {
  for (let current = scope; current !== undefined; current = current.list.around) {
    const position = current.list.names.get(name);
    if (position !== undefined && (current.list.isRecursive || position < current.visible)) return true;
  }
  return false;
}

/** What a FROM clause calls its rows, by folded name: at which token, and whether these are rows of an array. */
export interface Sources {
  readonly aliases: Map<string, { readonly at: number; readonly isArray: boolean }>;
  readonly around: Sources | undefined;
}

/** A FROM clause of which nothing has been read, inside a query that sees the rows of `around`. */
export function openSources(around: Sources | undefined): Sources {
  return { aliases: new Map(), around };
}

/**
 * Whether a path in FROM at token `at` starts at a row: of an earlier item of its own clause, or of any item of a clause around. To be asked when everything has
 * been read, since a subquery in the list of columns stands before the FROM that it looks at.
 */
export function startsAtRow(path: { readonly name: string; readonly at: number; readonly isBare: boolean }, sources: Sources): boolean {
  const own = sources.aliases.get(path.name);
  if (own !== undefined && own.at < path.at) return own.isArray || !path.isBare;
  for (let current = sources.around; current !== undefined; current = current.around) {
    const alias = current.aliases.get(path.name);
    if (alias !== undefined) return alias.isArray || !path.isBare;
  }
  return false;
}
