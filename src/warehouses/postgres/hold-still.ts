import type { RelationName } from '../../core/relation.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { quoteRelation } from './names.ts';
import { pin } from './session.ts';

/** How many relations are locked at most; LOCK TABLE takes what a view reads along. */
const mostHeld = 100;

/** Milliseconds that we wait for a lock while we hold some: less than it takes the server to look for a deadlock, for which somebody else might pay. */
const brief = 50;

/**
 * Opens a reading transaction in which nobody can change the given tables and views until it ends, readers excepted. The locks come before the
 * snapshot, which LOCK TABLE does not take (https://www.postgresql.org/docs/current/sql-lock.html). What is gone, or may not be locked by
 * our role, is left free.
 */
export async function beginHolding(connection: Connection, relations: readonly RelationName[]): Promise<void> {
  await connection.run(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = ${brief}`);
  for (const name of relations.slice(0, mostHeld)) await tryLock(connection, name);
  await connection.run(pin);
}

async function tryLock(connection: Connection, name: RelationName): Promise<void> {
  await connection.run('SAVEPOINT viewsync_hold');
  try {
    await connection.run(`LOCK TABLE ${quoteRelation(name)} IN ACCESS SHARE MODE`);
  } catch (error) {
    if (!isServerError(error)) throw error;
    await connection.run('ROLLBACK TO SAVEPOINT viewsync_hold');
  }
  await connection.run('RELEASE SAVEPOINT viewsync_hold');
}
