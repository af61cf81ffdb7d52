import { compareRelations, type RelationName, relationKey } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import { type Connection, isServerError, type ServerError } from '../postgres-family/connection.ts';
import { type Denied, LockNotGranted } from '../warehouse.ts';
import { ownerAttachment } from './attachments.ts';
import { quoteIdentifier, quoteRelation, quoteText } from './names.ts';
import { isCalled } from './settle-sql.ts';
import { readWatchers } from './watchers.ts';

const lockNotAvailable = new Set(['55P03', '40P01']);
const undefinedTable = '42P01';

interface PresentRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'v' | 'm' | 'r' | 'p' | 'f';
  readonly owner: string;
  /** Which version of the row this is. */
  readonly xmin: string;
}

/** Whether the server refused a statement because of a lock alone. */
export function isLockDenied({ code }: Pick<ServerError, 'code'>): boolean {
  return lockNotAvailable.has(code);
}

/**
 * Locks the views, and the tables on which bystanders stand, in the open transaction, all of them within `timeout` milliseconds. Giving a view
 * to its present owner takes the lock that every change of it needs, and changes nothing; LOCK TABLE would lock the tables below as well and
 * takes no materialized views.
 * Throws `LockNotGranted`, after which the transaction is rolled back; `WAREHOUSE_MOVED`, `QUERY_FAILED`.
 */
export async function lockViews(connection: Connection, names: readonly RelationName[], timeout: number): Promise<void> {
  const relations = [...new Map(names.flatMap(lockedBy).map((name) => [relationKey(name), name])).values()];
  if (relations.length === 0) return;
  const present = await readPresent(connection, relations.sort(compareRelations));
  try {
    await connection.run(lockScript(present, timeout));
  } catch (error) {
    throw await explainFailure(connection, present, error);
  }
  await checkUnchanged(connection, present);
}

/** What has to be locked to change it: a view itself, of what stands on a table the table, nothing for a routine. */
function lockedBy({ object, ...name }: RelationName): readonly RelationName[] {
  if (object === undefined) return [name];
  return object.on === undefined ? [] : [{ ...name, name: object.on }];
}

async function readPresent(connection: Connection, names: readonly RelationName[]): Promise<readonly PresentRow[]> {
  const rows = await connection.query<PresentRow>(
    `SELECT c.oid, wanted.schema, wanted.name, c.relkind::text AS kind, pg_get_userbyid(c.relowner)::text AS owner, c.xmin::text
     FROM unnest($1::text[], $2::text[]) WITH ORDINALITY wanted(schema, name, position)
     JOIN pg_namespace n ON n.nspname = wanted.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
     WHERE c.relkind IN ('v', 'm', 'r', 'p', 'f') ORDER BY position`,
    [names.map((name) => name.schema), names.map((name) => name.name)],
  );
  const found = new Set(rows.map(relationKey));
  const gone = names.map(relationKey).filter((name) => !found.has(name));
  if (gone.length > 0) throw moved(`${gone.map((name) => `"${name}"`).join(', ')} was dropped by someone else`);
  return rows;
}

/**
 * One statement, so that waiting for all locks together is bounded; an error tells in its detail which of them it was. No later statement
 * waits longer either, for who reads the views now waits for us.
 */
function lockScript(present: readonly PresentRow[], timeout: number): string {
  const statements = present.map(toStatement).map(quoteText).join(', ');
  const body = `
DECLARE
  deadline timestamptz := clock_timestamp() + interval '${Math.trunc(timeout)} milliseconds';
  statements text[] := ARRAY[${statements}];
  position int := 1;
  detail text; hint text; context text;
BEGIN
  WHILE position <= cardinality(statements) LOOP
    PERFORM set_config('lock_timeout', greatest(1, ceil(1000 * extract(epoch FROM deadline - clock_timestamp())))::int::text, true);
    EXECUTE statements[position];
    position := position + 1;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
  RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM, DETAIL = json_build_object('position', position, 'detail', detail, 'hint', hint, 'context', context)::text;
END`;
  return `DO ${quoteText(body)}; SET LOCAL lock_timeout = ${Math.trunc(timeout)}`;
}

