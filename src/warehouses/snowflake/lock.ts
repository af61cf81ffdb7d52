import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ViewsyncError } from '../../errors.ts';
import { clockQuery } from './catalog-queries.ts';
import type { Connection } from './connection.ts';

/** Milliseconds. */
export interface LockTimes {
  /** How often a run says that it is still there. */
  readonly renew: number;
  /** After how long without that it counts as dead: the transaction of a killed process stays open for hours. */
  readonly lease: number;
  /** How long after a first look a second one is taken, since a run that says it is there is invisible for a moment. */
  readonly look: number;
}

export const defaultLockTimes: LockTimes = { renew: 3000, lease: 12_000, look: 200 };

/** https://docs.snowflake.com/en/sql-reference/sql/show-transactions */
interface ShownTransaction {
  readonly id: string;
  readonly name: string | null;
  readonly started_on: Date | string;
  readonly user?: string;
}

const runPrefix = 'VIEWSYNC_RUN_';

async function readClock(connection: Connection): Promise<number> {
  const [row] = await connection.query<{ readonly NOW: number }>(clockQuery);
  return Number(row?.NOW);
}

/** The names with this beginning that said lately that they are there. */
export async function findAnnounced(connection: Connection, prefix: string, { lease }: LockTimes): Promise<readonly string[]> {
  const transactions = await connection.query<ShownTransaction>('SHOW TRANSACTIONS');
  const runs = transactions.filter(({ name }) => name?.toUpperCase().startsWith(prefix));
  if (runs.length === 0) return [];
  const now = await readClock(connection);
  return runs.filter(({ started_on }) => now - new Date(started_on).getTime() < lease).flatMap(({ name }) => name?.toUpperCase() ?? []);
}

async function lookTwice(connection: Connection, times: LockTimes): Promise<readonly string[]> {
  const first = await findAnnounced(connection, runPrefix, times);
  await sleep(times.look);
  return [...first, ...(await findAnnounced(connection, runPrefix, times))];
}

/** Whether a run of the same user is at work, other than the one that holds `own`. */
export async function isRunLocked(connection: Connection, times: LockTimes, own?: Lock): Promise<boolean> {
  return (await lookTwice(connection, times)).some((name) => name !== own?.name);
}

function inProgress(): ViewsyncError {
  return new ViewsyncError('RUN_IN_PROGRESS', {
    message: 'Another run of viewsync is changing this account. Nothing was changed.',
    suggestions: ['Run it again when the other run has ended.'],
  });
}

export interface Lock {
  readonly name: string;
  /** Raises `CONNECTION_LOST` when the lock could not be kept, so that another run may have begun. */
  requireHeld(): void;
  release(): Promise<void>;
}

function lostLock(cause: unknown): ViewsyncError {
  return new ViewsyncError('CONNECTION_LOST', {
    message: 'The session that keeps other runs out was lost, so this run stops.',
    suggestions: ['viewsync status'],
    cause,
  });
}

function keep(session: Connection, name: string, times: LockTimes): Lock {
  let lost: unknown;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async () => {
    await session.query('COMMIT');
    await session.query(`BEGIN NAME ${name}`);
  };
  const timer = setInterval(() => {
    renewing = renewing.then(renew).catch((error: unknown) => {
      lost = error;
    });
  }, times.renew);
  return {
    name,
    requireHeld: () => {
      if (lost !== undefined) throw lostLock(lost);
    },
    release: async () => {
      clearInterval(timer);
      await renewing;
      if (lost === undefined) await session.query('ROLLBACK');
      await session.close();
    },
  };
}

/** Says under a name of its own that something goes on, until that is released: others of the same user see it in SHOW TRANSACTIONS. */
export async function announce(connection: Connection, prefix: string, times: LockTimes): Promise<Lock> {
  const session = await connection.open();
  try {
    const name = `${prefix}${await readClock(session)}_${randomBytes(4).toString('hex').toUpperCase()}`;
    await session.query(`BEGIN NAME ${name}`);
    return keep(session, name, times);
  } catch (error) {
    await session.close();
    throw error;
  }
}

/**
 * Keeps other runs of the same user out: an open transaction of a session of its own, whose name SHOW TRANSACTIONS tells. Nothing else that
 * several machines see needs neither a right nor an object. https://docs.snowflake.com/en/sql-reference/sql/begin
 */
export async function lockRun(connection: Connection, times: LockTimes): Promise<Lock> {
  const session = await connection.open();
  try {
    const name = `${runPrefix}${await readClock(session)}_${randomBytes(4).toString('hex').toUpperCase()}`;
    await session.query(`BEGIN NAME ${name}`);
    const others = await lookTwice(session, times);
    // Of two that begin at once the one that began earlier goes on.
    if (others.some((other) => other < name)) throw inProgress();
    return keep(session, name, times);
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    await session.close();
    throw error;
  }
}
