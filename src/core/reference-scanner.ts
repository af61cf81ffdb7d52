import type { Token } from './lexer.ts';
import { type NameChain, nameParts } from './name-tokens.ts';
import { addQuery, isWithQuery, openList, type Scope } from './reference-scopes.ts';
import type { ReferenceDialect } from './references.ts';

/**
 * What a bracket holds at the present token. `expression`: anything but what follows. `relation`: a relation comes next. `joined`: a FROM
 * clause behind a relation, up to a comma or JOIN. The others are the parts of a WITH list: a name comes next; between the name and AS;
 * behind AS, where the query comes; behind the query; inside SEARCH or CYCLE up to SET.
 */
type Mode = 'expression' | 'relation' | 'joined' | 'with name' | 'with columns' | 'with query' | 'with tail' | 'with search';

/** One pair of brackets, or the whole text. */
interface Frame {
  mode: Mode;
  scope: Scope | undefined;
  /** Whether a SELECT was met, without which FROM is an argument's separator as in EXTRACT. */
  isQuery: boolean;
  /** Whether nothing of the frame has been read. */
  isFresh: boolean;
  /** The WITH query being read. */
  queryName: string;
}

interface Scan {
  readonly tokens: readonly Token[];
  readonly dialect: ReferenceDialect;
  readonly frames: Frame[];
  readonly found: { readonly chain: NameChain; readonly scope: Scope | undefined }[];
}

function openFrame(around: Frame): Frame {
  const mode = around.mode === 'relation' ? 'relation' : 'expression';
  return { mode, scope: around.scope, isQuery: false, isFresh: true, queryName: '' };
}

/** The mode of the frame around a bracket that closes. */
function closeBracket(frame: Frame): void {
  if (frame.mode === 'relation') frame.mode = 'joined';
  if (frame.mode !== 'with query' || frame.scope === undefined) return;
  frame.scope = addQuery(frame.scope, frame.queryName);
  frame.mode = 'with tail';
}

function readBracket(scan: Scan, frame: Frame, text: string): void {
  if (text === '(' || text === '[') scan.frames.push(openFrame(frame));
  else if (scan.frames.length > 1) {
    scan.frames.pop();
    closeBracket(scan.frames.at(-1) ?? frame);
  }
}

function readComma(frame: Frame): void {
  if (frame.mode === 'joined') frame.mode = 'relation';
  if (frame.mode === 'with tail') frame.mode = 'with name';
}

function startQuery(frame: Frame, mode: Mode): void {
  frame.mode = mode;
  frame.isQuery = true;
}

/** The word at an index in upper case; empty when no unquoted word stands there, or one that is a column's name behind a point or AS. */
function keywordAt({ tokens }: Scan, index: number): string {
  const [token, previous] = [tokens[index], tokens[index - 1]];
  if (token?.kind !== 'word' || previous?.text === '.') return '';
  return token.text.toUpperCase();
}

/** Whether the AS at an index is that of `CREATE VIEW name AS`: nothing has been selected yet. */
function isHeaderAs(scan: Scan, index: number): boolean {
  const [frame] = scan.frames;
  return scan.frames.length === 1 && frame?.isQuery === false && keywordAt(scan, index) === 'AS';
}

function isColumnLabel(scan: Scan, index: number): boolean {
  return scan.frames.at(-1)?.mode === 'expression' && keywordAt(scan, index - 1) === 'AS' && !isHeaderAs(scan, index - 1);
}

/** Whether FROM at this index is that of `IS [NOT] DISTINCT FROM`. */
function isDistinctFrom(scan: Scan, index: number): boolean {
  return keywordAt(scan, index - 1) === 'DISTINCT' && ['IS', 'NOT'].includes(keywordAt(scan, index - 2));
}

