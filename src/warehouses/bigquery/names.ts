import type { RelationName } from '../../core/relation.ts';
import { writeString } from './literals.ts';

/**
 * A name in backticks. They take the escapes of string literals.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#quoted_identifiers
 */
export function quoteIdentifier(name: string): string {
  return `\`${writeString(name).slice(1, -1).replaceAll("\\'", "'").replaceAll('`', '\\`')}\``;
}

/** A relation's name with project and dataset: `` `my-project`.`shop`.`orders` ``. */
export function quoteRelation({ catalog = '', schema, name }: RelationName): string {
  return [catalog, schema, name].map(quoteIdentifier).join('.');
}

/** The whole name as the interface and its messages spell it: `my-project.shop.orders`. */
export function plainName({ catalog = '', schema, name }: RelationName): string {
  return [catalog, schema, name].join('.');
}

/**
 * The name that a text with dots stands for. Only a project may hold dots itself (`example.com:project`).
 * https://cloud.google.com/resource-manager/docs/creating-managing-projects
 */
export function splitName(text: string): RelationName | undefined {
  const parts = text.split('.');
  const [name, schema, ...project] = parts.toReversed();
  if (!name || !schema || project.length === 0) return undefined;
  return { catalog: project.toReversed().join('.'), schema, name };
}
