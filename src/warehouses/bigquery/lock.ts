import { hostname } from 'node:os';
import { compareText } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import { type Client, createJobId, pathOf } from './client.ts';
import type { Dataset } from './datasets.ts';
import { isDenied, isMissing, isServerError } from './server-error.ts';

/**
 * BigQuery has no locks, so a run holds a table of this name in the first dataset where it may make one: of two who make the same table at
 * once, one is refused. The table expires a minute after its run has stopped renewing it.
 */
export const lockTable = 'viewsync_lock';

const lease = 60_000;

/** A dataset in which a run may be locked. */
type Place = Pick<Dataset, 'project' | 'name'>;

interface LockResource {
  readonly etag: string;
  readonly expirationTime?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RunLock {
  release(): Promise<void>;
}

const asLabel = (text: string) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .slice(0, 63);

function ownLabels(run: string): Readonly<Record<string, string>> {
  return { viewsync_run: asLabel(run), viewsync_host: asLabel(hostname()), viewsync_process: String(process.pid) };
}

const expiry = () => String(Date.now() + lease);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether the run that made the lock has gone: its time is over, or it ran on this machine and its process is no more. */
function isStale({ expirationTime, labels = {} }: LockResource): boolean {
  if (expirationTime !== undefined && Number(expirationTime) < Date.now()) return true;
  const pid = Number(labels['viewsync_process']);
  return labels['viewsync_host'] === asLabel(hostname()) && Number.isInteger(pid) && pid > 0 && !isAlive(pid);
}

const tablesPath = ({ project, name }: Place) => pathOf(project, 'datasets', name, 'tables');
const lockPath = (dataset: Place) => `${tablesPath(dataset)}/${lockTable}`;

async function readLock(client: Client, dataset: Place): Promise<LockResource | undefined> {
  try {
    return await client.call<LockResource>({ method: 'GET', path: lockPath(dataset) });
  } catch (error) {
    if (isMissing(error) || isDenied(error)) return undefined;
    throw error;
  }
}

/** Takes the lock over from a run that has gone; whoever else does so at the same time changes its etag. */
async function takeOver(client: Client, dataset: Place, labels: Readonly<Record<string, string>>): Promise<boolean> {
  const found = await readLock(client, dataset);
  if (found === undefined || !isStale(found)) return false;
  try {
    await client.call({ method: 'PATCH', path: lockPath(dataset), body: { labels, expirationTime: expiry() }, etag: found.etag });
    return true;
  } catch (error) {
    if (isServerError(error) && (error.status === 412 || error.status === 404)) return false;
    throw error;
  }
}

type Attempt = 'taken' | 'held' | 'denied';

async function tryLock(client: Client, dataset: Place, labels: Readonly<Record<string, string>>): Promise<Attempt> {
  const tableReference = { projectId: dataset.project, datasetId: dataset.name, tableId: lockTable };
  const description = 'A run of viewsync is changing views. Expires by itself.';
  try {
    await client.call({ method: 'POST', path: tablesPath(dataset), body: { tableReference, description, labels, expirationTime: expiry() } });
    return 'taken';
  } catch (error) {
    if (isDenied(error)) return 'denied';
    if (!isServerError(error) || error.status !== 409) throw error;
    return (await takeOver(client, dataset, labels)) ? 'taken' : 'held';
  }
}

function keep(client: Client, dataset: Place, labels: Readonly<Record<string, string>>): RunLock {
  const renew = () => void client.call({ method: 'PATCH', path: lockPath(dataset), body: { expirationTime: expiry() } }).catch(() => undefined);
  const timer = setInterval(renew, lease / 3);
  timer.unref();
  return {
    release: async () => {
      clearInterval(timer);
      const found = await readLock(client, dataset);
      if (found?.labels?.['viewsync_run'] === labels['viewsync_run']) await client.call({ method: 'DELETE', path: lockPath(dataset) });
    },
  };
}

function runInProgress(dataset: Place): ViewsyncError {
  return new ViewsyncError('RUN_IN_PROGRESS', {
    message: `Another run of viewsync is at work: it holds the table ${dataset.project}.${dataset.name}.${lockTable}. Nothing was changed.`,
    suggestions: ['Run it again when the other run has ended. The lock of a run that was killed elsewhere expires after a minute.'],
  });
}

/** Takes the lock in one of the datasets of a project; undefined where this account may make a table in none of them. */
async function lockProject(client: Client, datasets: readonly Place[]): Promise<RunLock | undefined> {
  const labels = ownLabels(createJobId());
  for (const dataset of datasets) {
    const attempt = await tryLock(client, dataset, labels);
    if (attempt === 'held') throw runInProgress(dataset);
    if (attempt === 'taken') return keep(client, dataset, labels);
  }
  return undefined;
}

/**
 * Takes the lock of a run in each project, since another target may keep one of them, too; always in the same order, so that of two runs one gets on.
 * `RUN_IN_PROGRESS`; `QUERY_FAILED` where this account may make a table in no dataset at all.
 */
export async function lockRun(client: Client, datasets: readonly Place[]): Promise<RunLock> {
  const projects = [...Map.groupBy(datasets, ({ project }) => project)].sort(([left], [right]) => compareText(left, right));
  const taken: RunLock[] = [];
  const release = async () => {
    for (const lock of taken.toReversed()) await lock.release();
  };
  try {
    for (const [, those] of projects) taken.push(...[await lockProject(client, those)].filter((lock) => lock !== undefined));
  } catch (error) {
    await release();
    throw error;
  }
  if (taken.length > 0) return { release };
  throw new ViewsyncError('QUERY_FAILED', {
    message: `This account may make a table in no dataset of ${client.projects.join(', ')}, and so cannot lock a run. Nothing was changed.`,
    suggestions: ['Ask for roles/bigquery.dataEditor on one dataset.', 'viewsync doctor'],
  });
}

/** Whether a run holds the lock in one of the datasets. */
export async function isRunLocked(client: Client, datasets: readonly Place[]): Promise<boolean> {
  const locks = await Promise.all(datasets.map((dataset) => readLock(client, dataset)));
  return locks.some((lock) => lock !== undefined && !isStale(lock));
}
