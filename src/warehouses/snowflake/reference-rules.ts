import { type ReferenceRules, standardReferences } from '../../core/references.ts';

/**
 * Where Snowflake's queries name relations. What a view names without schema or database lies in the view's own.
 * https://docs.snowflake.com/en/sql-reference/constructs/from https://docs.snowflake.com/en/sql-reference/name-resolution
 */
export const referenceRules: ReferenceRules = {
  ...standardReferences,
  clauseEnds: new Set([
    ...['WHERE', 'GROUP', 'HAVING', 'QUALIFY', 'ORDER', 'LIMIT', 'OFFSET', 'FETCH', 'UNION', 'INTERSECT', 'EXCEPT', 'MINUS'],
    ...['START WITH', 'CONNECT BY', 'FOR UPDATE'],
  ]),
  beforeRelations: new Set(['LATERAL']),
  emptySchema: 'PUBLIC',
  partsFromView: 'catalog and schema',
  recursion: 'keyword or UNION',
  tableKeyword: 'none',
  namingFunctions: new Map([
    ['IDENTIFIER', 'only argument'],
    ['TABLE', 'only argument'],
    ['SEMANTIC_VIEW', 'first argument'],
  ]),
  stages: true,
};
