import { setTimeout as sleep } from 'node:timers/promises';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from './connection.ts';

/** Milliseconds until a request to cancel is repeated: one that comes between two statements is lost. */
const pause = 200;

/**
 * Does `action`, which leaves a transaction open. Once the signal is aborted the statement that runs is cancelled, and so are those that
 * follow, until the action has ended; nothing is on its way to the connection then. `INTERRUPTED`.
 */
export async function interruptible<T>(connection: Connection, signal: AbortSignal | undefined, action: () => Promise<T>): Promise<T> {
  if (signal === undefined) return action();
  if (signal.aborted) throw interrupted();
  const over = new AbortController();
  let cancelling: Promise<void> | undefined;
  const begin = () => {
    cancelling = cancelUntil(connection, over.signal);
  };
  signal.addEventListener('abort', begin, { once: true });
  return action().finally(async () => {
    signal.removeEventListener('abort', begin);
    over.abort();
    await cancelling;
    if (signal.aborted) throw interrupted();
  });
}

/** A server that takes no further connection ends the statement when it likes; there is no more to do about it. */
async function cancelUntil(connection: Connection, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    await cancel(connection).catch(() => undefined);
    await sleep(pause, undefined, { signal: over }).catch(() => undefined);
  }
}

/** Asked for in SQL, since a request of the protocol's own goes neither through TLS nor through every proxy. */
async function cancel({ backend, connectAgain }: Connection): Promise<void> {
  const other = await connectAgain();
  await other.query('SELECT pg_cancel_backend($1)', [backend]).finally(() => other.close());
}

function interrupted(): ViewsyncError {
  return new ViewsyncError('INTERRUPTED', { message: 'Interrupted. Rolled back; nothing changed in the warehouse.', suggestions: ['viewsync status'] });
}
