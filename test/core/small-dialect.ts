import type { Dialect, ParsedCreate, Statement } from '../../src/core/dialect.ts';
import { nameParts, toPartialName, toRelationName } from '../../src/core/name-tokens.ts';
import { standardReferences } from '../../src/core/references.ts';
import { type RelationName, relationKey } from '../../src/core/relation.ts';
import type { Attachment, View } from '../../src/core/view.ts';
import { ViewsyncError } from '../../src/errors.ts';
import { postgresqlRules } from './postgresql-rules.ts';

/** What reading and writing files needs of a dialect. */
type FileDialect = Pick<
  Dialect,
  | 'lexicalRules'
  | 'referenceRules'
  | 'statementRuns'
  | 'folds'
  | 'hasCatalogs'
  | 'keepsComments'
  | 'attachmentKinds'
  | 'inlineKinds'
  | 'createView'
  | 'parseCreate'
  | 'parseAttachments'
>;

const quote = (part: string) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`);
const quoteName = ({ schema, name }: RelationName) => `${quote(schema)}.${quote(name)}`;

function fail(statement: Statement, index: number): never {
  throw new ViewsyncError('FILE_UNREADABLE', { message: 'Not in the grammar.', details: { offset: statement.tokens[index]?.start ?? statement.end } });
}

const words = (statement: Statement, count: number) =>
  statement.tokens
    .slice(0, count)
    .map(({ text }) => text.toUpperCase())
    .join(' ');

function readName(statement: Statement, index: number): { readonly name: RelationName; readonly next: number } {
  const chain = nameParts(statement.tokens, index, { folds: 'lower' });
  const name = chain?.parts.length === 2 ? toRelationName(toPartialName(chain.parts), { hasCatalogs: false }) : undefined;
  return name === undefined || chain === undefined ? fail(statement, index) : { name, next: chain.next };
}

const textOf = (statement: Statement, index: number) => statement.text.slice((statement.tokens[index]?.start ?? fail(statement, index)) - statement.start);

export const option = (value: string): Attachment => ({ kind: 'option', key: 'secure', value, make: `ALTER VIEW SET (secure = ${value})`, unmake: '' });
export const owner = (name: RelationName, role: string): Attachment => ({
  kind: 'owner',
  key: '',
  value: role,
  make: `ALTER VIEW ${quoteName(name)} OWNER TO ${role}`,
  unmake: '',
});
export const grant = (name: RelationName, right: string, role: string): Attachment => ({
  kind: 'grant',
  key: `${role} ${right}`,
  value: '',
  make: `GRANT ${right} ON ${quoteName(name)} TO ${role}`,
  unmake: '',
});
export const passedOn = (name: RelationName, role: string, by: string): Attachment => ({
  kind: 'grant',
  key: `${role} SELECT BY ${by}`,
  value: '',
  make: `SET ROLE ${by};\nGRANT SELECT ON ${quoteName(name)} TO ${role};\nRESET ROLE`,
  unmake: '',
});
export const comment = (name: RelationName, text: string): Attachment => ({
  kind: 'comment',
  key: '',
  value: text,
  make: `COMMENT ON VIEW ${quoteName(name)} IS '${text.replaceAll("'", "''")}'`,
  unmake: '',
});

function parseCreate(statement: Statement): ParsedCreate {
  const start = words(statement, 4) === 'CREATE OR REPLACE VIEW' ? 4 : words(statement, 2) === 'CREATE VIEW' ? 2 : fail(statement, 0);
  const { name, next } = readName(statement, start);
  const isSecure = statement.tokens[next]?.text === 'SECURE';
  const as = isSecure ? next + 2 : next;
  if (statement.tokens[as]?.text.toUpperCase() !== 'AS') fail(statement, as);
  return { name, kind: 'view', definition: textOf(statement, as + 1), attachments: isSecure ? [option(statement.tokens[next + 1]?.text ?? '')] : [] };
}

function parseNamed(statement: Statement, view: ParsedCreate, index: number): number {
  const { name, next } = readName(statement, index);
  return relationKey(name) === relationKey(view.name) ? next : fail(statement, index);
}

function list(statement: Statement, from: number, to: number): string[] {
  return statement.tokens
    .slice(from, to)
    .map(({ text }) => text)
    .filter((text) => text !== ',');
}

function parseGrant(statement: Statement, view: ParsedCreate): Attachment[] {
  const on = statement.tokens.findIndex(({ text }) => text === 'ON');
  const to = parseNamed(statement, view, on + 1);
  if (statement.tokens[to]?.text !== 'TO') fail(statement, to);
  return list(statement, 1, on).flatMap((right) => list(statement, to + 1, statement.tokens.length).map((role) => grant(view.name, right, role)));
}

function parseAttachments(statement: Statement, view: ParsedCreate): readonly Attachment[] {
  if (words(statement, 2) === 'ALTER VIEW') return [owner(view.name, textOf(statement, parseNamed(statement, view, 2) + 2))];
  if (words(statement, 1) === 'GRANT') return parseGrant(statement, view);
  const isRun = words(statement, 2) === 'SET ROLE' && statement.tokens.at(-2)?.text === 'RESET';
  if (isRun) return [passedOn(view.name, statement.tokens.at(-4)?.text ?? '', statement.tokens[2]?.text ?? '')];
  if (words(statement, 3) !== 'COMMENT ON VIEW') return fail(statement, 0);
  const text = statement.tokens[parseNamed(statement, view, 3) + 1]?.text ?? '';
  return [comment(view.name, text.slice(1, -1).replaceAll("''", "'"))];
}

function createView(view: View): string {
  const secure = view.attachments.find(({ kind }) => kind === 'option');
  return `CREATE OR REPLACE VIEW ${quoteName(view.name)}${secure === undefined ? '' : `\nSECURE ${secure.value}`} AS\n${view.definition}`;
}

const files: FileDialect = {
  lexicalRules: postgresqlRules,
  referenceRules: standardReferences,
  statementRuns: [{ opens: 'SET ROLE', closes: 'RESET ROLE' }],
  folds: 'lower',
  hasCatalogs: false,
  keepsComments: false,
  attachmentKinds: ['option', 'owner', 'grant', 'comment'],
  inlineKinds: ['option'],
  createView,
  parseCreate,
  parseAttachments,
};

/** A dialect of five statements: enough to read and write files, and nothing else. */
export const smallDialect = files as Dialect;
