import { addToken, type LexicalRules, type Reading } from './lexer.ts';

function matchEnd(pattern: RegExp, sql: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(sql) ? pattern.lastIndex : undefined;
}

const wordStart = /[A-Za-z_\u0080-\uffff]/y;
const wordPatterns = new Map<string, RegExp>();

function wordPattern(extraCharacters: string): RegExp {
  const known = wordPatterns.get(extraCharacters);
  if (known !== undefined) return known;
  const pattern = new RegExp(`[\\w\\u0080-\\uffff${extraCharacters.replace(/[\\\]^-]/g, '\\$&')}]*`, 'y');
  wordPatterns.set(extraCharacters, pattern);
  return pattern;
}

/** Reads a keyword or an unquoted name. */
export function readWord(reading: Reading, at: number): number | undefined {
  if (matchEnd(wordStart, reading.sql, at) === undefined) return undefined;
  const end = matchEnd(wordPattern(reading.rules.wordCharacters), reading.sql, at) ?? at + 1;
  return addToken(reading, 'word', [at, end]);
}

// A point followed by another one belongs to `..`: `1..2` is a number, an operator, a number.
const number =
  /0[xX](?:_?[0-9A-Fa-f])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:[0-9](?:_?[0-9])*(?:\.(?!\.)(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y;

/** Reads a number: `1_000`, `0x1F`, `1.5e-3`, `.5`. */
export function readNumber(reading: Reading, at: number): number | undefined {
  const end = matchEnd(number, reading.sql, at);
  return end === undefined ? undefined : addToken(reading, 'number', [at, end]);
}

const parameter = /\$[0-9]+/y;

/** Reads a numbered parameter: `$1`. */
export function readParameter(reading: Reading, at: number): number | undefined {
  const end = matchEnd(parameter, reading.sql, at);
  return end === undefined ? undefined : addToken(reading, 'parameter', [at, end]);
}

function operatorRunEnd({ sql, rules }: Reading, at: number): number {
  let end = at;
  while (end < sql.length && rules.operatorCharacters.includes(sql[end] ?? '')) {
    if (end > at && (sql.startsWith('/*', end) || rules.lineComments.some((mark) => sql.startsWith(mark, end)))) break;
    end += 1;
  }
  return end;
}

/**
 * Adds the operators that a run of operator characters makes: one, unless it ends in signs and holds none of `~ ! @ # ^ & | ? %` and the
 * backtick; each of these signs is then an operator of its own.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-OPERATORS
 */
function addOperatorRun(reading: Reading, at: number, end: number): number {
  const run = reading.sql.slice(at, end);
  const whole = /[~!@#^&|`?%]/.test(run) ? run.length : Math.max(1, run.replace(/[+-]+$/, '').length);
  addToken(reading, 'operator', [at, at + whole]);
  for (let sign = at + whole; sign < end; sign += 1) addToken(reading, 'operator', [sign, sign + 1]);
  return end;
}

function knownOperatorEnd(sql: string, at: number, rules: LexicalRules): number | undefined {
  const operator = rules.operators.find((text) => sql.startsWith(text, at));
  return operator === undefined ? undefined : at + operator.length;
}

const punctuation = '()[]{},;.:$\\';

/** Reads an operator or a punctuation mark; whatever nothing else has read is an operator of one character. */
export function readOperator(reading: Reading, at: number): number {
  const { sql, rules } = reading;
  const character = sql[at] ?? '';
  if (rules.operatorCharacters.includes(character)) return addOperatorRun(reading, at, operatorRunEnd(reading, at));
  const known = knownOperatorEnd(sql, at, rules);
  if (known !== undefined) return addToken(reading, 'operator', [at, known]);
  return addToken(reading, punctuation.includes(character) ? 'punctuation' : 'operator', [at, at + 1]);
}
