import { ViewsyncError } from '../errors.ts';
import type { ParsedCreate, Statement } from './dialect.ts';
import { type LexicalRules, readTokens, tokenize } from './lexer.ts';
import { writeReservedLine } from './reserved-line.ts';

/** Text with something readable in the place of a query, and the query. */
export interface Hidden {
  readonly text: string;
  readonly query: string;
}

const beginning = '-- viewsync: {"verbatim":';
const marker = /[ \t]*\r?\n-- viewsync: \{"verbatim":(\d+)\}\r?\n/y;

// Every dialect takes it for a query.
const standIn = ' SELECT 1 ';

function isReadable(sql: string, rules: LexicalRules): boolean {
  try {
    tokenize(sql, rules);
    return true;
  } catch (error) {
    if (error instanceof ViewsyncError) return false;
    throw error;
  }
}

/** The query as it stands in a file: one that cannot be read to its end, such as with a quote of a kind that we do not know, behind a line that counts its lines. */
export function markQuery(query: string, rules: LexicalRules): string {
  const needsMark = query.startsWith(beginning) || !isReadable(query, rules);
  return needsMark ? `${writeReservedLine({ verbatim: query.split('\n').length })}\n${query}` : query;
}

/** Whether the text of a file holds such a line. */
export function isMarked(text: string): boolean {
  return text.includes(`\n${beginning}`);
}

/** The offset behind the AS before the query, which everything before it is readable up to. */
function findQuery(text: string, rules: LexicalRules): number | undefined {
  let depth = 0;
  for (const { kind, text: token, end } of readTokens(text, rules)) {
    depth += token === '(' ? 1 : token === ')' ? -1 : 0;
    if (depth === 0 && kind === 'word' && token.toUpperCase() === 'AS') return end;
  }
  return undefined;
}

function endOfLines(text: string, from: number, lines: number): number {
  let end = from - 1;
  for (let line = 0; line < lines; line++) end = text.indexOf('\n', end + 1);
  return end;
}

/** The text of a file whose query is marked, every offset what it was. */
export function hideMarked(text: string, rules: LexicalRules): Hidden | undefined {
  const at = isMarked(text) ? findQuery(text, rules) : undefined;
  if (at === undefined) return undefined;
  marker.lastIndex = at;
  const lines = Number(marker.exec(text)?.[1] ?? 0);
  const from = marker.lastIndex;
  const end = lines === 0 ? -1 : endOfLines(text, from, lines);
  if (end < from) return undefined;
  const rest = text.slice(at + standIn.length, end).replace(/[^\r\n]/g, ' ');
  return { text: `${text.slice(0, at)}${standIn}${rest}${text.slice(end)}`, query: text.slice(from, end) };
}

/** A statement as a warehouse keeps it, if it cannot be read; `ending` matches what may stand behind the query. */
export function hideUnreadable(text: string, rules: LexicalRules, ending: RegExp): Hidden | undefined {
  if (isReadable(text, rules)) return undefined;
  const at = findQuery(text, rules);
  const end = ending.exec(text)?.index ?? text.length;
  const query = at === undefined ? '' : text.slice(at, end).trim();
  return query === '' ? undefined : { text: `${text.slice(0, at)}${standIn}${text.slice(end)}`, query };
}

/** Reads the CREATE of a text of which the query may be hidden. */
export function parseHidden(statement: Statement, hidden: Hidden | undefined, parse: (statement: Statement) => ParsedCreate): ParsedCreate {
  const create = parse(statement);
  return hidden === undefined ? create : { ...create, definition: hidden.query };
}
