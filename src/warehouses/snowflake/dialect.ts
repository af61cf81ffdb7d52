import type { Access } from '../../core/access.ts';
import type { Dialect } from '../../core/dialect.ts';
import { findExcess } from '../../core/limits.ts';
import type { Container } from '../../core/snapshot.ts';
import { type Attachment, ownerKind, type View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { attachmentKinds, inlineKinds, replacingKinds, roleOfGrant } from './attachments.ts';
import { createView } from './create-statements.ts';
import { lexicalRules } from './lexical-rules.ts';
import { quoteRelation, typedRelation } from './names.ts';
import { parseAttachments } from './parse-attachments.ts';
import { parseCreate } from './parse-create.ts';
import { referenceRules } from './reference-rules.ts';
import { scriptRules } from './script-rules.ts';

/** Every part of the contract that Snowflake has no use for: it fills by itself, and `settle` finds no renamed columns. */
function neverAsked(): never {
  throw new ViewsyncError('INTERNAL', { message: 'Snowflake has nothing to refresh and renames no columns of views.' });
}

const ownerOf = ({ attachments }: View) => attachments.find(({ kind }) => kind === ownerKind)?.value;

/** Future grants of a container are kept as `SELECT TO ROLE "R"`. https://docs.snowflake.com/en/sql-reference/sql/grant-privilege#future-grants-on-database-or-schema-objects */
function revokeDefaults(view: View, { defaultGrantees }: Container): readonly string[] {
  return defaultGrantees.map((grant) => {
    const at = grant.indexOf(' TO ');
    return `REVOKE ${grant.slice(0, at)} ON ${typedRelation(view)} FROM ${grant.slice(at + ' TO '.length)}`;
  });
}

/** Who was granted what, and what protects the rows, columns and definition from whoever may read it. */
function listAccess({ attachments, columns }: View): readonly Access[] {
  const has = (kind: string) => attachments.some((attachment) => attachment.kind === kind);
  const isMasked = (column: string) => attachments.some(({ kind, key }) => kind === 'masking policy' && key === column);
  const reach = (id: string, text: string): Access => ({ kind: 'reach', id, text, impliedBy: ['columns'] });
  const isOpen = !has('masking policy');
  const grants = attachments.filter(({ kind }) => kind === 'grant');
  return [
    ...grants.map(({ key, value }): Access => {
      const [, grantee = '', privilege = ''] = /^(.*) (.*)$/s.exec(key) ?? [];
      const more = value === '' ? '' : ' and grant it on';
      return { kind: 'grant', id: `${key} ${value}`, text: `${grantee} may ${privilege}${more}`, impliedBy: value === '' ? [`${key} grantable`] : [] };
    }),
    // A new column of a view that masks none widens nothing.
    ...(isOpen ? [{ kind: 'silent' as const, id: 'columns', text: '', impliedBy: [] }] : []),
    ...(has('row access policy') ? [] : [{ ...reach('rows', 'no policy hides rows'), impliedBy: [] }]),
    ...(has('secure') ? [] : [{ ...reach('definition', 'it is not secure'), impliedBy: [] }]),
    ...columns.flatMap(({ name }) => (isMasked(name) ? [] : [reach(`column ${name}`, `no policy masks ${name}`)])),
  ];
}

/** Without its list of columns, which the server then finds anew; what protects single columns needs the list. */
function refreshColumns(view: View, names: 'those that it reads' | 'its own'): View | undefined {
  if (names === 'its own') return undefined;
  const isProtected = view.attachments.some(({ kind }) => ['masking policy', 'projection policy', 'column tag', 'recursive'].includes(kind));
  return isProtected ? undefined : { ...view, columns: [], attachments: view.attachments.filter(({ kind }) => kind !== 'columns') };
}

/** A replace keeps the grants alone, and makes whoever runs it the owner. https://docs.snowflake.com/en/sql-reference/sql/create-view#usage-notes */
function lostByReplace(live: View, role: string): readonly Attachment[] {
  return live.attachments.filter(({ kind, value }) => kind === 'comment' || kind === 'suspended' || (kind === ownerKind && value !== role));
}

/** https://docs.snowflake.com */
export const snowflakeDialect: Dialect = {
  warehouse: 'snowflake',
  lexicalRules,
  referenceRules,
  formatterLanguage: 'snowflake',
  statementRuns: [],
  folds: 'upper',
  hasCatalogs: true,
  keepsComments: true,
  keepsText: true,
  isTransactional: false,
  readersStand: true,
  listsByPrivilege: true,
  attachmentKinds,
  inlineKinds,
  optionalKinds: ['columns'],
  replacingKinds,
  overwritingKinds: ['masking policy', 'projection policy', 'column tag', 'option', 'cluster by', 'tag', 'contact', ownerKind, 'comment'],
  readingKinds: [],
  script: scriptRules,
  quoteRelation,
  createView,
  createPlaceholder: () => undefined,
  dropView: (view) => `DROP ${typedRelation(view)}`,
  refreshView: neverAsked,
  isPopulated: () => false,
  renameColumn: neverAsked,
  revokeDefaults,
  attachmentsAfter: ({ attachments }) => attachments,
  ownerOf,
  rolesOf: (view) => {
    const owner = ownerOf(view);
    const roles = view.attachments.flatMap((attachment) => (attachment.kind === 'grant' ? (roleOfGrant(attachment) ?? []) : []));
    return [...new Set([...(owner === undefined ? [] : [owner]), ...roles])];
  },
  keepRoles: ({ attachments }, known) =>
    attachments.filter((attachment) => {
      const role = attachment.kind === ownerKind ? attachment.value : attachment.kind === 'grant' ? roleOfGrant(attachment) : undefined;
      return role === undefined || known.has(role);
    }),
  listAccess,
  actorOf: () => undefined,
  permit: neverAsked,
  // https://docs.snowflake.com/en/sql-reference/identifiers https://docs.snowflake.com/en/user-guide/query-size-limits
  findFault: (wanted) => findExcess(wanted, { name: 255, definition: 1_048_576, unit: 'characters' }),
  refreshColumns,
  canReplace: () => ({ possible: true }),
  clearsBeforeReplace: () => [],
  lostByReplace,
  hangsOn: () => false,
  parseCreate,
  parseAttachments,
};
