let current: AbortController | undefined;

/** What a first Ctrl-C aborts while `work` runs, so that what cannot be rolled back is put back; a second one ends the process. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  current = controller;
  try {
    return await work(controller.signal);
  } finally {
    if (current === controller) current = undefined;
  }
}

/** Hands a Ctrl-C to the work that can take it; false when none can, or it was told before. */
export function takeInterrupt(): boolean {
  if (current === undefined || current.signal.aborted) return false;
  current.abort();
  return true;
}
