import type { Connection } from '../postgres-family/connection.ts';
import { quoteIdentifier } from './names.ts';

// What a run of ours may send.
const commands = ['VIEW', 'MATERIALIZED VIEW', 'FUNCTION', 'PROCEDURE', 'AGGREGATE', 'POLICY', 'RULE', 'TRIGGER', 'INDEX', 'TABLE', 'SCHEMA'];
const tags = commands.flatMap((object) => ['CREATE', 'ALTER', 'DROP'].map((verb) => `${verb} ${object}`)).concat('GRANT', 'REVOKE', 'COMMENT');

/** https://www.postgresql.org/docs/current/event-trigger-definition.html */
const watchersQuery = `
SELECT e.evtname::text AS name, pg_get_userbyid(e.evtowner)::text AS owner, e.evtevent::text AS event, e.evtfoid::regprocedure::text AS function
FROM pg_event_trigger e
WHERE e.evtenabled IN ('O', 'A') AND e.evtevent IN ('ddl_command_start', 'ddl_command_end', 'sql_drop') AND (e.evttags IS NULL OR e.evttags && $1::text[])
ORDER BY e.evtname`;

interface WatcherRow {
  readonly name: string;
  readonly owner: string;
  readonly event: string;
  readonly function: string;
}

function describe({ name, owner, event, function: called }: WatcherRow): string {
  const alter = `ALTER EVENT TRIGGER ${quoteIdentifier(name)}`;
  return `The event trigger "${name}" of "${owner}" calls ${called} at ${event} and may refuse a statement, or do more than it says. To do without it: ${alter} DISABLE; afterwards ${alter} ENABLE.`;
}

/** What may refuse statements of ours for reasons of its own. */
export interface Watcher {
  /** In whole sentences. */
  readonly told: string;
  /** What it runs, as the server calls it. */
  readonly routine: string;
}

/** Reads them, by name. */
export async function readWatchers(connection: Connection): Promise<readonly Watcher[]> {
  return (await connection.query<WatcherRow>(watchersQuery, [tags])).map((row) => ({ told: describe(row), routine: row.function }));
}