/** Reads a word that may start or end a clause of a query; false when it is none of these. */
function readClause(scan: Scan, frame: Frame, index: number): boolean {
  const { clauseEnds } = scan.dialect.referenceRules;
  const [word, next] = [keywordAt(scan, index), scan.tokens[index + 1]?.text];
  if (word === 'WITH' && (frame.isFresh || isHeaderAs(scan, index - 1))) {
    frame.scope = openList(frame.scope);
    frame.mode = 'with name';
  } else if (word === 'SELECT' || (word === 'VALUES' && next === '(')) startQuery(frame, 'expression');
  else if (word === 'TABLE' && next !== '(') startQuery(frame, 'relation');
  else if (word === 'FROM' && frame.isQuery && !isDistinctFrom(scan, index)) frame.mode = 'relation';
  else if (word === 'JOIN' && frame.mode === 'joined') frame.mode = 'relation';
  else if (clauseEnds.has(word) && frame.mode === 'joined') frame.mode = 'expression';
  else return false;
  return true;
}

/** Reads the relation that comes next, or what may stand before it; returns the index behind. */
function readRelation(scan: Scan, frame: Frame, index: number): number {
  if (scan.dialect.referenceRules.beforeRelations.has(keywordAt(scan, index))) return index + 1;
  const chain = nameParts(scan.tokens, index, scan.dialect);
  if (chain === undefined) return index + 1;
  const isRowsFrom = keywordAt(scan, index) === 'ROWS' && keywordAt(scan, index + 1) === 'FROM';
  const isFunction = isRowsFrom || scan.tokens[chain.next]?.text === '(';
  if (!isFunction) scan.found.push({ chain, scope: frame.scope });
  frame.mode = 'joined';
  return isRowsFrom ? index + 2 : chain.next;
}

/** Reads a part of a WITH list; returns the index behind. */
function readWith(scan: Scan, frame: Frame, index: number): number {
  const word = keywordAt(scan, index);
  if (frame.mode === 'with name') {
    const isRecursive = word === 'RECURSIVE' && keywordAt(scan, index - 1) === 'WITH';
    if (isRecursive && frame.scope !== undefined) frame.scope.list.isRecursive = true;
    else {
      frame.queryName = nameParts(scan.tokens, index, scan.dialect)?.parts[0] ?? '';
      frame.mode = 'with columns';
    }
  } else if (frame.mode === 'with columns' && word === 'AS') frame.mode = 'with query';
  else if (frame.mode === 'with tail' && (word === 'SEARCH' || word === 'CYCLE')) frame.mode = 'with search';
  else if (frame.mode === 'with search' && word === 'SET') frame.mode = 'with tail';
  return index + 1;
}

function isListPart(mode: Mode): boolean {
  return mode === 'with name' || mode === 'with columns' || mode === 'with query' || mode === 'with search';
}

function readName(scan: Scan, frame: Frame, index: number): number {
  if (isListPart(frame.mode)) return readWith(scan, frame, index);
  const isClause = !isColumnLabel(scan, index) && readClause(scan, frame, index);
  frame.isFresh = false;
  if (isClause) return index + 1;
  if (frame.mode === 'relation') return readRelation(scan, frame, index);
  return frame.mode === 'with tail' ? readWith(scan, frame, index) : index + 1;
}

const brackets = new Set(['(', ')', '[', ']']);

function readNext(scan: Scan, index: number): number {
  const [token, frame] = [scan.tokens[index], scan.frames.at(-1)];
  if (token === undefined || frame === undefined) return index + 1;
  if (token.kind === 'word' || token.kind === 'quoted identifier') return readName(scan, frame, index);
  frame.isFresh = false;
  if (brackets.has(token.text)) readBracket(scan, frame, token.text);
  if (token.text === ',') readComma(frame);
  return index + 1;
}

/** Returns the names of the relations that the tokens of a query read, its comments left out. Needs neither recursion nor a second look. */
export function readReferences(tokens: readonly Token[], dialect: ReferenceDialect): NameChain[] {
  const whole: Frame = { mode: 'expression', scope: undefined, isQuery: false, isFresh: true, queryName: '' };
  const scan: Scan = { tokens, dialect, frames: [whole], found: [] };
  for (let index = 0; index < tokens.length; ) index = readNext(scan, index);
  return scan.found.filter(({ chain, scope }) => chain.parts.length > 1 || !isWithQuery(chain.parts[0] ?? '', scope)).map(({ chain }) => chain);
}
