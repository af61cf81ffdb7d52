import { compareText, type RelationName } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Adapter, Caller, Warehouse } from '../warehouse.ts';
import { findAuthors } from './authors.ts';
import { type Client, createClient } from './client.ts';
import { type ListedDataset, listDatasets } from './datasets.ts';
import { bigqueryDialect } from './dialect.ts';
import { openDriver } from './driver.ts';
import { examineProject } from './examine.ts';
import { inspectProject, type Reading } from './inspect.ts';
import type { Place } from './jobs.ts';
import { isRunLocked } from './lock.ts';
import { named } from './named-errors.ts';
import { keyOfDataset } from './read-catalog.ts';
import { openScratch } from './scratch.ts';
import { settle } from './settle.ts';
import { findStale } from './stale.ts';
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
  const { project, projects, endpoint, iam, patience } = readOptions(options);
  const driver = await openDriver({ project, endpoint, userAgent });
  return toSession(createClient(driver, { project, projects, labels: labelsOf(caller), patience }), { iam, pause: Math.min(1000, patience / 10) });
}

/** Where each dataset is, by `keyOfDataset`, in the order in which a run looks for one to be locked in. */
async function readLocations(client: Client): Promise<ReadonlyMap<string, ListedDataset>> {
  const rank = ({ project }: ListedDataset) => client.projects.indexOf(project);
  const datasets = (await listDatasets(client)).toSorted((left, right) => rank(left) - rank(right) || compareText(left.name, right.name));
  return new Map(datasets.map((dataset) => [keyOfDataset(dataset), dataset]));
}

function noDataset({ catalog = '', schema }: RelationName): ViewsyncError {
  return new ViewsyncError('QUERY_FAILED', {
    message: `There is no dataset "${schema}" in project "${catalog}" that this account may see. Nothing was changed.`,
    suggestions: [`bq mk --dataset ${catalog}:${schema}`],
  });
}

function noProject(project: string): ViewsyncError {
  return new ViewsyncError('CONFIG_INVALID', {
    message: `The project "${project}" is none of those that this target keeps. Nothing was changed.`,
    suggestions: [`Add it to the target in viewsync.yaml: projects: [${project}]`],
  });
}

function toSession(client: Client, reading: Reading): Session {
  let locations: Promise<ReadonlyMap<string, ListedDataset>> | undefined;
  const read = () => {
    locations ??= readLocations(client);
    return locations;
  };
  const placeOf = async (name: RelationName): Promise<Place> => {
    const project = name.catalog ?? client.project;
    const dataset = (await read()).get(keyOfDataset({ project, name: name.schema }));
    if (dataset === undefined) throw client.projects.includes(project) ? noDataset(name) : noProject(project);
    return { project, location: dataset.location };
  };
  return {
    client,
    reading,
    placeOf,
    isAlone: false,
    listDatasets: async () => [...(await read()).values()],
  };
}

function toWarehouse(session: Session): Warehouse {
  const { client, reading } = session;
  return {
    dialect: bigqueryDialect,
    inspect: (scope, progress) => named(client, () => inspectProject(client, scope, { ...reading, progress })),
    settle: (requests) => named(client, () => settle(client, requests, session.placeOf)),
    findStale: (views) => named(client, () => findStale(client, views, session.placeOf)),
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
