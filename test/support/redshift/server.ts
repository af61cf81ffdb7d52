import { readFile } from 'node:fs/promises';
import { createServer, connect as openSocket, type Socket } from 'node:net';
import { Client } from 'pg';
import type { TestDatabase } from '../postgres-server.ts';
import { refuse, translateStatement } from './statements.ts';

/** Loaded on use: it knows the servers of a test run alone. */
async function createDatabase(): Promise<TestDatabase> {
  return (await import('../postgres-server.ts')).createDatabase();
}

/** What a fault does to a statement: the code and message with which it fails. */
export type Fault = (sql: string) => { readonly code: string; readonly message: string } | undefined;

/** A database of a PostgreSQL server that answers as Redshift does, as far as viewsync asks. */
export interface SimulatedRedshift extends AsyncDisposable {
  /** For the superuser `postgres`, through the simulation. */
  readonly url: string;
  urlFor(role: string): string;
  /** The database behind, without the simulation: for tables, schemas and users. */
  readonly database: TestDatabase;
  /** Runs statements one after the other as a client of Redshift would. */
  run(...statements: readonly string[]): Promise<void>;
  /** Every statement that clients sent, in order. */
  readonly statements: string[];
  fault: Fault;
}

const sslRequest = 80_877_103;
const cancelRequest = 80_877_102;

/** The startup message with options that make the server read strings as Redshift does. */
function withOptions(message: Buffer): Buffer {
  const body = message.subarray(8, -1).toString('utf8');
  const options = 'options\0-c standard_conforming_strings=off -c escape_string_warning=off -c jit=off\0';
  const content = Buffer.from(`${body}${options}\0`, 'utf8');
  const head = Buffer.alloc(8);
  head.writeInt32BE(content.length + 8, 0);
  message.copy(head, 4, 4, 8);
  return Buffer.concat([head, content]);
}

/** A message of the simple or the extended protocol with another statement in it. https://www.postgresql.org/docs/current/protocol-message-formats.html */
function withStatement(type: string, body: Buffer, translate: (sql: string) => string): Buffer {
  const text = body.toString('utf8');
  const start = type === 'Q' ? 0 : text.indexOf('\0') + 1;
  const end = text.indexOf('\0', start);
  const content = Buffer.from(`${text.slice(0, start)}${translate(text.slice(start, end))}\0`, 'utf8');
  const rest = type === 'Q' ? Buffer.alloc(0) : body.subarray(Buffer.byteLength(text.slice(0, end)) + 1);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(content.length + rest.length + 4, 1);
  return Buffer.concat([head, content, rest]);
}

/** Passes a client's messages on, statements translated. */
function serve(client: Socket, server: Socket, translate: (sql: string) => string): void {
  let waiting = Buffer.alloc(0);
  let isStarted = false;
  const takeFirst = (): boolean => {
    if (waiting.length < 8) return false;
    const [length, code] = [waiting.readInt32BE(0), waiting.readInt32BE(4)];
    if (waiting.length < length) return false;
    const message = waiting.subarray(0, length);
    waiting = waiting.subarray(length);
    if (code === sslRequest) client.write('N');
    else {
      server.write(code === cancelRequest ? message : withOptions(message));
      isStarted = code !== cancelRequest;
    }
    return true;
  };
  const takeNext = (): boolean => {
    if (waiting.length < 5 || waiting.length < waiting.readInt32BE(1) + 1) return false;
    const end = waiting.readInt32BE(1) + 1;
    const [message, type] = [waiting.subarray(0, end), String.fromCharCode(waiting[0] ?? 0)];
    waiting = waiting.subarray(end);
    server.write(type === 'Q' || type === 'P' ? withStatement(type, message.subarray(5), translate) : message);
    return true;
  };
  client.on('data', (data) => {
    waiting = Buffer.concat([waiting, data]);
    while (isStarted ? takeNext() : takeFirst());
  });
  server.pipe(client);
  client.on('end', () => server.end());
  // A process that is killed says nothing before it goes.
  client.on('close', () => server.destroy());
  for (const socket of [client, server]) socket.on('error', () => undefined);
}

function addressOf(url: string): { readonly path: string } | { readonly host: string; readonly port: number } {
  const { searchParams, hostname, port } = new URL(url);
  const host = searchParams.get('host') ?? hostname;
  const number = Number(searchParams.get('port') ?? port);
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${number}` } : { host, port: number };
}

/** Starts a simulation in front of a fresh database, or of one that answers as Redshift already; it ends, and the database goes, when disposed of. */
export async function startRedshift(given?: TestDatabase, state: 'fresh' | 'as it is' = 'fresh'): Promise<SimulatedRedshift> {
  const database = given ?? (await createDatabase());
  if (state === 'fresh') await database.query(await readFile(new URL('shim.sql', import.meta.url), 'utf8'));
  const statements: string[] = [];
  const sockets = new Set<Socket>();
  const simulation = { fault: (() => undefined) as Fault };
  const translate = (sql: string) => {
    statements.push(sql);
    const fault = simulation.fault(sql);
    return fault ? refuse(fault.code, fault.message) : translateStatement(sql);
  };
  const listener = createServer((client) => {
    const server = openSocket(addressOf(database.url));
    for (const socket of [client, server]) sockets.add(socket.once('close', () => sockets.delete(socket)));
    serve(client, server, translate);
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const urlFor = (role: string) => `postgresql://${role}@127.0.0.1:${port}/${database.name}?sslmode=disable`;
  return Object.assign(simulation, {
    url: urlFor('postgres'),
    urlFor,
    database,
    statements,
    run: (...texts: readonly string[]) => runAll(urlFor('postgres'), texts),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
      await database[Symbol.asyncDispose]();
    },
  });
}

/** SQL that makes a role of PostgreSQL a group or role of Redshift, also while another test does the same. */
export function identify(role: string, kind: 'group' | 'role'): string {
  const differs = `shobj_description('${role}'::regrole, 'pg_authid') IS DISTINCT FROM '${kind}'`;
  return `DO $do$ BEGIN IF ${differs} THEN COMMENT ON ROLE ${role} IS '${kind}'; END IF; EXCEPTION WHEN OTHERS THEN NULL; END $do$;`;
}

/** Makes a database that scratch databases are copies of, unless it is there: it stays, as the server does not. */
export async function makeTemplate(): Promise<void> {
  await using any = await createDatabase();
  const [found] = await any.query("SELECT FROM pg_database WHERE datname = 'redshift_template'");
  if (found !== undefined) return;
  await using made = await createDatabase();
  await made.query(await readFile(new URL('shim.sql', import.meta.url), 'utf8'));
  await any.query(`ALTER DATABASE "${made.name}" RENAME TO redshift_template`);
}

async function runAll(url: string, texts: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const text of texts) await client.query(text);
  } finally {
    await client.end();
  }
}
