import { isServerError } from '../postgres-family/connection.ts';

/**
 * Whether a transaction lost against another one and may succeed when it is run again as a whole.
 * https://docs.aws.amazon.com/redshift/latest/dg/c_serializable_isolation.html https://docs.aws.amazon.com/redshift/latest/dg/c_Concurrent_writes.html
 */
export function isConflict(error: unknown): boolean {
  if (!isServerError(error)) return false;
  return error.code === '40001' || error.code === '40P01' || (error.code === 'XX000' && /\b1023\b|serializable isolation violation/i.test(error.message));
}
