import type { Dialect } from './dialect.ts';
import { type Token, tokenize } from './lexer.ts';
import { nameOf } from './name-tokens.ts';
import { placeOf, type ScriptStatement } from './script.ts';
import type { View } from './view.ts';

type Reading = Pick<Dialect, 'lexicalRules' | 'folds'>;

function wordsOf(text: string, { lexicalRules, folds }: Reading): readonly string[] {
  try {
    const isName = ({ kind }: Token) => kind === 'word' || kind === 'quoted identifier';
    return tokenize(text, lexicalRules)
      .filter(isName)
      .map((token) => nameOf(token, folds));
  } catch {
    return [];
  }
}

/** Names in the server's words that stand in the view's text and are none of the relations that it reads: what it misses. */
function findMissing(view: View, because: string, dialect: Reading): ReadonlySet<string> {
  const relations = new Set(view.reads.flatMap(({ schema, name }) => [schema, name]));
  const own = new Set(wordsOf(view.definition, dialect));
  // An apostrophe in a sentence opens no string.
  const said = wordsOf(because.replaceAll("'", ' '), dialect);
  const columns = said.filter((word) => own.has(word) && !relations.has(word));
  return new Set(columns.length > 0 ? columns : said.filter((word) => own.has(word)));
}

/** The statement that took away what a view misses: the last one that names it, else the one that the view stood in the way of. */
export function findCulprit(
  view: View,
  because: string,
  context: { readonly statements: readonly ScriptStatement[]; readonly dialect: Reading },
): ScriptStatement | undefined {
  const missing = findMissing(view, because, context.dialect);
  return context.statements.findLast(({ named }) => named.flat().some((word) => missing.has(word)));
}

interface Rename {
  readonly from: string;
  readonly to: string;
  readonly at: ScriptStatement;
}

/** What a statement renames: `RENAME [COLUMN] a TO b`. */
function readRenames(at: ScriptStatement, { folds }: Reading): readonly Rename[] {
  const { tokens } = at.statement;
  return tokens.flatMap((token, index) => {
    if (token.text.toUpperCase() !== 'RENAME') return [];
    const rest = tokens.slice(index + 1).filter(({ text }, position) => position > 0 || text.toUpperCase() !== 'COLUMN');
    const [from, word, to] = rest;
    return from && to && word?.text.toUpperCase() === 'TO' ? [{ from: nameOf(from, folds), to: nameOf(to, folds), at }] : [];
  });
}

/** What something that a view misses is called now, a whole sentence; undefined when the script does not rename it. */
export function findNewName(
  view: View,
  because: string,
  context: { readonly statements: readonly ScriptStatement[]; readonly dialect: Reading },
): string | undefined {
  const missing = findMissing(view, because, context.dialect);
  const renamed = context.statements.flatMap((at) => readRenames(at, context.dialect)).find(({ from }) => missing.has(from));
  return renamed && `"${renamed.from}" is called "${renamed.to}" since ${placeOf(renamed.at)}.`;
}
