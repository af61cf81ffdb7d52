import type { Token } from './lexer.ts';
import type { NameChain } from './name-tokens.ts';
import { type Found, type Frame, foldKey, keywordAt, type Mode, openBracket, openText, type Scan } from './reference-frames.ts';
import { readAlias, readItem, readNamed, readNameless } from './reference-items.ts';
import { readPath } from './reference-paths.ts';
import { addQuery, isWithQuery, openList, openSources, startsAtRow } from './reference-scopes.ts';
import type { ReferenceDialect } from './references.ts';

/** The mode of the frame around a bracket that closes. */
function closeBracket(frame: Frame): void {
  if (frame.mode === 'relation') {
    frame.mode = 'joined';
    frame.item = 'relation';
    frame.ownAlias = '';
  }
  if (frame.mode !== 'with query' || frame.scope === undefined) return;
  frame.scope = addQuery(frame.scope, frame.queryName);
  frame.mode = 'with tail';
}

function readBracket(scan: Scan, frame: Frame, text: string): void {
  if (text === '(' || text === '[') scan.frames.push(openBracket(frame));
  else if (scan.frames.length > 1) {
    scan.frames.pop();
    closeBracket(scan.frames.at(-1) ?? frame);
  }
}

function readComma(frame: Frame, next: string | undefined): void {
  if (frame.mode === 'joined' && !(frame.item === 'tuples' && next === '(')) frame.mode = 'relation';
  if (frame.mode === 'with tail') frame.mode = 'with name';
}

function startQuery(frame: Frame, mode: Mode): void {
  frame.mode = mode;
  frame.isQuery = true;
  frame.isSingle = false;
  frame.sources = openSources(frame.outer);
}

function isColumnLabel(scan: Scan, frame: Frame, index: number): boolean {
  return frame.mode === 'expression' && !frame.isFresh && keywordAt(scan, index - 1) === 'AS';
}

/** Whether FROM at this index is that of `IS [NOT] DISTINCT FROM`. */
function isDistinctFrom(scan: Scan, index: number): boolean {
  return keywordAt(scan, index - 1) === 'DISTINCT' && ['IS', 'NOT'].includes(keywordAt(scan, index - 2));
}

/** Whether FROM at this index starts a query without SELECT. https://cloud.google.com/bigquery/docs/reference/standard-sql/pipe-syntax */
function isFirstFrom(scan: Scan, frame: Frame): boolean {
  return scan.dialect.referenceRules.pipes && !frame.isQuery && (frame.isFresh || frame.mode === 'with tail');
}

/** Whether TABLE at this index has a relation behind it: as a query, or as an argument, where it must be told from a column of that name. */
function namesTable(scan: Scan, frame: Frame, index: number): boolean {
  const form = scan.dialect.referenceRules.tableKeyword;
  if (form === 'none' || scan.tokens[index + 1]?.text === '(') return false;
  if (form === 'query') return true;
  const next = readPath(scan.tokens, index + 1, scan.dialect)?.next ?? -1;
  const isArgument = ['(', ',', '=>'].includes(scan.tokens[index - 1]?.text ?? '') && [',', ')'].includes(scan.tokens[next]?.text ?? '');
  return isArgument && !frame.isQuery && scan.frames.length > 1;
}

/** Reads VALUES: a query of its own, or tuples in the place of a relation. https://docs.snowflake.com/en/sql-reference/constructs/values */
function readValues(frame: Frame): void {
  if (frame.mode === 'relation' && !frame.isFresh) {
    frame.mode = 'joined';
    frame.item = 'tuples';
  } else startQuery(frame, 'expression');
}

/** A query of a WITH list may read itself behind UNION ALL where RECURSIVE can be left out. */
function readUnion(scan: Scan, frame: Frame): void {
  if (scan.dialect.referenceRules.recursion === 'keyword' || frame.bracketName === '') return;
  frame.scope = addQuery(openList(frame.scope), frame.bracketName);
}

function endsClause(scan: Scan, index: number): boolean {
  const { clauseEnds } = scan.dialect.referenceRules;
  const word = keywordAt(scan, index);
  return clauseEnds.has(word) || clauseEnds.has(`${word} ${keywordAt(scan, index + 1)}`);
}

/** Reads a word that may start or end a clause of a query; false when it is none of these. */
function readClause(scan: Scan, frame: Frame, index: number): boolean {
  const [word, next] = [keywordAt(scan, index), scan.tokens[index + 1]?.text];
  if (word === 'UNION') readUnion(scan, frame);
  if (word === 'WITH' && frame.isFresh) {
    frame.scope = openList(frame.scope);
    frame.mode = 'with name';
  } else if (word === 'SELECT' && scan.tokens[index - 1]?.text === '|>') frame.mode = 'expression';
  else if (word === 'SELECT') startQuery(frame, 'expression');
  else if (word === 'VALUES' && next === '(') readValues(frame);
  else if (word === 'FROM' && isFirstFrom(scan, frame)) startQuery(frame, 'relation');
  else if (word === 'FROM' && frame.isQuery && !isDistinctFrom(scan, index)) frame.mode = 'relation';
  else if (word === 'JOIN' && frame.mode === 'joined') frame.mode = 'relation';
  else if (endsClause(scan, index) && frame.mode === 'joined') frame.mode = 'expression';
  else return readTableWord(scan, frame, index);
  return true;
}

