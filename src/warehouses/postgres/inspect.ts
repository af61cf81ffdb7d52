import { type RelationName, relationKey } from '../../core/relation.ts';
import { matchScope } from '../../core/scope.ts';
import type { Scope, Snapshot } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Inspection, Progress } from '../warehouse.ts';
import { type CatalogRows, type CatalogView, listPrinted, toViews } from './catalog.ts';
import { oidsQuery } from './catalog-queries.ts';
import { postgresDialect } from './dialect.ts';
import { type Baseline, findMoved, readBaseline } from './moved.ts';
import { readSurroundings, requestCatalogRows, type Surroundings, toContainers, toLosses, toSession } from './read-catalog.ts';
import type { ServerFacts } from './server.ts';
import { beginReading } from './session.ts';
import { mergeTexts, type Printed, readTexts, type Texts } from './texts.ts';

const rounds = 3;
const patience = 60_000;

/** What one transaction read. */
interface Reading {
  readonly baseline: Baseline;
  readonly rows: CatalogRows;
  readonly texts: Texts;
  readonly views: readonly CatalogView[];
  readonly surroundings: Surroundings;
  /** Oids of views that could not be read in the round before either. */
  readonly confirmed: ReadonlySet<number>;
}

export interface InspectOptions {
  readonly server: ServerFacts;
  readonly scope: Scope;
  readonly progress?: Progress | undefined;
  /** How many milliseconds to wait for someone who keeps a relation locked against readers. */
  readonly lockTimeout?: number;
}

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

async function readCompletely(connection: Connection, options: InspectOptions): Promise<Reading> {
  let previous: Reading | undefined;
  let moved: ReadonlySet<number> = new Set();
  for (let round = 0; round <= rounds; round++) {
    await connection.run(beginRound(options));
    try {
      if (previous !== undefined) {
        moved = await findMoved(connection, previous.baseline);
        if (isProven(previous, moved)) return previous;
      }
      previous = await readRound(connection, { ...options, previous, moved });
    } finally {
      await connection.run('ROLLBACK');
    }
  }
  throw movedTooOften(previous, moved);
}

function beginRound({ lockTimeout }: InspectOptions): string {
  return `${beginReading}; SET LOCAL lock_timeout = ${lockTimeout ?? patience}`;
}

function isProven(reading: Reading, moved: ReadonlySet<number>): boolean {
  return reading.views.every(({ oid, failure }) => !moved.has(oid) && (failure === undefined || reading.confirmed.has(oid)));
}

interface RoundOptions extends InspectOptions {
  readonly previous: Reading | undefined;
  readonly moved: ReadonlySet<number>;
}

/** Reads all rows anew, and the texts that were not read before or that may have changed. */
async function readRound(connection: Connection, options: RoundOptions): Promise<Reading> {
  const { previous, moved, server, progress } = options;
  const requests = requestCatalogRows(connection, server.version);
  const others = [requests.rows, readBaseline(connection), readSurroundings(connection, server.version)] as const;
  const failed = new Set(previous?.views.filter((each) => each.failure !== undefined).map((each) => each.oid));
  const isKnown = (view: number): boolean => previous !== undefined && !moved.has(view) && !failed.has(view);
  // The texts are asked for before the other rows have come, so that the server never waits for us.
  const requested = requests.printed.then((printed) => {
    const wanted = listPrinted(printed).filter(({ kind, oid, view }) => !isKnown(view) || previous?.texts.get(kind)?.has(oid) !== true);
    const total = wanted.filter(({ kind }) => kind === 'view').length;
    return readTextsApart(connection, wanted, { ...options, onBatch: (done) => progress?.({ what: 'definitions', done, total }) });
  });
  const [read, rows, baseline, surroundings] = await Promise.all([requested, ...others]);
  const texts = previous === undefined ? read : mergeTexts(previous.texts, read);
  return { baseline, rows, texts, views: toViews(rows, texts, server.version), surroundings, confirmed: failed };
}

// Below this many it takes longer to open a connection than to print on the one there is.
const manyTexts = 500;

/**
 * Texts come from another connection when there are many of them. What is printed follows no snapshot, wherever it is asked for: that
 * it is the state of the catalogs is proven afterwards.
 */
async function readTextsApart(
  connection: Connection,
  wanted: readonly Printed[],
  { onBatch, ...options }: InspectOptions & { readonly onBatch: (done: number) => void },
): Promise<Texts> {
  const other = wanted.length < manyTexts ? undefined : await connection.connectAgain().catch(() => undefined);
  if (other === undefined) return readTexts(connection, wanted, onBatch);
  try {
    await other.run(beginRound(options));
    return await readTexts(other, wanted, onBatch);
  } finally {
    await other.close();
  }
}

function movedTooOften(reading: Reading | undefined, moved: ReadonlySet<number>): ViewsyncError {
  const names = reading?.views.filter(({ oid, failure }) => moved.has(oid) || failure !== undefined).map(({ view }) => `"${relationKey(view.name)}"`) ?? [];
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
  return new ViewsyncError('LISTING_MOVED', {
    message: `Views were changed by someone else each of the ${rounds} times that they were read: ${shown}. Nothing was recorded, because what was read may never have existed together.`,
    suggestions: ['Run it again when no migration runs.'],
  });
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
