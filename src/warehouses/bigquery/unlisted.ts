import { parseRelationKey, type RelationName } from '../../core/relation.ts';

/** `events_*`: every table whose name begins so. https://cloud.google.com/bigquery/docs/querying-wildcard-tables */
const wildcard = /^(.*)\*$/s;

/** `orders$20240101`: one partition; `orders@-3600000`: the table as it was. https://cloud.google.com/bigquery/docs/table-decorators */
const decorated = /^(.+?)[$@]/s;

/** Views of the catalog in any dataset or region, and what shows a dataset's tables. https://cloud.google.com/bigquery/docs/information-schema-intro */
function isOfCatalog({ name }: RelationName): boolean {
  return /^INFORMATION_SCHEMA\.|^__\w+__$/i.test(name);
}

const datasetOf = ({ catalog = '', schema }: RelationName) => `${catalog}.${schema}`;

// Asked for each relation that a view reads, of a list with every relation.
const known = new WeakMap<ReadonlySet<string>, ReadonlySet<string>>();

function datasetsIn(listed: ReadonlySet<string>): ReadonlySet<string> {
  const datasets = known.get(listed) ?? new Set([...listed].flatMap((key) => parseRelationKey(key) ?? []).map(datasetOf));
  known.set(listed, datasets);
  return datasets;
}

/** `Dialect.isUnlisted`: what other projects have, and datasets that show nothing to this account. BigQuery says itself whether it is there. */
export function isUnlisted(read: RelationName, listed: ReadonlySet<string>): boolean {
  if (isOfCatalog(read) || wildcard.test(read.name) || decorated.test(read.name)) return true;
  return !datasetsIn(listed).has(datasetOf(read));
}

/** `Dialect.covers`. */
export function covers(read: RelationName, relation: RelationName): boolean {
  if (read.catalog !== relation.catalog || read.schema !== relation.schema) return false;
  const prefix = wildcard.exec(read.name)?.[1];
  return prefix === undefined ? decorated.exec(read.name)?.[1] === relation.name : relation.name.startsWith(prefix);
}
