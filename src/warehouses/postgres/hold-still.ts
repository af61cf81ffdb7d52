import { setTimeout as sleep } from 'node:timers/promises';
import type { RelationName } from '../../core/relation.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { quoteRelation } from './names.ts';
import { pin } from './session.ts';

/** How many relations are locked at most; LOCK TABLE takes what a view reads along. */
const mostHeld = 100;

const attempts = 60;

/** While we hold a lock we wait for no other: the server might take somebody else's transaction for the one to end. One millisecond is its shortest wait. */
const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = 1';

const lockNotAvailable = '55P03';

/**
 * Opens a reading transaction in which nobody can change the given tables and views until it ends, readers excepted. The locks come before the
 * snapshot, which LOCK TABLE does not take (https://www.postgresql.org/docs/current/sql-lock.html). What is gone, or may not be locked by
 * our role, is left free; so is all of it when it cannot be had at once however often it is tried.
 */
export async function beginHolding(connection: Connection, relations: readonly RelationName[]): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    await connection.run(begin);
    if (await lockAll(connection, relations.slice(0, mostHeld))) break;
    await connection.run('ROLLBACK');
    await sleep(5 + Math.random() * 20);
    if (attempt === attempts - 1) await connection.run(begin);
  }
  await connection.run(pin);
}

async function lockAll(connection: Connection, relations: readonly RelationName[]): Promise<boolean> {
  for (const name of relations) if (!(await tryLock(connection, name))) return false;
  return true;
}

/** False when somebody else has the relation now. */
async function tryLock(connection: Connection, name: RelationName): Promise<boolean> {
  await connection.run('SAVEPOINT viewsync_hold');
  try {
    await connection.run(`LOCK TABLE ${quoteRelation(name)} IN ACCESS SHARE MODE NOWAIT`);
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (error.code === lockNotAvailable) return false;
    await connection.run('ROLLBACK TO SAVEPOINT viewsync_hold');
  }
  await connection.run('RELEASE SAVEPOINT viewsync_hold');
  return true;
}
