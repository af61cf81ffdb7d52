import type { Step } from '../../core/plan.ts';
import { relationKey } from '../../core/relation.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import { quoteIdentifier, quoteRelation, quoteText } from './names.ts';

/** A step that the server refused. */
export interface Refused {
  readonly index: number;
  readonly error: ServerError;
}

interface Refresh {
  readonly index: number;
  readonly step: Step;
}

interface RefreshOptions {
  /** Major version. */
  readonly version: number;
  readonly done: (index: number) => void;
}

/** Nothing, a relation, a function, an operator or a type is not found under the present path. */
const notFound = new Set(['3F000', '42P01', '42883', '42704']);

/**
 * Before version 17 a materialized view is filled under the path of whoever refreshes it, and the functions that it calls may need that path: our
 * own, or the one that starts in the view's schema.
 */
function pathsFor({ view }: Step, version: number): readonly (string | undefined)[] {
  return version >= 17 ? [undefined] : ['DEFAULT', `${quoteIdentifier(view.schema)}, public`];
}

async function refreshUnder(connection: Connection, { sql }: Step, path: string | undefined): Promise<ServerError | undefined> {
  const around = path === undefined ? [sql] : [`SET LOCAL search_path TO ${path}`, sql, "SET LOCAL search_path = ''"];
  const statements = ['SAVEPOINT viewsync_refresh', ...around, 'RELEASE SAVEPOINT viewsync_refresh'];
  const outcomes = await Promise.allSettled(statements.map((statement) => connection.run(statement)));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return undefined;
  if (!isServerError(failed.reason)) throw failed.reason;
  await connection.run('ROLLBACK TO SAVEPOINT viewsync_refresh; RELEASE SAVEPOINT viewsync_refresh');
  return failed.reason;
}

/** Undefined when it is done; a failure leaves nothing behind. */
async function refresh(connection: Connection, step: Step, version: number): Promise<ServerError | undefined> {
  let first: ServerError | undefined;
  for (const path of pathsFor(step, version)) {
    const error = await refreshUnder(connection, step, path);
    if (error === undefined) return undefined;
    first ??= error;
    if (!notFound.has(error.code)) return first;
  }
  return first;
}

/** Emptying one that others read has to wait for them. */
const isEmptying = ({ sql }: Step): boolean => /\sWITH NO DATA$/.test(sql);

/**
 * Runs refreshes in their order. What fails is tried again behind the others as long as that helps: a view may read another one inside of a
 * function, which no catalog tells.
 */
export async function runRefreshes(connection: Connection, refreshes: readonly Refresh[], { version, done }: RefreshOptions): Promise<Refused | undefined> {
  let waiting = refreshes;
  for (;;) {
    const failed: (Refresh & Refused)[] = [];
    const postponed: Refresh[] = [];
    for (const each of waiting) {
      if (failed.length > 0 && isEmptying(each.step)) postponed.push(each);
      else {
        const error = await refresh(connection, each.step, version);
        if (error === undefined) done(each.index);
        else failed.push({ ...each, error });
      }
    }
    if (failed.length === 0 && postponed.length === 0) return undefined;
    if (failed.length + postponed.length === waiting.length) return failed[0];
    waiting = [...failed, ...postponed];
  }
}

/** Functions that filling a view may call and that somebody wrote who could not do as much as a superuser can. */
const untrustedQuery = `
WITH RECURSIVE reached(class, object) AS (
  SELECT 'pg_class'::regclass::oid, $1::regclass::oid
  UNION SELECT next.class, next.object FROM reached, LATERAL (
    SELECT d.refclassid, d.refobjid FROM pg_depend d WHERE d.classid = reached.class AND d.objid = reached.object
    UNION ALL SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r
      WHERE reached.class = 'pg_class'::regclass AND r.ev_class = reached.object AND r.rulename = '_RETURN') next(class, object))
SELECT p.oid::regprocedure::text AS function, r.rolname::text AS owner
FROM reached JOIN pg_proc p ON class = 'pg_proc'::regclass AND p.oid = object JOIN pg_roles r ON r.oid = p.proowner
WHERE NOT r.rolsuper AND NOT p.prosecdef AND r.rolname <> current_user LIMIT 1`;

/** Our rights must not go to functions of somebody who has less of them. */
async function findUntrusted(connection: Connection, { view }: Step): Promise<ServerError | undefined> {
  const [row] = await connection.query<{ function: string; owner: string }>(untrustedQuery, [quoteRelation(view)]);
  if (row === undefined) return undefined;
  const message = `the owner of ${relationKey(view)} may not read what it is computed from, and it is not filled with the rights of our own role, because it calls the function ${row.function} of the role ${quoteText(row.owner)}`;
  return { code: '42501', message };
}

/**
 * Runs the refreshes of `early` while our role owns their views. What they read may not hold data yet, then all refreshes before them run here too,
 * and once more in their own place.
 */
export async function runEarly(
  connection: Connection,
  refreshes: readonly Refresh[],
  { early, version, done }: RefreshOptions & { readonly early: ReadonlySet<number> },
): Promise<Refused | undefined> {
  for (const [position, { index, step }] of refreshes.entries()) {
    if (!early.has(index)) continue;
    const untrusted = await findUntrusted(connection, step);
    if (untrusted) return { index, error: untrusted };
    if (await refresh(connection, step, version)) {
      for (const before of refreshes.slice(0, position)) await refresh(connection, before.step, version);
      const error = await refresh(connection, step, version);
      if (error) return { index, error };
    }
    done(index);
  }
  return undefined;
}
