import type { RelationName } from '../../core/relation.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import type { NamedParts, ScriptSession, StatementRefusal, StatementResult } from '../script-session.ts';
import { isTypeAlone, relationWhat } from './catalog-queries.ts';
import { explainDenied, isLockDenied } from './lock.ts';
import type { LockBudget } from './lock-budget.ts';
import { openParts } from './parts.ts';
import { pin, pinnedSettings } from './session.ts';
import { findNamedRelations, findStanding } from './standing.ts';

/** What the script's statements run under; they may change it. */
interface ScriptState {
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  /** Where names without a schema are looked up. */
  readonly path: readonly string[];
}

const role = 'role';
const ownTimeout = 'lock_timeout';
const names = [...pinnedSettings, ownTimeout, role];

// https://www.postgresql.org/docs/current/errcodes-appendix.html: dependent objects still exist, feature not supported
const inTheWay = new Set(['2BP01', '0A000']);

// Undefined table, function and object.
const missing = new Set(['42P01', '42883', '42704']);

/** Long enough for a lock that nobody else has, in milliseconds. */
const probe = 50;

/** What a session of ours would start with: neither our own settings nor those of the transaction. */
async function readInitialState(connection: Connection): Promise<ScriptState> {
  const [rows, own, , path] = await Promise.all([
    connection.query<{ name: string; value: string }>('SELECT name, reset_val AS value FROM pg_settings WHERE name = ANY ($1::text[])', [pinnedSettings]),
    connection.query<{ value: string }>(`SELECT current_setting('${role}') AS value`),
    connection.run('SET LOCAL search_path TO DEFAULT'),
    connection.query<{ path: readonly string[] }>('SELECT pg_catalog.current_schemas(true)::pg_catalog.text[] AS path'),
    connection.run(pin),
  ]);
  return { settings: [...rows, { name: role, value: own[0]?.value ?? 'none' }], path: path[0]?.path ?? [] };
}

// The script may have put schemas in front of pg_catalog.
const stateQuery = `
SELECT s.name, pg_catalog.current_setting(s.name, true) AS value, pg_catalog.current_schemas(true)::pg_catalog.text[] AS path
FROM pg_catalog.unnest($1::pg_catalog.text[]) AS s(name)`;

interface StateRow {
  readonly name: string;
  readonly value: string | null;
  readonly path: readonly string[];
}

