import { orderByReads } from '../../core/graph.ts';
import { relationKey } from '../../core/relation.ts';
import { isView } from '../../core/view.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import { findKnownReads } from '../postgres-family/rewrite.ts';
import type { Settled, SettleRequest } from '../warehouse.ts';
import { isDenied, lettingGo, waitBriefly } from './brief-wait.ts';
import { postgresDialect } from './dialect.ts';
import type { ServerFacts } from './server.ts';
import { beginWriting } from './session.ts';
import { settleBatch } from './settle-batch.ts';
import { settleBystanders } from './settle-bystanders.ts';
import type { Question } from './settle-compare.ts';
import { settleParts } from './settle-parts.ts';
import { createRunner } from './settle-sql.ts';

const batchSize = 300;

/** See `Warehouse.settle`: in a transaction of its own that is rolled back. */
export async function settle(connection: Connection, server: ServerFacts, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  if (server.isStandby) return unproven(requests, 'the server is a standby, on which nothing can be created');
  return lettingGo(async () => {
    await connection.run(`${beginWriting}; ${waitBriefly()}`);
    try {
      return await settleInside(connection, requests);
    } finally {
      await connection.run('ROLLBACK');
    }
  });
}

/** The same inside the open transaction, of which nothing stays behind. Raises the server's error when a lock is not had. */
export async function settleInside(connection: Connection, requests: readonly SettleRequest[]): Promise<ReadonlyMap<string, Settled>> {
  const settled = new Map(
    await settleBystanders(
      connection,
      requests.filter(({ wanted }) => !isView(wanted)),
    ),
  );
  for (const batch of toBatches(toQuestions(requests.filter(({ wanted }) => isView(wanted))))) {
    const answers = await settleAside(connection, batch, settled);
    for (const [key, answer] of answers) settled.set(key, answer);
  }
  const equivalents = await settleParts(connection, requests);
  for (const [key, found] of equivalents) settled.set(key, { ...(settled.get(key) as Settled), equivalents: found });
  return settled;
}

async function settleAside(connection: Connection, batch: Batch, settled: ReadonlyMap<string, Settled>): Promise<ReadonlyMap<string, Settled>> {
  await connection.run('SAVEPOINT viewsync_settle');
  try {
    await createRunner(connection);
    return await settleBatch(connection, { ...batch, settled });
  } catch (error) {
    if (!isServerError(error) || isDenied(error)) throw error;
    return unproven(batch.questions, `the server refuses to create temporary views: ${error.message}`);
  } finally {
    await connection.run('ROLLBACK TO SAVEPOINT viewsync_settle; RELEASE SAVEPOINT viewsync_settle');
  }
}

interface Batch {
  readonly questions: readonly Question[];
  /** Questions of earlier batches, in their order. */
  readonly earlier: readonly Question[];
}

/** In the order in which the wanted views can be created. */
function toQuestions(requests: readonly SettleRequest[]): readonly Question[] {
  const byKey = new Map(requests.map((request) => [relationKey(request.wanted.name), request]));
  const known = new Set(byKey.keys());
  const reads = new Map([...byKey].map(([key, { wanted }]) => [key, findKnownReads(wanted.definition, known, postgresDialect)]));
  const positions = new Map([...byKey.keys()].map((key, position) => [key, position]));
  return orderByReads(reads).flatMap(({ members, isCircular }) =>
    members.flatMap((key) => {
      const request = byKey.get(key);
      return request === undefined ? [] : [{ ...request, key, isCircular, reads: reads.get(key) ?? [], temporary: `viewsync_settle_${positions.get(key)}` }];
    }),
  );
}

/** Batches bound the locks of one round. The members of a circle stand side by side and stay together. */
function toBatches(questions: readonly Question[]): readonly Batch[] {
  const batches: Batch[] = [];
  for (let start = 0; start < questions.length; ) {
    let end = Math.min(start + batchSize, questions.length);
    while (end < questions.length && questions[end - 1]?.isCircular && questions[end]?.isCircular) end++;
    batches.push({ questions: questions.slice(start, end), earlier: questions.slice(0, start) });
    start = end;
  }
  return batches;
}

function unproven(requests: readonly SettleRequest[], because: string): ReadonlyMap<string, Settled> {
  return new Map(requests.map(({ wanted }) => [relationKey(wanted.name), { outcome: 'unproven', because }]));
}
