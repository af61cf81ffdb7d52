import pRetry from 'p-retry';

export interface RetryOptions {
  /** Milliseconds from the first attempt after which no other one begins. */
  readonly deadline: number;
  /** Milliseconds before the second attempt; doubled each time, and at random up to twice as long, so that many who failed together do not come back together. */
  readonly firstDelay?: number;
  /** Milliseconds that two attempts are apart at most. */
  readonly longestDelay?: number;
  /** Whether the same request may succeed a little later; whatever else it is, it must be safe to send twice. */
  readonly isRetryable: (error: Error) => boolean;
  /** Ends the waiting at once; the last error is raised. */
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: (event: { readonly attempt: number; readonly error: Error; readonly delay: number }) => void;
}

const usualLongestDelay = 10_000;

/** How an attempt ended, if any has. */
type Ending<T> = { readonly value: T } | { readonly error: unknown };

/**
 * Does something until it succeeds, fails for good, or the deadline passes; raises the last error. What has succeeded stays so, whenever the
 * signal comes. For warehouses whose drivers do not retry what has to be retried, or retry it without an end.
 */
export async function retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { deadline, firstDelay = 250, longestDelay = usualLongestDelay, isRetryable, signal, onRetry } = options;
  let last: Ending<T> | undefined;
  const attempt = async (number: number): Promise<T> => {
    try {
      last = { value: await work(number) };
      return last.value;
    } catch (error) {
      last = { error };
      throw error;
    }
  };
  try {
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: firstDelay,
      maxTimeout: longestDelay,
      randomize: true,
      maxRetryTime: deadline,
      signal,
      shouldRetry: ({ error, attemptNumber, retryDelay }) => {
        const goesOn = isRetryable(error) && signal?.aborted !== true;
        if (goesOn) onRetry?.({ attempt: attemptNumber, error, delay: retryDelay });
        return goesOn;
      },
    });
  } catch (error) {
    return endInstead(last, error, signal);
  }
}

/** The signal makes a failure even of an attempt that succeeded, and hides why one failed. */
function endInstead<T>(last: Ending<T> | undefined, error: unknown, signal: AbortSignal | undefined): T {
  if (last !== undefined && 'value' in last) return last.value;
  throw signal?.aborted === true && last !== undefined ? last.error : error;
}
