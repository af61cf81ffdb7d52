import { readTokens, type Token } from '../../core/lexer.ts';
import { nameOf, nameParts } from '../../core/name-tokens.ts';
import { findMentions, findReferences, type Reference, type ReferenceDialect } from '../../core/references.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import { reservedWords } from './reserved-words.ts';

/** What of a dialect decides how a rewritten text is read and spelled. */
export interface RewriteDialect extends ReferenceDialect {
  quoteRelation(name: RelationName): string;
  quoteIdentifier(name: string): string;
}

/** A definition that reads other relations than the one that was written. */
export interface Rewritten {
  readonly text: string;
  /** Which relations were replaced, in the order of the text, and whether each had its own name as an alias: the server prints such an alias. */
  readonly replaced: readonly string[];
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly replaced?: string;
}

/**
 * Puts other relations in the place of the ones that `replacements` holds by `relationKey`. The rest of the text stays as it is, and columns are
 * still found under the former names: a replaced relation without alias gets its former name as alias.
 */
export function rewriteReferences(sql: string, replacements: ReadonlyMap<string, RelationName>, dialect: RewriteDialect): Rewritten {
  if (replacements.size === 0) return { text: sql, replaced: [] };
  const inFrom = new Set(findReferences(sql, dialect).map((reference) => reference.start));
  const tokens = readTokens(sql, dialect.lexicalRules).filter((token) => token.kind !== 'comment');
  const source: Source = { tokens, replacements, dialect };
  const edits = findMentions(sql, dialect, new Set(replacements.keys())).map((mention) =>
    inFrom.has(mention.start) ? replaceRelation(mention, source) : replaceMention(mention, source),
  );
  return { text: applyEdits(sql, edits), replaced: edits.flatMap(({ replaced }) => replaced ?? []) };
}

/** Keys of the relations that a text names, out of the known ones. */
export function findKnownReads(sql: string, known: ReadonlySet<string>, dialect: ReferenceDialect): readonly string[] {
  return [...new Set(findMentions(sql, dialect, known).map(({ name }) => keyOf(name)))];
}

interface Source {
  /** Without comments. */
  readonly tokens: readonly Token[];
  readonly replacements: ReadonlyMap<string, RelationName>;
  readonly dialect: RewriteDialect;
}

function replaceRelation({ name, start, end }: Reference, source: Source): Edit {
  const alias = aliasAfter(end, source);
  const replacement = replacementOf(name, source);
  const text = alias === undefined ? `${replacement} AS ${source.dialect.quoteIdentifier(name.name)}` : replacement;
  return { start, end, text, replaced: `${keyOf(name)} ${alias === name.name}` };
}

/** Anywhere else a name stands before a column or `.*`, or for the row type. */
function replaceMention({ name, start, end }: Reference, source: Source): Edit {
  const { tokens, dialect } = source;
  const { parts = [] } =
    nameParts(
      tokens,
      tokens.findIndex((token) => token.start === start),
      dialect,
    ) ?? {};
  const position = parts.findIndex((part, index) => part === name.schema && parts[index + 1] === name.name);
  const columns = parts.slice(position + 2);
  const isColumn = columns.length > 0 || tokens.find((token) => token.start >= end)?.text === '.';
  return { start, end, text: isColumn ? [name.name, ...columns].map(dialect.quoteIdentifier).join('.') : replacementOf(name, source) };
}

function replacementOf(name: Reference['name'], { replacements, dialect }: Source): string {
  return dialect.quoteRelation(replacements.get(keyOf(name)) ?? { schema: name.schema ?? '', name: name.name });
}

function aliasAfter(end: number, { tokens, dialect }: Source): string | undefined {
  const next = tokens.findIndex((token) => token.start >= end);
  const [first, second] = next === -1 ? [] : tokens.slice(next, next + 2);
  if (first?.kind === 'word' && first.text.toUpperCase() === 'AS') return second === undefined ? undefined : nameOf(second, dialect.folds);
  return isAlias(first, dialect) ? nameOf(first, dialect.folds) : undefined;
}

function isAlias(token: Token | undefined, dialect: ReferenceDialect): token is Token {
  if (token?.kind === 'quoted identifier') return true;
  return token?.kind === 'word' && !reservedWords.has(nameOf(token, dialect.folds));
}

function keyOf({ schema, name }: Reference['name']): string {
  return relationKey({ schema: schema ?? '', name });
}

function applyEdits(sql: string, edits: readonly Edit[]): string {
  return edits.toReversed().reduce((text, { start, end, text: replacement }) => text.slice(0, start) + replacement + text.slice(end), sql);
}
