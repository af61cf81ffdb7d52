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
