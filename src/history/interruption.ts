import { ViewsyncError } from '../errors.ts';

/** The wish of somebody, made by Ctrl-C or by whoever stops a job, that what runs ends early. */
export interface Interruption {
  /** Aborted once it is wished. */
  readonly signal: AbortSignal;
  /**
   * Does what must not be left half done, to its end. `INTERRUPTED` when the wish came before, and then nothing was begun, or meanwhile;
   * `last`: nothing comes after it but telling what it came to, which is told then.
   */
  complete<T>(action: () => Promise<T>, position?: 'last'): Promise<T>;
}

/** An interruption with what makes it happen. */
export interface InterruptionRequest extends Interruption {
  /** `idle`: nothing is half done, so the process may end at once; `at work`: what is under way ends first, by itself. */
  request(): 'idle' | 'at work';
}

export function interrupted(): ViewsyncError {
  return new ViewsyncError('INTERRUPTED', {
    message: 'Interrupted. What a transaction had not committed is rolled back by the warehouse.',
    suggestions: ['viewsync status'],
  });
}

export function createInterruption(): InterruptionRequest {
  const controller = new AbortController();
  const { signal } = controller;
  let underWay = 0;
  const toEnd = async <T>(action: () => Promise<T>): Promise<T> => {
    underWay += 1;
    return action().finally(() => {
      underWay -= 1;
    });
  };
  const requireNone = () => {
    if (signal.aborted && underWay === 0) throw interrupted();
  };
  return {
    signal,
    complete: async (action, position) => {
      requireNone();
      if (position === 'last') return toEnd(action);
      // What failed was taken back, and whoever has asked for the end does not ask why.
      return toEnd(action).finally(requireNone);
    },
    request: () => {
      controller.abort();
      return underWay === 0 ? 'idle' : 'at work';
    },
  };
}

/** For those who are never interrupted. */
export const neverInterrupted: Interruption = createInterruption();
