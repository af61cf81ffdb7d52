import type { ParsedCreate, Statement } from '../../../src/core/dialect.ts';
import { splitStatements } from '../../../src/core/statements.ts';
import type { Attachment } from '../../../src/core/view.ts';
import { ViewsyncError } from '../../../src/errors.ts';
import { postgresDialect } from '../../../src/warehouses/postgres/dialect.ts';

/** The only statement of a text, or the only run of them. */
export function statement(text: string): Statement {
  const [first, ...others] = splitStatements(text, postgresDialect.lexicalRules, postgresDialect.statementRuns);
  if (first === undefined || others.length > 0) throw new Error(`${others.length + 1} statements in ${text}`);
  return first;
}

export const plainView: ParsedCreate = { name: { schema: 'shop', name: 'v' }, kind: 'view', definition: 'SELECT 1 AS a', attachments: [] };
export const materializedView: ParsedCreate = { ...plainView, kind: 'materialized view' };

export function parseCreate(text: string): ParsedCreate {
  return postgresDialect.parseCreate(statement(text));
}

export function parseAttachments(text: string, view: ParsedCreate = plainView): readonly Attachment[] {
  return postgresDialect.parseAttachments(statement(text), view);
}

/** The offset and message of the `FILE_UNREADABLE` that `read` throws. */
export function failureOf(read: () => unknown): { readonly offset: unknown; readonly message: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof ViewsyncError && error.code === 'FILE_UNREADABLE') return { offset: error.details['offset'], message: error.message };
    throw error;
  }
  throw new Error('It was read.');
}

/** Names that break careless quoting. */
export const hostileNames = [
  'plain',
  'Upper',
  'with blank',
  'a"b',
  '""',
  "it's",
  'line\nbreak',
  'select',
  'values',
  'left',
  'public',
  'PUBLIC',
  '$$',
  'a$b',
  '--',
  '/*',
  ';',
  '1st',
  'ünï',
  '🦆',
  '?column?',
  'a.b',
  '\\',
  'con',
  'ON',
  'json',
] as const;

/** Texts that break careless quoting. */
export const hostileTexts = [
  "it's",
  'a\\b',
  "\\'",
  '$$',
  '$x$ ;',
  'line\nbreak\r\n',
  '-- no',
  '/* no',
  ';',
  'ünï 🦆',
  '"',
  "''",
  ' ',
  "E'x'",
  '\\n\t',
] as const;
