import { createInterruption } from '../history/interruption.ts';

/** Ctrl-C, and the signals with which schedulers end a job. */
export const interruption = createInterruption();

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `end` at such a signal, as soon as nothing is half done; a second one does not wait. */
export function onInterruption(end: () => void): void {
  const handle = () => {
    if (interruption.signal.aborted || interruption.request() === 'idle') return end();
    process.stderr.write('Interrupted; ending what was begun. Once more to stop at once.\n');
  };
  for (const signal of signals) process.on(signal, handle);
}
