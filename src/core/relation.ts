/** A relation's name in its exact spelling, unquoted. */
export interface RelationName {
  readonly catalog?: string;
  readonly schema: string;
  readonly name: string;
}

const plain = /^[A-Za-z0-9_$]+$/;

function keyPart(part: string): string {
  return plain.test(part) ? part : `"${part.replaceAll('"', '""')}"`;
}

/** One text per name and one name per text, the same for every warehouse: `shop.orders`, `shop."My View.v1"`. For maps, for sorting and for people. */
export function relationKey(name: RelationName): string {
  const parts = name.catalog === undefined ? [name.schema, name.name] : [name.catalog, name.schema, name.name];
  return parts.map(keyPart).join('.');
}

/** The name that a key was made from; undefined when the text is no key. */
export function parseRelationKey(key: string): RelationName | undefined {
  const parts = [...key.matchAll(/(?:^|\.)(?:"((?:[^"]|"")*)"|([A-Za-z0-9_$]+))/g)].map((match) => match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
  const [first = '', second = '', third] = parts;
  const name = third === undefined ? { schema: first, name: second } : { catalog: first, schema: second, name: third };
  return relationKey(name) === key ? name : undefined;
}

/** Orders texts by code unit, the order in which Snapshots and files are sorted. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Orders relation names by their key. */
export function compareRelations(left: RelationName, right: RelationName): number {
  return compareText(relationKey(left), relationKey(right));
}
