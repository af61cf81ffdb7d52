import { rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/repository.ts';

/** A moment on the wire: just before or just after the server has done the statement of that number, counted from 1. */
export interface Moment {
  readonly statement: number;
  readonly when: 'before' | 'after';
}

/** Stands between a client and the server, counts the statements, and cuts the wire at the moment. */
export interface Proxy {
  readonly url: string;
  /** The SQL of the statements that came by. */
  readonly statements: string[];
}

export interface ProxyOptions {
  readonly moment?: Moment;
  /** Done at the moment. */
  readonly act?: () => void;
  /** What becomes of the wire then; it is cut if not given. */
  readonly wire?: 'cut' | 'whole';
}

/** Listens on a socket of its own in front of the server of a url. */
export async function startProxy(url: string, { moment, act = () => undefined, wire = 'cut' }: ProxyOptions = {}): Promise<Proxy> {
  const folder = temporaryFolder();
  const target = new URL(url.replace('postgresql:///', 'postgresql://none/'));
  const [host, port] = [target.searchParams.get('host') ?? '', target.searchParams.get('port') ?? ''];
  const statements: string[] = [];
  const server = createServer((client) => {
    const upstream = connect(join(host, `.s.PGSQL.${port}`));
    relay({ client, upstream, statements, moment, act, wire });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, `.s.PGSQL.${port}`), resolve));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: url.replace(encodeURIComponent(host), encodeURIComponent(folder)), statements };
}

interface Wire extends Required<Pick<ProxyOptions, 'act' | 'wire'>> {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly statements: string[];
  readonly moment: Moment | undefined;
}

function relay({ client, upstream, statements, moment, act, wire }: Wire): void {
  let isDue = false;
  const come = (bytes: Buffer, to: Socket) => {
    isDue = false;
    act();
    if (wire === 'whole') return to.write(bytes);
    client.destroy();
    upstream.destroy();
    return false;
  };
  const read = createMessageReader((sql) => {
    statements.push(sql);
    isDue ||= statements.length === moment?.statement;
    return isDue && moment?.when === 'before';
  });
  client.on('data', (bytes) => (read(bytes) ? come(bytes, upstream) : upstream.write(bytes)));
  upstream.on('data', (bytes) => (isDue ? come(bytes, client) : client.write(bytes)));
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.end());
  }
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: Query and Parse hold SQL; the first message has no type. */
function createMessageReader(onStatement: (sql: string) => boolean): (bytes: Buffer) => boolean {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    let isStopped = false;
    for (;;) {
      const head = isStarted ? 1 : 0;
      if (rest.length < head + 4 || rest.length < head + rest.readUInt32BE(head)) return isStopped;
      const message = rest.subarray(0, head + rest.readUInt32BE(head));
      rest = rest.subarray(message.length);
      const type = isStarted ? String.fromCharCode(message[0] ?? 0) : '';
      isStarted = true;
      if (type === 'Q' || type === 'P')
        isStopped =
          onStatement(
            message
              .toString('utf8', 5)
              .split('\0')
              .find((text) => text !== '') ?? '',
          ) || isStopped;
    }
  };
}
