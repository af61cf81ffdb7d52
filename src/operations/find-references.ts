import { findReferences as findInText, type Reference, type ReferenceDialect, standardReferences } from '../core/references.ts';
import { lexicalRules as bigqueryLexis } from '../warehouses/bigquery/lexical-rules.ts';
import { referenceRules as bigqueryReferences } from '../warehouses/bigquery/reference-rules.ts';
import { lexicalRules as postgresLexis } from '../warehouses/postgres/lexical-rules.ts';
import { lexicalRules as redshiftLexis } from '../warehouses/redshift/lexical-rules.ts';
import { referenceRules as redshiftReferences } from '../warehouses/redshift/reference-rules.ts';
import { lexicalRules as snowflakeLexis } from '../warehouses/snowflake/lexical-rules.ts';
import { referenceRules as snowflakeReferences } from '../warehouses/snowflake/reference-rules.ts';

/** The dialects whose references can be found without a connection, by the names of their warehouses. */
export const referenceDialects = {
  postgres: { lexicalRules: postgresLexis, referenceRules: standardReferences, folds: 'lower', hasCatalogs: false },
  redshift: { lexicalRules: redshiftLexis, referenceRules: redshiftReferences, folds: 'lower', hasCatalogs: false },
  snowflake: { lexicalRules: snowflakeLexis, referenceRules: snowflakeReferences, folds: 'upper', hasCatalogs: true },
  bigquery: { lexicalRules: bigqueryLexis, referenceRules: bigqueryReferences, folds: 'exact', hasCatalogs: true },
} as const satisfies Readonly<Record<string, ReferenceDialect>>;

export type ReferenceDialectName = keyof typeof referenceDialects;

/**
 * Returns the relations that a query or a CREATE VIEW reads, in the order of the text, each as often as it stands there. A name is folded as the
 * warehouse folds it, and has the parts that the text gives it; `start` and `end` are offsets in UTF-16 units, so that a reference can be
 * replaced. WITH queries, functions, stages and arrays inside rows are none. Takes time in proportion to the length of the text. Throws
 * `FILE_UNREADABLE` with `details.offset` for a quote or comment that is never closed: what the text reads is then unknown.
 */
export function findReferences(sql: string, dialect: ReferenceDialectName): Reference[] {
  return findInText(sql, referenceDialects[dialect]);
}