/** Milliseconds of a timeout as the server prints it; 0 is none. */
function toMilliseconds(timeout: string | undefined): number {
  const [, amount = '0', unit = 'ms'] = /^(\d+)(ms|s|min|h|d)?$/.exec(timeout ?? '') ?? [];
  return Number(amount) * ({ ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 1);
}

interface Frame {
  readonly connection: Connection;
  /** The role that everything but the script runs under. */
  readonly ownRole: string;
}

const enter = 'SELECT set_config(s.name, s.value, true) FROM unnest($1::text[], $2::text[]) AS s(name, value)';

function toRefusal(error: ServerError, sql: string): StatementRefusal {
  const { code, message, detail, hint, position } = error;
  // The server counts characters, from 1.
  const offset = position === undefined ? undefined : [...sql].slice(0, Number(position) - 1).join('').length;
  const more = { ...(detail === undefined ? {} : { detail }), ...(hint === undefined ? {} : { hint }), ...(offset === undefined ? {} : { offset }) };
  return { code, message, ...more, isInTheWay: inTheWay.has(code), isMissing: missing.has(code) };
}

/** The state that a statement leaves; a lock timeout that is still ours is none of the script's. */
function toState(rows: readonly StateRow[], timeout: number): ScriptState {
  const isOurs = ({ name, value }: StateRow) => value === null || (name === ownTimeout && toMilliseconds(value) === timeout);
  return { settings: rows.flatMap((row) => (isOurs(row) ? [] : [{ name: row.name, value: row.value ?? '' }])), path: rows[0]?.path ?? [] };
}

function limitTimeout({ settings }: ScriptState, timeout: number): number {
  const own = toMilliseconds(settings.find(({ name }) => name === ownTimeout)?.value);
  return own === 0 ? timeout : Math.min(own, timeout);
}

/** Runs a statement under the script's settings and comes back to ours; resolves to the state that it leaves, or to the server's error. */
async function runUnder({ connection, ownRole }: Frame, state: ScriptState, sql: string, longest: number): Promise<ScriptState | ServerError> {
  const timeout = limitTimeout(state, longest);
  const settings = [...state.settings.filter(({ name }) => name !== ownTimeout), { name: ownTimeout, value: String(timeout) }];
  const sent = [
    connection.run('SAVEPOINT viewsync_statement'),
    connection.query(enter, [settings.map(({ name }) => name), settings.map(({ value }) => value)]),
    connection.run(sql),
  ];
  const asked = connection.query<StateRow>(stateQuery, [names]);
  const back = [connection.run(pin), connection.query('SELECT set_config($1, $2, true)', [role, ownRole])];
  const outcomes = await Promise.allSettled([...sent, asked, ...back]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed?.status !== 'rejected') return toState(await asked, timeout);
  if (!isServerError(failed.reason)) throw failed.reason;
  await connection.run('ROLLBACK TO SAVEPOINT viewsync_statement; RELEASE SAVEPOINT viewsync_statement');
  return failed.reason;
}

const listQuery = `
SELECT c.oid::text AS id, n.nspname::text AS schema, c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')`;

async function listViews(connection: Connection): Promise<ReadonlyMap<string, RelationName>> {
  const rows = await connection.query<{ id: string; schema: string; name: string }>(listQuery);
  return new Map(rows.map(({ id, schema, name }) => [id, { schema, name }]));
}

const takenQuery = `
WITH wanted AS (SELECT w.schema, w.name, n.oid AS namespace FROM unnest($1::text[], $2::text[]) w(schema, name) JOIN pg_namespace n ON n.nspname = w.schema)
SELECT w.schema, w.name, ${relationWhat} AS by FROM wanted w JOIN pg_class c ON c.relnamespace = w.namespace AND c.relname = w.name
UNION ALL SELECT w.schema, w.name, 'type' FROM wanted w JOIN pg_type t ON t.typnamespace = w.namespace AND t.typname = w.name WHERE ${isTypeAlone}`;

/** Tries with little patience first: what has waited is known only when it did not get its lock. `LockNotGranted`. */
async function runPatiently(budget: LockBudget, ask: (longest: number) => Promise<ScriptState | ServerError>): Promise<ScriptState | ServerError> {
  const quick = await ask(Math.min(probe, budget.left()));
  if (!('code' in quick) || !isLockDenied(quick)) return quick;
  return budget.spend(ask);
}

/** See `AtomicTransaction.openScript`. */
export async function openScript(connection: Connection, budget: LockBudget): Promise<ScriptSession> {
  let state = await readInitialState(connection);
  const frame: Frame = { connection, ownRole: state.settings.find(({ name }) => name === role)?.value ?? 'none' };
  let isOpen = false;
  const run = async (sql: string, named: NamedParts): Promise<StatementResult> => {
    if (isOpen) await connection.run('RELEASE SAVEPOINT viewsync_statement');
    isOpen = false;
    const from = performance.now();
    const outcome = await runPatiently(budget, (longest) => runUnder(frame, state, sql, longest));
    const milliseconds = performance.now() - from;
    if (!('code' in outcome)) {
      previous = state;
      state = outcome;
      isOpen = true;
      return { milliseconds };
    }
    if (isLockDenied(outcome)) throw await explainDenied(connection, await findNamedRelations(connection, named, state.path));
    return { milliseconds, refusal: toRefusal(outcome, sql) };
  };
  let previous = state;
  return {
    run,
    takeBack: async () => {
      await connection.run('ROLLBACK TO SAVEPOINT viewsync_statement; RELEASE SAVEPOINT viewsync_statement');
      isOpen = false;
      state = previous;
    },
    listViews: () => listViews(connection),
    findStanding: (named, on) => findStanding(connection, { named, on, path: state.path }),
    path: () => state.path,
    parts: openParts(connection),
    findTaken: (wanted) => connection.query(takenQuery, [wanted.map(({ schema }) => schema), wanted.map(({ name }) => name)]),
  };
}
