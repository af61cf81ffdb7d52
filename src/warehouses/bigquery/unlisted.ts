import { type RelationName, relationKey } from '../../core/relation.ts';

/** `events_*`: every table whose name begins so. https://cloud.google.com/bigquery/docs/querying-wildcard-tables */
const wildcard = /^(.*)\*$/s;

/** `orders$20240101`: one partition; `orders@-3600000`: the table as it was. https://cloud.google.com/bigquery/docs/table-decorators */
const decorated = /^(.+?)[$@]/s;

/** Views of the catalog in any dataset or region, and what shows a dataset's tables. https://cloud.google.com/bigquery/docs/information-schema-intro */
function isOfCatalog({ name }: RelationName): boolean {
  return /^INFORMATION_SCHEMA\.|^__\w+__$/i.test(name);
}

/** The beginning of the keys of everything in its dataset. */
function datasetOf({ catalog, schema }: RelationName): string {
  return relationKey({ ...(catalog === undefined ? {} : { catalog }), schema, name: 'x' }).slice(0, -1);
}

/** `Dialect.isUnlisted`: what other projects have, and datasets that show nothing to this account. BigQuery says itself whether it is there. */
export function isUnlisted(read: RelationName, listed: ReadonlySet<string>): boolean {
  if (isOfCatalog(read) || wildcard.test(read.name) || decorated.test(read.name)) return true;
  const dataset = datasetOf(read);
  return ![...listed].some((key) => key.startsWith(dataset));
}

/** `Dialect.covers`. */
export function covers(read: RelationName, relation: RelationName): boolean {
  if (read.catalog !== relation.catalog || read.schema !== relation.schema) return false;
  const prefix = wildcard.exec(read.name)?.[1];
  return prefix === undefined ? decorated.exec(read.name)?.[1] === relation.name : relation.name.startsWith(prefix);
}
