import type { Access } from '../../core/access.ts';
import type { Dialect, Replaceability } from '../../core/dialect.ts';
import type { Attachment, View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { isPatch } from './actions.ts';
import { attachmentKinds, columnKinds, inlineKinds, typedRelation } from './attachments.ts';
import { createView, isReplacedByStatement, restatedKinds } from './create-statements.ts';
import { lexicalRules } from './lexical-rules.ts';
import { findFault } from './limits.ts';
import { quoteRelation } from './names.ts';
import { parseAttachments } from './parse-attachments.ts';
import { parseCreate } from './parse-create.ts';
import { referenceRules } from './reference-rules.ts';
import { scriptRules } from './script-rules.ts';
import { covers, isUnlisted } from './unlisted.ts';

/** Parts of the contract for what BigQuery does not have: the planner never asks for them. */
function neverAsked(): never {
  throw new ViewsyncError('INTERNAL', { message: 'BigQuery renames no columns of views and refreshes materialized views by itself.' });
}

/** Who has a role on the view, and which datasets it reads for whoever asks. Whom a role lets in is decided in projects and groups as well. */
function listAccess({ attachments }: View): readonly Access[] {
  return attachments.flatMap(({ kind, key }): readonly Access[] => {
    if (kind === 'grant') return [{ kind: 'grant', id: `grant ${key}`, text: `${key.replace(' ', ' has ')}`, impliedBy: [] }];
    if (kind === 'authorization')
      return [{ kind: 'grant', id: `authorization ${key}`, text: `whoever may read the view reads ${key} through it`, impliedBy: [] }];
    return [];
  });
}

/** Any query may take the place of any other; a view of another kind has to go first. */
function canReplace(live: View, wanted: View): Replaceability {
  if (live.kind === wanted.kind) return { possible: true };
  return { possible: false, because: `it is a ${live.kind} and has to be a ${wanted.kind}` };
}

/** What is said of a column that is gone cannot be said of the view as its query gives it now. */
function refreshColumns(view: View): View | undefined {
  const columns = new Set(view.columns.map(({ name }) => name.toLowerCase()));
  const isGone = ({ kind, key }: Attachment) => columnKinds.includes(kind) && !columns.has((key.split('.')[0] ?? '').toLowerCase());
  return isReplacedByStatement(view) || (columns.size > 0 && view.attachments.some(isGone)) ? undefined : view;
}

/** GoogleSQL of BigQuery, and legacy SQL inside the views that are written in it. */
export const bigqueryDialect: Dialect = {
  warehouse: 'bigquery',
  lexicalRules,
  referenceRules,
  formatterLanguage: 'bigquery',
  statementRuns: [],
  folds: 'exact',
  hasCatalogs: true,
  keepsComments: true,
  isTransactional: false,
  hasReservedLines: true,
  keepsText: true,
  readersStand: true,
  script: scriptRules,
  listsByPrivilege: true,
  attachmentKinds,
  inlineKinds,
  overwritingKinds: attachmentKinds.filter((kind) => kind !== 'grant' && kind !== 'authorization'),
  replacingKinds: ['columns', 'legacy SQL', 'partition', 'cluster'],
  readingKinds: [],
  quoteRelation,
  createView,
  restatedKinds,
  createPlaceholder: () => undefined,
  dropView: (view) => `DROP ${typedRelation(view)}`,
  refreshView: neverAsked,
  isPopulated: () => false,
  renameColumn: neverAsked,
  revokeDefaults: () => [],
  attachmentsAfter: ({ attachments }) => attachments,
  ownerOf: () => undefined,
  rolesOf: () => [],
  keepRoles: ({ attachments }) => attachments,
  listAccess,
  actorOf: () => undefined,
  permit: neverAsked,
  canReplace,
  clearsBeforeReplace: () => [],
  // Patched with the query that it has, a view finds its columns anew; a list behind its name fixes them. A materialized view would be computed again.
  findFault,
  joins: isPatch,
  refreshColumns,
  isUnlisted,
  covers,
  hangsOn: () => false,
  parseCreate,
  parseAttachments,
};
