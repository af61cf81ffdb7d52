import { type Token, tokenize } from '../../../src/core/lexer.ts';
import { lexicalRules } from '../../../src/warehouses/bigquery/lexical-rules.ts';
import { Refusal } from './resources.ts';

/** A statement that the server knows. Names are their parts joined by points. */
export type Statement =
  | {
      readonly what: 'create';
      readonly name: string;
      readonly kind: 'VIEW' | 'MATERIALIZED_VIEW';
      readonly mayReplace: boolean;
      readonly columns?: readonly string[];
      readonly layout: string;
      readonly options: Readonly<Record<string, string>>;
      readonly query: string;
    }
  | { readonly what: 'drop'; readonly name: string; readonly kind: 'VIEW' | 'MATERIALIZED_VIEW' }
  | { readonly what: 'add column' | 'drop column'; readonly name: string; readonly column: string; readonly type: string }
  | { readonly what: 'set options'; readonly name: string; readonly options: Readonly<Record<string, string>> }
  | { readonly what: 'describe column'; readonly name: string; readonly column: string; readonly description: string | null }
  | { readonly what: 'grant' | 'revoke'; readonly name: string; readonly roles: readonly string[]; readonly members: readonly string[] };

interface Parser {
  readonly sql: string;
  readonly tokens: readonly Token[];
  at: number;
}

const at = ({ tokens, at: index }: Parser) => tokens[index]?.text ?? '';

function fail(parser: Parser): never {
  throw new Refusal(400, 'invalidQuery', `Syntax error: Unexpected "${at(parser)}" in ${parser.sql.slice(0, 80)}`);
}

function takes(parser: Parser, words: string): boolean {
  const all = words.split(' ');
  if (!all.every((word, index) => parser.tokens[parser.at + index]?.text.toUpperCase() === word)) return false;
  parser.at += all.length;
  return true;
}

function expects(parser: Parser, words: string): void {
  if (!takes(parser, words)) fail(parser);
}

function identifier(parser: Parser): string {
  const text = at(parser);
  parser.at += 1;
  return text.startsWith('`') ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

function name(parser: Parser): string {
  let path = identifier(parser);
  while (at(parser) === '.' || at(parser) === '-') {
    const mark = at(parser);
    parser.at += 1;
    path += `${mark}${identifier(parser)}`;
  }
  return path;
}

/** The value of a string literal: its escapes are those of JSON and a few more. */
export function literal(text: string): string {
  if (!/^['"]/.test(text)) throw new Refusal(400, 'invalidQuery', `Expected a string, got ${text}`);
  const body = text
    .slice(1, -1)
    .replaceAll("\\'", "'")
    .replaceAll('\\`', '`')
    .replace(/(^|[^\\])((?:\\\\)*)"/g, '$1$2\\"');
  return JSON.parse(`"${body}"`) as string;
}

function string(parser: Parser): string {
  const text = literal(at(parser));
  parser.at += 1;
  return text;
}

function list<T>(parser: Parser, read: (parser: Parser) => T): readonly T[] {
  const items = [read(parser)];
  while (takes(parser, ',')) items.push(read(parser));
  return items;
}

function expression(parser: Parser): string {
  const from = parser.tokens[parser.at]?.start ?? 0;
  for (let depth = 0; parser.at < parser.tokens.length; parser.at++) {
    if (depth === 0 && (at(parser) === ',' || at(parser) === ')')) break;
    depth += at(parser) === '(' || at(parser) === '[' ? 1 : at(parser) === ')' || at(parser) === ']' ? -1 : 0;
  }
  return parser.sql.slice(from, parser.tokens[parser.at - 1]?.end);
}

function options(parser: Parser): Readonly<Record<string, string>> {
  expects(parser, '(');
  const pairs = list(parser, (each) => {
    const key = identifier(each).toLowerCase();
    expects(each, '=');
    return [key, expression(each)] as const;
  });
  expects(parser, ')');
  return Object.fromEntries(pairs);
}

function layout(parser: Parser): string {
  const from = parser.at;
  while (parser.at < parser.tokens.length && !['OPTIONS', 'AS'].includes(at(parser).toUpperCase())) parser.at += 1;
  const [first, last] = [parser.tokens[from], parser.tokens[parser.at - 1]];
  return parser.at === from || !first || !last ? '' : parser.sql.slice(first.start, last.end);
}

function create(parser: Parser): Statement {
  const mayReplace = takes(parser, 'OR REPLACE');
  const kind = takes(parser, 'MATERIALIZED VIEW') ? 'MATERIALIZED_VIEW' : 'VIEW';
  if (kind === 'VIEW') expects(parser, 'VIEW');
  const view = name(parser);
  const columns = takes(parser, '(') ? list(parser, identifier) : undefined;
  if (columns) expects(parser, ')');
  const between = layout(parser);
  const set = takes(parser, 'OPTIONS') ? options(parser) : {};
  expects(parser, 'AS');
  const query = parser.sql.slice(parser.tokens[parser.at - 1]?.end).trim();
  return { what: 'create', name: view, kind, mayReplace, ...(columns ? { columns } : {}), layout: between, options: set, query };
}

function alterTable(parser: Parser): Statement {
  const table = name(parser);
  const what = takes(parser, 'ADD COLUMN') ? 'add column' : 'drop column';
  if (what === 'drop column') expects(parser, 'DROP COLUMN');
  const column = identifier(parser);
  return { what, name: table, column, type: what === 'add column' ? identifier(parser) : '' };
}

function alter(parser: Parser): Statement {
  if (takes(parser, 'TABLE')) return alterTable(parser);
  if (!takes(parser, 'MATERIALIZED VIEW')) expects(parser, 'VIEW');
  const view = name(parser);
  if (!takes(parser, 'ALTER COLUMN')) {
    expects(parser, 'SET OPTIONS');
    return { what: 'set options', name: view, options: options(parser) };
  }
  const column = identifier(parser);
  expects(parser, 'SET OPTIONS');
  const { description = 'NULL' } = options(parser);
  return { what: 'describe column', name: view, column, description: description === 'NULL' ? null : literal(description) };
}

function rights(parser: Parser, what: 'grant' | 'revoke'): Statement {
  const roles = list(parser, identifier);
  expects(parser, 'ON VIEW');
  const view = name(parser);
  expects(parser, what === 'grant' ? 'TO' : 'FROM');
  const members = list(parser, string).map((member) => member.replace(/^specialGroup:/, ''));
  return { what, name: view, roles, members };
}

/** Reads a statement; refuses loudly what the server does not know. */
export function readStatement(sql: string): Statement {
  const parser: Parser = { sql, tokens: tokenize(sql, lexicalRules).filter(({ kind }) => kind !== 'comment'), at: 0 };
  if (takes(parser, 'CREATE')) return create(parser);
  if (takes(parser, 'DROP VIEW')) return { what: 'drop', name: name(parser), kind: 'VIEW' };
  if (takes(parser, 'DROP MATERIALIZED VIEW')) return { what: 'drop', name: name(parser), kind: 'MATERIALIZED_VIEW' };
  if (takes(parser, 'ALTER')) return alter(parser);
  if (takes(parser, 'GRANT')) return rights(parser, 'grant');
  if (takes(parser, 'REVOKE')) return rights(parser, 'revoke');
  return fail(parser);
}
