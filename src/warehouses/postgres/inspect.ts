import { type RelationName, relationKey } from '../../core/relation.ts';
import { matchScope } from '../../core/scope.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Inspection } from '../warehouse.ts';
import { type CatalogRows, listPrinted, toViews } from './catalog.ts';
import { oidsQuery } from './catalog-queries.ts';
import { postgresDialect } from './dialect.ts';
import { requestCatalogRows, toContainers, toLosses, toSession } from './read-catalog.ts';
import { readCompletely } from './read-completely.ts';
import type { InspectOptions, Reading } from './read-round.ts';
import type { ServerFacts } from './server.ts';
import { readTexts } from './texts.ts';

/** Reads the whole database and proves that the texts belong to the snapshot. `LISTING_MOVED` when it never holds still. */
export async function inspectDatabase(connection: Connection, options: InspectOptions): Promise<Inspection> {
  const started = performance.now();
  const before = connection.count();
  const reading = await readCompletely(connection, options);
  const isInScope = matchScope(options.scope, postgresDialect);
  return {
    snapshot: toSnapshot(reading, options),
    outside: reading.views.map((each) => each.view).filter((view) => !isInScope(view.name)),
    session: toSession(reading.surroundings),
    relations: new Set(reading.surroundings.relations.map(relationKey)),
    sizes: toSizes(reading.rows),
    milliseconds: performance.now() - started,
    queries: connection.count() - before,
  };
}

/** The named views as the open transaction sees them; those that are absent are left out. `QUERY_FAILED` for one that cannot be read. */
export async function inspectNames(connection: Connection, server: ServerFacts, names: readonly RelationName[]): Promise<readonly View[]> {
  const parameters = [names.map((name) => name.schema), names.map((name) => name.name)];
  const oids = (await connection.query<{ oid: number }>(oidsQuery, parameters)).map((row) => row.oid);
  const rows = await requestCatalogRows(connection, server.version, oids).rows;
  const views = toViews(rows, await readTexts(connection, listPrinted(rows)), server.version);
  const failed = views.find((each) => each.failure !== undefined);
  if (failed === undefined) return views.map((each) => each.view);
  throw new ViewsyncError('QUERY_FAILED', { message: `"${relationKey(failed.view.name)}" cannot be read: ${failed.failure}.` });
}

function toSnapshot(reading: Reading, { server, scope }: InspectOptions): Snapshot {
  const isInScope = matchScope(scope, postgresDialect);
  const inScope = reading.views.filter(({ view }) => isInScope(view.name));
  const unreadable = inScope.flatMap(({ view, failure }) => (failure === undefined ? [] : [{ name: view.name, reason: failure }]));
  return {
    origin: { from: 'warehouse' },
    description: { warehouse: 'postgres', version: server.version, scope, identity: server.identity, unreadable },
    views: inScope.filter((each) => each.failure === undefined).map((each) => each.view),
    containers: toContainers(reading.surroundings.schemas),
    bystanders: [],
    losses: toLosses(reading.surroundings.bystanders, reading.views),
  };
}

function toSizes(rows: CatalogRows): ReadonlyMap<string, number> {
  return new Map(rows.views.flatMap((row) => (row.size === null ? [] : [[relationKey(row), Number(row.size)] as const])));
}
