import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type Account, homeOf, type Injection, type Session, SqlError } from './account.ts';
import { analyze } from './analyze.ts';
import { runDdl } from './ddl.ts';
import { type Answer, runQuery, type Value } from './queries.ts';

/** A server that the real driver connects to; `url` for `host`, `port` and `protocol`. */
export interface SnowflakeServer extends AsyncDisposable {
  readonly account: Account;
  readonly port: number;
  /** Options of a target that lead here. */
  readonly options: Readonly<Record<string, string>>;
  /** Sign-ins as they came: authenticator, user, what of a credential was there. */
  readonly logins: readonly Readonly<Record<string, unknown>>[];
  /** Runs statements as somebody else would, by default as the owner of everything. */
  run(sql: readonly string[], role?: string): void;
}

interface Listening {
  readonly account: Account;
  /** By token. */
  readonly sessions: Map<string, Session>;
  /** Answers to queries that were said to be still running, by the path that they are asked for under. */
  readonly pending: Map<string, { readonly answer: unknown; times: number }>;
  readonly logins: Record<string, unknown>[];
  next: number;
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
  return text === '' ? {} : JSON.parse(text);
}

function send(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

interface Login {
  readonly ACCOUNT_NAME: string;
  readonly LOGIN_NAME?: string;
  readonly AUTHENTICATOR?: string;
  readonly PASSWORD?: string;
  readonly TOKEN?: string;
  readonly SESSION_PARAMETERS?: { readonly QUERY_TAG?: string };
}

const signedIn = { validityInSeconds: 3600, masterValidityInSeconds: 14_400, parameters: [], sessionInfo: {} };

/** https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-authenticate; the shapes are those that the driver understands. */
function login(listening: Listening, url: URL, { data }: { readonly data: Login }): unknown {
  listening.logins.push({ ...data });
  if (data.PASSWORD === 'wrong') return { success: false, code: '390100', message: 'Incorrect username or password was specified.', data: {} };
  const id = listening.next++;
  const role = (url.searchParams.get('roleName') ?? 'VIEWSYNC').replaceAll('"', '');
  const session = {
    id,
    user: (data.LOGIN_NAME ?? 'SERVICE').toUpperCase(),
    role,
    compute: url.searchParams.get('warehouse') ?? 'WH',
    schema: '',
    tag: data.SESSION_PARAMETERS?.QUERY_TAG ?? '',
    answers: new Map<string, unknown>(),
    token: `t${id}`,
  };
  listening.sessions.set(`t${id}`, session);
  return { success: true, data: { ...signedIn, masterToken: `m${id}`, token: `t${id}`, sessionId: id } };
}

function encode(value: Value): { readonly type: string; readonly text: string | null } {
  if (value === null) return { type: 'text', text: null };
  if (value instanceof Date) return { type: 'timestamp_ltz', text: (value.getTime() / 1000).toFixed(9) };
  if (typeof value === 'number') return { type: 'fixed', text: String(value) };
  return typeof value === 'boolean' ? { type: 'boolean', text: value ? '1' : '0' } : { type: 'text', text: value };
}

function typeOfColumn(name: string, { rows }: Answer): string {
  const value = rows.map((row) => row[name]).find((each) => each !== null && each !== undefined);
  return encode(value ?? null).type;
}

/** Types as the driver is told of them. https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses#getting-metadata-about-the-results */
const wireTypes: ReadonlyMap<string, string> = new Map([
  ['NUMBER', 'fixed'],
  ['FLOAT', 'real'],
  ['TEXT', 'text'],
  ['BOOLEAN', 'boolean'],
  ['DATE', 'date'],
  ['VARIANT', 'variant'],
]);

function toColumn(name: string, type: string) {
  const length = type === 'text' ? 16_777_216 : null;
  return { name, type, nullable: true, precision: type === 'fixed' ? 38 : null, scale: type === 'fixed' ? 0 : 9, length, byteLength: length };
}

let queries = 0;

function answerWith(answer: Answer, cut: number): unknown {
  const rows = answer.rows.slice(0, Math.max(0, answer.rows.length - cut));
  queries += 1;
  return {
    success: true,
    data: {
      ...{ parameters: [], queryId: `q${queries}`, statementTypeId: 4096, version: 1, queryResultFormat: 'json' },
      rowtype: answer.columns.map((name, index) => toColumn(name, wireTypes.get(answer.types?.[index] ?? '') ?? typeOfColumn(name, answer))),
      rowset: rows.map((row) => answer.columns.map((name) => encode(row[name] ?? null).text)),
      total: rows.length,
      returned: rows.length,
    },
  };
}

/** Compiles a query and runs nothing. */
function describe(account: Account, session: Session, sql: string): Answer {
  const outputs = analyze(account, sql, homeOf(session));
  return { columns: outputs.map(({ name }) => name), types: outputs.map(({ type }) => type), rows: [] };
}

/** Words that statements start with: what starts otherwise is a mistake of a client's, and no gap of the server's. */
const verbs: ReadonlySet<string> = new Set(
  'ALTER BEGIN CALL COMMENT COMMIT CREATE DELETE DESC DESCRIBE DROP EXPLAIN GRANT INSERT MERGE REVOKE ROLLBACK SELECT SET SHOW UNDROP UPDATE USE WITH'.split(
    ' ',
  ),
);

function run(account: Account, session: Session, sql: string): Answer {
  const answer = runQuery(account, session, sql);
  if (answer) return answer;
  account.changes += 1;
  const number = account.changes;
  account.onChange('before', number);
  if (runDdl(account, session, sql)) {
    account.onChange('after', number);
    return { columns: ['status'], rows: [{ status: 'Statement executed successfully.' }] };
  }
  if (!verbs.has(sql.split(/\s/, 1)[0]?.toUpperCase() ?? ''))
    throw new SqlError('001003', '42000', `SQL compilation error:\nsyntax error line 1 at position 0 unexpected '${sql.slice(0, 20)}'.`);
  throw new Error(`The server does not know this statement: ${sql.slice(0, 300)}`);
}

function takeInjection({ injections }: Account, sql: string): Injection | undefined {
  const found = injections.find(({ matches, times }) => times > 0 && matches.test(sql));
  if (found) found.times -= 1;
  return found;
}

const isNoise = (sql: string) => /^(ALTER SESSION|USE |BEGIN|COMMIT|ROLLBACK|SHOW TRANSACTIONS|SELECT DATE_PART)/.test(sql);

interface QueryBody {
  readonly sqlText: string;
  readonly describeOnly?: boolean;
}

function carryOut({ account }: Listening, session: Session, { sqlText: sql, describeOnly }: QueryBody, injection: Injection | undefined): unknown {
  try {
    if (injection?.error) throw new SqlError(injection.error.code, injection.error.sqlState, injection.error.message);
    const answer = describeOnly ? describe(account, session, sql) : run(account, session, sql);
    if (!describeOnly) account.carriedOut.push(sql);
    return answerWith(answer, injection?.cutRows ?? 0);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return { success: false, code: error.code, message: error.message, data: { errorCode: error.code, sqlState: error.sqlState, queryId: 'q' } };
  }
}

const gone = (code: string, message: string) => ({ success: false, code, message, data: { errorCode: code, sqlState: '08001' } });

const expired = gone('390112', 'Your session has expired. Please login again.');

/** A query that takes long is asked for again under another path. https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses has the same with HTTP 202. */
function postpone({ pending }: Listening, answer: unknown, times: number): unknown {
  queries += 1;
  const path = `/queries/q${queries}/result`;
  pending.set(path, { answer, times: times - 1 });
  return { success: false, code: '333333', message: 'Query execution in progress.', data: { getResultUrl: path, queryId: `q${queries}` } };
}

/** The answer; undefined where none is sent. */
async function query(listening: Listening, session: Session, { body, request }: { body: QueryBody; request: string }): Promise<unknown> {
  const { account } = listening;
  const injection = takeInjection(account, body.sqlText);
  if (!isNoise(body.sqlText)) account.log.push(body.describeOnly ? `DESCRIBE ${body.sqlText}` : body.sqlText);
  if (injection?.latency !== undefined) await sleep(injection.latency);
  if (injection?.refuseConnection) return undefined;
  if (injection?.http) return injection.http;
  if (injection?.ends === 'session') listening.sessions.delete(session.token ?? '');
  if (injection?.ends !== undefined) {
    session.token = undefined;
    return injection.ends === 'token' ? expired : gone('390111', 'Session no longer exists. New login required to access the service.');
  }
  // https://docs.snowflake.com/en/developer-guide/node-js/nodejs-driver-execute#resubmitting-requests
  const known = account.repeatsRequests ? undefined : session.answers.get(request);
  const answer = known ?? carryOut(listening, session, body, injection);
  session.answers.set(request, answer);
  if (injection?.inProgress !== undefined) return postpone(listening, answer, injection.inProgress);
  return injection?.swallow ? undefined : answer;
}

function renewToken(listening: Listening, { oldSessionToken }: { readonly oldSessionToken?: string }): unknown {
  const session = listening.sessions.get(oldSessionToken ?? '');
  if (!session) return gone('390111', 'Session no longer exists. New login required to access the service.');
  const token = `t${session.id}r${listening.next++}`;
  session.token = token;
  listening.sessions.set(token, session);
  return {
    success: true,
    data: { ...signedIn, masterToken: `m${session.id}`, sessionToken: token, validityInSecondsST: 3600, validityInSecondsMT: 14_400, sessionId: session.id },
  };
}

function result({ pending }: Listening, path: string): unknown {
  const found = pending.get(path);
  if (!found) throw new Error(`The server does not know ${path}.`);
  if (found.times <= 0) return found.answer;
  found.times -= 1;
  return { success: false, code: '333334', message: 'Query execution in progress.', data: { getResultUrl: path, queryId: 'q' } };
}

const heard: ReadonlySet<string> = new Set(['/telemetry/send', '/session/heartbeat', '/queries/v1/abort-request']);

async function answerTo(listening: Listening, { url, token, body }: { url: URL; token: string; body: Record<string, unknown> }): Promise<unknown> {
  const { pathname } = url;
  if (pathname === '/session/v1/login-request') return login(listening, url, body as unknown as { data: Login });
  if (pathname === '/session/token-request') return renewToken(listening, body);
  if (pathname === '/session') {
    listening.sessions.delete(token);
    return { success: true };
  }
  if (heard.has(pathname)) return { success: true, data: {} };
  if (/^\/queries\/q\d+\/result$/.test(pathname)) return result(listening, pathname);
  if (pathname !== '/queries/v1/query-request') throw new Error(`The server does not know ${pathname}.`);
  const session = listening.sessions.get(token);
  if (!session) return gone('390104', 'Session no longer exists.');
  if (session.token !== token) return expired;
  return query(listening, session, { body: body as unknown as QueryBody, request: url.searchParams.get('requestId') ?? '' });
}

const isHttp = (answer: unknown): answer is NonNullable<Injection['http']> => typeof answer === 'object' && answer !== null && 'status' in answer;

async function handle(listening: Listening, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const body = await readBody(request);
  const [, token = ''] = /Token="([^"]*)"/.exec(request.headers.authorization ?? '') ?? [];
  const answer = await answerTo(listening, { url, token, body });
  if (answer === undefined) response.destroy();
  else if (isHttp(answer)) {
    if (answer.retryAfter !== undefined) response.setHeader('retry-after', String(answer.retryAfter));
    response.writeHead(answer.status).end();
  } else send(response, answer);
}

/** What the server does not know is told to whoever asked, and ends the test. */
function fail(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
  process.stderr.write(`Snowflake server: ${message}\n`);
  send(response, { success: false, code: '000001', message, data: { errorCode: '000001', sqlState: 'XX000' } });
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** Starts one on loopback. */
export async function startSnowflake(account: Account): Promise<SnowflakeServer> {
  const listening: Listening = { account, sessions: new Map(), pending: new Map(), logins: [], next: 1 };
  const server = createServer((request, response) => {
    handle(listening, request, response).catch((error: unknown) => fail(response, error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const owner: Session = { id: 0, user: 'ADA', role: 'VIEWSYNC', compute: null, schema: '', tag: '', answers: new Map(), token: undefined };
  return {
    account,
    port,
    options: { account: 'myaccount', host: '127.0.0.1', port: String(port), protocol: 'http', user: 'service', password: 'secret' },
    logins: listening.logins,
    run: (statements, role = 'VIEWSYNC') => {
      for (const sql of statements) if (!runDdl(account, { ...owner, role }, sql)) throw new Error(`No statement of ours: ${sql}`);
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}
