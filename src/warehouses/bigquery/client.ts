import { randomUUID } from 'node:crypto';
import type { BigQuery } from '@google-cloud/bigquery';
import { retry } from '../retry.ts';
import { isBroken, isRetryable, toServerError } from './server-error.ts';

/** A call of BigQuery's interface; `path` is what stands behind `/bigquery/v2/projects/`. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly body?: object;
  /** Sent as If-Match: the call fails with 412 when the resource has another one by now. */
  readonly etag?: string;
  /** Whether it may be sent again when nobody knows whether it arrived; a GET always may. */
  readonly repeats?: 'safely';
}

/** A connection. Errors are `ServerError`s. */
export interface Client {
  /** Where the catalog's queries run and are billed. */
  readonly project: string;
  /** Those whose views are kept, that one among them. */
  readonly projects: readonly string[];
  /** Calls, again where that may help. */
  call<T>(call: Call): Promise<T>;
  /** Milliseconds after which nothing is tried again. */
  readonly patience: number;
  /** Calls made so far, second and later pages left out. */
  count(): number;
  /** Labels of every job: who asks, and for which command. https://cloud.google.com/bigquery/docs/adding-labels#job-label */
  readonly labels: Readonly<Record<string, string>>;
  /** Ends waiting between two attempts; set while a run may be interrupted. */
  signal?: AbortSignal | undefined;
}

export interface ClientOptions {
  readonly project: string;
  readonly projects: readonly string[];
  readonly labels: Client['labels'];
  /** Milliseconds after which a call is not tried again. */
  readonly patience: number;
  readonly firstDelay?: number;
}

/** Calls once. Headers and retries are ours: the driver's own retries know nothing of `rateLimitExceeded` in a job, and have no deadline. */
function send<T>(driver: BigQuery, { method, path, query, body, etag }: Call): Promise<T> {
  const headers = etag === undefined ? {} : { headers: { 'If-Match': etag } };
  const request = { method, uri: `${driver.baseUrl}/projects/${path}`, qs: query ?? {}, ...(body === undefined ? {} : { json: body }), ...headers };
  return new Promise((resolve, reject) => {
    driver.request(request, (error: unknown, answer: unknown) => (error ? reject(toServerError(error)) : resolve(answer as T)));
  });
}

export function createClient(driver: BigQuery, options: ClientOptions): Client {
  let calls = 0;
  const client: Client = {
    project: options.project,
    projects: options.projects,
    labels: options.labels,
    patience: options.patience,
    count: () => calls,
    call: (call) => {
      if (call.query?.['pageToken'] === undefined) calls++;
      return retry(() => send(driver, call), {
        deadline: options.patience,
        ...(options.firstDelay === undefined ? {} : { firstDelay: options.firstDelay }),
        isRetryable: (error) => isRetryable(error) || (isBroken(error) && (call.method === 'GET' || call.repeats === 'safely')),
        signal: client.signal,
      });
    },
  };
  return client;
}

/** The path of a resource: each part as it may stand in an address. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join('/').replace(/%3A/g, ':');
}

interface Page {
  readonly nextPageToken?: string;
}

/** All pages of a list, one after the other. */
export async function listAll<T extends Page>(client: Client, call: Call): Promise<readonly T[]> {
  const pages = [await client.call<T>(call)];
  for (let token = pages[0]?.nextPageToken; token !== undefined; token = pages.at(-1)?.nextPageToken) {
    pages.push(await client.call<T>({ ...call, query: { ...call.query, pageToken: token } }));
  }
  return pages;
}

/** Maps with a bounded number of calls at a time, in order. */
export async function mapBounded<Item, Result>(items: readonly Item[], work: (item: Item, index: number) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const workers = Array.from({ length: 8 }, async () => {
    for (const [index, item] of queue) results[index] = await work(item, index);
  });
  await Promise.all(workers);
  return results;
}

/** A job's own name, so that sending it again does not run it again. */
export function createJobId(): string {
  return `viewsync_${randomUUID()}`;
}
