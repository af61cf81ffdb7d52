import type { ConnectionOptions, Connection as DriverConnection, RowStatement } from 'snowflake-sdk';
import type { Column } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import { retry } from '../retry.ts';
import { openSession } from './driver.ts';

/** The part of the server's answer to a failed statement that we use. */
export interface ServerError {
  /** Snowflake's number, such as `002003`. */
  readonly code: string;
  readonly sqlState: string;
  readonly message: string;
  readonly queryId?: string;
}

export interface QueryOptions {
  /** Whether the statement may be sent again when its answer did not come. */
  readonly repeat?: 'safe' | 'never';
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

/** Milliseconds from sending a statement after which its answer is no longer waited for, and after which it is no longer sent again. */
export interface Deadlines {
  readonly statement: number;
  readonly retries: number;
}

// A materialized view is computed while it is made, which may take long.
const defaultDeadlines: Deadlines = { statement: 3_600_000, retries: 120_000 };

/** Whether the server itself answered with an error. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'code' in error && 'sqlState' in error && typeof error.code === 'string' && typeof error.sqlState === 'string';
}

/**
 * Errors after which the same statement may succeed a little later: lock conflicts, and the service's own ("internal error", "temporarily unavailable").
 * A refused name or privilege never does.
 */
const passing: ReadonlySet<string> = new Set(['000625', '000630', '390189', '300002', '000603']);

const expired: ReadonlySet<string> = new Set(['390112', '390114', '390195', '390111', '390104']);

/** No answer came: the network, or a server that could not answer. */
function isUnanswered(error: Error): boolean {
  return !(error instanceof ViewsyncError) && !isServerError(error);
}

interface Session {
  readonly options: ConnectionOptions;
  readonly deadlines: Deadlines;
  driver: DriverConnection;
  sent: number;
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

/** The answer, or an error when it takes too long: the driver itself waits for minutes. */
async function sendInTime(session: Session, sql: string, more: object): Promise<Answer> {
  session.sent += 1;
  const patience = Promise.withResolvers<never>();
  const timer = setTimeout(() => patience.reject(new Error(`no answer within ${session.deadlines.statement / 1000} s`)), session.deadlines.statement);
  try {
    return await Promise.race([sendOnce(session, sql, more), patience.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function send(session: Session, sql: string, { repeat = 'safe', signal, ...more }: QueryOptions & { readonly describeOnly?: true }): Promise<Answer> {
  const isRetryable = (error: Error) => {
    if (isServerError(error)) return passing.has(error.code) || expired.has(error.code);
    return repeat === 'safe' && isUnanswered(error);
  };
  return retry(
    async () => {
      try {
        return await sendInTime(session, sql, more);
      } catch (error) {
        if (isServerError(error) && expired.has(error.code)) await renew(session);
        throw error;
      }
    },
    { deadline: session.deadlines.retries, isRetryable, signal },
  );
}

/** A session of which the token has expired is replaced by a new one. */
async function renew(session: Session): Promise<void> {
  session.driver = await openSession(session.options);
  for (const sql of settingUp) await sendInTime(session, sql, {});
}

function lost(place: string, error: unknown): ViewsyncError {
  return new ViewsyncError('CONNECTION_LOST', {
    message: `${place} gave no answer: ${error instanceof Error ? error.message : String(error)}.`,
    suggestions: ['viewsync status'],
    cause: error,
  });
}

function toConnection(session: Session): Connection {
  const place = `"${session.options.username ?? ''}" on ${session.options.account}`;
  const answer = async (sql: string, options: Parameters<typeof send>[2] = {}): Promise<Answer> => {
    try {
      return await send(session, sql, options);
    } catch (error) {
      throw isServerError(error) || error instanceof ViewsyncError ? error : lost(place, error);
    }
  };
  return {
    place,
    count: () => session.sent,
    query: async <Row>(sql: string, options?: QueryOptions) => {
      const { rows, statement } = await answer(sql, options);
      requireAll(rows, statement, place);
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

/** `NUMBER(38,0)`, `VARCHAR(16777216)`, as in the file's header. */
function typeOf(column: DescribedColumn): string {
  const type = column.getType().toUpperCase();
  if (type === 'FIXED') return `NUMBER(${column.getPrecision()},${column.getScale()})`;
  return type === 'TEXT' ? 'TEXT' : type;
}

/** Opens a session and sets it up. Errors come as the driver raises them. */
export async function openConnection(options: ConnectionOptions, deadlines: Deadlines = defaultDeadlines): Promise<Connection> {
  const session: Session = { options, deadlines, driver: await openSession(options), sent: 0 };
  for (const sql of settingUp) await sendInTime(session, sql, {});
  return toConnection(session);
}
