import { type RelationName, relationKey } from '../../core/relation.ts';
import type { Unreadable } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { isLateBinding } from './attachments.ts';
import { relationsQuery } from './catalog-queries.ts';
import { inspectNames } from './inspect.ts';
import { quoteRelation } from './names.ts';
import type { ServerFacts } from './server.ts';

/** How a view was before the transaction changed it decides what counts as broken. */
export interface BrokenOptions {
  readonly names: readonly RelationName[];
  readonly before: readonly View[];
}

const isSilent = (view: View) => isLateBinding(view) && view.columns.length === 0;

/** The late-binding views among these of which the catalog has no columns, since they cannot be queried. */
export async function findSilent(connection: Connection, server: ServerFacts, names: readonly RelationName[]): Promise<readonly Unreadable[]> {
  const views = await inspectNames(connection, server, names);
  return views.filter(isSilent).map(({ name }) => ({ name, reason: 'the catalog has no columns of it' }));
}

/**
 * The late-binding views among these that cannot be queried: the server makes them without looking at what they read. One that could not be
 * queried before, or that reads a table which does not exist, was meant to be so.
 */
export async function findBroken(connection: Connection, server: ServerFacts, { names, before }: BrokenOptions): Promise<readonly Unreadable[]> {
  const silent = (await inspectNames(connection, server, names)).filter(isSilent);
  if (silent.length === 0) return [];
  const columnsBefore = new Map(before.map(({ name, columns }) => [relationKey(name), columns.length]));
  const relations = new Set((await connection.query<RelationName>(relationsQuery)).map(relationKey));
  const suspects = silent.filter(({ name, reads }) => {
    const count = columnsBefore.get(relationKey(name));
    return count === undefined ? reads.every((read) => relations.has(relationKey(read))) : count > 0;
  });
  const broken: Unreadable[] = [];
  for (const { name } of suspects) {
    const reason = await queryOnce(connection, name);
    if (reason === undefined) continue;
    broken.push({ name, reason });
    // The transaction is void now, and whoever asked rolls it back.
    break;
  }
  return broken;
}

async function queryOnce(connection: Connection, name: RelationName): Promise<string | undefined> {
  try {
    await connection.run(`SELECT * FROM ${quoteRelation(name)} LIMIT 0`);
    return undefined;
  } catch (error) {
    if (!isServerError(error)) throw error;
    return error.message;
  }
}
