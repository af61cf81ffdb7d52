import type { Dialect } from '../../core/dialect.ts';
import { standardReferences } from '../../core/references.ts';
import type { Container } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { listAccess, permit } from './access.ts';
import { attachmentKinds, inlineKinds, overwritingKinds, typedRelation } from './attachments.ts';
import { actorOf, attachmentsAfter, canReplace, hangsOn, keepRoles, ownerOf, rolesOf } from './changes.ts';
import { createPlaceholder, createView, isPopulated } from './create-statements.ts';
import { lexicalRules, statementRuns } from './lexical-rules.ts';
import { quoteGrantee, quoteIdentifier, quoteRelation } from './names.ts';
import { parseAttachments } from './parse-attachments.ts';
import { parseCreate } from './parse-create.ts';
import { scriptRules } from './script-rules.ts';

/** The owner is left out: it had the rights of whoever made the view, and keeps them. */
function revokeDefaults(view: View, { defaultGrantees }: Container): readonly string[] {
  const owner = ownerOf(view);
  const grantees = defaultGrantees.filter((grantee) => grantee !== owner);
  return grantees.map((grantee) => `REVOKE ALL ON ${quoteRelation(view.name)} FROM ${quoteGrantee(grantee)}`);
}

/** PostgreSQL 13 to 18. */
export const postgresDialect: Dialect = {
  warehouse: 'postgres',
  lexicalRules,
  referenceRules: standardReferences,
  formatterLanguage: 'postgresql',
  statementRuns,
  folds: 'lower',
  hasCatalogs: false,
  keepsComments: false,
  isTransactional: true,
  attachmentKinds,
  inlineKinds,
  overwritingKinds,
  readingKinds: ['default', 'rule', 'trigger'],
  printedKinds: ['default', 'rule', 'trigger', 'index', 'statistics'],
  script: scriptRules,
  quoteRelation,
  createView,
  createPlaceholder,
  dropView: (view) => `DROP ${typedRelation(view)}`,
  refreshView: (view) => `REFRESH MATERIALIZED VIEW ${quoteRelation(view.name)}${isPopulated(view) ? '' : ' WITH NO DATA'}`,
  isPopulated,
  renameColumn: (view, { from, to }) => `ALTER ${typedRelation(view)} RENAME COLUMN ${quoteIdentifier(from)} TO ${quoteIdentifier(to)}`,
  revokeDefaults,
  attachmentsAfter,
  ownerOf,
  rolesOf,
  keepRoles,
  listAccess,
  actorOf,
  permit,
  canReplace,
  // Neither rules nor triggers stand in the way of a replace, also not of one with a check option.
  clearsBeforeReplace: () => [],
  hangsOn,
  parseCreate,
  parseAttachments,
};
