import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';

// The first half of a key spells "view"; the second one "sync", and the number behind it.
const runKey = '1986618743, 1937337955';
const transactionKey = '1986618743, 1937337956';

const heldQuery = `
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
  WHERE l.locktype = 'advisory' AND (l.classid::int8, l.objid::int8, l.objsubid) IN ((${runKey}, 2), (${transactionKey}, 2)) AND l.granted) AS held`;

/**
 * Does `work` while no other run can change this database, from before anything is locked until everything is recorded. The lock belongs to
 * a transaction of a connection of its own: it outlasts those that a run tries one after the other, and a proxy that shares its connections
 * cannot keep it. `RUN_IN_PROGRESS`.
 */
export async function runAlone<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  const guard = await openGuard(connection);
  try {
    await guard.run("BEGIN; SET LOCAL idle_in_transaction_session_timeout = '0'");
    await lockRun(guard);
    return await work();
  } finally {
    await guard.close();
  }
}

async function openGuard(connection: Connection): Promise<Connection> {
  try {
    return await connection.connectAgain();
  } catch (cause) {
    throw new ViewsyncError('CONNECTION_FAILED', {
      message: `${connection.place} takes no second connection, which keeps other runs away: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was changed.`,
      suggestions: ['Run it again.', 'Look at the limits of connections of the server, the database and the role.'],
      cause,
    });
  }
}

async function lockRun(guard: Connection): Promise<void> {
  const [row] = await guard.query<{ free: boolean }>(
    `SELECT CASE WHEN held THEN false ELSE pg_try_advisory_xact_lock(${runKey}) END AS free FROM (${heldQuery}) others`,
  );
  if (row?.free) return;
  throw new ViewsyncError('RUN_IN_PROGRESS', {
    message: `Another run of viewsync is changing ${guard.place} right now. Nothing was changed.`,
    suggestions: ['Run it again when the other run has ended.'],
  });
}

/** Marks the open transaction as one of a run: the server may still be at it when its run, and the lock of that, is gone. */
export async function markRun(connection: Connection): Promise<void> {
  await connection.run(`SELECT pg_advisory_xact_lock_shared(${transactionKey})`);
}

/** Whether a run is at work, or a transaction of one that was killed. */
export async function isRunLocked(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ held: boolean }>(heldQuery);
  return row?.held ?? false;
}
