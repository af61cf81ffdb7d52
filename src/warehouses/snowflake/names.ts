import type { RelationName } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';

/** A name in double quotes, always: an unquoted one is folded to upper case. https://docs.snowflake.com/en/sql-reference/identifiers-syntax */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"DB"."SCHEMA"."VIEW"`. */
export function quoteRelation({ catalog = '', schema, name }: RelationName): string {
  return [catalog, schema, name].map(quoteIdentifier).join('.');
}

export function quoteSchema({ catalog = '', schema }: Pick<RelationName, 'catalog' | 'schema'>): string {
  return [catalog, schema].map(quoteIdentifier).join('.');
}

/** A string constant; a backslash escapes in one. https://docs.snowflake.com/en/sql-reference/data-types-text#string-constants */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** A view by name and kind: all that its statements need. */
export type Relation = Pick<View, 'name' | 'kind'>;

/** The words for a kind in DDL. */
export function kindWords({ kind }: Pick<Relation, 'kind'>): string {
  return kind.toUpperCase();
}

/** `VIEW "DB"."SCHEMA"."VIEW"`. */
export function typedRelation(relation: Relation): string {
  return `${kindWords(relation)} ${quoteRelation(relation.name)}`;
}
