import type { RelationName } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Adapter, Caller, Warehouse } from '../warehouse.ts';
import { findAuthors } from './authors.ts';
import { type Client, createClient, listAll, pathOf } from './client.ts';
import { bigqueryDialect } from './dialect.ts';
import { openDriver } from './driver.ts';
import { examineProject } from './examine.ts';
import { inspectProject, type Reading } from './inspect.ts';
import type { Place } from './jobs.ts';
import { isRunLocked } from './lock.ts';
import { named } from './named-errors.ts';
import { openScratch } from './scratch.ts';
import { settle } from './settle.ts';
import { readOptions, validateOption } from './target-options.ts';
import { runAlone, runTransaction, type Session } from './transaction.ts';

const userAgent = 'viewsync';

/** BigQuery. Options: `project`, and `iam`, `patience` and `endpoint` where the usual is not wanted. */
export const bigquery: Adapter = {
  dialect: bigqueryDialect,
  drivers: ['@google-cloud/bigquery'],
  validateOptions: (options) => [
    ...(options['project'] === undefined ? [{ path: ['project'], message: 'A bigquery target needs "project": the project whose views are kept.' }] : []),
    ...Object.entries(options).flatMap(([key, value]) => validateOption(key, value)),
  ],
  connect: async (options, _environment, caller) => toWarehouse(await openSession(options, caller)),
  openScratch: async ({ options }) => {
    const session = await openSession(options, { command: 'drill' });
    return named(session.client, () => openScratch(session));
  },
};

/** Who asks, in what a label may hold. https://cloud.google.com/bigquery/docs/labels-intro#requirements */
function labelsOf(caller: Caller | undefined): Client['labels'] {
  const command = caller?.command
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .slice(0, 63);
  return { tool: 'viewsync', ...(command ? { command } : {}) };
}

async function openSession(options: Readonly<Record<string, unknown>>, caller?: Caller): Promise<Session> {
  const { project, endpoint, iam, patience } = readOptions(options);
  const driver = await openDriver({ project, endpoint, userAgent });
  return toSession(createClient(driver, { project, labels: labelsOf(caller), patience }), { iam, pause: 1000 });
}

interface DatasetPage {
  readonly nextPageToken?: string;
  readonly datasets?: readonly { readonly datasetReference: { readonly datasetId: string }; readonly location: string }[];
}

/** Where each dataset is, read once. */
async function readLocations(client: Client): Promise<ReadonlyMap<string, string>> {
  const pages = await listAll<DatasetPage>(client, { method: 'GET', path: pathOf(client.project, 'datasets') });
  const datasets = pages.flatMap((page) => page.datasets ?? []);
  return new Map(datasets.map(({ datasetReference, location }) => [datasetReference.datasetId, location] as const).sort());
}

function noDataset({ catalog = '', schema }: RelationName): ViewsyncError {
  return new ViewsyncError('QUERY_FAILED', {
    message: `There is no dataset "${schema}" in project "${catalog}" that this account may see. Nothing was changed.`,
    suggestions: [`bq mk --dataset ${catalog}:${schema}`],
  });
}

function toSession(client: Client, reading: Reading): Session {
  let locations: Promise<ReadonlyMap<string, string>> | undefined;
  const read = () => {
    locations ??= readLocations(client);
    return locations;
  };
  const placeOf = async (name: RelationName): Promise<Place> => {
    const location = (await read()).get(name.schema);
    if (location === undefined) throw noDataset(name);
    return { project: name.catalog ?? client.project, location };
  };
  return { client, reading, placeOf, isAlone: false, listDatasets: async () => [...(await read()).keys()] };
}

function toWarehouse(session: Session): Warehouse {
  const { client, reading } = session;
  return {
    dialect: bigqueryDialect,
    inspect: (scope, progress) => named(client, () => inspectProject(client, scope, { ...reading, progress })),
    settle: (requests) => named(client, () => settle(client, requests, session.placeOf)),
    runAlone: (work) => named(client, () => runAlone(session, work)),
    transact: (options, work) => named(client, () => runTransaction(session, options, work)),
    examine: () => named(client, () => examineProject(client, reading.iam)),
    findAuthors: (names) => named(client, () => findAuthors(client, names, session.placeOf)),
    // Dry runs look at the tables that are there.
    listStandIns: async () => [],
    isBusy: () => named(client, async () => isRunLocked(client, await session.listDatasets())),
    close: async () => undefined,
  };
}
