import type { Connection } from '../postgres-family/connection.ts';

interface Row {
  readonly clock: Date;
  readonly temporary: boolean;
  readonly standby: boolean;
  readonly foreign: number;
  readonly identifiable: boolean;
}

// https://www.postgresql.org/docs/current/functions-info.html: the functions that ask for privileges take the current role when none is given.
const question = `SELECT clock_timestamp() AS clock, has_database_privilege(current_database(), 'TEMP') AS temporary, pg_is_in_recovery() AS standby,
  has_function_privilege('pg_control_system()', 'EXECUTE') AS identifiable,
  (SELECT count(*)::int FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT pg_has_role(c.relowner, 'USAGE')) AS "foreign"`;

/** `Warehouse.examine`. */
export async function examineServer(connection: Connection): Promise<{ readonly clock: Date; readonly findings: readonly string[] }> {
  const [row] = await connection.query<Row>(question);
  if (!row) return { clock: new Date(), findings: [] };
  return {
    clock: row.clock,
    findings: [
      ...(row.standby ? ['The server is a standby: views can be exported, but nothing can be applied.'] : []),
      ...(row.temporary ? [] : ['This role may not create temporary views, so texts that differ cannot be compared by the server; they count as changed.']),
      ...(row.identifiable ? [] : ['This role may not call pg_control_system(), so a restored copy of the database looks like the database itself.']),
      ...(row.foreign > 0 ? [`This role is no member of the owners of ${row.foreign} views: it can export them, but not apply them.`] : []),
    ],
  };
}
