import type { BigQuery, BigQueryOptions } from '@google-cloud/bigquery';
import { ViewsyncError } from '../../errors.ts';

type Driver = typeof import('@google-cloud/bigquery');
type Authentication = typeof import('google-auth-library');

const install = 'npm install @google-cloud/bigquery';

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}

/** Loads a package that is installed beside viewsync by those who need it. `DRIVER_MISSING` names the command that installs it. */
export async function loadPackage<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new ViewsyncError('DRIVER_MISSING', {
      message: 'The client of BigQuery is not installed: viewsync leaves it to those who need it. Nothing was done.',
      suggestions: [install, `npm install --global @google-cloud/bigquery   (where viewsync is installed globally)`],
      cause,
    });
  }
}

/** Who talks to BigQuery, and where it is. */
export interface DriverOptions {
  readonly project: string;
  /** Another address than Google's, which then needs no credentials: a server for tests. */
  readonly endpoint?: string | undefined;
  readonly userAgent: string;
}

/**
 * The driver with application default credentials: GOOGLE_APPLICATION_CREDENTIALS (a service account, or the file of a workload identity
 * federation), those of `gcloud auth application-default login`, else those of the machine. Only then is the machine's metadata server asked.
 * https://cloud.google.com/docs/authentication/application-default-credentials
 */
export async function openDriver({ project, endpoint, userAgent }: DriverOptions): Promise<BigQuery> {
  const { BigQuery } = await loadPackage<Driver>(() => import('@google-cloud/bigquery'));
  // Retries are ours, see client.ts.
  const options: BigQueryOptions = { projectId: project, userAgent, retryOptions: { autoRetry: false } };
  if (endpoint === undefined) return new BigQuery(options);
  const { PassThroughClient } = await loadPackage<Authentication>(() => import('google-auth-library'));
  return new BigQuery({ ...options, apiEndpoint: endpoint, authClient: new PassThroughClient() });
}
