import type { Reads } from '../../core/graph.ts';
import { compareText, type RelationName, relationKey } from '../../core/relation.ts';
import { matchScope } from '../../core/scope.ts';
import type { Loss, Snapshot } from '../../core/snapshot.ts';
import { isView, type View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Inspection } from '../warehouse.ts';
import { schemaPrivilegesQuery, schemasQuery } from './bystander-queries.ts';
import type { SchemaPrivilegeRow, SchemaRow } from './bystander-rows.ts';
import { type CatalogBystander, type Hanging, type NamedView, toHanging, toObjectName } from './bystanders.ts';
import { listPrinted, toViews } from './catalog.ts';
import { namesQuery, oidsQuery } from './catalog-queries.ts';
import type { ViewRow } from './catalog-rows.ts';
import { toContainers } from './containers.ts';
import { postgresDialect } from './dialect.ts';
import { type Former, type KeptViews, learnTexts, type Memory, recall } from './known.ts';
import { findConcerned, type Look, lookAgain } from './moved.ts';
import { readBystanders } from './read-bystanders.ts';
import { requestCatalogRows, type Surroundings, toSession } from './read-catalog.ts';
import { readCompletely } from './read-completely.ts';
import { type InspectOptions, listFailed, listRead, manyViews, type Reading } from './read-round.ts';
import type { ServerFacts } from './server.ts';
import { readTexts, type Texts } from './texts.ts';

const viewWords = new Set(['view', 'materialized view']);

function toOccupied({ relations }: Surroundings): ReadonlyMap<string, string> {
  return new Map(relations.flatMap(({ what, ...name }) => (viewWords.has(what) ? [] : [[relationKey(name), what] as const])));
}

function toHeirs({ relations }: Surroundings): Reads {
  const parents = relations.filter(({ heirs }) => heirs !== null);
  return new Map(parents.map(({ heirs, ...name }) => [relationKey(name), (heirs ?? []).map(([schema, heir]) => relationKey({ schema, name: heir }))]));
}

/** Reads the whole database and proves that the texts belong to the snapshot. `LISTING_MOVED` when it never holds still. */
export async function inspectDatabase(connection: Connection, options: InspectOptions): Promise<Inspection> {
  const started = performance.now();
  const before = connection.count();
  const reading = await readCompletely(connection, options);
  const isInScope = matchScope(options.scope, postgresDialect);
  const snapshot = toSnapshot(reading, options);
  const outside = [...viewsOf(reading), ...reading.hanging.bystanders.map(({ view }) => view)].filter((view) => !isExported(view, isInScope));
  if (options.memory) options.memory.known = toKnown(reading, { snapshot, outside });
  return {
    snapshot,
    outside,
    session: toSession(reading.surroundings),
    relations: new Set(
      [...reading.surroundings.relations.filter(({ what }) => what !== 'type'), ...reading.surroundings.standing.map(toObjectName)].map(relationKey),
    ),
    occupied: toOccupied(reading.surroundings),
    heirs: toHeirs(reading.surroundings),
    sizes: toSizes(reading.rows),
    milliseconds: performance.now() - started,
    queries: connection.count() - before,
  };
}

function toKnown(reading: Reading, { snapshot, outside }: Pick<Inspection, 'snapshot' | 'outside'>): Memory['known'] {
  const failed = listFailed(reading);
  const unreadable = new Set(listRead(reading).flatMap(({ oid, view }) => (failed.has(oid) ? [relationKey(view.name)] : [])));
  const states = snapshot.containers.flatMap(({ state }) => state ?? []);
  const readable = [...snapshot.views, ...snapshot.bystanders, ...states, ...outside].filter(({ name }) => !unreadable.has(relationKey(name)));
  const { baseline, texts } = reading;
  return { baseline, texts, stale: failed, objects: new Map(readable.map((view) => [relationKey(view.name), view])) };
}

export interface NamesOptions {
  readonly server: ServerFacts;
  readonly memory: Memory;
  /** Whether the database will be inspected once the transaction is over. */
  readonly afterwards: 'inspected' | 'left';
}

/** The named views as the open transaction sees them; those that are absent are left out. `QUERY_FAILED` for one that cannot be read. */
export async function inspectNames(
  connection: Connection,
  { server, memory, afterwards }: NamesOptions,
  names: readonly RelationName[],
): Promise<readonly View[]> {
  const { known } = memory;
  if (known === undefined || names.length < manyViews) return (await readNames(connection, server, names)).views;
  memory.known = undefined;
  const look = await lookAgain(connection, known.baseline);
  const recalled = look.isStill ? recall(known, names) : undefined;
  const isKept = afterwards === 'inspected';
  if (recalled) {
    memory.known = isKept ? known : undefined;
    return recalled;
  }
  const reading = await readNames(connection, server, names);
  if (isKept) memory.known = await learn(connection, known, { look, reading });
  return reading.views;
}

// Of pg_class itself, the same everywhere. https://www.postgresql.org/docs/current/system-catalog-initial-data.html
const classOfRelations = 1259;

