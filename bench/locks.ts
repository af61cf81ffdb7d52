import pg from 'pg';

const lockCount = `SELECT count(*)::int AS locks FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'viewsync' AND l.locktype = 'relation'`;

/** The most locks on relations that our sessions held while the work went on, as a session beside it saw them. */
export async function watchLocks(url: string, work: Promise<unknown>): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  let most = 0;
  while (!isOver) {
    const { rows } = await client.query<{ locks: number }>(lockCount);
    most = Math.max(most, rows[0]?.locks ?? 0);
  }
  await client.end();
  await over;
  return most;
}
