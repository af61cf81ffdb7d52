import type { Dialect, ParsedCreate, Statement } from '../../../src/core/dialect.ts';
import { standardReferences } from '../../../src/core/references.ts';
import { type RelationName, relationKey } from '../../../src/core/relation.ts';
import type { View } from '../../../src/core/view.ts';
import { ViewsyncError } from '../../../src/errors.ts';
import { fail, lexicalRules, parseCommand, quoteRelation } from './grammar.ts';

/** Every part of the contract that this warehouse has no use for: the planner never asks for it. */
function neverAsked(): never {
  throw new ViewsyncError('INTERNAL', { message: 'The warehouse in memory has nothing to refresh and renames no columns.' });
}

function parseCreate(statement: Statement): ParsedCreate {
  const command = parseCommand(statement);
  if (command.act !== 'create' && command.act !== 'replace') return fail(statement, 0, 'CREATE OR REPLACE VIEW');
  return { name: command.name, kind: 'view', definition: command.definition, attachments: [] };
}

function isAbout(view: ParsedCreate, name: RelationName): boolean {
  return relationKey(view.name) === relationKey(name);
}

function createView({ name, definition }: View, form: string): string {
  const create = `${form === 'create' ? 'CREATE' : 'CREATE OR REPLACE'} VIEW ${quoteRelation(name)} AS\n${definition}`;
  // The definition may end in a comment, which must not take in the semicolon.
  return form === 'file' ? create : `${create}\n`;
}

const columnsOf = ({ columns }: View) => columns.map(({ name }) => name).join(', ');

/** As little like PostgreSQL as the contract allows: catalogs, upper case, kept comments, no transactions, no owners, tags that a replace loses. */
export const memoryDialect: Dialect = {
  warehouse: 'memory',
  lexicalRules,
  referenceRules: standardReferences,
  formatterLanguage: 'bigquery',
  statementRuns: [],
  folds: 'upper',
  hasCatalogs: true,
  keepsComments: true,
  isTransactional: false,
  attachmentKinds: ['grant', 'tag'],
  inlineKinds: [],
  overwritingKinds: ['tag'],
  readingKinds: [],
  quoteRelation,
  createView,
  createPlaceholder: () => undefined,
  dropView: ({ name }) => `DROP VIEW ${quoteRelation(name)}`,
  refreshView: neverAsked,
  isPopulated: () => false,
  renameColumn: neverAsked,
  revokeDefaults: () => [],
  attachmentsAfter: ({ attachments }) => attachments,
  ownerOf: () => undefined,
  rolesOf: ({ attachments }) => attachments.filter(({ kind }) => kind === 'grant').map(({ key }) => key),
  keepRoles: ({ attachments }, known) => attachments.filter(({ kind, key }) => kind !== 'grant' || known.has(key)),
  listAccess: ({ attachments }) =>
    attachments.filter(({ kind }) => kind === 'grant').map(({ key }) => ({ kind: 'grant', id: key, text: `${key} may read`, impliedBy: [] })),
  actorOf: () => undefined,
  permit: neverAsked,
  canReplace: (live, wanted) =>
    columnsOf(live) === columnsOf(wanted)
      ? { possible: true }
      : { possible: false, because: `its columns are ${columnsOf(live)} and have to be ${columnsOf(wanted)}` },
  clearsBeforeReplace: (live) => live.attachments.filter(({ kind }) => kind === 'tag'),
  hangsOn: () => false,
  parseCreate,
  parseAttachments: (statement, view) => {
    const command = parseCommand(statement);
    return command.act === 'attach' && isAbout(view, command.name)
      ? [command.attachment]
      : fail(statement, 0, `a GRANT on ${relationKey(view.name)} or a tag of it`);
  },
};
