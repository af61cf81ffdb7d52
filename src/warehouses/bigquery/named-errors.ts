import { endSentence } from '../../core/sentence.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Client } from './client.ts';
import { isServerError, type ServerError } from './server-error.ts';

const credentials = /default credentials|invalid_grant|invalid_client|Unable to (?:detect|impersonate)|Could not refresh access token/i;

function unauthorized(project: string, cause: ServerError): ViewsyncError {
  return new ViewsyncError('CONNECTION_FAILED', {
    message: `viewsync cannot sign in to project "${project}" of BigQuery: ${endSentence(cause.message)} Nothing was done.`,
    suggestions: [
      'gcloud auth application-default login',
      'set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account or of a workload identity federation.',
    ],
    cause,
  });
}

function unreachable(project: string, cause: ServerError): ViewsyncError {
  return new ViewsyncError('CONNECTION_FAILED', {
    message: `BigQuery does not answer about project "${project}": ${endSentence(cause.message)} Nothing was done.`,
    suggestions: ['Check the network, proxy and firewall: HTTPS to bigquery.googleapis.com has to be open.'],
    cause,
  });
}

function refused(project: string, cause: ServerError): ViewsyncError {
  return new ViewsyncError('QUERY_FAILED', {
    message: `BigQuery refused a call about project "${project}": ${cause.message} (${cause.status} ${cause.reason}). Nothing was changed.`,
    suggestions: cause.status === 403 ? ['viewsync doctor   (tells which rights are missing)'] : [],
    details: { status: cause.status, reason: cause.reason },
    cause,
  });
}

function toViewsyncError({ project }: Client, error: ServerError): ViewsyncError {
  if (error.status === 401 || credentials.test(error.message)) return unauthorized(project, error);
  return error.status === 0 ? unreachable(project, error) : refused(project, error);
}

/** Answers of BigQuery that nobody expected become an error of ours. */
export async function named<T>(client: Client, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isServerError(error) ? toViewsyncError(client, error) : error;
  }
}
