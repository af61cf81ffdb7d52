/** What tells the name of something that is no relation from one: a function, a policy on a table, a schema. */
export interface ObjectKind {
  /** In the vendor's word, in lower case: `function`, `policy`, `schema`. */
  readonly kind: string;
  /** The table that it stands on, in the same schema. */
  readonly on?: string;
  /** Types of arguments as the warehouse prints them, separated by `, `; empty for none. */
  readonly arguments?: string;
}

/** A relation's name in its exact spelling, unquoted; with `object` the name of something that stands beside relations. */
export interface RelationName {
  readonly catalog?: string;
  readonly schema: string;
  readonly name: string;
  readonly object?: ObjectKind;
}

const plain = /^[A-Za-z0-9_$]+$/;

function keyPart(part: string): string {
  return plain.test(part) ? part : `"${part.replaceAll('"', '""')}"`;
}

/** The parts of a name from the outside in; a schema is called by its name alone. */
function partsOf({ catalog, schema, name, object }: RelationName): readonly string[] {
  const parts = object?.kind === 'schema' ? [catalog, schema] : [catalog, schema, object?.on, name];
  return parts.flatMap((part) => part ?? []);
}

/**
 * One text per name and one name per text, the same for every warehouse: `shop.orders`, `shop."My View.v1"`, `function shop.total(integer)`,
 * `policy shop.orders.own_rows`, `schema shop`. For maps, for sorting and for people.
 */
export function relationKey(name: RelationName): string {
  const { object } = name;
  // Most names are those of relations, and keys are made of them all the time: without lists in between.
  if (object === undefined) return name.catalog === undefined ? innerKey(name) : `${keyPart(name.catalog)}.${innerKey(name)}`;
  const key = partsOf(name).map(keyPart).join('.');
  return `${object.kind} ${key}${object.arguments === undefined ? '' : `(${object.arguments})`}`;
}

function innerKey({ schema, name }: RelationName): string {
  return `${keyPart(schema)}.${keyPart(name)}`;
}

const quotedPart = '"(?:[^"]|"")*"|[A-Za-z0-9_$]+';
const keyShape = new RegExp(`^(?:([a-z ]+) )?((?:${quotedPart})(?:\\.(?:${quotedPart}))*)(?:\\((.*)\\))?$`, 's');

function readPart(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}

/** What a name's parts, the innermost first, mean for something of this kind. */
function assemble([first = '', second = '', third, fourth]: readonly string[], object: ObjectKind | undefined): RelationName {
  const inCatalog = (catalog: string | undefined) => (catalog === undefined ? {} : { catalog });
  if (object === undefined) return { ...inCatalog(third), schema: second, name: first };
  if (object.kind === 'schema') return { ...inCatalog(second === '' ? undefined : second), schema: first, name: first, object };
  if (object.arguments !== undefined) return { ...inCatalog(third), schema: second, name: first, object };
  return { ...inCatalog(fourth), schema: third ?? '', name: first, object: { ...object, on: second } };
}

/** The name that a key was made from; undefined when the text is no key. */
export function parseRelationKey(key: string): RelationName | undefined {
  const [, kind, rest = '', list] = keyShape.exec(key) ?? [];
  const parts = [...rest.matchAll(new RegExp(quotedPart, 'g'))].map(([part]) => readPart(part));
  const name = assemble(parts.toReversed(), kind === undefined ? undefined : { kind, ...(list === undefined ? {} : { arguments: list }) });
  return relationKey(name) === key ? name : undefined;
}

/** How SQL calls it, whatever it is: its key without kind and arguments. */
export function bareKey({ object: _, ...name }: RelationName): string {
  return relationKey(name);
}

/** Whether a name is that of something that SQL calls by name: a function, a procedure, an aggregate. */
export function isRoutineName({ object }: RelationName): boolean {
  return object !== undefined && ['function', 'procedure', 'aggregate'].includes(object.kind);
}

/** Whether a name is that of a schema itself. */
export function isSchemaName({ object }: RelationName): boolean {
  return object?.kind === 'schema';
}

/** Orders texts by code unit, the order in which Snapshots and files are sorted. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** Orders relation names by their key. */
export function compareRelations(left: RelationName, right: RelationName): number {
  const isBeside = left.schema === right.schema && left.catalog === right.catalog && left.object === undefined && right.object === undefined;
  if (isBeside) return compareText(keyPart(left.name), keyPart(right.name));
  return compareText(relationKey(left), relationKey(right));
}