function toStatement(row: PresentRow): string {
  const { schema, name, kind, owner } = row;
  if (kind === 'v' || kind === 'm') return ownerAttachment({ name: { schema, name }, kind: kind === 'v' ? 'view' : 'materialized view' }, owner).make;
  return `ALTER TABLE ONLY ${quoteRelation({ schema, name })} OWNER TO ${quoteIdentifier(owner)}`;
}

/** What the block above says of the statement that failed in it. */
interface Told {
  readonly position: number;
  readonly detail: string;
  readonly hint: string;
  readonly context: string;
}

/** Undefined where the block itself was refused. */
function readTold({ detail = '' }: ServerError): Told | undefined {
  try {
    const told = JSON.parse(detail) as Told | null;
    return typeof told?.position === 'number' ? told : undefined;
  } catch {
    return undefined;
  }
}

async function explainFailure(connection: Connection, present: readonly PresentRow[], error: unknown): Promise<LockNotGranted> {
  const told = isServerError(error) ? readTold(error) : undefined;
  const row = told && present[told.position - 1];
  if (!isServerError(error) || told === undefined || row === undefined) throw error;
  const fromCode = isLockDenied(error) ? undefined : await findRaising(connection, toStatement(row), told);
  if (fromCode) throw refusedByCode(row, { error, told, watchers: fromCode });
  if (error.code === undefinedTable) throw moved(`"${relationKey(row)}" was dropped by someone else`);
  if (!isLockDenied(error)) throw refused(row, error);
  await connection.run('ROLLBACK');
  const denied: Denied = { view: { schema: row.schema, name: row.name }, what: `"${relationKey(row)}"` };
  return new LockNotGranted(withHolder(denied, await findHolder(connection, [row.oid])));
}

function withHolder(denied: Denied, holder: string | undefined): Denied {
  return holder === undefined ? denied : { ...denied, holder };
}

/** Why a statement of a script did not get its locks; `relations` are the oids of those that it names. Ends the transaction. */
export async function explainDenied(connection: Connection, relations: readonly number[]): Promise<LockNotGranted> {
  await connection.run('ROLLBACK');
  return new LockNotGranted(withHolder({ what: 'What a statement of the script needs' }, await findHolder(connection, relations)));
}

interface HolderRow {
  readonly pid: number;
  readonly role: string | null;
  readonly application: string | null;
}

const holdersQuery = `
SELECT DISTINCT l.pid, a.usename::text AS role, nullif(a.application_name, '') AS application, l.granted
FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() LEFT JOIN pg_stat_activity a USING (pid)
WHERE l.pid <> pg_backend_pid()`;

async function findHolder(connection: Connection, relations: readonly number[]): Promise<string | undefined> {
  const rows = await connection.query<HolderRow>(`${holdersQuery} AND l.relation = ANY ($1::oid[]) ORDER BY l.granted DESC, l.pid`, [relations]);
  return rows.map(describeHolder)[0];
}

interface BarringRow extends HolderRow {
  readonly granted: boolean;
  /** Names as they are written in SQL, of which `more` are left out. */
  readonly relations: readonly string[];
  readonly more: number;
}

const namedRelations = 3;

// Whoever waits for such a lock bars all readers that come after.
const barringQuery = `
SELECT l.pid, a.usename::text AS role, nullif(a.application_name, '') AS application, l.granted,
  (array_agg(format('%I.%I', n.nspname, c.relname) ORDER BY n.nspname, c.relname))[:${namedRelations}] AS relations, greatest(0, count(*) - ${namedRelations})::int AS more
FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database() JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_activity a USING (pid)
WHERE l.pid <> pg_backend_pid() AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_toast'
GROUP BY 1, 2, 3, 4 ORDER BY l.granted DESC, l.pid`;

