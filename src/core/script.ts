import { ViewsyncError } from '../errors.ts';
import type { Dialect, Statement } from './dialect.ts';
import { type LexicalRules, type Token, tokenize } from './lexer.ts';
import { nameParts } from './name-tokens.ts';
import type { RelationName } from './relation.ts';
import { positionAt, splitStatements } from './statements.ts';

/** What a migration is made of: a file and what stands in it. */
export interface ScriptText {
  /** As it was typed; `-` is standard input. */
  readonly file: string;
  readonly text: string;
}

/** One statement of a script and where it stands. */
export interface ScriptStatement {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly statement: Statement;
  /** The whole file. */
  readonly source: string;
  /** Every dotted name in it, also inside of its strings, part by part. */
  readonly named: readonly (readonly string[])[];
}

type ScriptDialect = Pick<Dialect, 'lexicalRules' | 'folds' | 'script' | 'warehouse' | 'referenceRules'>;

/** `migration.sql:12`. */
export function placeOf({ file, line }: Pick<ScriptStatement, 'file' | 'line'>): string {
  return `${file === '-' ? 'standard input' : file}:${line}`;
}

function readStatements({ file, text }: ScriptText, rules: LexicalRules): readonly Statement[] {
  try {
    return splitStatements(text, rules);
  } catch (error) {
    const offset = error instanceof ViewsyncError ? error.details['offset'] : undefined;
    if (typeof offset !== 'number') throw error;
    const place = placeOf({ file, line: positionAt(text, offset).line });
    throw new ViewsyncError('SCRIPT_REFUSED', {
      message: `${place}: a quote or a comment is never closed. Nothing was run.`,
      suggestions: [ownConnection],
      cause: error,
    });
  }
}

/** What stands inside a string or between dollar signs. */
export function insideOf({ text }: Token): string {
  const opening = /^\$[^$]*\$|^[^']*'/.exec(text)?.[0] ?? '';
  return text.slice(opening.length, opening.startsWith('$') ? -opening.length : -1);
}

const deepest = 3;

/** The tokens of a text and of the code in its strings; a string that is no code adds none. */
function tokensOf(sql: string, rules: LexicalRules, depth = 0): readonly (readonly Token[])[] {
  try {
    const tokens = tokenize(sql, rules).filter(({ kind }) => kind !== 'comment');
    const strings = depth < deepest ? tokens.filter(({ kind }) => kind === 'string') : [];
    return [tokens, ...strings.flatMap((token) => tokensOf(insideOf(token), rules, depth + 1))];
  } catch {
    return [];
  }
}

function findNames(tokens: readonly Token[], dialect: ScriptDialect): string[][] {
  const names: string[][] = [];
  for (let index = 0; index < tokens.length; ) {
    const chain = nameParts(tokens, index, dialect);
    // One quote may hold several parts.
    if (chain) names.push(dialect.referenceRules.paths === 'dashed' ? chain.parts.flatMap((part) => part.split('.')) : [...chain.parts]);
    index = chain?.next ?? index + 1;
  }
  return names;
}

/** Every dotted name of a text, also inside of its strings, each once. */
export function namedIn(sql: string, dialect: ScriptDialect): readonly (readonly string[])[] {
  const names = tokensOf(sql, dialect.lexicalRules).flatMap((tokens) => findNames(tokens, dialect));
  return [...new Map(names.map((parts) => [JSON.stringify(parts), parts])).values()];
}

/** Whether a dotted name may mean a relation: by its schema and name, or by its name alone in front. */
export function mayName(parts: readonly string[], { schema, name }: Pick<RelationName, 'schema' | 'name'>): boolean {
  return parts[0] === name || parts.some((part, index) => index > 0 && part === name && parts[index - 1] === schema);
}

const ownConnection = 'viewsync migrate --on RELATION -- COMMAND   (for a tool with a connection of its own, such as psql)';

function requireRunnable(statement: Statement, { file, text }: ScriptText, { script, warehouse }: ScriptDialect): void {
  if (!script) throw new ViewsyncError('SCRIPT_REFUSED', { message: `${warehouse} cannot run a script as one transaction.`, suggestions: [ownConnection] });
  const refused = script.refuse(statement);
  if (refused === undefined) return;
  const { line } = positionAt(text, refused.at);
  throw new ViewsyncError('SCRIPT_REFUSED', {
    message: `${placeOf({ file, line })}: ${refused.because} Nothing was run.\n  ${text.split('\n')[line - 1]?.trim()}`,
    suggestions: [ownConnection],
    details: { file, line },
  });
}

function readOne(source: ScriptText, dialect: ScriptDialect): readonly ScriptStatement[] {
  return readStatements(source, dialect.lexicalRules).map((statement) => {
    requireRunnable(statement, source, dialect);
    return { file: source.file, line: positionAt(source.text, statement.start).line, source: source.text, statement, named: namedIn(statement.text, dialect) };
  });
}

/** Splits the files of a migration. `SCRIPT_REFUSED`, with file and line, for what cannot run statement by statement in one transaction. */
export function readScript(texts: readonly ScriptText[], dialect: ScriptDialect): readonly ScriptStatement[] {
  return texts.flatMap(({ file, text }) => readOne({ file, text: withoutMark(text) }, dialect));
}

/** Editors of Windows put a byte order mark in front, which psql leaves out as well. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
