import type { Dialect } from './dialect.ts';
import { type Reads, reach } from './graph.ts';
import { findMentions } from './references.ts';
import { bareKey, isRoutineName, isSchemaName, relationKey } from './relation.ts';
import { isView, type View } from './view.ts';

/** The objects that a name may mean: a relation, and every routine that is called so. */
type Meanings = ReadonlyMap<string, readonly string[]>;

function findMeanings(objects: readonly View[]): Meanings {
  const named = objects.filter(({ name }) => name.object === undefined || isRoutineName(name));
  const groups = Map.groupBy(named, ({ name }) => bareKey(name));
  return new Map([...groups].map(([key, members]) => [key, members.map(({ name }) => relationKey(name))]));
}

/** The names that a definition holds, but for the one that it gives to what it makes. */
function namesIn({ name, definition, kind }: View, dialect: Dialect, known: ReadonlySet<string>): readonly string[] {
  const mentions = findMentions(definition, dialect, known).map((mention) => relationKey(mention.name));
  const isOwn = kind === 'bystander' && isRoutineName(name) && mentions[0] === bareKey(name);
  return isOwn ? mentions.slice(1) : mentions;
}

/** The last word of what could be named, each with the keys that end in it. A text that names one of these holds the word, in some case. */
type Words = ReadonlyMap<string, readonly string[]>;

const word = /[A-Za-z0-9_$]+/g;

// Only there a name stands as it is: no escapes, and no letters of which a dialect may think otherwise.
const isPlain = (text: string) => /^[\t\n\r\f\v -[\]-~]*$/.test(text);

function findWords(keys: Iterable<string>): Words {
  return Map.groupBy([...keys].filter(isPlain), (key) => key.match(word)?.at(-1)?.toLowerCase() ?? '');
}

/** Whether a text may name more than what is known of it. Most hold no word of anything else, and are read no further. */
function mayNameMore(text: string, words: Words, known: ReadonlySet<string>): boolean {
  if (!isPlain(text)) return true;
  const isOther = (found: string) => words.get(found.toLowerCase())?.some((key) => !known.has(key)) === true;
  return words.get('')?.length !== undefined || text.match(word)?.some(isOther) === true;
}

interface Edges {
  readonly certain: readonly string[];
  /** One of several routines of a name, of which the text does not tell which. */
  readonly possible: readonly string[];
}

interface Surroundings {
  readonly meanings: Meanings;
  /** Every name that means something. */
  readonly known: ReadonlySet<string>;
  readonly words: Words;
  readonly schemas: ReadonlySet<string>;
  readonly dialect: Dialect;
}

function edgesOf(object: View, { meanings, known, words, schemas, dialect }: Surroundings): Edges {
  const { name, reads, needs = [] } = object;
  const isComplete = isView(object) && !mayNameMore(object.definition, words, new Set(reads.map(relationKey)));
  const meant = isComplete ? [] : namesIn(object, dialect, known).map((key) => meanings.get(key) ?? []);
  const schema = relationKey({ ...name, name: name.schema, object: { kind: 'schema' } });
  return {
    certain: [
      ...[...reads, ...needs].map(relationKey),
      ...meant.filter(({ length }) => length === 1).flat(),
      ...(schemas.has(schema) && !isSchemaName(name) ? [schema] : []),
    ],
    possible: meant.filter(({ length }) => length > 1).flat(),
  };
}

/**
 * What has to be there before each of some objects can be made: what it reads, what its text names, and its schema. A name anywhere in a
 * definition counts: a row type may be named outside of FROM. Of overloaded routines those are left out that need the object themselves.
 */
export function findNeeds(objects: readonly View[], dialect: Dialect): Reads {
  const meanings = findMeanings(objects);
  const schemas = new Set(objects.flatMap(({ name }) => (isSchemaName(name) ? [relationKey(name)] : [])));
  const surroundings = { meanings, known: new Set(meanings.keys()), words: findWords(meanings.keys()), schemas, dialect };
  const edges = new Map(objects.map((object) => [relationKey(object.name), edgesOf(object, surroundings)]));
  const certain = new Map([...edges].map(([key, each]) => [key, each.certain]));
  return new Map(
    [...edges].map(([key, each]) => [key, [...each.certain, ...each.possible.filter((other) => other !== key && !reach([other], certain).has(key))]]),
  );
}

/**
 * The order among objects that are free to come next: schemas, then what views may call without naming it, such as casts and operators, then
 * views, then what stands on tables and may call anything.
 */
export function rankOf(key: string): number {
  if (key.startsWith('schema ')) return 0;
  if (key.endsWith(')') && key.includes(' ')) return 1;
  return isBystanderKey(key) ? 3 : 2;
}

function isBystanderKey(key: string): boolean {
  return /^[a-z]+ /.test(key);
}
