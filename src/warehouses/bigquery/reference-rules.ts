import { type ReferenceRules, standardReferences } from '../../core/references.ts';

/**
 * Where BigQuery's queries name relations. Neither OFFSET nor FOR ends a FROM clause: `UNNEST(a) WITH OFFSET`, `t FOR SYSTEM_TIME AS OF …`.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#from_clause
 * https://cloud.google.com/bigquery/docs/reference/legacy-sql
 */
export const referenceRules: ReferenceRules = {
  ...standardReferences,
  clauseEnds: new Set(['WHERE', 'GROUP', 'HAVING', 'QUALIFY', 'WINDOW', 'ORDER', 'LIMIT', 'UNION', 'INTERSECT', 'EXCEPT']),
  beforeRelations: new Set(['LATERAL', 'EACH']),
  paths: 'dashed',
  partsFromView: 'catalog',
  arraysInFrom: true,
  tableKeyword: 'argument',
  namingFunctions: new Map([
    ['FLATTEN', 'first argument'],
    ['TABLE_DATE_RANGE', 'prefix of names'],
    ['TABLE_DATE_RANGE_STRICT', 'prefix of names'],
  ]),
  pipes: true,
  legacyTables: true,
};
