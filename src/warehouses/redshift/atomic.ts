import { isDeepStrictEqual } from 'node:util';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { isServerError, type ServerError } from '../postgres-family/connection.ts';
import type { NamedParts, ScriptSession, StatementResult } from '../script-session.ts';
import { type AtomicTransaction, LockNotGranted } from '../warehouse.ts';
import { listQuery, relationsQuery } from './catalog-queries.ts';
import { isConflict } from './conflicts.ts';
import { inspectNames } from './inspect.ts';
import type { Journal } from './journal.ts';
import { lockViews } from './lock.ts';
import { quoteText } from './names.ts';
import type { ServerFacts } from './server.ts';
import { findStanding } from './standing.ts';

const queryCanceled = '57014';
// Dependent objects still exist; feature not supported, as altering a column that a view uses.
const inTheWay = ['2BP01', '0A000'];

export interface AtomicOptions {
  readonly journal: Journal;
  readonly server: ServerFacts;
  /** Milliseconds. */
  readonly lockTimeout: number;
}

/** A point to come back to, with the views that were there, each by what tells it apart. */
interface Mark {
  readonly position: number;
  readonly ids: ReadonlyMap<string, string>;
}

/** What tells views apart although coming back makes some of them anew, under other oids. */
interface Points {
  list(): Promise<ReadonlyMap<string, RelationName>>;
  mark(): Promise<Mark>;
  goBack(mark: Mark): Promise<void>;
}

type ListRow = RelationName & { readonly oid: number };

function keepPoints(journal: Journal): Points {
  const known = new Map<number, string>();
  const rows = () => journal.connection.query<ListRow>(listQuery);
  const list = async () => new Map((await rows()).map(({ oid, schema, name }) => [known.get(oid) ?? String(oid), { schema, name }]));
  return {
    list,
    mark: async () => ({ position: journal.position(), ids: new Map([...(await list())].map(([id, name]) => [relationKey(name), id])) }),
    goBack: async ({ position, ids }) => {
      await comeBack(journal, position);
      for (const row of await rows()) known.set(row.oid, ids.get(relationKey(row)) ?? String(row.oid));
    },
  };
}

async function comeBack(journal: Journal, position: number): Promise<void> {
  try {
    await journal.returnTo(position);
  } catch (error) {
    throw isServerError(error) && error.code === queryCanceled ? new LockNotGranted({ what: 'what the transaction had locked' }) : error;
  }
}

/** `AtomicTransaction`, without savepoints: what has to be undone is never done when everything else is done again. */
export function makeAtomic(options: AtomicOptions): AtomicTransaction {
  const points = keepPoints(options.journal);
  return {
    lock: (names) => lockMore(names, options),
    attempt: async (work) => {
      const mark = await points.mark();
      try {
        return await work();
      } catch (error) {
        if (!isConflict(error) && !(error instanceof LockNotGranted)) await points.goBack(mark);
        throw error;
      }
    },
    openScript: async () => openScript(points, options),
  };
}

/** Locks are let go while the transaction is done again: whatever somebody changes in that moment ends it. */
async function lockMore(names: readonly RelationName[], { journal, server, lockTimeout }: AtomicOptions): Promise<void> {
  const views = await inspectNames(journal.connection, server, names);
  const denied = await lockViews(journal.connection, views, lockTimeout);
  if (denied) throw new LockNotGranted(denied);
  const before = await inspectNames(journal.connection, server, names);
  journal.add(async () => requireUnchanged(before, await inspectNames(journal.connection, server, names)));
}

function requireUnchanged(before: readonly View[], after: readonly View[]): void {
  if (isDeepStrictEqual(before, after)) return;
  throw new ViewsyncError('WAREHOUSE_MOVED', {
    message: `Changed by somebody else while a statement was tried: ${before.map(({ name }) => relationKey(name)).join(', ')}. Rolled back; nothing changed.`,
    suggestions: ['Run the same command again.'],
  });
}

/** The settings that a script's statements run under and that it may change. */
interface ScriptState {
  /** As SET takes it. */
  readonly path: string;
  readonly timeout: number;
}

function openScript(points: Points, options: AtomicOptions): ScriptSession {
  const { connection } = options.journal;
  let state: ScriptState = { path: 'DEFAULT', timeout: 0 };
  let last: { readonly mark: Mark; readonly state: ScriptState } | undefined;
  const run = async (sql: string): Promise<StatementResult> => {
    const mark = await points.mark();
    const started = performance.now();
    try {
      const after = await runUnder(options, state, sql);
      last = { mark, state };
      state = after;
      return { milliseconds: performance.now() - started };
    } catch (error) {
      if (!isServerError(error)) throw error;
      const { code } = error;
      if (isConflict(error)) throw error;
      if (code === queryCanceled) throw new LockNotGranted({ what: 'what a statement of the script changes' });
      await points.goBack(mark);
      return { milliseconds: performance.now() - started, refusal: toRefusal(error, sql) };
    }
  };
  return {
    run,
    takeBack: async () => {
      if (last === undefined) return;
      await points.goBack(last.mark);
      state = last.state;
    },
    listViews: points.list,
    findStanding: (named: NamedParts, on) => findStanding(connection, options.server, { named, on }),
    findTaken: async (names) => {
      const taken = new Set((await connection.query<RelationName>(relationsQuery)).map(relationKey));
      const views = new Set([...(await points.list()).values()].map(relationKey));
      return names.flatMap((name) => (taken.has(relationKey(name)) ? [{ ...name, by: views.has(relationKey(name)) ? 'view' : 'table' }] : []));
    },
  };
}

/** Runs a statement under the script's path and comes back to ours. */
async function runUnder({ journal, lockTimeout }: AtomicOptions, state: ScriptState, sql: string): Promise<ScriptState> {
  const { connection } = journal;
  await connection.run(`SET statement_timeout TO ${Math.max(lockTimeout, 60_000)}`);
  await connection.run(`SET search_path TO ${state.path}`);
  await connection.run(sql);
  const path = /^\s*(?:SET|RESET)\b/i.test(sql) ? await readPath(journal) : state.path;
  await connection.run('SET search_path TO pg_catalog');
  return { ...state, path };
}

/** As SET takes it again: every schema as a string. */
async function readPath({ connection }: Journal): Promise<string> {
  const [row] = await connection.query<Record<string, string>>('SHOW search_path');
  const schemas = (Object.values(row ?? {})[0] ?? '').split(',').map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  return schemas.map(quoteText).join(', ');
}

function toRefusal({ code, message, detail, hint, position }: ServerError, sql: string): NonNullable<StatementResult['refusal']> {
  const offset = position === undefined ? undefined : [...sql].slice(0, Number(position) - 1).join('').length;
  const more = { ...(detail === undefined ? {} : { detail }), ...(hint === undefined ? {} : { hint }), ...(offset === undefined ? {} : { offset }) };
  return { code, message, ...more, isInTheWay: inTheWay.includes(code), isMissing: false };
}
