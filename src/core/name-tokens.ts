import type { Dialect } from './dialect.ts';
import type { Token } from './lexer.ts';
import type { RelationName } from './relation.ts';
import { foldWord } from './tokens.ts';

/** A relation's name as a text holds it: schema and catalog may be missing. */
export interface PartialName {
  readonly catalog?: string;
  readonly schema?: string;
  readonly name: string;
}

/** A dotted name: its parts as the warehouse understands them, where it stands, and the index of the token behind it. */
export interface NameChain {
  readonly parts: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

// Escapes as without a UESCAPE clause. https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
function unescapeUnicode(text: string): string {
  return text.replace(/\\(?:([0-9A-Fa-f]{4})|\+([0-9A-Fa-f]{6})|(\\))/g, (_, short, long, backslash) =>
    backslash === undefined ? String.fromCodePoint(Number.parseInt(short ?? long, 16) % 0x110000) : '\\',
  );
}

/** The name that a word or quoted identifier stands for: unquoted, or folded as the warehouse folds it. */
export function nameOf(token: Token, folds: Dialect['folds']): string {
  if (token.kind === 'word') return foldWord(token.text, folds);
  const quote = token.text.at(-1) ?? '';
  const opens = token.text.indexOf(quote);
  const text = token.text.slice(opens + 1, -1).replaceAll(quote + quote, quote);
  if (quote === '`') return text.replace(/\\(.)/gs, '$1');
  return opens > 0 ? unescapeUnicode(text) : text;
}

function isName(token: Token | undefined): token is Token {
  return token?.kind === 'word' || token?.kind === 'quoted identifier';
}

/** Reads the dotted name at `index`, the comments left out of `tokens`; undefined when there is none. */
export function nameParts(tokens: readonly Token[], index: number, dialect: Pick<Dialect, 'folds'>): NameChain | undefined {
  const first = tokens[index];
  if (!isName(first)) return undefined;
  const parts = [nameOf(first, dialect.folds)];
  let last = first;
  let next = index + 1;
  for (let part = tokens[next + 1]; tokens[next]?.text === '.' && isName(part); part = tokens[next + 1]) {
    parts.push(nameOf(part, dialect.folds));
    last = part;
    next += 2;
  }
  return { parts, start: first.start, end: last.end, next };
}

/** The last three parts of a dotted name as a relation's. */
export function toPartialName(parts: readonly string[]): PartialName {
  const [name = '', schema, catalog] = parts.toReversed();
  return { ...(catalog === undefined ? {} : { catalog }), ...(schema === undefined ? {} : { schema }), name };
}

/** The full name, where the text holds every part that the warehouse's names have; a catalog is dropped where they have none. */
export function toRelationName(name: PartialName, dialect: Pick<Dialect, 'hasCatalogs'>): RelationName | undefined {
  if (name.schema === undefined) return undefined;
  if (!dialect.hasCatalogs) return { schema: name.schema, name: name.name };
  return name.catalog === undefined ? undefined : { catalog: name.catalog, schema: name.schema, name: name.name };
}
