import type { RelationName } from '../../core/relation.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { FailedStandIn, StandIn } from '../scratch.ts';
import type { ServerFacts } from './server.ts';
import { beginReading, beginWriting } from './session.ts';
import { createRunner, dropRunner, runStatements } from './settle-sql.ts';
import { standInQueries, tablesQuery } from './stand-in-queries.ts';

interface StandInRow {
  readonly what: string;
  readonly schema: string | null;
  readonly name: string | null;
  readonly sql: string;
}

function toStandIn({ what, schema, name, sql }: StandInRow): StandIn {
  const brings = what.startsWith('extension ') ? { brings: 'more' as const } : {};
  return { what, sql, ...brings, ...(schema === null || name === null ? {} : { relation: { schema, name } }) };
}

/** `Warehouse.listStandIns`: one look at the catalogs, in a constant number of queries. */
export async function listStandIns(connection: Connection, { version }: ServerFacts, held: readonly RelationName[]): Promise<readonly StandIn[]> {
  const parameters = [held.map(({ schema }) => schema), held.map(({ name }) => name)];
  await connection.run(beginReading);
  try {
    const { before, after, last } = standInQueries(version);
    const ask = (sql: string) => connection.query<StandInRow>(sql);
    const [rows, lastRows] = await Promise.all([
      Promise.all([...before.map(ask), connection.query<StandInRow>(tablesQuery, parameters), ...after.map(ask)]),
      Promise.all(last.map(ask)),
    ]);
    return [...rows.flat().map(toStandIn), ...lastRows.flat().map((row) => ({ ...toStandIn(row), when: 'last' as const }))];
  } finally {
    await connection.run('ROLLBACK');
  }
}

// A table takes about five locks until the end of its transaction.
const batchSize = 200;

async function runBatch(connection: Connection, batch: readonly StandIn[]): Promise<readonly FailedStandIn[]> {
  await connection.run(beginWriting);
  await createRunner(connection);
  const failures = await runStatements(
    connection,
    batch.map(({ sql }) => sql),
  );
  await dropRunner(connection);
  await connection.run('COMMIT');
  return failures.flatMap(({ position, message }) => {
    const standIn = batch[position];
    return standIn ? [{ standIn, because: message }] : [];
  });
}

/** Makes stand-ins, round by round, as long as a round makes any: what one of them needs may come later in the list. */
export async function makeStandIns(connection: Connection, standIns: readonly StandIn[]): Promise<readonly FailedStandIn[]> {
  let open = standIns;
  for (;;) {
    const failed: FailedStandIn[] = [];
    for (let start = 0; start < open.length; start += batchSize) failed.push(...(await runBatch(connection, open.slice(start, start + batchSize))));
    if (failed.length === 0 || failed.length === open.length) return failed;
    open = failed.map(({ standIn }) => standIn);
  }
}
