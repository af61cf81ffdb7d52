import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { platform } from 'node:os';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { ViewsyncError } from '../errors.ts';
import { explainFailure } from './git-failure.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where git is run. */
export interface Place {
  readonly directory: string;
  readonly environment: Environment;
}

export interface GitOptions {
  readonly input?: string | Iterable<string | Uint8Array>;
  /** Exit codes that are an answer and no failure; 0 if not given. */
  readonly accept?: readonly number[];
}

export interface GitAnswer {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Variables with which git would look elsewhere than in the folder that was asked for: `git rev-parse --local-env-vars`. */
const locationVariables = new Set([
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_SHALLOW_FILE',
  'GIT_LITERAL_PATHSPECS',
]);

/** The environment for git: messages in English, paths taken literally, the repository found from the folder alone. */
export function gitEnvironment(environment: Environment): Record<string, string> {
  const kept = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && !locationVariables.has(entry[0]));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', GIT_LITERAL_PATHSPECS: '1', GIT_OPTIONAL_LOCKS: '0' };
}

// On Windows it would get a console window of its own.
const canDetach = platform() !== 'win32';

/**
 * A running git with open pipes. `GIT_MISSING` arrives as its `error` event. It has a session of its own, so that Ctrl-C at the terminal ends
 * it no earlier than us; only what may have to ask there for a passphrase stays.
 */
export function startGit(place: Place, args: readonly string[]): ChildProcessWithoutNullStreams {
  const child = spawn('git', args, {
    cwd: place.directory,
    env: gitEnvironment(place.environment),
    windowsHide: true,
    detached: canDetach && !args.includes('commit-tree'),
  });
  // A git that stops early closes its end; its exit code and stderr say why.
  child.stdin.on('error', () => undefined);
  return child;
}

/** Runs git to its end and collects what it wrote. `GIT_MISSING`, and the errors of `explainFailure`. */
export async function runGit(place: Place, args: readonly string[], options: GitOptions = {}): Promise<GitAnswer> {
  const child = startGit(place, args);
  feed(child, options.input);
  const [stdout, stderr, exitCode] = await Promise.all([collect(child.stdout), collect(child.stderr), ended(child, place)]);
  const answer = { exitCode, stdout, stderr: stderr.toString() };
  if ((options.accept ?? [0]).includes(exitCode)) return answer;
  throw explainFailure(commandOf(args), answer.stderr);
}

/** What git wrote to stdout, as text without the line break at its end. */
export async function askGit(place: Place, args: readonly string[], options: GitOptions = {}): Promise<string> {
  return (await runGit(place, args, options)).stdout.toString().trimEnd();
}

/** The NUL-terminated records of git's output, as they arrive. */
export async function* streamGit(place: Place, args: readonly string[]): AsyncGenerator<string> {
  const child = startGit(place, args);
  child.stdin.end();
  const finish = Promise.all([collect(child.stderr), ended(child, place)]);
  finish.catch(() => undefined);
  try {
    yield* splitRecords(child.stdout);
    const [stderr, exitCode] = await finish;
    if (exitCode !== 0) throw explainFailure(commandOf(args), stderr.toString());
  } finally {
    child.kill();
  }
}

/** Repeats an action for a few seconds while another git command holds a lock. */
export async function whenFree<Result>(action: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; attempt < 25; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof ViewsyncError) || error.code !== 'GIT_BUSY') throw error;
      await wait(100 + Math.random() * 200);
    }
  }
  return action();
}

/** The exit code of a git process. `GIT_MISSING`. */
export function ended(child: ChildProcessWithoutNullStreams, place: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(notStarted(place, cause)));
    child.once('close', (code) => resolve(code ?? 128));
  });
}

function notStarted(place: Place, cause: unknown): ViewsyncError {
  if (!existsSync(place.directory)) {
    return new ViewsyncError('NOT_A_REPOSITORY', { message: `The folder "${place.directory}" does not exist. Nothing was done.`, suggestions: ['pwd'], cause });
  }
  const message = 'There is no git command on this machine, or it is not in the PATH. Nothing changed.';
  return new ViewsyncError('GIT_MISSING', { message, suggestions: ['Install git (https://git-scm.com/downloads).'], cause });
}

function feed(child: ChildProcessWithoutNullStreams, input: GitOptions['input']): void {
  if (input === undefined || typeof input === 'string') child.stdin.end(input ?? '');
  else Readable.from(input, { objectMode: true }).pipe(child.stdin);
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function* splitRecords(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const parts = (rest + (chunk as string)).split('\0');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') yield rest;
}

/** The subcommand, for messages: options before it are left out. */
function commandOf(args: readonly string[]): string {
  const index = args.findIndex((argument, position) => !argument.startsWith('-') && args[position - 1] !== '-c');
  return args[index] ?? '';
}
