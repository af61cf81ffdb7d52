import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { type Account, type Injection, type Session, SqlError } from './account.ts';
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
  readonly sessions: Map<string, Session>;
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

const signedIn = { masterToken: 'm', validityInSeconds: 3600, masterValidityInSeconds: 14_400, parameters: [], sessionInfo: {} };

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
  };
  listening.sessions.set(`t${id}`, session);
  return { success: true, data: { ...signedIn, token: `t${id}`, sessionId: id } };
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

function toColumn(name: string, type: string) {
  return { name, type, nullable: true, precision: type === 'fixed' ? 38 : null, scale: type === 'fixed' ? 0 : 9, length: null, byteLength: null };
}

let queries = 0;

function answerWith(answer: Answer, cut: number): unknown {
  const rows = answer.rows.slice(0, Math.max(0, answer.rows.length - cut));
  queries += 1;
  return {
    success: true,
    data: {
      ...{ parameters: [], queryId: `q${queries}`, statementTypeId: 4096, version: 1, queryResultFormat: 'json' },
      rowtype: answer.columns.map((name) => toColumn(name, typeOfColumn(name, answer))),
      rowset: rows.map((row) => answer.columns.map((name) => encode(row[name] ?? null).text)),
      total: rows.length,
      returned: rows.length,
    },
  };
}

function homeOf({ schema }: Session): { readonly database: string; readonly schema: string } {
  const [database = '', name = ''] = [...schema.matchAll(/"((?:[^"]|"")*)"/g)].map(([, part = '']) => part.replaceAll('""', '"'));
  return { database, schema: name };
}

/** Compiles a query and runs nothing. */
function describe(account: Account, session: Session, sql: string): Answer {
  const outputs = analyze(account, sql, homeOf(session));
  return { columns: outputs.map(({ name }) => name), rows: [] };
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

async function query(
  listening: Listening,
  session: Session,
  { sqlText: sql, describeOnly }: { readonly sqlText: string; readonly describeOnly?: boolean },
): Promise<unknown> {
  const { account } = listening;
  const injection = takeInjection(account, sql);
  if (!isNoise(sql)) account.log.push(describeOnly ? `DESCRIBE ${sql}` : sql);
  if (injection?.latency !== undefined) await sleep(injection.latency);
  try {
    if (injection?.error) throw new SqlError(injection.error.code, injection.error.sqlState, injection.error.message);
    const answer = describeOnly ? describe(account, session, sql) : run(account, session, sql);
    return injection?.swallow ? undefined : answerWith(answer, injection?.cutRows ?? 0);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return { success: false, code: error.code, message: error.message, data: { errorCode: error.code, sqlState: error.sqlState, queryId: 'q' } };
  }
}

async function handle(listening: Listening, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const body = await readBody(request);
  if (url.pathname === '/session/v1/login-request') return send(response, login(listening, url, body as unknown as { data: Login }));
  const [, token = ''] = /Token="([^"]*)"/.exec(request.headers.authorization ?? '') ?? [];
  if (url.pathname === '/session') {
    listening.sessions.delete(token);
    return send(response, { success: true });
  }
  if (url.pathname === '/telemetry/send' || url.pathname === '/session/heartbeat') return send(response, { success: true, data: {} });
  if (url.pathname !== '/queries/v1/query-request') throw new Error(`The server does not know ${request.method} ${url.pathname}.`);
  const session = listening.sessions.get(token);
  if (!session)
    return send(response, { success: false, code: '390104', message: 'Session no longer exists.', data: { errorCode: '390104', sqlState: '08001' } });
  const answer = await query(listening, session, body as unknown as { sqlText: string });
  if (answer === undefined) response.destroy();
  else send(response, answer);
}

/** What the server does not know is told to whoever asked, and ends the test. */
function fail(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
  process.stderr.write(`Snowflake server: ${message}\n`);
  send(response, { success: false, code: '000001', message, data: { errorCode: '000001', sqlState: 'XX000' } });
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** Starts one on loopback. */
export async function startSnowflake(account: Account): Promise<SnowflakeServer> {
  const listening: Listening = { account, sessions: new Map(), logins: [], next: 1 };
  const server = createServer((request, response) => {
    handle(listening, request, response).catch((error: unknown) => fail(response, error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const owner: Session = { id: 0, user: 'ADA', role: 'VIEWSYNC', compute: null, schema: '', tag: '' };
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
