import type { Statement } from '../../../src/core/dialect.ts';
import type { LexicalRules } from '../../../src/core/lexer.ts';
import { nameOf, nameParts, toPartialName, toRelationName } from '../../../src/core/name-tokens.ts';
import type { RelationName } from '../../../src/core/relation.ts';
import type { Attachment } from '../../../src/core/view.ts';
import { ViewsyncError } from '../../../src/errors.ts';

export const lexicalRules: LexicalRules = {
  identifierQuotes: ['`'],
  identifierPrefixes: [],
  backslashInIdentifiers: false,
  backslashInStrings: false,
  stringPrefixes: [],
  backslashPrefixes: [],
  dollarQuotes: 'none',
  lineComments: ['--', '#'],
  nestedBlockComments: false,
  doubleQuotedStrings: true,
  tripleQuotedStrings: false,
  joinsAdjacentStrings: false,
  operatorCharacters: '',
  operators: ['<=', '>=', '<>', '||'],
  wordCharacters: '',
};

/** What a statement does: all that the warehouse understands. */
export type Command = { readonly name: RelationName } & (
  | { readonly act: 'create' | 'replace'; readonly definition: string }
  | { readonly act: 'drop' }
  | { readonly act: 'attach' | 'detach'; readonly attachment: Attachment }
);

const quote = (part: string) => `\`${part.replaceAll('`', '``')}\``;

export function quoteRelation({ catalog = '', schema, name }: RelationName): string {
  return [catalog, schema, name].map(quote).join('.');
}

export function grant(name: RelationName, role: string): Attachment {
  const relation = quoteRelation(name);
  return {
    kind: 'grant',
    key: role,
    value: '',
    make: `GRANT SELECT ON ${relation} TO ${quote(role)}`,
    unmake: `REVOKE SELECT ON ${relation} FROM ${quote(role)}`,
  };
}

export function tag(name: RelationName, key: string, value: string): Attachment {
  const relation = quoteRelation(name);
  const make = `ALTER VIEW ${relation} SET TAG ${quote(key)} = '${value.replaceAll("'", "''")}'`;
  return { kind: 'tag', key, value, make, unmake: `ALTER VIEW ${relation} UNSET TAG ${quote(key)}` };
}

export function fail(statement: Statement, index: number, expected: string): never {
  throw new ViewsyncError('FILE_UNREADABLE', { message: `Expected ${expected}.`, details: { offset: statement.tokens[index]?.start ?? statement.end } });
}

function wordsAt({ tokens }: Statement, index: number, count: number): string {
  return tokens
    .slice(index, index + count)
    .map(({ text }) => text.toUpperCase())
    .join(' ');
}

function pass(statement: Statement, index: number, words: string): number {
  const count = words.split(' ').length;
  return wordsAt(statement, index, count) === words ? index + count : fail(statement, index, words);
}

function readRelation(statement: Statement, index: number): { readonly name: RelationName; readonly next: number } {
  const chain = nameParts(statement.tokens, index, { folds: 'upper' });
  const name = chain?.parts.length === 3 ? toRelationName(toPartialName(chain.parts), { hasCatalogs: true }) : undefined;
  return name === undefined || chain === undefined ? fail(statement, index, 'a name with catalog and schema') : { name, next: chain.next };
}

/** The name that ends the statement. */
function readLast(statement: Statement, index: number): string {
  const token = statement.tokens[index];
  const isName = token?.kind === 'word' || token?.kind === 'quoted identifier';
  return isName && statement.tokens.length === index + 1 ? nameOf(token, 'upper') : fail(statement, index, 'a name and the end of the statement');
}

function parseDefinition(statement: Statement, act: 'create' | 'replace'): Command {
  const { name, next } = readRelation(statement, act === 'create' ? 2 : 4);
  const from = statement.tokens[pass(statement, next, 'AS') - 1]?.end ?? statement.end;
  const definition = `${statement.text.slice(from - statement.start)}${statement.tail}`.trim();
  return { act, name, definition };
}

function parseDrop(statement: Statement): Command {
  const { name, next } = readRelation(statement, 2);
  return statement.tokens.length === next ? { act: 'drop', name } : fail(statement, next, 'the end of the statement');
}

function parseGrant(statement: Statement, { act, word }: { readonly act: 'attach' | 'detach'; readonly word: string }): Command {
  const { name, next } = readRelation(statement, pass(statement, 1, 'SELECT ON'));
  return { act, name, attachment: grant(name, readLast(statement, pass(statement, next, word))) };
}

function parseTag(statement: Statement): Command {
  const { name, next } = readRelation(statement, 2);
  if (wordsAt(statement, next, 2) === 'UNSET TAG') return { act: 'detach', name, attachment: tag(name, readLast(statement, next + 2), '') };
  const at = pass(statement, next, 'SET TAG');
  const [key, text] = [statement.tokens[at], statement.tokens[pass(statement, at + 1, '=')]];
  if (key === undefined || text?.kind !== 'string' || !text.text.startsWith("'") || statement.tokens.length > at + 3)
    return fail(statement, at, "key = 'text'");
  return { act: 'attach', name, attachment: tag(name, nameOf(key, 'upper'), text.text.slice(1, -1).replaceAll("''", "'")) };
}

/** Reads a statement; `FILE_UNREADABLE` for everything else than the few that there are. */
export function parseCommand(statement: Statement): Command {
  if (wordsAt(statement, 0, 2) === 'CREATE VIEW') return parseDefinition(statement, 'create');
  if (wordsAt(statement, 0, 4) === 'CREATE OR REPLACE VIEW') return parseDefinition(statement, 'replace');
  if (wordsAt(statement, 0, 2) === 'DROP VIEW') return parseDrop(statement);
  if (wordsAt(statement, 0, 2) === 'ALTER VIEW') return parseTag(statement);
  if (wordsAt(statement, 0, 1) === 'GRANT') return parseGrant(statement, { act: 'attach', word: 'TO' });
  if (wordsAt(statement, 0, 1) === 'REVOKE') return parseGrant(statement, { act: 'detach', word: 'FROM' });
  return fail(statement, 0, 'CREATE, DROP, ALTER, GRANT or REVOKE');
}
