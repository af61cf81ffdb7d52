import type { Dialect } from './dialect.ts';
import { readTokens, type Token, tokenize } from './lexer.ts';
import { nameParts, type PartialName, toPartialName, toRelationName } from './name-tokens.ts';
import { readReferences } from './reference-scanner.ts';
import { compareRelations, type RelationName, relationKey } from './relation.ts';

/** How a dialect's queries name relations; words in upper case. */
export interface ReferenceRules {
  /** Words, or two words, that end a FROM clause. */
  readonly clauseEnds: ReadonlySet<string>;
  /** Words between FROM, JOIN or a comma and the relation itself: `ONLY`, `LATERAL`. */
  readonly beforeRelations: ReadonlySet<string>;
  /** `dashed`: unquoted names may hold dashes, and one quote several parts (BigQuery). */
  readonly paths: 'plain' | 'dashed';
  /** Whether quoted names fold like unquoted ones (Redshift by default). */
  readonly foldsQuotedNames: boolean;
  /** The schema that `db..t` leaves out; empty where that is no name. */
  readonly emptySchema: string;
  /** Parts that a name gets from the view that reads it when it lacks them, and not from the session. */
  readonly partsFromView: 'none' | 'catalog' | 'catalog and schema';
  /** Whether a path in FROM that starts at an alias is an array in a row, and no relation. */
  readonly arraysInFrom: boolean;
  /** Whether a query of a WITH list may read itself without RECURSIVE, behind UNION ALL. */
  readonly recursion: 'keyword' | 'keyword or UNION';
  /** Whether a relation's name may follow TABLE: as a whole query, or as an argument of a function. */
  readonly tableKeyword: 'none' | 'query' | 'argument';
  /** Functions that name a relation in their first argument. `prefix of names`: the argument with `*` behind it. */
  readonly namingFunctions: ReadonlyMap<string, 'only argument' | 'first argument' | 'prefix of names'>;
  /** Whether queries may start with FROM and go on with `|>`. */
  readonly pipes: boolean;
  /** Whether files are read with `FROM @stage/path`. */
  readonly stages: boolean;
  /** Whether `[project:dataset.table]` is a relation. */
  readonly legacyTables: boolean;
}

/** The clauses of the SQL standard, as PostgreSQL reads them. */
export const standardReferences: ReferenceRules = {
  clauseEnds: new Set(['WHERE', 'GROUP', 'HAVING', 'WINDOW', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH', 'FOR', 'UNION', 'INTERSECT', 'EXCEPT', 'RETURNING']),
  beforeRelations: new Set(['ONLY', 'LATERAL']),
  paths: 'plain',
  foldsQuotedNames: false,
  emptySchema: '',
  partsFromView: 'none',
  arraysInFrom: false,
  recursion: 'keyword',
  tableKeyword: 'query',
  namingFunctions: new Map(),
  pipes: false,
  stages: false,
  legacyTables: false,
};

/** What of a dialect decides which relations a query reads. */
export type ReferenceDialect = Pick<Dialect, 'lexicalRules' | 'folds' | 'hasCatalogs' | 'referenceRules'>;

/** A relation's name where a text holds it; `start` and `end` as in a token. */
export interface Reference {
  readonly name: PartialName;
  readonly start: number;
  readonly end: number;
}

/** A known relation's full name where a text holds it. */
export interface Mention extends Reference {
  readonly name: RelationName;
}

const isSignificant = ({ kind }: Token) => kind !== 'comment';

function findIn(tokens: readonly Token[], dialect: ReferenceDialect): Reference[] {
  return readReferences(tokens.filter(isSignificant), dialect).map(({ parts, start, end }) => ({ name: toPartialName(parts), start, end }));
}

/**
 * Returns the relations that a query reads, in the order of the text, each as often as it stands there; names of WITH queries and
 * functions are none. Takes time in proportion to the length of the text. Throws `FILE_UNREADABLE` where the text cannot be read: what it
 * reads is then unknown.
 */
export function findReferences(sql: string, dialect: ReferenceDialect): Reference[] {
  return findIn(tokenize(sql, dialect.lexicalRules), dialect);
}

/**
 * The full name of a relation that the view `reader` names, by the dialect's rule for parts that are left out; undefined where that depends on
 * the session.
 */
export function resolveReference(name: PartialName, reader: RelationName | undefined, dialect: ReferenceDialect): RelationName | undefined {
  const { partsFromView } = dialect.referenceRules;
  if (reader === undefined || partsFromView === 'none') return toRelationName(name, dialect);
  const schema = name.schema ?? (partsFromView === 'catalog and schema' ? reader.schema : undefined);
  const catalog = name.catalog ?? reader.catalog;
  return toRelationName({ name: name.name, ...(schema === undefined ? {} : { schema }), ...(catalog === undefined ? {} : { catalog }) }, dialect);
}

/**
 * Returns the relations that the query of the view `reader` reads, with their full names, sorted and unique. Left out are those that only a session
 * can tell, and those behind a quote that is never closed.
 */
export function readsOf(sql: string, dialect: ReferenceDialect, reader?: RelationName): RelationName[] {
  const names = findIn(readTokens(sql, dialect.lexicalRules), dialect).flatMap(({ name }) => resolveReference(name, reader, dialect) ?? []);
  return [...new Map(names.map((name) => [relationKey(name), name])).values()].sort(compareRelations);
}

/** The name that starts at some part of a chain such as `schema.name.column`, if it is a known one. */
function knownName(parts: readonly string[], dialect: ReferenceDialect, known: ReadonlySet<string>): RelationName | undefined {
  const width = dialect.hasCatalogs ? 3 : 2;
  const candidates = [parts.slice(0, width), parts.slice(1, width + 1)].filter((candidate) => candidate.length === width);
  const names = candidates.flatMap((candidate) => toRelationName(toPartialName(candidate), dialect) ?? []);
  return names.find((name) => known.has(relationKey(name)));
}

/**
 * Returns every place of a text that names a known relation with its schema, wherever it stands: in a FROM clause, in a cast to its row
 * type, before a column. `known` holds keys as `relationKey` makes them.
 */
export function findMentions(sql: string, dialect: ReferenceDialect, known: ReadonlySet<string>): Mention[] {
  const tokens = readTokens(sql, dialect.lexicalRules).filter(isSignificant);
  const mentions: Mention[] = [];
  for (let index = 0; index < tokens.length; ) {
    // A name without its schema is never known; most words of a query are such.
    const chain = tokens[index + 1]?.text === '.' ? nameParts(tokens, index, dialect) : undefined;
    const name = chain && knownName(chain.parts, dialect, known);
    if (chain && name) mentions.push({ name, start: chain.start, end: chain.end });
    index = chain?.next ?? index + 1;
  }
  return mentions;
}
