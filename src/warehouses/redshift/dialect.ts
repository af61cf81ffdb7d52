import type { Dialect } from '../../core/dialect.ts';
import { findExcess } from '../../core/limits.ts';
import { ViewsyncError } from '../../errors.ts';
import { listAccess } from './access.ts';
import { attachmentKinds, inlineKinds, isLateBinding } from './attachments.ts';
import { attachmentsAfter, canReplace, keepRoles, ownerOf, permit, rolesOf } from './changes.ts';
import { createView, dropView } from './create-statements.ts';
import { lexicalRules } from './lexical-rules.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';
import { parseAttachments } from './parse-attachments.ts';
import { parseCreate } from './parse-create.ts';
import { referenceRules } from './reference-rules.ts';
import { scriptRules } from './script-rules.ts';

function neverAsked(): never {
  throw new ViewsyncError('INTERNAL', { message: 'Redshift renames no column of a view.' });
}

/** Amazon Redshift, provisioned and serverless. */
export const redshiftDialect: Dialect = {
  warehouse: 'redshift',
  lexicalRules,
  referenceRules,
  formatterLanguage: 'redshift',
  statementRuns: [],
  folds: 'lower',
  hasCatalogs: false,
  // Of late-binding and materialized views, whose text is kept as it was typed; of bound views it keeps none, and none are printed.
  keepsComments: true,
  isTransactional: true,
  attachmentKinds,
  inlineKinds,
  replacingKinds: inlineKinds,
  overwritingKinds: ['owner', 'auto refresh', 'row security', 'comment'],
  readingKinds: [],
  script: scriptRules,
  quoteRelation,
  createView,
  // No view of Redshift reads itself: a replace that would close a circle is refused.
  createPlaceholder: () => undefined,
  dropView,
  refreshView: (view) => `REFRESH MATERIALIZED VIEW ${quoteRelation(view.name)}`,
  // CREATE fills a materialized view, so that no plan ever has to.
  isPopulated: () => false,
  renameColumn: neverAsked,
  revokeDefaults: (view, { defaultGrantees }) => {
    const owner = ownerOf(view);
    const grantees = defaultGrantees.filter((grantee) => owner === undefined || grantee !== quoteIdentifier(owner));
    return grantees.map((grantee) => `REVOKE ALL ON ${quoteRelation(view.name)} FROM ${grantee}`);
  },
  attachmentsAfter,
  ownerOf,
  rolesOf,
  keepRoles,
  listAccess,
  actorOf: () => undefined,
  permit,
  canReplace,
  clearsBeforeReplace: () => [],
  // The table may be in another database, in Spectrum, or not there yet.
  mayReadAbsent: (view) => view.kind === 'materialized view' || isLateBinding(view),
  // https://docs.aws.amazon.com/redshift/latest/dg/r_names.html https://docs.aws.amazon.com/redshift/latest/dg/c_redshift-sql.html
  findFault: (wanted) => findExcess(wanted, { name: 127, definition: 16_777_216, unit: 'bytes' }),
  hangsOn: () => false,
  parseCreate,
  parseAttachments,
};
