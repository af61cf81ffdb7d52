import type { Token } from './lexer.ts';
import type { NameChain } from './name-tokens.ts';
import { type Frame, foldKey, type Item, keywordAt, type Scan } from './reference-frames.ts';
import { readLegacyTable, readPath } from './reference-paths.ts';
import { startsAtRow } from './reference-scopes.ts';
import { foldWord } from './tokens.ts';

// Words behind an item that are not its alias.
const afterItems = new Set(
  'AS LEFT RIGHT FULL INNER OUTER CROSS NATURAL ASOF JOIN ON USING TABLESAMPLE SAMPLE PIVOT UNPIVOT MATCH_RECOGNIZE AT BEFORE CHANGES FOR WITH'.split(' '),
);

function endItem(frame: Frame, item: Item): void {
  frame.mode = frame.isSingle ? 'expression' : 'joined';
  frame.item = frame.isSingle ? 'none' : item;
  frame.ownAlias = '';
}

/** Whether the alias is a new one of its clause. */
function addAlias(frame: Frame, alias: string, at: number): boolean {
  const { aliases } = frame.sources;
  if (aliases.has(alias)) return false;
  aliases.set(alias, { at, isArray: frame.item === 'array' });
  return true;
}

function addRelation(scan: Scan, frame: Frame, chain: NameChain): void {
  const [at, first, last] = [scan.found.length, chain.parts[0] ?? '', chain.parts.at(-1) ?? ''];
  const isArray = chain.parts.length > 1 && startsAtRow({ name: foldKey(first, scan.dialect), at, isBare: false }, frame.sources);
  scan.found.push({ chain, at, scope: frame.scope, sources: frame.sources });
  endItem(frame, isArray ? 'array' : 'relation');
  if (frame.mode !== 'joined') return;
  const ownAlias = foldKey(last, scan.dialect);
  if (addAlias(frame, ownAlias, at)) frame.ownAlias = ownAlias;
}

/** Takes a name behind an item as its alias; the name of its relation is then none. */
export function readAlias(scan: Scan, frame: Frame, index: number): void {
  const word = keywordAt(scan, index);
  if (word === 'ON' || word === 'USING') frame.item = 'none';
  if (frame.item === 'none' || afterItems.has(word)) return;
  if (frame.ownAlias !== '') frame.sources.aliases.delete(frame.ownAlias);
  frame.ownAlias = '';
  const alias = readPath(scan.tokens, index, scan.dialect)?.parts[0] ?? '';
  addAlias(frame, foldKey(alias, scan.dialect), scan.found.length - 1);
  if (frame.item === 'tuples') frame.item = 'relation';
}

/** The name that a string holds, as in `IDENTIFIER('shop."Orders"')`. */
function nameInString(token: Token, scan: Scan): readonly string[] {
  const text = token.text.replace(/^(?:'|\$\$)|(?:'|\$\$)$/g, '');
  const parts = text.match(/"(?:[^"]|"")+"|[^".\s]+/g) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : foldWord(part, scan.dialect.folds)));
}

function argumentAt(scan: Scan, index: number): NameChain | undefined {
  const token = scan.tokens[index];
  if (token?.kind === 'string') return { parts: nameInString(token, scan), start: token.start, end: token.end, next: index + 1 };
  return token?.text === '[' ? readLegacyTable(scan.tokens, index) : readPath(scan.tokens, index, scan.dialect);
}

/** The relation that the function at an index names in its first argument. */
export function readNamed(scan: Scan, index: number): NameChain | undefined {
  const form = scan.dialect.referenceRules.namingFunctions.get(keywordAt(scan, index));
  const [opening, argument] = [scan.tokens[index + 1], form === undefined ? undefined : argumentAt(scan, index + 2)];
  if (opening?.text !== '(' || argument === undefined) return undefined;
  if (form === 'prefix of names') return { ...argument, parts: [...argument.parts.slice(0, -1), `${argument.parts.at(-1)}*`] };
  return form === 'only argument' && scan.tokens[argument.next]?.text !== ')' ? undefined : argument;
}

function readFunction(scan: Scan, frame: Frame, index: number): void {
  const named = readNamed(scan, index);
  if (named) addRelation(scan, frame, named);
  endItem(frame, 'array');
}

/** Reads the item of a FROM clause that comes next, or a word that may stand before it; returns the index behind. */
export function readItem(scan: Scan, frame: Frame, index: number): number {
  if (scan.dialect.referenceRules.beforeRelations.has(keywordAt(scan, index))) return index + 1;
  const chain = readPath(scan.tokens, index, scan.dialect);
  if (chain === undefined) return index + 1;
  const isRowsFrom = keywordAt(scan, index) === 'ROWS' && keywordAt(scan, index + 1) === 'FROM';
  if (isRowsFrom || scan.tokens[chain.next]?.text === '(') readFunction(scan, frame, index);
  else addRelation(scan, frame, chain);
  return isRowsFrom ? index + 2 : chain.next;
}

/** The index behind a stage and the path in it: `@db.stage/folder/file.csv`. https://docs.snowflake.com/en/user-guide/querying-stage */
function stageEnd(tokens: readonly Token[], index: number): number {
  let end = index + 1;
  while (tokens[end]?.start === tokens[end - 1]?.end && !['(', ')', ',', ';'].includes(tokens[end]?.text ?? ';')) end += 1;
  return end;
}

/** Reads an item of a FROM clause that is no name: a stage, a table of legacy SQL, a string; returns the index behind, or undefined. */
export function readNameless(scan: Scan, frame: Frame, index: number): number | undefined {
  const { token, rules } = { token: scan.tokens[index], rules: scan.dialect.referenceRules };
  const legacy = rules.legacyTables ? readLegacyTable(scan.tokens, index) : undefined;
  if (legacy) {
    addRelation(scan, frame, legacy);
    return legacy.next;
  }
  const isStage = rules.stages && token?.text === '@';
  const isValue = token?.kind === 'string' || token?.kind === 'number' || token?.kind === 'parameter';
  if (isStage || isValue) endItem(frame, 'array');
  if (isStage) return stageEnd(scan.tokens, index);
  return isValue ? index + 1 : undefined;
}
