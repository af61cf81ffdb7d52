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

/**
 * Whoever makes a view has all rights on it and may pass none of them on, and so has the owner afterwards, unless default privileges of whoever
 * made it, or given to the owner, say otherwise.
 */
function revokeDefaults(view: View, { defaultGrantees, ownerRights }: Container): readonly string[] {
  const owner = ownerOf(view);
  const on = `ON ${quoteRelation(view.name)}`;
  const revoked = defaultGrantees.filter((grantee) => grantee !== owner).map((grantee) => `REVOKE ALL ${on} FROM ${quoteGrantee(grantee)}`);
  if (owner === undefined || (ownerRights === undefined && !defaultGrantees.includes(owner))) return revoked;
  const restored = ownerRights === undefined ? [] : [`GRANT ALL ${on} TO ${quoteIdentifier(owner)}`];
  return [...restored, `REVOKE GRANT OPTION FOR ALL ${on} FROM ${quoteIdentifier(owner)}`, ...revoked];
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