/** Who keeps which relations of this database locked against readers, in words. */
async function findHolders(connection: Connection): Promise<readonly string[]> {
  return (await connection.query<BarringRow>(barringQuery)).map((row) => {
    const more = row.more === 0 ? '' : ` and ${row.more} more`;
    return `${describeHolder(row)} ${row.granted ? 'has locked' : 'waits for'} ${row.relations.join(', ')}${more}`;
  });
}

/** Someone keeps a view, or a table that a view reads, locked against readers: `LOCK_TIMEOUT`. */
export async function lockedOut(connection: Connection, cause: ServerError): Promise<ViewsyncError> {
  const holders = await findHolders(connection);
  return new ViewsyncError('LOCK_TIMEOUT', {
    message: `${connection.place} could not be read, because what is to be read is locked by someone else: ${holders.join('; ') || 'who is not known'}. Nothing was changed.`,
    suggestions: ['Run it again when that has ended.'],
    cause,
  });
}

function describeHolder({ pid, role, application }: HolderRow): string {
  const details = [role, application].filter((detail) => detail !== null).join(', ');
  return `process ${pid}${details === '' ? '' : ` (${details})`}`;
}

/** Someone may have changed an owner while we waited, and then our statement has put the former one back: the row is another one then. */
async function checkUnchanged(connection: Connection, present: readonly PresentRow[]): Promise<void> {
  const changed = await connection.query<PresentRow>(
    `SELECT before.schema, before.name FROM unnest($1::oid[], $2::text[], $3::text[], $4::text[]) before(oid, xmin, schema, name)
     LEFT JOIN pg_class c ON c.oid = before.oid AND c.xmin::text = before.xmin WHERE c.oid IS NULL`,
    [present.map((row) => row.oid), present.map((row) => row.xmin), present.map((row) => row.schema), present.map((row) => row.name)],
  );
  if (changed.length > 0) throw moved(`${changed.map((row) => `"${relationKey(row)}"`).join(', ')} was changed by someone else`);
}

function moved(what: string): ViewsyncError {
  return new ViewsyncError('WAREHOUSE_MOVED', {
    message: `${what} after the plan was made. Rolled back; nothing changed.`,
    suggestions: ['Plan again.'],
  });
}

const insufficientPrivilege = '42501';

function refused(row: PresentRow, error: ServerError): ViewsyncError {
  const isForeign = error.code === insufficientPrivilege;
  const because = isForeign ? ` belongs to the role "${row.owner}" and` : '';
  return new ViewsyncError('QUERY_FAILED', {
    message: `"${relationKey(row)}"${because} cannot be changed: ${error.message} (SQLSTATE ${error.code}). Rolled back; nothing changed.`,
    suggestions: isForeign ? [`GRANT the role "${row.owner}" to the role that viewsync connects as.`] : [],
    details: { code: error.code },
    cause: error,
  });
}

/** The event triggers that may have raised an error; undefined when the statement itself was refused. Ends the transaction. */
async function findRaising(connection: Connection, statement: string, { context }: Told): Promise<readonly string[] | undefined> {
  if (!isCalled(context, statement)) return undefined;
  await connection.run('ROLLBACK');
  return (await readWatchers(connection)).filter(({ routine }) => context.includes(routine.replace(/^.*\./, ''))).map(({ told }) => told);
}

/** Code that the server runs when a view is changed has failed, whoever owns the view. */
function refusedByCode(
  row: PresentRow,
  { error, told, watchers }: { readonly error: ServerError; readonly told: Told; readonly watchers: readonly string[] },
): ViewsyncError {
  const said = [error.message.replace(/[.\s]*$/, ''), told.detail, told.hint].filter((text) => text !== '').join('. ');
  return new ViewsyncError('QUERY_FAILED', {
    message: `"${relationKey(row)}" was not changed, because code that the server runs then has failed: ${said} (SQLSTATE ${error.code}; ${told.context.split('\n')[0]}). Rolled back; nothing changed.`,
    suggestions: watchers,
    details: { code: error.code, context: told.context },
    cause: error,
  });
}
