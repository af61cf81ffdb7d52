import { randomUUID } from 'node:crypto';
import type { ConnectionOptions, Connection as DriverConnection, RowStatement } from 'snowflake-sdk';
import type { Column } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { retry } from '../retry.ts';
import { openSession } from './driver.ts';
import { expired, isGone, isServerError, isUnanswered, passing, type ServerError } from './server-error.ts';

export interface QueryOptions {
  /** Whether carrying the statement out twice would come to the same as once; what a refusal says behind a lost answer is believed only then. */
  readonly repeat?: 'harmless' | 'harmful';
  readonly signal?: AbortSignal | undefined;
}

/** One session; statements may run side by side. */
export interface Connection {
  /** Where we are, without credentials: `ADA on myorg-myaccount`. */
  readonly place: string;
  /** How many statements were sent. */
  count(): number;
  /** All rows of one statement, by column name. Throws a `ServerError`, `CONNECTION_LOST`, or `LISTING_INCOMPLETE` when rows are missing. */
  query<Row>(sql: string, options?: QueryOptions): Promise<Row[]>;
  /** The columns of a query, which is compiled and not run. */
  describe(sql: string): Promise<readonly Column[]>;
  /** Another session with the same options. */
  open(): Promise<Connection>;
  close(): Promise<void>;
}

/**
 * Milliseconds from sending a statement after which its answer is no longer waited for, and after which it is no longer sent again; and from an
 * interruption after which nothing is waited for.
 */
export interface Deadlines {
  readonly statement: number;
  readonly retries: number;
  readonly interrupted: number;
}

// A materialized view is computed while it is made, which may take long.
const defaultDeadlines: Deadlines = { statement: 3_600_000, retries: 120_000, interrupted: 15_000 };

interface Session {
  readonly options: ConnectionOptions;
  readonly deadlines: Deadlines;
  driver: DriverConnection;
  sent: number;
  /** The last statement that chose a place, by what it chose; a new session has to be told again. */
  readonly places: Map<string, string>;
}

const settingUp = [
  "ALTER SESSION SET QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE TIMEZONE = 'UTC' STATEMENT_TIMEOUT_IN_SECONDS = 3600",
  // Which views a listing shows must not depend on roles that happen to be granted to the user.
  'USE SECONDARY ROLES NONE',
];

interface Answer {
  readonly rows: readonly unknown[];
  readonly statement: RowStatement;
}

function sendOnce({ driver }: Session, sql: string, more: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    driver.execute({
      sqlText: sql,
      ...more,
      complete: (error, statement, rows) => (error ? reject(error) : resolve({ rows: rows ?? [], statement: statement as RowStatement })),
    });
  });
}

/** Rejects when an answer has been waited for too long, with less patience once we are interrupted. */
function losePatience({ statement, interrupted }: Deadlines, signal: AbortSignal | undefined): { readonly patience: Promise<never>; readonly end: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const timers = [setTimeout(() => reject(new Error(`no answer within ${statement / 1000} s`)), statement)];
  const hurry = () => timers.push(setTimeout(() => reject(new Error(`no answer within ${interrupted / 1000} s of the interruption`)), interrupted));
  if (signal?.aborted === true) hurry();
  else signal?.addEventListener('abort', hurry, { once: true });
  const end = () => {
    signal?.removeEventListener('abort', hurry);
    for (const timer of timers) clearTimeout(timer);
  };
  return { patience: promise, end };
}

interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  readonly requestId?: string;
}

/** The answer, or an error when it takes too long: the driver itself sends a request again for minutes. */
async function sendInTime(session: Session, sql: string, { signal, ...more }: SendOptions = {}): Promise<Answer> {
  session.sent += 1;
  const { patience, end } = losePatience(session.deadlines, signal);
  try {
    return await Promise.race([sendOnce(session, sql, more), patience]);
  } finally {
    end();
  }
}

/** A statement on its way: under one request it is carried out once, however often it is sent. */
interface Sending {
  readonly sql: string;
  readonly more: { readonly signal: AbortSignal | undefined };
  request: string;
  readonly repeat: 'harmless' | 'harmful';
  /** The last attempt of which no answer came. */
  unanswered?: Error;
}

const place = /^USE (DATABASE|SCHEMA|WAREHOUSE)\b/i;

/**
 * One attempt, under the request of the last one where no answer came to that, so that the server does not carry it out twice.
 * https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-execute#resubmitting-requests
 */
