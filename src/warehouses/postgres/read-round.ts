import { compareRelations } from '../../core/relation.ts';
import type { Scope } from '../../core/snapshot.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Progress } from '../warehouse.ts';
import { type Baseline, readBaseline } from './baseline.ts';
import { patience } from './brief-wait.ts';
import { type Hanging, type NamedView, toHanging } from './bystanders.ts';
import { type CatalogView, listPrinted, toViews } from './catalog.ts';
import { namesQuery } from './catalog-queries.ts';
import type { ViewRow } from './catalog-rows.ts';
import type { Former, KeptViews, Memory } from './known.ts';
import { readBystanders } from './read-bystanders.ts';
import { readSurroundings, requestCatalogRows, type Surroundings } from './read-catalog.ts';
import type { ServerFacts } from './server.ts';
import { beginReading } from './session.ts';
import { mergeTexts, type Printed, readTexts, type TextOptions, type Texts } from './texts.ts';

/** What one transaction read. */
export interface Reading {
  readonly baseline: Baseline;
  readonly rows: readonly ViewRow[];
  readonly texts: Texts;
  readonly views: readonly CatalogView[];
  readonly surroundings: Surroundings;
  readonly hanging: Hanging;
  /** Oids of views and bystanders that could not be read in the round before either. */
  readonly confirmed: ReadonlySet<number>;
  /** How many texts had to be printed. */
  readonly printed: number;
}

export interface InspectOptions {
  readonly server: ServerFacts;
  readonly scope: Scope;
  readonly progress?: Progress | undefined;
  /** How many milliseconds to wait for someone who keeps a relation locked against readers. */
  readonly lockTimeout?: number;
  /** What this connection has read before. */
  readonly memory?: Memory;
}

/** Opens the transaction of a round. */
export function beginRound({ lockTimeout }: InspectOptions): string {
  return `${beginReading}; SET LOCAL lock_timeout = ${lockTimeout ?? patience}`;
}

export interface RoundOptions extends InspectOptions {
  /** What need not be printed again. */
  readonly former: Former | undefined;
  /** Oids of views and bystanders that could not be read in the round before. */
  readonly failed: ReadonlySet<number>;
  /** What the catalogs hold in the open transaction, where that was read already. */
  readonly baseline: Baseline | undefined;
  /** `together`: on this connection however many they are, since another one would wait for what this one holds; and no lock is waited for anew. */
  readonly texts?: 'together';
}

/** Everything that has a text: views and bystanders. */
export function listRead(reading: Reading | undefined): readonly CatalogView[] {
  return reading === undefined ? [] : [...reading.views, ...reading.hanging.bystanders];
}

/** Those of which no text was read. */
export function listFailed(reading: Reading | undefined): ReadonlySet<number> {
  return new Set(listRead(reading).flatMap(({ oid, failure }) => (failure === undefined ? [] : [oid])));
}

/** Fewer are read again in less time than it takes to find out whether anything has moved. */
export const manyViews = 100;

/** Reads all rows anew, and the texts that were not read before or that may have changed. */
export async function readRound(connection: Connection, options: RoundOptions): Promise<Reading> {
  const { former, server, progress } = options;
  const kept = former?.kept ?? nothingKept;
  const requests = requestCatalogRows(connection, server.version, kept.rows.length === 0 ? undefined : await listOthers(connection, kept));
  const others = [
    requests.rows,
    options.baseline ?? requests.printed.then(({ views }) => readBaseline(connection, views.length < manyViews ? 'printed' : 'everything')),
    readSurroundings(connection, server.version),
    readBystanders(connection, toTextOptions(options)),
  ] as const;
  // The texts are asked for before the other rows have come, so that the server never waits for us.
  const requested = requests.printed.then(async (rows) => {
    const wanted = listPrinted(rows).filter(({ kind, oid, view }) => former === undefined || former.stale.has(view) || !former.texts.get(kind)?.has(oid));
    const total = wanted.filter(({ kind }) => kind === 'view').length;
    const texts = await readTextsApart(connection, wanted, { ...options, onBatch: (done) => progress?.({ what: 'definitions', done, total }) });
    return { texts, printed: wanted.length };
  });
  const [read, rows, baseline, surroundings, bystanders] = await Promise.all([requested, ...others]);
  const texts = former === undefined ? read.texts : mergeTexts(former.texts, read.texts);
  const views = mergeViews(kept.views, toViews(rows, texts, server.version));
  const viewRows = [...kept.rows, ...rows.views];
  const printed = read.printed + [...bystanders.texts.values()].reduce((sum, { size }) => sum + size, 0);
  return { baseline, rows: viewRows, texts, views, surroundings, hanging: toHanging(bystanders, viewRows), confirmed: options.failed, printed };
}

const nothingKept: KeptViews = { rows: [], views: [] };

/** Both, sorted by name as each of them is. */
function mergeViews(kept: readonly CatalogView[], others: readonly CatalogView[]): readonly CatalogView[] {
  if (kept.length === 0) return others;
  return [...kept, ...others].sort((left, right) => compareRelations(left.view.name, right.view.name));
}

/** Oids of the views that are there beside the kept ones. */
async function listOthers(connection: Connection, { rows }: KeptViews): Promise<readonly number[]> {
  const kept = new Set(rows.map(({ oid }) => oid));
  return (await connection.query<NamedView>(namesQuery)).flatMap(({ oid }) => (kept.has(oid) ? [] : [oid]));
}

function toTextOptions({ texts, lockTimeout }: RoundOptions): Pick<TextOptions, 'patience'> {
  return texts === 'together' ? {} : { patience: lockTimeout ?? patience };
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
  { onBatch, ...options }: RoundOptions & { readonly onBatch: (done: number) => void },
): Promise<Texts> {
  const other = wanted.length < manyTexts || options.texts === 'together' ? undefined : await connection.connectAgain().catch(() => undefined);
  const reading = { ...toTextOptions(options), onBatch };
  if (other === undefined) return readTexts(connection, wanted, reading);
  try {
    await other.run(beginRound(options));
    return await readTexts(other, wanted, reading);
  } finally {
    await other.close();
  }
}
