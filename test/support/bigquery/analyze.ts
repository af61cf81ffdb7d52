import { type Token, tokenize } from '../../../src/core/lexer.ts';
import { lexicalRules } from '../../../src/warehouses/bigquery/lexical-rules.ts';
import { type Field, Refusal } from './resources.ts';

/** Columns of a relation, or of what a function of that name returns; names are their parts joined with points. Throws a Refusal. */
export type FindColumns = (name: string, what: 'relation' | 'function') => readonly Field[];

interface Parser {
  readonly tokens: readonly Token[];
  readonly findColumns: FindColumns;
  at: number;
}

type Scope = ReadonlyMap<string, readonly Field[]>;

interface Source {
  readonly alias: string;
  readonly columns: readonly Field[];
}

const clauses = new Set(['WHERE', 'GROUP', 'HAVING', 'QUALIFY', 'WINDOW', 'ORDER', 'LIMIT', 'UNION', 'INTERSECT', 'EXCEPT']);
// `* EXCEPT (id)` goes on.
const listEnds = new Set(['FROM', ...clauses].filter((word) => word !== 'EXCEPT'));
const joins = new Set(['JOIN', 'LEFT', 'RIGHT', 'FULL', 'INNER', 'CROSS', 'ON', 'USING', 'OUTER']);

const word = ({ tokens, at }: Parser, ahead = 0) => (tokens[at + ahead]?.kind === 'word' ? (tokens[at + ahead]?.text.toUpperCase() ?? '') : '');
const text = ({ tokens, at }: Parser, ahead = 0) => tokens[at + ahead]?.text ?? '';

function fail(parser: Parser, message: string): never {
  throw new Refusal(400, 'invalidQuery', `${message} at [1:${(parser.tokens[parser.at]?.start ?? 0) + 1}]`);
}

function takeWord(parser: Parser, expected: string): boolean {
  if (word(parser) !== expected) return false;
  parser.at += 1;
  return true;
}

function take(parser: Parser, expected: string): void {
  if (text(parser).toUpperCase() !== expected) fail(parser, `Syntax error: Expected ${expected} but got "${text(parser)}"`);
  parser.at += 1;
}

const unquote = (token: string) => (token.startsWith('`') ? token.slice(1, -1).replace(/\\(.)/g, '$1') : token);

function isName(token: Token | undefined): boolean {
  return token?.kind === 'word' || token?.kind === 'quoted identifier';
}

/** `a.b-c.d`, its parts joined by points. */
function readPath(parser: Parser): string {
  if (!isName(parser.tokens[parser.at])) fail(parser, `Syntax error: Unexpected "${text(parser)}"`);
  let path = unquote(text(parser));
  parser.at += 1;
  while ((text(parser) === '.' || text(parser) === '-') && parser.tokens[parser.at + 1] !== undefined) {
    path += `${text(parser)}${unquote(text(parser, 1))}`;
    parser.at += 2;
  }
  return path;
}

/** Passes everything up to a comma or a closing parenthesis that belongs outside, or to one of the words. */
function skip(parser: Parser, ends: ReadonlySet<string>): readonly Token[] {
  const from = parser.at;
  for (let depth = 0; parser.at < parser.tokens.length; parser.at++) {
    const token = text(parser);
    if (depth === 0 && (token === ',' || token === ')' || ends.has(word(parser)))) break;
    depth += token === '(' || token === '[' ? 1 : token === ')' || token === ']' ? -1 : 0;
  }
  return parser.tokens.slice(from, parser.at);
}

function readQuery(parser: Parser, scope: Scope): readonly Field[] {
  const inner = new Map(scope);
  if (takeWord(parser, 'WITH')) {
    takeWord(parser, 'RECURSIVE');
    do {
      const name = unquote(text(parser));
      parser.at += 1;
      take(parser, 'AS');
      take(parser, '(');
      inner.set(name, readQuery(parser, inner));
      take(parser, ')');
    } while (text(parser) === ',' && ++parser.at);
  }
  const columns = readTerm(parser, inner);
  while (['UNION', 'INTERSECT', 'EXCEPT'].includes(word(parser))) {
    parser.at += 2;
    readTerm(parser, inner);
  }
  while (parser.at < parser.tokens.length && text(parser) !== ')') skipOne(parser);
  return columns;
}

function skipOne(parser: Parser): void {
  skip(parser, new Set());
  if (text(parser) === ',') parser.at += 1;
}

