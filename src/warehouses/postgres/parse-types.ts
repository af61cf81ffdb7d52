import { type Cursor, expectMark, fail, failExpected, isAt, take, takeMark } from '../../core/cursor.ts';
import type { Token } from '../../core/lexer.ts';

const isNamePart = (token: Token | undefined): token is Token => token?.kind === 'word' || token?.kind === 'quoted identifier';

/** Types of several words. https://www.postgresql.org/docs/current/datatype.html */
const longTypes = new Set([
  'double precision',
  'character varying',
  'bit varying',
  'timestamp with time zone',
  'timestamp without time zone',
  'time with time zone',
  'time without time zone',
]);

const textOf = (token: Token) => (token.kind === 'word' ? token.text.toLowerCase() : token.text);

/** Tokens of a type as the server prints them: blanks between words alone. */
function printTokens(tokens: readonly Token[]): string {
  return tokens.map((token, index) => (index > 0 && isNamePart(token) && isNamePart(tokens[index - 1]) ? ` ${textOf(token)}` : textOf(token))).join('');
}

/** Whether the tokens are one type: a name with or without its schema, or one of several words; and brackets. */
function isType(tokens: readonly Token[]): boolean {
  const bracket = tokens.findIndex(({ text }) => text === '[');
  const [names, brackets] = bracket === -1 ? [tokens, []] : [tokens.slice(0, bracket), tokens.slice(bracket)];
  const isArray = brackets.every(({ text }, index) => text === (index % 2 === 0 ? '[' : ']')) && brackets.length % 2 === 0;
  const isName = names.length % 2 === 1 && names.every((token, index) => (index % 2 === 0 ? isNamePart(token) : token.text === '.'));
  return isArray && (isName || longTypes.has(printTokens(names)));
}

/** The tokens up to what cannot belong to an argument's name and type. */
function takePart(cursor: Cursor): readonly Token[] {
  const start = cursor.next;
  const ends = (token: Token) =>
    token.text === ',' || token.text === ')' || token.text === '=' || isAt(cursor, 'DEFAULT') || isAt(cursor, 'AS') || isAt(cursor, 'ORDER BY');
  for (let token = cursor.tokens[cursor.next]; token !== undefined && !ends(token); token = cursor.tokens[cursor.next]) cursor.next += 1;
  return cursor.tokens.slice(start, cursor.next);
}

/** A type in the words in which the server prints it. */
export function readType(cursor: Cursor): string {
  const start = cursor.next;
  const tokens = takePart(cursor);
  return isType(tokens) ? printTokens(tokens) : fail({ ...cursor, next: start }, 'Expected the name of a type, as the server prints it.');
}

/** Passes an expression up to the next argument. */
function skipExpression(cursor: Cursor): void {
  let depth = 0;
  for (let token = cursor.tokens[cursor.next]; token !== undefined; token = cursor.tokens[cursor.next]) {
    if (depth === 0 && (token.text === ',' || token.text === ')')) return;
    depth += token.text === '(' || token.text === '[' ? 1 : token.text === ')' || token.text === ']' ? -1 : 0;
    cursor.next += 1;
  }
}

/** One argument of a routine: its type, or nothing for what is only returned. */
function readArgument(cursor: Cursor): readonly string[] {
  const isReturned = take(cursor, 'OUT');
  if (!isReturned) for (const mode of ['INOUT', 'IN', 'VARIADIC']) if (take(cursor, mode)) break;
  const start = cursor.next;
  const tokens = takePart(cursor);
  const type = isType(tokens) ? tokens : tokens.slice(1);
  if (!isType(type) || (type !== tokens && !isNamePart(tokens[0])))
    return fail({ ...cursor, next: start }, 'Expected an argument: its name if it has one, and its type as the server prints it.');
  if (take(cursor, 'DEFAULT') || takeMark(cursor, '=')) skipExpression(cursor);
  return isReturned ? [] : [printTokens(type)];
}

interface Argument {
  readonly start: number;
  readonly types: readonly string[];
}

function readEach(cursor: Cursor): readonly Argument[] {
  const found: Argument[] = [];
  do found.push({ start: cursor.next, types: readArgument(cursor) });
  while (takeMark(cursor, ','));
  return found;
}

/**
 * The types of a routine's arguments in parentheses, as a name holds them. Those behind ORDER BY follow, but where both lists end in one that takes
 * any number of values these are one. https://www.postgresql.org/docs/current/sql-createaggregate.html
 */
export function readArguments(cursor: Cursor): string {
  expectMark(cursor, '(');
  if (takeMark(cursor, ')')) return '';
  if (takeMark(cursor, '*')) {
    expectMark(cursor, ')');
    return '';
  }
  const direct = isAt(cursor, 'ORDER BY') ? [] : readEach(cursor);
  const isVariadic = isAt({ ...cursor, next: direct.at(-1)?.start ?? cursor.next }, 'VARIADIC');
  const ordered = take(cursor, 'ORDER BY') ? readEach(cursor) : [];
  if (!takeMark(cursor, ')')) return failExpected(cursor, '"," or ")"');
  return [...direct, ...(isVariadic ? [] : ordered)].flatMap(({ types }) => types).join(', ');
}