/** The texts that are known now. What depends on a new view need not be looked for: it is new as well, or was itself changed. */
async function learn(connection: Connection, known: Former, { look, reading }: { readonly look: Look; readonly reading: NamedReading }): Promise<Former> {
  const fresh = new Set(reading.read.rows.flatMap(({ oid }) => (known.texts.get('view')?.has(oid) ? [] : [oid])));
  const changed = look.changed.filter((each) => each.class !== classOfRelations || !fresh.has(each.object));
  const moved = await findConcerned(connection, changed);
  return learnTexts(known, { baseline: look.now, moved, fresh: reading.texts, read: reading.read });
}

interface NamedReading {
  readonly views: readonly View[];
  readonly texts: Texts;
  /** Those of the views that are none of bystanders. */
  readonly read: KeptViews;
}

async function readNames(connection: Connection, server: ServerFacts, names: readonly RelationName[]): Promise<NamedReading> {
  const relations = names.filter(({ object }) => object === undefined);
  const parameters = [relations.map((name) => name.schema), relations.map((name) => name.name)];
  const oids = (await connection.query<{ oid: number }>(oidsQuery, parameters)).map((row) => row.oid);
  const requests = requestCatalogRows(connection, server.version, oids);
  const [rows, texts, objects] = await Promise.all([
    requests.rows,
    requests.printed.then((printed) => readTexts(connection, listPrinted(printed))),
    relations.length === names.length ? [] : inspectObjects(connection, names),
  ]);
  const read = { rows: rows.views, views: toViews(rows, texts, server.version) };
  const found = [...read.views, ...objects];
  const failed = found.find((each) => each.failure !== undefined);
  if (failed === undefined) return { views: found.map((each) => each.view), texts, read };
  throw new ViewsyncError('QUERY_FAILED', {
    message: `"${relationKey(failed.view.name)}" cannot be read: ${failed.failure}. Rolled back; nothing changed.`,
    suggestions: ['viewsync status'],
  });
}

/** See `Transaction.listBystanders`. */
export async function inspectBystanders(connection: Connection): Promise<readonly View[]> {
  const [views, rows] = await Promise.all([connection.query<NamedView>(namesQuery), readBystanders(connection)]);
  return toHanging(rows, views).bystanders.map(({ view }) => view);
}

/** The bystanders and schemas of these names. */
async function inspectObjects(connection: Connection, names: readonly RelationName[]): Promise<readonly CatalogBystander[]> {
  const wanted = new Set(names.map(relationKey));
  const [views, rows, schemas, schemaPrivileges] = await Promise.all([
    connection.query<NamedView>(namesQuery),
    readBystanders(connection),
    connection.query<SchemaRow>(schemasQuery),
    connection.query<SchemaPrivilegeRow>(schemaPrivilegesQuery),
  ]);
  const { bystanders } = toHanging(rows, views);
  const containers = toContainers({ schemas, schemaPrivileges }).flatMap(({ state }) => (state ? [{ oid: 0, view: state }] : []));
  return [...bystanders, ...containers].filter(({ view }) => wanted.has(relationKey(view.name)));
}

/** All views, each with the bystanders that it needs. */
function viewsOf({ views, hanging }: Pick<Reading, 'views' | 'hanging'>): readonly View[] {
  return views.map(({ oid, view }) => {
    const needs = hanging.needs.get(oid);
    return needs === undefined ? view : { ...view, needs };
  });
}

/** Whether it has a file: a view in scope, or what hangs on one. */
function isExported({ kind, name, reads }: View, isInScope: (name: RelationName) => boolean): boolean {
  return kind === 'bystander' ? reads.some(isInScope) : isInScope(name);
}

function toSnapshot(reading: Reading, { server, scope }: InspectOptions): Snapshot {
  const isInScope = matchScope(scope, postgresDialect);
  const all = [...reading.views, ...reading.hanging.bystanders];
  const failures = new Map(all.flatMap(({ view, failure }) => (failure === undefined ? [] : [[relationKey(view.name), failure] as const])));
  const exported = [...viewsOf(reading), ...reading.hanging.bystanders.map(({ view }) => view)].filter((view) => isExported(view, isInScope));
  const readable = exported.filter(({ name }) => !failures.has(relationKey(name)));
  const unreadable = exported.flatMap(({ name }) => {
    const reason = failures.get(relationKey(name));
    return reason === undefined ? [] : [{ name, reason }];
  });
  return {
    origin: { from: 'warehouse' },
    description: { warehouse: 'postgres', version: server.version, scope, identity: server.identity, unreadable },
    views: readable.filter(isView),
    containers: toContainers(reading.surroundings),
    bystanders: readable.filter((view) => !isView(view)),
    losses: [...reading.hanging.losses, ...findUnreadable(reading.hanging)].sort((left, right) => compareText(left.description, right.description)),
  };
}

/** A bystander whose text is not known would be lost with its view. */
function findUnreadable({ bystanders }: Hanging): readonly Loss[] {
  return bystanders.flatMap(({ view, failure }) =>
    failure === undefined ? [] : [{ description: `${relationKey(view.name)}, which cannot be read (${failure}),`, of: view.reads }],
  );
}

function toSizes(rows: readonly ViewRow[]): ReadonlyMap<string, number> {
  return new Map(rows.flatMap((row) => (row.size === null ? [] : [[relationKey(row), Number(row.size)] as const])));
}
