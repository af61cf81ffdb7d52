import { compareRelations, type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import type { Denied } from '../warehouse.ts';
import { ownerAttachment } from './attachments.ts';
import { ownerOf } from './changes.ts';

const queryCanceled = '57014';
const undefinedTable = '42P01';

/**
 * Locks the views in the open transaction, all of them within `timeout` milliseconds: giving a view to the owner that it has takes the lock that
 * every change needs. Redshift has no lock_timeout, so the statement's own timeout ends the waiting.
 * Resolves to the view that was not to be had, after which the transaction must be rolled back. `WAREHOUSE_MOVED`, `QUERY_FAILED`.
 * https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html
 */
export async function lockViews(connection: Connection, views: readonly View[], timeout: number): Promise<Denied | undefined> {
  const deadline = performance.now() + timeout;
  for (const view of views.toSorted((left, right) => compareRelations(left.name, right.name))) {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    const denied = await lockView(connection, view, left);
    if (denied !== undefined) return denied;
  }
  return undefined;
}

async function lockView(connection: Connection, view: View, timeout: number): Promise<Denied | undefined> {
  const owner = ownerOf(view);
  if (owner === undefined) return undefined;
  try {
    await connection.run(`SET statement_timeout TO ${timeout}`);
    await connection.run(ownerAttachment(view, owner).make);
    return undefined;
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (error.code === queryCanceled) return { view: view.name, what: `"${relationKey(view.name)}"` };
    throw error.code === undefinedTable ? dropped(view.name) : refused(view.name, owner, error);
  }
}

function dropped(name: RelationName): ViewsyncError {
  return new ViewsyncError('WAREHOUSE_MOVED', {
    message: `"${relationKey(name)}" was dropped by someone else after the plan was made. Rolled back; nothing changed.`,
    suggestions: ['Plan again.'],
  });
}

function refused(name: RelationName, owner: string, error: ServerError): ViewsyncError {
  return new ViewsyncError('QUERY_FAILED', {
    message: `"${relationKey(name)}" belongs to the user "${owner}" and cannot be changed: ${error.message} (SQLSTATE ${error.code}). Rolled back; nothing changed.`,
    suggestions: error.code === '42501' ? [`Connect as "${owner}" or as a superuser.`] : [],
    details: { code: error.code },
    cause: error,
  });
}

export function lockTimeout(
  { view, what }: Denied,
  { attempts, lockTimeout: timeout }: { readonly attempts: number; readonly lockTimeout: number },
): ViewsyncError {
  return new ViewsyncError('LOCK_TIMEOUT', {
    message: `${what} could not be locked within ${timeout} ms, tried ${attempts === 1 ? 'once' : `${attempts} times`}. Rolled back; nothing changed.`,
    suggestions: ['Run it again.', 'Or wait longer with --lock-timeout.', 'SELECT * FROM svv_transactions shows who holds locks.'],
    details: view === undefined ? {} : { view: relationKey(view) },
  });
}
