import { ViewsyncError } from '../../errors.ts';

/** The part of the server's answer to a failed statement that we use. */
export interface ServerError {
  /** Snowflake's number, such as `002003`. */
  readonly code: string;
  readonly sqlState: string;
  readonly message: string;
  readonly queryId?: string;
}

/** Whether the server itself answered with an error. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'code' in error && 'sqlState' in error && typeof error.code === 'string' && typeof error.sqlState === 'string';
}

/**
 * Errors after which the same statement may succeed a little later: lock conflicts, and the service's own ("internal error", "temporarily unavailable").
 * A refused name or privilege never does.
 */
export const passing: ReadonlySet<string> = new Set(['000625', '390189', '300002', '000603']);

/** The session is gone, or its token. */
export const expired: ReadonlySet<string> = new Set(['390112', '390114', '390195', '390111', '390104']);

/** The driver has let go of a session that the server does not know any more, and sent nothing. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 407_002;
}

/** No answer came: the network, or a server that could not answer. */
export function isUnanswered(error: Error): boolean {
  return !(error instanceof ViewsyncError) && !isServerError(error);
}