function readTerm(parser: Parser, scope: Scope): readonly Field[] {
  if (text(parser) !== '(') return readSelect(parser, scope);
  parser.at += 1;
  const columns = readQuery(parser, scope);
  take(parser, ')');
  return columns;
}

function readSelect(parser: Parser, scope: Scope): readonly Field[] {
  if (!takeWord(parser, 'SELECT')) fail(parser, `Syntax error: Unexpected "${text(parser)}"`);
  if (!takeWord(parser, 'DISTINCT')) takeWord(parser, 'ALL');
  const items: (readonly Token[])[] = [];
  do items.push(skip(parser, listEnds));
  while (text(parser) === ',' && ++parser.at);
  const sources = takeWord(parser, 'FROM') ? readSources(parser, scope) : [];
  while (parser.at < parser.tokens.length && text(parser) !== ')' && !['UNION', 'INTERSECT', 'EXCEPT'].includes(word(parser))) {
    parser.at += 1;
    skip(parser, clauses);
  }
  return items.flatMap((item, index) => readItem(item, sources, { parser, index }));
}

function readSources(parser: Parser, scope: Scope): readonly Source[] {
  const sources: Source[] = [readSource(parser, scope, [])];
  for (;;) {
    if (text(parser) === ',') parser.at += 1;
    else if (['ON', 'USING'].includes(word(parser))) {
      parser.at += 1;
      skip(parser, new Set([...clauses, 'JOIN', 'LEFT', 'RIGHT', 'FULL', 'INNER', 'CROSS']));
      continue;
    } else if (joins.has(word(parser))) {
      while (word(parser) !== 'JOIN') parser.at += 1;
      parser.at += 1;
    } else return sources;
    sources.push(readSource(parser, scope, sources));
  }
}

/** The array that a path names in a row of what stands before it in FROM. https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#correlated_join */
function findArray([first = '', ...rest]: readonly string[], sources: readonly Source[]): Field | undefined {
  const source = sources.find(({ alias }) => alias === first);
  return rest.reduce<Field | undefined>(
    (field, part) => field?.fields?.find(({ name }) => name === part),
    source && { name: first, type: 'RECORD', fields: source.columns },
  );
}

/** What stands for an array's elements: their fields, or one column of the alias's name. */
function readElements(parser: Parser, { fields, type }: Field, name: string): Source {
  const alias = readAlias(parser) ?? name;
  if (takeWord(parser, 'WITH')) {
    if (!takeWord(parser, 'OFFSET')) fail(parser, 'Syntax error: Expected OFFSET');
    readAlias(parser);
  }
  return { alias, columns: fields ?? [{ name: alias, type }] };
}

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#unnest_operator */
function readUnnest(parser: Parser, sources: readonly Source[]): Source {
  take(parser, '(');
  const array = isName(parser.tokens[parser.at]) ? findArray(readPath(parser).split('.'), sources) : undefined;
  skip(parser, new Set());
  take(parser, ')');
  return readElements(parser, array ?? { name: '', type: 'INTEGER' }, '');
}