async function attempt(session: Session, sending: Sending): Promise<Answer> {
  try {
    const answer = await sendInTime(session, sending.sql, { ...sending.more, requestId: sending.request });
    const [, kind] = place.exec(sending.sql) ?? [];
    if (kind !== undefined) session.places.set(kind.toUpperCase(), sending.sql);
    return answer;
  } catch (error) {
    if (isGone(error)) await renew(session);
    if (!(error instanceof Error) || !isServerError(error)) {
      if (!isGone(error)) sending.unanswered = error as Error;
      throw error;
    }
    // Refused because of what it has done itself, or in a session that does not know the request: what became of it is open.
    if (sending.unanswered && sending.repeat === 'harmful') throw new Unknown(sending.unanswered, error);
    if (expired.has(error.code)) await renew(session);
    sending.request = randomUUID();
    throw error;
  }
}

async function send(session: Session, sql: string, { repeat = 'harmless', signal, ...more }: QueryOptions & { readonly describeOnly?: true }): Promise<Answer> {
  const sending: Sending = { sql, more: { ...more, signal }, request: randomUUID(), repeat };
  const isRetryable = (error: Error) =>
    !(error instanceof Unknown) && (isServerError(error) ? passing.has(error.code) || expired.has(error.code) : isUnanswered(error));
  return retry(() => attempt(session, sending), { deadline: session.deadlines.retries, isRetryable, signal });
}

/** A session that is gone is replaced by a new one in the same place. */
async function renew(session: Session): Promise<void> {
  session.driver = await openSession(session.options);
  for (const sql of [...settingUp, ...session.places.values()]) await sendInTime(session, sql);
}

/** No answer came, and what came when it was asked for again does not say whether the statement was carried out. */
class Unknown extends Error {
  override readonly name = 'Unknown';

  constructor(unanswered: Error, refusal: ServerError) {
    super(`${unanswered.message}; asked again, it said: ${refusal.message.replaceAll(/\s+/g, ' ').trim()}`, { cause: refusal });
  }
}

function lost(place: string, error: unknown): ViewsyncError {
  return new ViewsyncError('CONNECTION_LOST', {
    message: `${place} gave no answer: ${error instanceof Error ? error.message : String(error)}.`,
    suggestions: ['viewsync status'],
    cause: error,
  });
}

function toConnection(session: Session): Connection {
  const where = `"${session.options.username ?? ''}" on ${session.options.account}`;
  const answer = async (sql: string, options: Parameters<typeof send>[2] = {}): Promise<Answer> => {
    try {
      return await send(session, sql, options);
    } catch (error) {
      throw isServerError(error) || error instanceof ViewsyncError ? error : lost(where, error);
    }
  };
  return {
    place: where,
    count: () => session.sent,
    query: async <Row>(sql: string, options?: QueryOptions) => {
      const { rows, statement } = await answer(sql, options);
      requireAll(rows, statement, where);
      return rows as Row[];
    },
    describe: async (sql) => {
      const { statement } = await answer(sql, { describeOnly: true });
      return (statement.getColumns() ?? []).map((column) => ({ name: column.getName(), type: typeOf(column) }));
    },
    open: () => openConnection(session.options, session.deadlines),
    close: () => new Promise((resolve) => session.driver.destroy(() => resolve())),
  };
}

/** Rows come in pages; one that is cut off must not pass for the whole. */
function requireAll(rows: readonly unknown[], statement: RowStatement, place: string): void {
  const expected = statement.getNumRows();
  if (rows.length === expected) return;
  throw new ViewsyncError('LISTING_INCOMPLETE', {
    message: `${place} announced ${expected} rows and sent ${rows.length}. Nothing was recorded, so that nothing counts as deleted by mistake.`,
    suggestions: ['Run it again.'],
  });
}

type DescribedColumn = NonNullable<ReturnType<RowStatement['getColumns']>>[number];

/** What the driver calls otherwise than the catalog. */
const typeNames: ReadonlyMap<string, string> = new Map([
  ['REAL', 'FLOAT'],
  ['TEXT', 'VARCHAR'],
]);

/** As INFORMATION_SCHEMA.COLUMNS gives it: `NUMBER(38,0)`, `VARCHAR`. How long a text may be, the driver does not tell. */
function typeOf(column: DescribedColumn): string {
  const type = column.getType().toUpperCase();
  if (type === 'FIXED') return `NUMBER(${column.getPrecision()},${column.getScale()})`;
  return typeNames.get(type) ?? type;
}

/** Opens a session and sets it up. Errors come as the driver raises them. */
export async function openConnection(options: ConnectionOptions, deadlines: Deadlines = defaultDeadlines): Promise<Connection> {
  const session: Session = { options, deadlines, driver: await openSession(options), sent: 0, places: new Map() };
  for (const sql of settingUp) await sendInTime(session, sql);
  return toConnection(session);
}
