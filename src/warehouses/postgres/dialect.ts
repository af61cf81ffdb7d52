import type { Dialect } from '../../core/dialect.ts';
import { standardReferences } from '../../core/references.ts';
import { listAccess, permit } from './access.ts';
import { attachmentKinds, inlineKinds, orderGroup, overwritingKinds, typedRelation } from './attachments.ts';
import { actorOf, attachmentsAfter, canReplace, hangsOn, keepRoles, ownerOf, rolesOf } from './changes.ts';
import { createPlaceholder, createView, isPopulated } from './create-statements.ts';
import { lexicalRules, statementRuns } from './lexical-rules.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';
import { dropObject } from './object-names.ts';
import { parseAttachments } from './parse-attachments.ts';
import { parseCreate } from './parse-create.ts';
import { revokeDefaults } from './revoke-defaults.ts';
import { scriptRules } from './script-rules.ts';

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
  orderGroup,
  bystanderSettings: ['SET LOCAL check_function_bodies = off'],
  readingKinds: ['default', 'rule', 'trigger', 'index'],
  printedKinds: ['default', 'rule', 'trigger', 'index', 'statistics'],
  script: scriptRules,
  quoteRelation,
  createView,
  createPlaceholder,
  dropView: (view) => (view.name.object === undefined ? `DROP ${typedRelation(view)}` : dropObject(view.name)),
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
