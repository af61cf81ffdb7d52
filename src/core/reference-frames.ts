import type { Token } from './lexer.ts';
import type { NameChain } from './name-tokens.ts';
import { openSources, type Scope, type Sources } from './reference-scopes.ts';
import type { ReferenceDialect } from './references.ts';

/**
 * What a bracket holds at the present token. `header`: a CREATE before its AS. `expression`: anything but what follows. `relation`: a relation
 * comes next. `joined`: a FROM clause behind a relation, up to a comma or JOIN. The others are the parts of a WITH list: a name comes next;
 * between the name and AS; behind AS, where the query comes; behind the query; inside SEARCH or CYCLE up to SET.
 */
export type Mode = 'header' | 'expression' | 'relation' | 'joined' | 'with name' | 'with columns' | 'with query' | 'with tail' | 'with search';

/** What the item of a FROM clause is whose alias may come next; `tuples` are those of VALUES without brackets around. */
export type Item = 'relation' | 'array' | 'tuples' | 'none';

/** One pair of brackets, or the whole text. */
export interface Frame {
  mode: Mode;
  scope: Scope | undefined;
  /** The FROM clause that is read here, or that is around an expression. */
  sources: Sources;
  /** What a query that starts here can see. */
  readonly outer: Sources | undefined;
  /** Whether a SELECT was met, without which FROM is an argument's separator as in EXTRACT. */
  isQuery: boolean;
  /** Whether nothing of the frame has been read. */
  isFresh: boolean;
  /** Whether the relation that comes next is the only one, as behind TABLE. */
  isSingle: boolean;
  item: Item;
  /** The alias that an item has when it gets no other. */
  ownAlias: string;
  /** The WITH query being read. */
  queryName: string;
  /** The WITH query that this bracket is; empty for any other. */
  readonly bracketName: string;
}

/** A path in FROM, at which token, with what can be seen there. */
export interface Found {
  readonly chain: NameChain;
  readonly at: number;
  readonly scope: Scope | undefined;
  readonly sources: Sources;
}

export interface Scan {
  /** Without comments. */
  readonly tokens: readonly Token[];
  readonly dialect: ReferenceDialect;
  readonly frames: Frame[];
  readonly found: Found[];
}

const unread = { isQuery: false, isFresh: true, isSingle: false, item: 'none', ownAlias: '', queryName: '' } as const;

/** The frame of a whole text. */
export function openText(mode: 'header' | 'expression'): Frame {
  return { ...unread, mode, scope: undefined, sources: openSources(undefined), outer: undefined, bracketName: '' };
}

/** The frame of a bracket; a query in the place of a relation does not see the items beside it. */
export function openBracket(around: Frame): Frame {
  const isItem = around.mode === 'relation';
  return {
    ...unread,
    mode: isItem ? 'relation' : 'expression',
    scope: around.scope,
    sources: around.sources,
    outer: isItem ? around.outer : around.sources,
    bracketName: around.mode === 'with query' ? around.queryName : '',
  };
}

/** The word at an index in upper case; empty when no unquoted word stands there, or one that is a part of a path. */
export function keywordAt({ tokens }: Pick<Scan, 'tokens'>, index: number): string {
  const [token, previous] = [tokens[index], tokens[index - 1]];
  if (token?.kind !== 'word' || previous?.text === '.' || previous?.text === ':') return '';
  return token.text.toUpperCase();
}

/** How WITH queries and aliases are compared: without case where only the names of relations are told apart by it. */
export function foldKey(name: string, { folds }: Pick<ReferenceDialect, 'folds'>): string {
  return folds === 'exact' ? name.toLowerCase() : name;
}
