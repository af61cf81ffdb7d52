import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';

// Redshift has no advisory locks. A temporary table is listed for every session, and goes with the one that made it.
const prefix = 'viewsync_run_';

const othersQuery = (own: string) => `
SELECT c.relname::varchar AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname LIKE 'pg_temp%' AND substring(c.relname::varchar, 1, ${prefix.length}) = '${prefix}' AND c.relname <> '${own}'`;

const nameOf = ({ backend }: Connection) => `${prefix}${backend}`;

async function hasOthers(connection: Connection): Promise<boolean> {
  return (await connection.query(othersQuery(nameOf(connection)))).length > 0;
}

/** Whether another session is at work. */
export async function isRunMarked(connection: Connection): Promise<boolean> {
  return hasOthers(connection);
}

async function makeMark(connection: Connection): Promise<void> {
  try {
    await connection.run(`CREATE TEMP TABLE ${nameOf(connection)} (mark int)`);
  } catch (error) {
    // Without the right to temporary tables two runs are kept apart by the locks on what both change, and by the live line.
    if (!isServerError(error) || error.code !== '42501') throw error;
  }
}

async function removeMark(connection: Connection): Promise<void> {
  await connection.run(`DROP TABLE IF EXISTS ${nameOf(connection)}`).catch(() => undefined);
}

/** Does something while no other run is at work; inside of that, once more does not count. */
export type RunAlone = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * `Warehouse.runAlone` for a session. Whoever marks itself looks for others afterwards, so that of two who begin together none goes on:
 * `RUN_IN_PROGRESS`.
 */
export function keepRunMark(connection: Connection): RunAlone {
  let isMarked = false;
  return async (work) => {
    if (isMarked) return work();
    isMarked = true;
    try {
      await makeMark(connection);
      if (await hasOthers(connection)) throw runInProgress(connection.place);
      return await work();
    } finally {
      isMarked = false;
      await removeMark(connection);
    }
  };
}

function runInProgress(place: string): ViewsyncError {
  return new ViewsyncError('RUN_IN_PROGRESS', {
    message: `Another run of viewsync is changing ${place} right now. Nothing was changed.`,
    suggestions: ['Run it again when the other run has ended.'],
  });
}
