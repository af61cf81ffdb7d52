import { type Token, tokenize } from '../../../src/core/lexer.ts';
import { lexicalRules } from '../../../src/warehouses/snowflake/lexical-rules.ts';
import { type Account, findRelation, isVisible, missing, nameFrom, SqlError } from './account.ts';

/** Where unqualified names lie: in the view's own schema. https://docs.snowflake.com/en/sql-reference/name-resolution */
export interface Home {
  readonly database: string;
  readonly schema: string;
}

export interface Output {
  readonly name: string;
  readonly type: string;
}

const isName = (token: Token | undefined): token is Token =>
  token?.kind === 'quoted identifier' || (token?.kind === 'word' && !keywords.has(token.text.toUpperCase()));

const keywords = new Set(
  'SELECT FROM WHERE JOIN ON USING LEFT RIGHT FULL INNER OUTER CROSS NATURAL GROUP ORDER BY HAVING QUALIFY LIMIT UNION ALL AS WITH LATERAL VALUES AND OR'.split(
    ' ',
  ),
);

const word = (token: Token | undefined) => (token?.kind === 'word' ? token.text.toUpperCase() : token?.text);

interface Source {
  readonly alias: string;
  readonly columns: readonly Output[];
}

/** Parts of a token list at the top level, divided where `isDivider` says so. */
function divide(tokens: readonly Token[], isDivider: (token: Token) => boolean): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth === 0 && isDivider(token)) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

function indexAtTop(tokens: readonly Token[], words: ReadonlySet<string>): number {
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.text === '(') depth += 1;
    if (token.text === ')') depth -= 1;
    if (depth === 0 && words.has(word(token) ?? '')) return index;
  }
  return -1;
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    if (tokens[index]?.text === '(') depth += 1;
    if (tokens[index]?.text === ')') depth -= 1;
    if (depth === 0) return index;
  }
  throw new SqlError('001003', '42000', 'SQL compilation error: syntax error: a parenthesis is not closed.');
}

interface Scope {
  readonly account: Account;
  readonly home: Home;
  readonly named: ReadonlyMap<string, readonly Output[]>;
}

function columnsOfRelation({ account, home }: Scope, parts: readonly string[]): readonly Output[] {
  const path = parts.length === 3 ? parts : parts.length === 2 ? [home.database, ...parts] : [home.database, home.schema, ...parts];
  const relation = findRelation(account, path);
  if (!relation || !isVisible(account, ...path)) throw missing(path.join('.'));
  if (relation.type === 'VIEW') requireFits(account, path);
  return relation.columns;
}

function readSource(scope: Scope, tokens: readonly Token[]): Source {
  const start = tokens.findIndex((token) => token.text === '(' || isName(token));
  const first = tokens[start];
  if (!first) return { alias: '', columns: [] };
  let next = start + 1;
  let columns: readonly Output[];
  let alias = '';
  if (first.text === '(') {
    const end = closing(tokens, start);
    columns = analyzeTokens(scope, tokens.slice(start + 1, end));
    next = end + 1;
  } else {
    const parts = [nameFrom(first)];
    for (; tokens[next]?.text === '.' && tokens[next + 1]; next += 2) parts.push(nameFrom(tokens[next + 1] as Token));
    alias = parts.at(-1) ?? '';
    columns = (parts.length === 1 ? scope.named.get(alias) : undefined) ?? columnsOfRelation(scope, parts);
  }
  if (word(tokens[next]) === 'AS') next += 1;
  const given = tokens[next];
  return { alias: isName(given) ? nameFrom(given) : alias, columns };
}

const joins = new Set([',', 'JOIN']);
const fromEnds = new Set(['WHERE', 'GROUP', 'HAVING', 'QUALIFY', 'ORDER', 'LIMIT', 'UNION']);

