import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './repository.ts';

/** Stands between clients and the server as a pooler in transaction mode does. */
export interface Pooler {
  readonly url: string;
  /** How many server connections of its pool a client has used so far, the most that any did. */
  widest(): number;
}

const sslRequest = 80_877_103;
const cancelRequest = 80_877_102;
const protocol = 196_608;

// https://www.postgresql.org/docs/current/protocol-message-formats.html
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(type === '' ? 4 : 5);
  head.write(type, 0);
  head.writeInt32BE(body.length + 4, type === '' ? 0 : 1);
  return Buffer.concat([head, body]);
}

const startup = (user: string, database: string) =>
  message(
    '',
    Buffer.concat([
      Buffer.from([protocol >> 24, (protocol >> 16) & 255, (protocol >> 8) & 255, protocol & 255]),
      Buffer.from(`user\0${user}\0database\0${database}\0\0`),
    ]),
  );

/** Cuts a stream of bytes into messages; the first one of a client has no type. */
function createCutter(hasType: boolean): (bytes: Buffer) => readonly { readonly type: string; readonly bytes: Buffer }[] {
  let rest = Buffer.alloc(0);
  let isTyped = hasType;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const found: { type: string; bytes: Buffer }[] = [];
    for (;;) {
      const offset = isTyped ? 1 : 0;
      if (rest.length < offset + 4 || rest.length < offset + rest.readInt32BE(offset)) return found;
      const end = offset + rest.readInt32BE(offset);
      const cut = rest.subarray(0, end);
      rest = rest.subarray(end);
      const isPlea = !isTyped && cut.length === 8 && cut.readInt32BE(4) === sslRequest;
      found.push({ type: isTyped ? String.fromCharCode(cut[0] ?? 0) : isPlea ? 'ssl' : 'startup', bytes: cut });
      if (!isPlea) isTyped = true;
    }
  };
}

interface Upstream {
  /** Sends what ends in a request for an answer; resolves to all that comes back, and to whether a transaction is open then. */
  ask(bytes: Buffer): Promise<{ readonly answer: Buffer; readonly isOpen: boolean }>;
  end(): void;
}

function openUpstream(path: string, hello: Buffer): { readonly upstream: Upstream; readonly greeting: Promise<Buffer> } {
  const socket = connect(path).setMaxListeners(0);
  const cut = createCutter(true);
  let parts: Buffer[] = [];
  let answer: ((value: { answer: Buffer; isOpen: boolean }) => void) | undefined;
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    for (const { type, bytes: part } of cut(bytes)) {
      parts.push(part);
      if (type !== 'Z') continue;
      const whole = Buffer.concat(parts);
      parts = [];
      answer?.({ answer: whole, isOpen: part.at(-1) !== 'I'.charCodeAt(0) });
    }
  });
  const ask = (bytes: Buffer) =>
    new Promise<{ answer: Buffer; isOpen: boolean }>((resolve, reject) => {
      answer = resolve;
      socket.once('close', () => reject(new Error('The server has closed the connection.')));
      socket.write(bytes);
    });
  return { upstream: { ask, end: () => socket.destroy() }, greeting: ask(hello).then((greeted) => greeted.answer) };
}

const size = 3;

/** One pool for each role and database, whose connections take turns: every transaction is on another one than the last. */
export async function startPooler(url: string): Promise<Pooler> {
  const folder = temporaryFolder();
  const target = new URL(url.replace('postgresql:///', 'postgresql://none/'));
  const [host, port] = [target.searchParams.get('host') ?? '', target.searchParams.get('port') ?? ''];
  const pools = new Map<string, { readonly free: Upstream[]; greeting: Promise<Buffer> | undefined }>();
  const clients = new Set<Socket>();
  let widest = 0;

  const serve = (client: Socket) => {
    clients.add(client);
    const cut = createCutter(false);
    const used = new Set<Upstream>();
    let pool: { readonly free: Upstream[]; greeting: Promise<Buffer> | undefined } | undefined;
    let held: Upstream | undefined;
    let pending: Buffer[] = [];
    let last: Promise<void> = Promise.resolve();
    const drop = () => {
      client.destroy();
    };
    const greet = async (bytes: Buffer) => {
      if (bytes.readInt32BE(4) === cancelRequest) {
        client.end();
        return;
      }
      const words = bytes.subarray(8).toString().split('\0');
      const parameter = (name: string) => words[words.indexOf(name) + 1] ?? '';
      const hello = startup(parameter('user'), parameter('database'));
      const key = hello.toString();
      pool = pools.get(key) ?? { free: [], greeting: undefined };
      pools.set(key, pool);
      while (pool.free.length < size) {
        const opened = openUpstream(join(host, `.s.PGSQL.${port}`), hello);
        const greeting = await opened.greeting;
        if (!greeting.includes('ReadyForQuery') && greeting[0] !== 'R'.charCodeAt(0)) {
          client.end(greeting);
          return;
        }
        pool.greeting = opened.greeting;
        pool.free.push(opened.upstream);
      }
      client.write(await (pool.greeting as Promise<Buffer>));
    };
    const answer = async (request: Buffer) => {
      held ??= pool?.free.shift();
      if (!held) throw new Error('The pool is empty.');
      used.add(held);
      widest = Math.max(widest, used.size);
      const { answer: reply, isOpen } = await held.ask(request);
      client.write(reply);
      if (isOpen) return;
      pool?.free.push(held);
      held = undefined;
    };
    client.on('error', () => undefined);
    client.on('close', () => {
      clients.delete(client);
      held?.end();
    });
    client.on('data', (bytes) => {
      for (const part of cut(bytes)) {
        if (part.type === 'ssl') client.write('N');
        else if (part.type === 'startup') last = last.then(() => greet(part.bytes)).catch(drop);
        else if (part.type === 'X') client.end();
        else {
          pending.push(part.bytes);
          if (part.type !== 'Q' && part.type !== 'S') continue;
          const request = Buffer.concat(pending);
          pending = [];
          last = last.then(() => answer(request)).catch(drop);
        }
      }
    });
  };

  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(join(folder, `.s.PGSQL.${port}`), resolve));
  onTestFinished(() => {
    server.close();
    for (const client of clients) client.destroy();
    for (const upstream of [...pools.values()].flatMap(({ free }) => free)) upstream.end();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: url.replace(encodeURIComponent(host), encodeURIComponent(folder)), widest: () => widest };
}
