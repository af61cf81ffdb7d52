import { isServerError } from '../postgres-family/connection.ts';
import { retry } from '../retry.ts';
import { isLockDenied } from './lock.ts';

/** Milliseconds that we wait for a lock while we hold others: much less than the server's `deadlock_timeout`, after which it ends somebody's transaction. */
const brief = 50;

/** Milliseconds until somebody who keeps a relation locked against readers is no longer waited for. */
export const patience = 60_000;

/** For a transaction or savepoint in which locks are taken one after the other. */
export function waitBriefly(longest: number = patience): string {
  return `SET LOCAL lock_timeout = ${Math.min(brief, longest)}`;
}

/** A lock that was not had says nothing about what was asked for. */
export function isDenied(error: unknown): boolean {
  return isServerError(error) && isLockDenied(error);
}

/**
 * Does something that holds locks and waits for others only briefly, and lets go of all of them between two attempts: so nobody who
 * changes one view after the other ever waits for us while we wait for them, which the server would end by failing one of us.
 * Raises the server's error when `longest` has passed.
 */
export function lettingGo<T>(work: () => Promise<T>, longest: number = patience): Promise<T> {
  return retry(work, { deadline: longest, firstDelay: 10, longestDelay: 200, isRetryable: isDenied });
}
