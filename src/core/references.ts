import type { Dialect } from './dialect.ts';
import { type Token, tokenize } from './lexer.ts';
import { nameParts, type PartialName, toPartialName, toRelationName } from './name-tokens.ts';
import { readReferences } from './reference-scanner.ts';
import { compareRelations, type RelationName, relationKey } from './relation.ts';

/** The words by which a dialect's queries name relations, in upper case. */
export interface ReferenceRules {
  /** Words that end a FROM clause. */
  readonly clauseEnds: ReadonlySet<string>;
  /** Words between FROM, JOIN or a comma and the relation itself: `ONLY`, `LATERAL`. */
  readonly beforeRelations: ReadonlySet<string>;
}

/** The clauses of the SQL standard, as PostgreSQL reads them. */
export const standardReferences: ReferenceRules = {
  clauseEnds: new Set(['WHERE', 'GROUP', 'HAVING', 'WINDOW', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH', 'FOR', 'UNION', 'INTERSECT', 'EXCEPT', 'RETURNING']),
  beforeRelations: new Set(['ONLY', 'LATERAL']),
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

function significantTokens(sql: string, dialect: ReferenceDialect): Token[] {
  return tokenize(sql, dialect.lexicalRules).filter((token) => token.kind !== 'comment');
}

/**
 * Returns the relations that a query reads, in the order of the text, each as often as it stands there; names of WITH queries and
 * functions are none. Takes time in proportion to the length of the text. Throws `FILE_UNREADABLE` where the text cannot be read: what it
 * reads is then unknown.
 */
export function findReferences(sql: string, dialect: ReferenceDialect): Reference[] {
  return readReferences(significantTokens(sql, dialect), dialect).map(({ parts, start, end }) => ({ name: toPartialName(parts), start, end }));
}

/** Returns the relations that a query reads and that it names with their schema, sorted and unique. */
export function readsOf(sql: string, dialect: ReferenceDialect): RelationName[] {
  const names = findReferences(sql, dialect).flatMap(({ name }) => toRelationName(name, dialect) ?? []);
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
  const tokens = significantTokens(sql, dialect);
  const mentions: Mention[] = [];
  for (let index = 0; index < tokens.length; ) {
    const chain = nameParts(tokens, index, dialect);
    const name = chain && knownName(chain.parts, dialect, known);
    if (chain && name) mentions.push({ name, start: chain.start, end: chain.end });
    index = chain?.next ?? index + 1;
  }
  return mentions;
}
