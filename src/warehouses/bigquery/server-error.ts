/** An answer of BigQuery that is no success. https://cloud.google.com/bigquery/docs/error-messages */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  /** The status of HTTP; 0 when there was no answer at all. */
  readonly status: number;
  /** `accessDenied`, `notFound`, `rateLimitExceeded`. */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

const retryableReasons: ReadonlySet<string> = new Set([
  'rateLimitExceeded',
  'userRateLimitExceeded',
  'jobRateLimitExceeded',
  'quotaExceeded',
  'backendError',
  'internalError',
  'jobBackendError',
  'jobInternalError',
]);

// Daily and monthly quotas come back after hours; those of seconds and minutes say so by their reason alone.
const longQuota = /per (?:day|month)|daily|monthly|free query bytes/i;

/**
 * Whether the same request may succeed a little later. Views that read one another and are changed at the same time give "Invalid snapshot
 * time", and more than five changes of one view in ten seconds `rateLimitExceeded`. https://cloud.google.com/bigquery/docs/troubleshoot-quotas
 */
export function isRetryable(error: unknown): boolean {
  if (!(error instanceof ServerError)) return false;
  if (error.status === 429 || error.status >= 500 || /Invalid snapshot time/i.test(error.message)) return true;
  return retryableReasons.has(error.reason) && !longQuota.test(error.message);
}

/** Whether a connection broke, mostly one that was kept open and that the other side had closed: the call may have arrived or not. */
export function isBroken(error: unknown): error is ServerError {
  return (
    error instanceof ServerError &&
    error.status === 0 &&
    /^(?:ECONNRESET|EPIPE|ETIMEDOUT|EAI_AGAIN|ERR_STREAM_PREMATURE_CLOSE)$|socket hang up/.test(`${error.reason}`)
  );
}

export function isServerError(error: unknown): error is ServerError {
  return error instanceof ServerError;
}

/** Whether a right is missing. A dataset that one may not see is told as one that is not there. */
export function isDenied(error: unknown): error is ServerError {
  return isServerError(error) && error.status === 403 && !isRetryable(error);
}

export function isMissing(error: unknown): error is ServerError {
  return isServerError(error) && error.status === 404;
}

interface Told {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly errors?: readonly { readonly reason?: unknown; readonly message?: unknown }[];
}

/** What a proxy or the driver may repeat of a request: access tokens of Google, and signed ones. https://cloud.google.com/docs/authentication/token-types */
const withoutTokens = (message: string) => message.replaceAll(/\bya29\.[\w.-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=\bBearer )\S+/g, '***');

/** The driver's error as ours: its own message lists every inner one in a frame of words. */
export function toServerError(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  const { code, message, errors } = error as Told;
  const [first] = errors ?? [];
  const status = typeof code === 'number' ? code : 0;
  return new ServerError(status, String(first?.reason ?? code ?? ''), withoutTokens(String(first?.message ?? message ?? error)));
}