function outputsOf(item: readonly Token[], sources: readonly Source[]): readonly Output[] {
  const last = item.at(-1);
  if (last?.text === '*' && item.length === 1) return sources.flatMap(({ columns }) => columns);
  if (last?.text === '*' && item.at(-2)?.text === '.' && item[0]) {
    const alias = nameFrom(item.at(-3) ?? item[0]);
    const source = sources.find((each) => each.alias === alias);
    if (!source) throw new SqlError('000904', '42000', `SQL compilation error: error line 1 at position 7\ninvalid identifier '${alias}'`);
    return source.columns;
  }
  const isPlain = item.every((token) => token.text === '.' || isName(token));
  const known = sources.flatMap(({ columns }) => columns);
  if (isPlain && last) {
    const name = nameFrom(last);
    const found = known.find((column) => column.name === name);
    if (!found) throw new SqlError('000904', '42000', `SQL compilation error: error line 1 at position 7\ninvalid identifier '${name}'`);
    return [found];
  }
  return [
    {
      name: isName(last)
        ? nameFrom(last)
        : item
            .map(({ text }) => text)
            .join('')
            .toUpperCase(),
      type: 'NUMBER',
    },
  ];
}

function analyzeSelect(scope: Scope, tokens: readonly Token[]): readonly Output[] {
  if (word(tokens[0]) !== 'SELECT') throw new SqlError('001003', '42000', `SQL compilation error: syntax error: unexpected '${tokens[0]?.text ?? '<EOF>'}'.`);
  const from = indexAtTop(tokens, new Set(['FROM']));
  const rest = from === -1 ? [] : tokens.slice(from + 1);
  const end = indexAtTop(rest, fromEnds);
  const clause = end === -1 ? rest : rest.slice(0, end);
  const sources = clause.length === 0 ? [] : divide(clause, (token) => joins.has(word(token) ?? '')).map((part) => readSource(scope, part));
  const list = tokens.slice(['DISTINCT', 'ALL'].includes(word(tokens[1]) ?? '') ? 2 : 1, from === -1 ? tokens.length : from);
  return divide(list, ({ text }) => text === ',').flatMap((item) => outputsOf(item, sources));
}

function analyzeTokens(scope: Scope, tokens: readonly Token[]): readonly Output[] {
  if (word(tokens[0]) !== 'WITH') return analyzeSelect(scope, tokens);
  const named = new Map(scope.named);
  let next = word(tokens[1]) === 'RECURSIVE' ? 2 : 1;
  for (;;) {
    const name = tokens[next];
    const listEnd = tokens[next + 1]?.text === '(' ? closing(tokens, next + 1) : next;
    const list = tokens.slice(next + 2, listEnd).filter(isName);
    const open = listEnd + 2;
    const end = closing(tokens, open);
    const outputs = analyzeTokens({ ...scope, named }, tokens.slice(open + 1, end));
    if (name)
      named.set(
        nameFrom(name),
        outputs.map((output, index) => ({ ...output, name: list[index] ? nameFrom(list[index]) : output.name })),
      );
    next = end + 1;
    if (tokens[next]?.text !== ',') break;
    next += 1;
  }
  return analyzeSelect({ ...scope, named }, tokens.slice(next));
}

/** The columns that a query gives as things stand, or an error in the server's words. */
export function analyze(account: Account, sql: string, home: Home): readonly Output[] {
  const tokens = tokenize(sql, lexicalRules).filter(({ kind }) => kind !== 'comment');
  return analyzeTokens({ account, home, named: new Map() }, tokens);
}

/**
 * A view keeps the columns it was made with; when what it reads has changed it cannot be queried.
 * https://docs.snowflake.com/en/user-guide/views-introduction#limitations-on-views
 */
export function requireFits(account: Account, path: readonly string[]): void {
  const relation = findRelation(account, path);
  if (relation?.type !== 'VIEW') return;
  const { length } = analyze(account, relation.definition, { database: relation.database, schema: relation.schema });
  if (length === relation.columns.length) return;
  throw new SqlError(
    '002057',
    '42601',
    `SQL compilation error:\nView definition for '${path.join('.')}' declared ${relation.columns.length} column(s), but view query produces ${length} column(s).`,
  );
}
