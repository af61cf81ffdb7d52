import { type ReferenceRules, standardReferences } from '../../core/references.ts';

/**
 * Where Redshift's queries name relations. An item of FROM that starts at an alias goes into the alias' SUPER value or nested column.
 * https://docs.aws.amazon.com/redshift/latest/dg/query-super.html https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
 */
export const referenceRules: ReferenceRules = {
  ...standardReferences,
  clauseEnds: new Set([
    ...['WHERE', 'GROUP', 'HAVING', 'QUALIFY', 'WINDOW', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH', 'UNION', 'INTERSECT', 'EXCEPT', 'MINUS'],
    ...['START WITH', 'CONNECT BY', 'FOR UPDATE', 'FOR SHARE', 'WITH NO'],
  ]),
  beforeRelations: new Set(['LATERAL', 'UNPIVOT']),
  foldsQuotedNames: true,
  arraysInFrom: true,
  tableKeyword: 'none',
};

/** The same where `enable_case_sensitive_identifier` is on. https://docs.aws.amazon.com/redshift/latest/dg/r_enable_case_sensitive_identifier.html */
export const caseSensitiveReferenceRules: ReferenceRules = { ...referenceRules, foldsQuotedNames: false };
