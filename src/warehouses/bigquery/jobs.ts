import { setTimeout as sleep } from 'node:timers/promises';
import { retry } from '../retry.ts';
import { type Client, createJobId, pathOf } from './client.ts';
import { isRetryable, isServerError, ServerError } from './server-error.ts';

/** Where a job runs: in the project of what it is about, in the location of its datasets. */
export interface Place {
  readonly project: string;
  readonly location: string;
}

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly description?: string;
  readonly policyTags?: { readonly names?: readonly string[] };
  readonly fields?: readonly Field[];
  readonly precision?: string;
  readonly scale?: string;
  readonly maxLength?: string;
  readonly rangeElementType?: { readonly type: string };
}

interface Answer {
  readonly jobComplete?: boolean;
  readonly jobReference?: { readonly jobId: string };
  readonly schema?: { readonly fields?: readonly Field[] };
  readonly rows?: readonly { readonly f: readonly { readonly v: string | null }[] }[];
  readonly pageToken?: string;
}

interface Job {
  readonly status?: { readonly state?: string; readonly errorResult?: { readonly reason?: string; readonly message?: string } };
  readonly statistics?: { readonly query?: { readonly schema?: { readonly fields?: readonly Field[] } } };
}

const pageSize = 20_000;

/** A row of texts: the queries of the catalog cast everything to text. */
export type Row = Readonly<Record<string, string | null>>;

function toRows({ schema, rows = [] }: Answer, names: readonly string[]): readonly Row[] {
  const columns = schema?.fields?.map(({ name }) => name) ?? names;
  return rows.map(({ f }) => Object.fromEntries(columns.map((column, index) => [column, f[index]?.v ?? null])));
}

export interface QueryOptions {
  readonly place: Place;
  /** Names for an answer with the parameter `@names`; all when undefined. */
  readonly names?: readonly string[] | undefined;
}

/** `@everything` and `@names`, which the queries of the catalog take. */
function toParameters(names: readonly string[] | undefined): object[] {
  return [
    { name: 'everything', parameterType: { type: 'BOOL' }, parameterValue: { value: String(names === undefined) } },
    {
      name: 'names',
      parameterType: { type: 'ARRAY', arrayType: { type: 'STRING' } },
      parameterValue: { arrayValues: (names ?? []).map((value) => ({ value })) },
    },
  ];
}

/** Runs a query and reads every page of its answer. https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query */
export async function runQuery(client: Client, sql: string, { place, names }: QueryOptions): Promise<readonly Row[]> {
  const body = {
    query: sql,
    useLegacySql: false,
    location: place.location,
    maxResults: pageSize,
    labels: client.labels,
    parameterMode: 'NAMED',
    queryParameters: toParameters(names),
    requestId: createJobId(),
  };
  let answer = await client.call<Answer>({ method: 'POST', path: `${pathOf(place.project)}/queries`, body, repeats: 'safely' });
  const job = answer.jobReference?.jobId ?? '';
  const columns = () => answer.schema?.fields?.map(({ name }) => name) ?? [];
  const rows: Row[] = [];
  for (;;) {
    if (answer.jobComplete !== false) rows.push(...toRows(answer, columns()));
    if (answer.jobComplete !== false && answer.pageToken === undefined) return rows;
    const query = { location: place.location, maxResults: pageSize, ...(answer.pageToken === undefined ? {} : { pageToken: answer.pageToken }) };
    answer = await client.call<Answer>({ method: 'GET', path: pathOf(place.project, 'queries', job), query });
  }
}

/** The job itself has failed, and not a call about it. */
class FailedJob extends ServerError {}

function failedJob({ errorResult }: NonNullable<Job['status']>): FailedJob | undefined {
  if (!errorResult) return undefined;
  const status = { accessDenied: 403, notFound: 404, duplicate: 409, rateLimitExceeded: 403, backendError: 503, internalError: 500 }[errorResult.reason ?? ''];
  return new FailedJob(status ?? 400, errorResult.reason ?? '', errorResult.message ?? 'The job failed.');
}

const firstPause = 50;
const longestPause = 2000;

/** Starts a job; one that was started before, since the answer got lost, is looked up. */
async function startJob(client: Client, { project, location }: Place, configuration: object): Promise<{ readonly id: string; readonly job: Job }> {
  const id = createJobId();
  try {
    const body = { configuration: { ...configuration, labels: client.labels }, jobReference: { projectId: project, jobId: id, location } };
    return { id, job: await client.call<Job>({ method: 'POST', path: `${pathOf(project)}/jobs`, body, repeats: 'safely' }) };
  } catch (error) {
    if (!isServerError(error) || error.status !== 409 || !error.message.includes(id)) throw error;
    return { id, job: await client.call<Job>({ method: 'GET', path: pathOf(project, 'jobs', id), query: { location } }) };
  }
}

/**
 * Runs one statement as a job, and waits for its end. One that failed changed nothing, so it is run again where that may help: limits of rates and
 * "Invalid snapshot time" are told in the job, and not as the answer to a call.
 */
export function runStatement(client: Client, sql: string, place: Place): Promise<void> {
  return retry(() => runOnce(client, sql, place), {
    deadline: client.patience,
    isRetryable: (error) => error instanceof FailedJob && isRetryable(error),
    signal: client.signal,
  });
}

async function runOnce(client: Client, sql: string, place: Place): Promise<void> {
  const { id, job } = await startJob(client, place, { query: { query: sql, useLegacySql: false } });
  let { status } = job;
  for (let pause = firstPause; status?.state !== 'DONE'; pause = Math.min(longestPause, pause * 2)) {
    await sleep(pause);
    status = (await client.call<Job>({ method: 'GET', path: pathOf(place.project, 'jobs', id), query: { location: place.location } })).status;
  }
  const failed = failedJob(status);
  if (failed) throw failed;
}

/** What a query would give, asked without running it: nothing is read and nothing is billed. https://cloud.google.com/bigquery/docs/running-queries#dry-run */
export async function dryRun(
  client: Client,
  sql: string,
  { place, syntax }: { place: Place; syntax: 'standard' | 'legacy' },
): Promise<readonly Field[] | undefined> {
  const body = {
    configuration: { dryRun: true, labels: client.labels, query: { query: sql, useLegacySql: syntax === 'legacy' } },
    jobReference: { projectId: place.project, location: place.location },
  };
  const { status, statistics } = await client.call<Job>({ method: 'POST', path: `${pathOf(place.project)}/jobs`, body, repeats: 'safely' });
  const failed = status && failedJob(status);
  if (failed) throw failed;
  return statistics?.query?.schema?.fields;
}
