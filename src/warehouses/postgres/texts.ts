import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { isDenied, lettingGo, waitBriefly } from './brief-wait.ts';
import { bystanderTextQueries } from './bystander-texts.ts';
import { textQueries as viewTextQueries } from './catalog-queries.ts';

const textQueries = { ...viewTextQueries, ...bystanderTextQueries };

export type TextKind = keyof typeof textQueries;

/** Something that the server prints: a view's definition, a rule, an index. `locks` is how many relations it locks to do so. */
export interface Printed {
  readonly kind: TextKind;
  readonly oid: number;
  /** Oid of the view that it belongs to. */
  readonly view: number;
  readonly locks: number;
}

export type PrintedText = { readonly text: string } | { readonly failure: string };

/** Texts by oid; oids of different kinds do not meet in one map. */
export type Texts = ReadonlyMap<TextKind, ReadonlyMap<number, PrintedText>>;

/** What the server printed for one of them. */
export function textOf(texts: Texts, kind: TextKind, oid: number): PrintedText {
  return texts.get(kind)?.get(oid) ?? { failure: 'it was not read' };
}

interface Batch {
  readonly kind: TextKind;
  readonly oids: readonly number[];
}

const batchSize = 100;
const batchLocks = 400;

/** How a batch comes by its locks, and whom to tell that it is done. */
export interface TextOptions {
  /**
   * Milliseconds in which it is tried again and again to have all of them at once, for a transaction that holds none. Left out: each is waited for
   * as long as the transaction's `lock_timeout` says, and what it holds stays locked.
   */
  readonly patience?: number | undefined;
  readonly onBatch?: (done: number) => void;
}

/**
 * Has the server print everything, in batches that are pipelined. `pg_get_viewdef` and `pg_get_ruledef` lock what they print until the
 * transaction ends, so each batch is rolled back to a savepoint. One text that the server cannot print costs the others of its batch a second try.
 */
export async function readTexts(connection: Connection, printed: readonly Printed[], options: TextOptions = {}): Promise<Texts> {
  const { patience, onBatch } = options;
  let done = 0;
  const found = await Promise.all(
    toBatches(printed).map(async (batch) => {
      const texts = await (patience === undefined ? readBatch(connection, batch) : lettingGo(() => readBatch(connection, batch, patience), patience));
      done += batch.kind === 'view' ? batch.oids.length : 0;
      onBatch?.(done);
      return { kind: batch.kind, texts };
    }),
  );
  const kinds = Object.keys(textQueries) as TextKind[];
  return new Map(kinds.map((kind) => [kind, new Map(found.filter((each) => each.kind === kind).flatMap((each) => each.texts))]));
}

function toBatches(printed: readonly Printed[]): readonly Batch[] {
  const batches: { kind: TextKind; oids: number[]; locks: number }[] = [];
  for (const { kind, oid, locks } of [...printed].sort((left, right) => (left.kind < right.kind ? -1 : left.kind > right.kind ? 1 : 0))) {
    const last = batches.at(-1);
    const fits = last?.kind === kind && last.oids.length < batchSize && last.locks + locks <= batchLocks;
    if (fits) {
      last.oids.push(oid);
      last.locks += locks;
    } else {
      batches.push({ kind, oids: [oid], locks });
    }
  }
  return batches;
}

type ReadText = readonly [oid: number, text: PrintedText];

async function readBatch(connection: Connection, batch: Batch, patience?: number): Promise<readonly ReadText[]> {
  try {
    const rows = await queryBatch(connection, batch, patience);
    const texts = new Map(rows.map((row) => [row.oid, row.text]));
    return batch.oids.map((oid) => [oid, toText(texts.get(oid))]);
  } catch (error) {
    if (!isServerError(error) || isDenied(error)) throw error;
    if (batch.oids.length === 1) return batch.oids.map((oid) => [oid, { failure: `${error.message} (SQLSTATE ${error.code})` }]);
    return (await Promise.all(batch.oids.map((oid) => readBatch(connection, { kind: batch.kind, oids: [oid] }, patience)))).flat();
  }
}

async function queryBatch(connection: Connection, batch: Batch, patience?: number): Promise<{ readonly oid: number; readonly text: string | null }[]> {
  const [, rows] = await Promise.all([
    connection.run(patience === undefined ? 'SAVEPOINT viewsync' : `SAVEPOINT viewsync; ${waitBriefly(patience)}`),
    connection.query<{ oid: number; text: string | null }>(textQueries[batch.kind], [batch.oids]),
    connection.run('ROLLBACK TO SAVEPOINT viewsync; RELEASE SAVEPOINT viewsync'),
  ]);
  return rows;
}

// Marks of a cycle that are no booleans are printed with a cast, which the server's own grammar does not take there: only a constant with its type in front.
const castMarks = /(\bSET \S+ TO )('(?:[^']|'')*')::([^']+?)( DEFAULT )('(?:[^']|'')*')::([^']+?)(?= USING )/g;

/** https://www.postgresql.org/docs/current/queries-with.html#QUERIES-WITH-CYCLE */
function withLoadableMarks(text: string): string {
  return text.includes(' CYCLE ') ? text.replace(castMarks, '$1$3 $2$4$6 $5') : text;
}

function toText(text: string | null | undefined): PrintedText {
  if (text === null || text === undefined) return { failure: 'the server returns no text for it' };
  return { text: withLoadableMarks(text.trim().replace(/\s*;$/, '')) };
}

/** Texts of both; the later ones win. */
export function mergeTexts(earlier: Texts, later: Texts): Texts {
  return new Map([...earlier].map(([kind, texts]) => [kind, new Map([...texts, ...(later.get(kind) ?? [])])]));
}
