import { type RelationName, relationKey } from '../../core/relation.ts';
import type { Column } from '../../core/view.ts';
import { type CatalogRows, isView, nameOfRow } from './catalog.ts';
import { type CatalogQuery, catalogQuery, regionOf } from './catalog-queries.ts';
import type { Client } from './client.ts';
import type { Dataset } from './datasets.ts';
import { type Place, type Row, runQuery } from './jobs.ts';
import { isDenied } from './server-error.ts';

/** Datasets of one location: one query can look at no more than that. https://cloud.google.com/bigquery/docs/information-schema-intro#syntax */
export interface Region {
  readonly place: Place;
  readonly datasets: readonly Dataset[];
}

export function toRegions(datasets: readonly Dataset[]): readonly Region[] {
  const groups = Map.groupBy(datasets, ({ project, location }) => `${project}\0${location.toLowerCase()}`);
  return [...groups.values()].map((members) => ({ place: { project: members[0]?.project ?? '', location: members[0]?.location ?? '' }, datasets: members }));
}

interface Source {
  readonly place: Place;
  /** `region-eu`, or a dataset. */
  readonly qualifier: string;
  readonly names: readonly string[] | undefined;
}

async function readRows(client: Client, { place, qualifier, names }: Source): Promise<CatalogRows> {
  // A query may look at another project than that in which it runs and is billed.
  const here = { project: client.project, location: place.location };
  const read = (query: CatalogQuery) => runQuery(client, catalogQuery(query, { project: place.project, qualifier }), { place: here, names });
  const [tables, views, options, columns] = await Promise.all([read('tables'), read('views'), read('options'), read('columns')]);
  return { tables, views, options, columns };
}

const nothing: CatalogRows = { tables: [], views: [], options: [], columns: [] };

function mergeRows(parts: readonly CatalogRows[]): CatalogRows {
  const all = (query: keyof CatalogRows) => parts.flatMap((part) => part[query]);
  return { tables: all('tables'), views: all('views'), options: all('options'), columns: all('columns') };
}

/** What the catalog has, and which datasets it does not show to this account, by `keyOfDataset`, with the reason. */
export interface Found {
  readonly rows: CatalogRows;
  readonly refused: ReadonlyMap<string, string>;
}

async function readDatasetRows(client: Client, { place, names }: Omit<Source, 'qualifier'>, { name }: Dataset): Promise<Found> {
  try {
    return { rows: await readRows(client, { place, qualifier: name, names }), refused: new Map() };
  } catch (error) {
    if (!isDenied(error)) throw error;
    return { rows: nothing, refused: new Map([[keyOfDataset({ project: place.project, name }), error.message]]) };
  }
}

/** The columns of some relations, by `relationKey`; nothing of regions that are not shown as a whole. */
export async function readColumns(client: Client, regions: readonly Region[], names: readonly RelationName[]): Promise<ReadonlyMap<string, readonly Column[]>> {
  const parts = await Promise.all(regions.map((region) => readRegionColumns(client, region, names)));
  const groups = Map.groupBy(parts.flat(), (row) => relationKey(nameOfRow(row)));
  return new Map([...groups].map(([key, rows]) => [key, rows.map((row) => ({ name: row['column_name'] ?? '', type: row['data_type'] ?? '' }))]));
}

async function readRegionColumns(client: Client, { place, datasets }: Region, names: readonly RelationName[]): Promise<readonly Row[]> {
  const held = new Set(datasets.map(({ name }) => name));
  const own = names.filter(({ catalog, schema }) => catalog === place.project && held.has(schema)).map(({ schema, name }) => `${schema}.${name}`);
  if (own.length === 0) return [];
  const query = catalogQuery('sources', { project: place.project, qualifier: regionOf(place.location) });
  try {
    return await runQuery(client, query, { place: { project: client.project, location: place.location }, names: own });
  } catch (error) {
    if (isDenied(error)) return [];
    throw error;
  }
}

/** A region's catalog in four queries; where a dataset in it is closed to this account, dataset by dataset. */
async function readRegion(client: Client, { place, datasets }: Region, names: readonly string[] | undefined): Promise<Found> {
  try {
    return { rows: await readRows(client, { place, qualifier: regionOf(place.location), names }), refused: new Map() };
  } catch (error) {
    if (!isDenied(error)) throw error;
    return mergeFound(await Promise.all(datasets.map((dataset) => readDatasetRows(client, { place, names }, dataset))));
  }
}

function mergeFound(parts: readonly Found[]): Found {
  return { rows: mergeRows(parts.map(({ rows }) => rows)), refused: new Map(parts.flatMap(({ refused }) => [...refused])) };
}

/** Tells a dataset from those of its name in other projects. */
export function keyOfDataset({ project, name }: Pick<Dataset, 'project' | 'name'>): string {
  return `${project}.${name}`;
}

/** The catalog of all regions; of `names` alone where they are given. */
export async function readCatalog(client: Client, regions: readonly Region[], names?: readonly RelationName[]): Promise<Found> {
  const asked = ({ place }: Region) => names?.filter(({ catalog }) => catalog === place.project).map(({ schema, name }) => `${schema}.${name}`);
  return mergeFound(await Promise.all(regions.map((region) => readRegion(client, region, asked(region)))));
}

const datasetOf = (row: Row) => keyOfDataset({ project: row['table_catalog'] ?? '', name: row['table_schema'] ?? '' });

/** What was found but in some datasets, by `keyOfDataset`: a region's catalog may have these too. */
export function withoutDatasets({ rows, refused }: Found, left: ReadonlySet<string>): Found {
  if (left.size === 0) return { rows, refused };
  const ours = (all: readonly Row[]) => all.filter((row) => !left.has(datasetOf(row)));
  return { rows: { tables: ours(rows.tables), views: ours(rows.views), options: ours(rows.options), columns: ours(rows.columns) }, refused };
}

/** Views that a dataset's own list has and the catalog has not, or the other way round: `project.dataset.view`. */
export function findDisagreements({ rows, refused }: Found, datasets: readonly Dataset[]): readonly string[] {
  const nameOf = (row: Row) => `${datasetOf(row)}.${row['table_name']}`;
  const shown = new Set(rows.tables.filter(isView).map(nameOf));
  const defined = new Set(rows.views.map(nameOf));
  const listed = new Set(
    datasets.flatMap((dataset) => (refused.has(keyOfDataset(dataset)) ? [] : (dataset.views ?? []).map((view) => `${keyOfDataset(dataset)}.${view}`))),
  );
  const unlisted = new Set(datasets.filter(({ views }) => views === undefined).map(keyOfDataset));
  const isListed = (row: Row) => listed.has(nameOf(row)) || unlisted.has(datasetOf(row));
  return [
    ...[...listed].filter((name) => !shown.has(name)),
    ...rows.tables.filter((row) => isView(row) && !isListed(row)).map(nameOf),
    ...rows.tables.filter((row) => row['table_type'] === 'VIEW' && !defined.has(nameOf(row))).map(nameOf),
  ];
}
