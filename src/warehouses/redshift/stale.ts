import type { Unreadable } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { StaleViews } from '../standing.ts';
import { isLateBinding } from './attachments.ts';
import { quoteRelation } from './names.ts';

/**
 * `Inspection.suspects`: late-binding views that cannot be read have no columns in the catalog. One that reads a schema which is not there, such as
 * Spectrum's, is taken to be waiting for it. https://docs.aws.amazon.com/redshift/latest/dg/PG_GET_LATE_BINDING_VIEW_COLS.html
 */
export function findSuspects(views: readonly View[], schemas: ReadonlySet<string>): readonly View[] {
  return views.filter((view) => isLateBinding(view) && view.columns.length === 0 && view.reads.every(({ schema }) => schemas.has(schema)));
}

/** Why a view cannot be queried; undefined where it can, or where that is only our user's lack of a right. */
async function findReason(connection: Connection, { name }: View): Promise<string | undefined> {
  try {
    await connection.run(`SELECT * FROM ${quoteRelation(name)} LIMIT 0`);
    return undefined;
  } catch (error) {
    if (!isServerError(error)) throw error;
    return error.code === '42501' || /^permission denied/i.test(error.message) ? undefined : error.message;
  }
}

/** `Warehouse.findStale`: bound views follow what they read, and late-binding ones show what their query gives, so none is stale; some are broken. */
export async function findStale(connection: Connection, views: readonly View[]): Promise<StaleViews> {
  const broken: Unreadable[] = [];
  for (const view of views) {
    const reason = await findReason(connection, view);
    if (reason !== undefined) broken.push({ name: view.name, reason });
  }
  return { stale: [], broken };
}
