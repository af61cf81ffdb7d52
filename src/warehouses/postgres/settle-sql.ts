import type { Column } from '../../core/view.ts';
import type { Connection } from '../postgres-family/connection.ts';
import { amongComparisons } from './comparison-path.ts';
import { quoteRelation } from './names.ts';

/** What became of one statement; a missing outcome is a success. */
export interface StatementOutcome {
  /** Position in the list, counted from 0. */
  readonly position: number;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** Whether it was not the statement that was refused, but code that failed which the server ran for it, such as an event trigger's. */
  readonly isOfCode?: boolean;
}

export interface TemporaryView {
  readonly definition: string;
  readonly columns: readonly Column[];
}

/** Each statement on its own: one that fails takes nothing with it, unless it is a lock that was not had. One round trip for all. */
const runnerDefinition = `
CREATE FUNCTION pg_temp.viewsync_settle(statements text[]) RETURNS TABLE ("position" int, code text, message text, hint text, context text) LANGUAGE plpgsql AS $runner$
BEGIN
  FOR number IN 1 .. cardinality(statements) LOOP
    BEGIN
      EXECUTE statements[number];
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      RAISE;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
      "position" := number - 1;
      code := SQLSTATE;
      RETURN NEXT;
    END;
  END LOOP;
END $runner$`;

/** Makes the function that runs statements; it goes with the transaction. Fails where temporary objects are not permitted. */
export function createRunner(connection: Connection): Promise<void> {
  return connection.run(runnerDefinition);
}

/** For a transaction that is committed: nothing of ours stays in the session. */
export function dropRunner(connection: Connection): Promise<void> {
  return connection.run('DROP FUNCTION pg_temp.viewsync_settle(text[])');
}

/** Whether anything stands in a call stack above a statement that our function ran. */
export function isCalled(context: string, statement: string): boolean {
  const at = context.includes(statement) ? context.indexOf(statement) : context.lastIndexOf('\n') + 1;
  return context.slice(0, at).includes('\n');
}

interface FailedRow extends Omit<StatementOutcome, 'isOfCode'> {
  readonly context: string;
}

/** Runs each statement on its own; resolves to those that failed. */
export async function runStatements(connection: Connection, statements: readonly string[]): Promise<StatementOutcome[]> {
  const sent = statements.map(amongComparisons);
  const rows = await connection.query<FailedRow>('SELECT * FROM pg_temp.viewsync_settle($1)', [sent]);
  return rows.map(({ context, ...failure }) => ({ ...failure, isOfCode: isCalled(context, sent[failure.position] ?? '') }));
}

const temporaryViews = `
FROM pg_class c JOIN unnest($1::text[]) wanted(name) ON c.relname = wanted.name
WHERE c.relnamespace = pg_my_temp_schema()`;

/** How the server prints temporary views, by name; the ones that do not exist are left out. */
async function readTemporaryViews(connection: Connection, names: readonly string[]): Promise<ReadonlyMap<string, TemporaryView>> {
  const [views, columns] = await Promise.all([
    connection.query<{ name: string; definition: string }>(`SELECT c.relname::text AS name, pg_get_viewdef(c.oid) AS definition ${temporaryViews}`, [names]),
    connection.query<Column & { readonly view: string }>(
      `SELECT view, a.attname::text AS name, format_type(a.atttypid, a.atttypmod)
              || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END AS type
       FROM (SELECT c.oid, c.relname::text AS view ${temporaryViews}) found
            JOIN pg_attribute a ON a.attrelid = found.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
       ORDER BY view, a.attnum`,
      [names],
    ),
  ]);
  const byView = Map.groupBy(columns, ({ view }) => view);
  const toColumns = (name: string): readonly Column[] => (byView.get(name) ?? []).map(({ name: column, type }) => ({ name: column, type }));
  return new Map(views.map(({ name, definition }) => [name, { definition, columns: toColumns(name) }]));
}

/** Over one of the same columns, which may be a placeholder. */
export function createTemporary(name: string, definition: string, columns = ''): string {
  return `CREATE OR REPLACE VIEW ${quoteRelation({ schema: 'pg_temp', name })}${columns} AS ${definition}`;
}

/** A temporary view that failed, or how it came out. */
export type Created = { readonly view: TemporaryView } | { readonly failure: StatementOutcome };

export interface NamedStatement {
  readonly name: string;
  readonly sql: string;
}

/** Runs the statements and tells what became of each name; the last statement of a name counts. */
export async function createAll(connection: Connection, statements: readonly NamedStatement[]): Promise<(name: string) => Created> {
  const names = [...new Set(statements.map(({ name }) => name))];
  const [failures, views] = await Promise.all([
    runStatements(
      connection,
      statements.map(({ sql }) => sql),
    ),
    readTemporaryViews(connection, names),
  ]);
  const lastPositions = new Map(statements.map(({ name }, position) => [name, position]));
  const byPosition = new Map(failures.map((failure) => [failure.position, failure]));
  return (name) => {
    const failure = byPosition.get(lastPositions.get(name) ?? -1);
    const view = views.get(name);
    if (failure !== undefined || view === undefined) return { failure: failure ?? { position: -1, code: 'XX000', message: 'it was not created', hint: null } };
    return { view };
  };
}