/** Reads TABLE where a relation's name follows, or the argument of `TABLE(name)` outside of FROM. */
function readTableWord(scan: Scan, frame: Frame, index: number): boolean {
  const word = keywordAt(scan, index);
  if (word === 'REPLICA' && keywordAt(scan, index + 1) === 'OF' && scan.frames.length === 1 && !frame.isQuery) return expectSingle(frame);
  if (word !== 'TABLE') return false;
  if (namesTable(scan, frame, index)) return expectSingle(frame);
  const named = frame.mode === 'relation' ? undefined : readNamed(scan, index);
  if (named) scan.found.push({ chain: named, at: scan.found.length, scope: frame.scope, sources: frame.sources });
  return false;
}

function expectSingle(frame: Frame): true {
  frame.mode = 'relation';
  frame.isSingle = true;
  return true;
}

/** Reads a part of a WITH list; returns the index behind. */
function readWith(scan: Scan, frame: Frame, index: number): number {
  const word = keywordAt(scan, index);
  if (frame.mode === 'with name') {
    const isRecursive = word === 'RECURSIVE' && keywordAt(scan, index - 1) === 'WITH';
    if (isRecursive && frame.scope !== undefined) frame.scope.list.isRecursive = true;
    else {
      frame.queryName = foldKey(readPath(scan.tokens, index, scan.dialect)?.parts[0] ?? '', scan.dialect);
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

function readHeader(scan: Scan, frame: Frame, index: number): number {
  if (keywordAt(scan, index) === 'AS') frame.mode = 'expression';
  return index + 1;
}

function readName(scan: Scan, frame: Frame, index: number): number {
  if (frame.mode === 'header') return readHeader(scan, frame, index);
  if (isListPart(frame.mode)) return readWith(scan, frame, index);
  const isClause = !isColumnLabel(scan, frame, index) && readClause(scan, frame, index);
  frame.isFresh = false;
  if (isClause) return frame.isSingle && keywordAt(scan, index) === 'REPLICA' ? index + 2 : index + 1;
  if (frame.mode === 'relation') return readItem(scan, frame, index);
  if (frame.mode === 'joined') readAlias(scan, frame, index);
  return frame.mode === 'with tail' ? readWith(scan, frame, index) : index + 1;
}

const joinWords = new Set(['JOIN', 'INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS']);

/** Reads `|>`, behind which comes a join, a WITH list, or a list that names no relation. */
function readPipe(scan: Scan, frame: Frame, index: number): void {
  frame.mode = joinWords.has(keywordAt(scan, index + 1)) ? 'joined' : 'expression';
  frame.isFresh = keywordAt(scan, index + 1) === 'WITH';
}

const brackets = new Set(['(', ')', '[', ']']);

function readMark(scan: Scan, frame: Frame, index: number): number {
  const text = scan.tokens[index]?.text ?? '';
  const next = frame.mode === 'relation' ? readNameless(scan, frame, index) : undefined;
  if (frame.mode !== 'header') frame.isFresh = false;
  if (next !== undefined) return next;
  if (brackets.has(text)) readBracket(scan, frame, text);
  if (text === ',') readComma(frame, scan.tokens[index + 1]?.text);
  if (text === '|>' && scan.dialect.referenceRules.pipes) readPipe(scan, frame, index);
  return index + 1;
}

function readNext(scan: Scan, index: number): number {
  const [token, frame] = [scan.tokens[index], scan.frames.at(-1)];
  if (token === undefined || frame === undefined) return index + 1;
  return token.kind === 'word' || token.kind === 'quoted identifier' ? readName(scan, frame, index) : readMark(scan, frame, index);
}

function isRelation({ chain, at, scope, sources }: Found, dialect: ReferenceDialect): boolean {
  const [name, isBare] = [foldKey(chain.parts[0] ?? '', dialect), chain.parts.length === 1];
  if (isBare && isWithQuery(name, scope)) return false;
  return !dialect.referenceRules.arraysInFrom || !startsAtRow({ name, at, isBare }, sources);
}

/** Returns the names of the relations that the tokens of a query read, its comments left out. Needs neither recursion nor a second look. */
export function readReferences(tokens: readonly Token[], dialect: ReferenceDialect): NameChain[] {
  const isCreate = keywordAt({ tokens }, 0) === 'CREATE';
  const scan: Scan = { tokens, dialect, frames: [openText(isCreate ? 'header' : 'expression')], found: [] };
  for (let index = 0; index < tokens.length; ) index = readNext(scan, index);
  return scan.found.filter((found) => isRelation(found, dialect)).map(({ chain }) => chain);
}
