import type { Token } from './lexer.ts';
import { type NameChain, nameOf, nameParts } from './name-tokens.ts';
import type { ReferenceDialect } from './references.ts';
import { foldWord } from './tokens.ts';

/** Whether a token goes on with a dashed path: `my` `-` `project` without blanks, a point, and anything behind a point. */
function continuesPath(token: Token | undefined, path: readonly Token[]): token is Token {
  const last = path.at(-1);
  if (token === undefined || last === undefined) return false;
  if (last.text.endsWith('.')) return token.kind === 'word' || token.kind === 'quoted identifier' || (token.kind === 'number' && token.start === last.end);
  if (token.text === '.' || token.text === ':') return true;
  const isUnquoted = token.kind === 'word' || token.kind === 'number' || token.text === '-';
  return isUnquoted && token.start === last.end && last.kind !== 'quoted identifier';
}

/** `proj:data.table` of legacy SQL, also with the project of a domain: `example.com:proj:data.table`. */
function splitLegacy(text: string): readonly string[] {
  const [, project, dataset, table] = /^(?:(.+)[:.])?([^.:]+)\.([^.:]+)$/.exec(text) ?? [];
  if (dataset === undefined || table === undefined) return [text];
  return project === undefined ? [dataset, table] : [project, dataset, table];
}

function splitPath(text: string): readonly string[] {
  return text.includes(':') ? splitLegacy(text) : text.split('.');
}

/** `ds.INFORMATION_SCHEMA.TABLES`: the last two are one name there. https://cloud.google.com/bigquery/docs/information-schema-intro */
function joinSystemName(parts: readonly string[]): readonly string[] {
  const at = parts.findIndex((part) => part.toUpperCase() === 'INFORMATION_SCHEMA');
  return at === -1 || at === parts.length - 1 ? parts : [...parts.slice(0, at), parts.slice(at).join('.')];
}

/**
 * A path of BigQuery: dashes in unquoted parts, digits behind a point, several parts in one quote.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#path_expressions
 */
function readDashedPath(tokens: readonly Token[], index: number, dialect: ReferenceDialect): NameChain | undefined {
  const first = tokens[index];
  if (first === undefined || nameParts(tokens, index, dialect) === undefined) return undefined;
  const path = [first];
  for (let token = tokens[index + path.length]; continuesPath(token, path); token = tokens[index + path.length]) path.push(token);
  const text = path.map((token) => (token.kind === 'quoted identifier' ? nameOf(token, dialect.folds) : token.text)).join('');
  return { parts: joinSystemName(splitPath(text)), start: first.start, end: path.at(-1)?.end ?? first.end, next: index + path.length };
}

/** `[project:dataset.table$partition]` of legacy SQL, at its opening bracket. https://cloud.google.com/bigquery/docs/reference/legacy-sql#from */
export function readLegacyTable(tokens: readonly Token[], index: number): NameChain | undefined {
  const open = tokens[index];
  if (open?.text !== '[') return undefined;
  let close = index + 1;
  while (tokens[close]?.start === tokens[close - 1]?.end && tokens[close]?.text !== ']') close += 1;
  const end = tokens[close];
  if (end?.text !== ']') return undefined;
  const text = tokens
    .slice(index + 1, close)
    .map((token) => token.text)
    .join('')
    .replace(/[@$].*$/, '');
  return { parts: splitLegacy(text), start: open.start, end: end.end, next: close + 1 };
}

/** `db..t`, where the schema in between is left out. https://docs.snowflake.com/en/sql-reference/name-resolution */
function readWithoutSchema(tokens: readonly Token[], chain: NameChain, dialect: ReferenceDialect): NameChain {
  const { emptySchema } = dialect.referenceRules;
  const isGap = chain.parts.length === 1 && tokens[chain.next]?.text === '.' && tokens[chain.next + 1]?.text === '.';
  const rest = emptySchema !== '' && isGap ? nameParts(tokens, chain.next + 2, dialect) : undefined;
  return rest === undefined ? chain : { ...rest, parts: [...chain.parts, emptySchema, ...rest.parts], start: chain.start };
}

/** Reads the dotted name at `index` by the dialect's rules, the comments left out of `tokens`; undefined when there is none. */
export function readPath(tokens: readonly Token[], index: number, dialect: ReferenceDialect): NameChain | undefined {
  if (dialect.referenceRules.paths === 'dashed') return readDashedPath(tokens, index, dialect);
  const plain = nameParts(tokens, index, dialect);
  if (plain === undefined) return undefined;
  const chain = readWithoutSchema(tokens, plain, dialect);
  return dialect.referenceRules.foldsQuotedNames ? { ...chain, parts: chain.parts.map((part) => foldWord(part, dialect.folds)) } : chain;
}