/** EXTERNAL_QUERY or a table function: what it returns is known by its name, a connection by its first argument. */
function readCall(parser: Parser, path: string): Source {
  take(parser, '(');
  const first = text(parser).replace(/^['"]|['"]$/g, '');
  while (text(parser) !== ')') skipOne(parser);
  take(parser, ')');
  const columns = parser.findColumns(path.toUpperCase() === 'EXTERNAL_QUERY' ? `EXTERNAL_QUERY ${first}` : path, 'function');
  return { columns, alias: readAlias(parser) ?? '' };
}

function readSource(parser: Parser, scope: Scope, sources: readonly Source[]): Source {
  if (text(parser) === '(') {
    parser.at += 1;
    const columns = readQuery(parser, scope);
    take(parser, ')');
    return { columns, alias: readAlias(parser) ?? '' };
  }
  if (takeWord(parser, 'UNNEST')) return readUnnest(parser, sources);
  const path = readPath(parser);
  const array = findArray(path.split('.'), sources);
  if (array) return readElements(parser, array, path.split('.').at(-1) ?? path);
  if (text(parser) === '(') return readCall(parser, path);
  const columns = scope.get(path) ?? parser.findColumns(path, 'relation');
  return { columns, alias: readAlias(parser) ?? path.split('.').at(-1) ?? path };
}

function readAlias(parser: Parser): string | undefined {
  const isAlias = takeWord(parser, 'AS') || (isName(parser.tokens[parser.at]) && !clauses.has(word(parser)) && !joins.has(word(parser)));
  if (!isAlias) return undefined;
  parser.at += 1;
  return unquote(text(parser, -1));
}

const plain = ({ name, type, mode, fields }: Field): Field => ({
  name,
  type,
  ...(mode === undefined ? {} : { mode: mode === 'REQUIRED' ? 'NULLABLE' : mode }),
  ...(fields ? { fields: fields.map(plain) } : {}),
});

function resolve(path: readonly string[], sources: readonly Source[], { parser }: { parser: Parser }): Field {
  const [first = '', second] = path;
  const bySource = second === undefined ? undefined : sources.find(({ alias }) => alias === first);
  const columns = bySource ? bySource.columns : sources.flatMap(({ columns: own }) => own);
  const name = bySource ? (second as string) : first;
  const found = columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (!found) throw new Refusal(400, 'invalidQuery', `Unrecognized name: ${name} at [1:${(parser.tokens[0]?.start ?? 0) + 8}]`);
  return path.slice(bySource ? 2 : 1).reduce<Field>((field, part) => {
    const inner = field.fields?.find((each) => each.name.toLowerCase() === part.toLowerCase());
    if (!inner) throw new Refusal(400, 'invalidQuery', `Field name ${part} does not exist in ${field.name}`);
    return inner;
  }, found);
}

function typeOf(item: readonly Token[]): string {
  const [first] = item;
  if (item.length === 1 && first?.kind === 'number') return /^\d+$/.test(first.text) ? 'INTEGER' : 'FLOAT';
  if (item.length === 1 && first?.kind === 'string') return 'STRING';
  if (/^(?:COUNT|LENGTH)$/i.test(first?.text ?? '')) return 'INTEGER';
  if (/^(?:UPPER|LOWER|CONCAT)$/i.test(first?.text ?? '')) return 'STRING';
  return 'FLOAT';
}

function chainOf(item: readonly Token[]): readonly string[] | undefined {
  const isChain = item.length % 2 === 1 && item.every((token, index) => (index % 2 === 0 ? isName(token) : token.text === '.'));
  return isChain ? item.map((token) => unquote(token.text)).filter((_, index) => index % 2 === 0) : undefined;
}

function readStar(item: readonly Token[], sources: readonly Source[]): readonly Field[] | undefined {
  if (item[0]?.text === '*') {
    const except = new Set(
      item
        .slice(1)
        .filter(isName)
        .map((token) => token.text.toLowerCase()),
    );
    return sources
      .flatMap(({ columns }) => columns)
      .filter(({ name }) => !except.has(name.toLowerCase()))
      .map(plain);
  }
  if (item.at(-1)?.text !== '*' || item.at(-2)?.text !== '.') return undefined;
  return (sources.find(({ alias }) => alias === unquote(item[0]?.text ?? ''))?.columns ?? []).map(plain);
}

function readItem(item: readonly Token[], sources: readonly Source[], { parser, index }: { parser: Parser; index: number }): readonly Field[] {
  const star = readStar(item, sources);
  if (star) return star;
  const as = item.findLastIndex((token) => token.text.toUpperCase() === 'AS');
  const isAliased = as >= 0 && as === item.length - 2;
  const expression = isAliased ? item.slice(0, as) : item;
  const chain = chainOf(expression);
  const field =
    chain && !/^(?:TRUE|FALSE|NULL)$/i.test(chain[0] ?? '') ? plain(resolve(chain, sources, { parser })) : { name: `f${index}_`, type: typeOf(expression) };
  return [{ ...field, name: isAliased ? unquote(item.at(-1)?.text ?? '') : field.name }];
}

/** The columns that a query gives; refuses what cannot be found. A small part of the language, and loud about the rest. */
export function analyze(sql: string, findColumns: FindColumns): readonly Field[] {
  const parser: Parser = { tokens: tokenize(sql, lexicalRules).filter(({ kind }) => kind !== 'comment'), findColumns, at: 0 };
  const columns = readQuery(parser, new Map());
  if (parser.at < parser.tokens.length) fail(parser, `Syntax error: Expected end of input but got "${text(parser)}"`);
  return columns;
}

/** Legacy SQL with its tables written in the other way. https://cloud.google.com/bigquery/docs/reference/legacy-sql#from */
export function fromLegacy(sql: string): string {
  return sql.replace(/\[([^:\]]+):([^\]]+)\]/g, '`$1.$2`');
}
