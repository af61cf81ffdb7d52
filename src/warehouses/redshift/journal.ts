import type { Connection } from '../postgres-family/connection.ts';

/**
 * What an open transaction has done, so that it can be done again. Redshift has no savepoints, and a statement that it refuses voids the
 * transaction: to go back to a point the transaction is rolled back and what came before that point runs once more.
 */
export interface Journal {
  /** Runs statements and remembers those that succeeded. Queries are not remembered: they change nothing. */
  readonly connection: Connection;
  /** How much was done. */
  position(): number;
  /** Adds something to be done again with the rest, beside statements. */
  add(redo: () => Promise<void>): void;
  /** Comes back to what was done up to a position. What fails on the way, which succeeded before, is thrown. */
  returnTo(position: number): Promise<void>;
}

/** Begins to remember; the transaction was begun right before. */
export function keepJournal(connection: Connection): Journal {
  const entries: (() => Promise<void>)[] = [];
  const run = async (sql: string) => {
    await connection.run(sql);
    entries.push(() => connection.run(sql));
  };
  return {
    connection: { ...connection, run },
    position: () => entries.length,
    add: (redo) => entries.push(redo),
    returnTo: async (position) => {
      entries.length = Math.min(entries.length, position);
      await connection.run('ROLLBACK');
      await connection.run('BEGIN');
      for (const redo of entries) await redo();
    },
  };
}
