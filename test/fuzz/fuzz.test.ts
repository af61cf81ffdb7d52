import { expect, test } from 'vitest';
import { createDatabase, createRole, postgresServers, type TestDatabase } from '../support/postgres-server.ts';
import { openWorkplace } from '../support/workplace.ts';
import { roles } from './model.ts';
import { describeSeed, runSeed } from './run-seed.ts';

// Set by `npm run fuzz -- --seeds 500 --from 1`.
const seeds = Number(process.env['VIEWSYNC_SEEDS'] ?? 8);
const from = Number(process.env['VIEWSYNC_FROM'] ?? 1);

interface Failure {
  readonly seed: number;
  readonly message: string;
}

/** Runs every seed that `next` gives on one database, so that two lanes never meet. */
async function runLane(database: TestDatabase, next: () => number | undefined): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  const place = await openWorkplace({ database });
  for (let seed = next(); seed !== undefined; seed = next()) {
    const tried = seed;
    await runSeed(tried, place).catch((error: unknown) => {
      const { schema, damage } = describeSeed(tried);
      const message = `seed ${tried} on PostgreSQL ${database.version}: ${error instanceof Error ? error.message : String(error)}`;
      console.error(`${message}\n${[...schema, '-- damage', ...damage].join(';\n')};`);
      failures.push({ seed: tried, message: message.slice(0, 2000) });
    });
  }
  return failures;
}

/** The seeds that belong to one of the servers, which is the same for a seed in every run. */
function createQueue(position: number, servers: number): () => number | undefined {
  const waiting = Array.from({ length: seeds }, (_, index) => from + index).filter((seed) => seed % servers === position);
  return () => waiting.shift();
}

test(`random schemas come back from random damage (seeds ${from} to ${from + seeds - 1})`, async () => {
  const servers = postgresServers();
  const queues = servers.map((_, position) => createQueue(position, servers.length));
  const databases = await Promise.all([...servers, ...servers].map(({ version }) => createDatabase(version)));
  try {
    for (const { query } of databases) await query(roles.map((role) => createRole(role)).join(' '));
    const failures = await Promise.all(databases.map((database, lane) => runLane(database, queues[lane % servers.length] as () => number | undefined)));
    expect(failures.flat()).toEqual([]);
  } finally {
    await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()));
  }
}, 3_600_000);
