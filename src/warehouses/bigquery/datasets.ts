import { compareText, type RelationName, relationKey } from '../../core/relation.ts';
import type { Unseen } from '../../core/unseen.ts';
import { type Client, listAll, mapBounded, pathOf } from './client.ts';
import { isDenied, isMissing } from './server-error.ts';

/** An entry of a dataset's access list. https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets#Dataset */
export interface AccessEntry {
  readonly view?: { readonly projectId: string; readonly datasetId: string; readonly tableId: string };
  readonly [field: string]: unknown;
}

export interface DatasetResource {
  readonly etag?: string;
  readonly location?: string;
  readonly access?: readonly AccessEntry[];
  /** Of a dataset that somebody else shares through a listing. */
  readonly linkedDatasetSource?: object;
}

export interface Dataset {
  readonly project: string;
  readonly name: string;
  readonly location: string;
  readonly access: readonly AccessEntry[];
  /** Whether the account may see that list. */
  readonly hasAccess: boolean;
  /** Names of its views, as its own list has them; undefined when that was refused. */
  readonly views: readonly string[] | undefined;
  /** Whether it is somebody else's, read-only here: nothing in it is ours to keep. https://cloud.google.com/bigquery/docs/analytics-hub-introduction#linked_datasets */
  readonly isLinked: boolean;
}

interface DatasetPage {
  readonly nextPageToken?: string;
  readonly datasets?: readonly { readonly datasetReference: { readonly datasetId: string }; readonly location: string }[];
}

interface TablePage {
  readonly nextPageToken?: string;
  readonly tables?: readonly { readonly tableReference: { readonly tableId: string }; readonly type: string }[];
}

const pageSize = 1000;

/** Undefined where the account may not ask, or the dataset has gone meanwhile. */
async function ifAllowed<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isDenied(error) || isMissing(error)) return undefined;
    throw error;
  }
}

async function listViews(client: Client, project: string, dataset: string): Promise<readonly string[] | undefined> {
  const path = pathOf(project, 'datasets', dataset, 'tables');
  const pages = await ifAllowed(listAll<TablePage>(client, { method: 'GET', path, query: { maxResults: pageSize } }));
  return pages?.flatMap(({ tables = [] }) =>
    tables.filter(({ type }) => type === 'VIEW' || type === 'MATERIALIZED_VIEW').map(({ tableReference }) => tableReference.tableId),
  );
}

export type ListedDataset = Pick<Dataset, 'project' | 'name' | 'location'>;

/** Every dataset of the projects that this account may see. */
export async function listDatasets(client: Client): Promise<readonly ListedDataset[]> {
  const lists = await mapBounded(client.projects, async (project) => {
    const pages = await listAll<DatasetPage>(client, { method: 'GET', path: pathOf(project, 'datasets'), query: { maxResults: pageSize } });
    return pages.flatMap(({ datasets = [] }) => datasets.map(({ datasetReference, location }) => ({ project, name: datasetReference.datasetId, location })));
  });
  return lists.flat();
}

/** How messages call a dataset: as its project does, unless there are several. */
export function callDataset({ projects }: Client, { project, name }: Pick<Dataset, 'project' | 'name'>): string {
  return projects.length === 1 ? name : `${project}.${name}`;
}

/** The dataset itself; only version 3 shows conditional entries, which must be written back with the others. */
export function readDataset(client: Client, project: string, name: string): Promise<DatasetResource> {
  return client.call<DatasetResource>({ method: 'GET', path: pathOf(project, 'datasets', name), query: { accessPolicyVersion: 3 } });
}

/**
 * Every dataset of the projects with its access list and the names of its views: what the catalog's queries have to agree with, since these
 * leave out whatever the account may not see. https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/list
 */
export async function readDatasets(client: Client, which: 'with their views' | 'alone' = 'with their views'): Promise<readonly Dataset[]> {
  const datasets = await mapBounded(await listDatasets(client), async ({ project, name, location }) => {
    const listed = which === 'alone' ? undefined : listViews(client, project, name);
    const [resource, views] = await Promise.all([ifAllowed(readDataset(client, project, name)), listed]);
    return {
      project,
      name,
      location,
      access: resource?.access ?? [],
      hasAccess: resource?.access !== undefined,
      views,
      isLinked: resource?.linkedDatasetSource !== undefined,
    };
  });
  return datasets.toSorted((left, right) => compareText(left.project, right.project) || compareText(left.name, right.name));
}

/** Which datasets let which view read them, by the view's `relationKey`. */
export function findAuthorizations(datasets: readonly Dataset[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { project, name, access } of datasets) {
    for (const { view } of access) {
      if (!view) continue;
      const key = relationKey({ catalog: view.projectId, schema: view.datasetId, name: view.tableId });
      found.set(key, [...(found.get(key) ?? []), `${project}.${name}`]);
    }
  }
  return found;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * Access lists that our account does not see: also those of datasets that are not listed, since whoever may not see one is not told that it is there.
 * https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/list
 */
export function findUnseenAuthorizations(datasets: readonly Dataset[]): Unseen {
  const seen = datasets.filter(({ hasAccess }) => hasAccess).map(({ project, name }) => escaped(`${project}.${name}`));
  const isQuiet = datasets.every(({ hasAccess }) => hasAccess) ? { isQuiet: true as const } : {};
  return { kind: 'authorization', keys: `^(?!(?:${seen.join('|')})$)`, ...isQuiet };
}

/** An entry that lets a view read a dataset. */
export function accessOf({ catalog = '', schema, name }: RelationName): AccessEntry {
  return { view: { projectId: catalog, datasetId: schema, tableId: name } };
}
