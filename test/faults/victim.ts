import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { someone, temporaryFolder } from '../support/repository.ts';
import type { Workplace } from '../support/workplace.ts';
import { startProxy } from './proxy.ts';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Fate {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly fate: Promise<Fate>;
}

export interface StartOptions {
  readonly url?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts the built program in the workplace, as the leader of a process group of its own. */
export function startViewsync(place: Workplace, args: readonly string[], { url = place.database.url, environment = {} }: StartOptions = {}): Running {
  const env = { ...someone, DATABASE_URL: url, ...environment };
  const child = spawn(process.execPath, [program, ...args], { cwd: place.directory, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const streams = Promise.all([text(child.stdout), text(child.stderr)]);
  const fate = Promise.all([once(child, 'exit'), streams]).then(([[exitCode, signal], [stdout, stderr]]) => ({ exitCode, signal, stdout, stderr }));
  return { child, fate };
}

/** Gives the workplace the `viewsync.yaml` that the program reads. */
export function configure(place: Workplace): void {
  writeFileSync(join(place.directory, 'viewsync.yaml'), 'targets:\n  prod:\n    warehouse: postgres\n    url: ${DATABASE_URL}\n');
  place.git('add', 'viewsync.yaml');
  place.git('commit', '--quiet', '--message', 'Configure');
}

export interface KillPoint {
  /** `sql`: at a statement; `git`: at a run of git; `time`: after so many milliseconds. */
  readonly at: 'sql' | 'git' | 'time';
  readonly number: number;
  readonly when: 'before' | 'after';
}

/** Runs the program and kills it (SIGKILL) at that point; a point behind its end lets it finish. */
export async function runKilled(
  place: Workplace,
  args: readonly string[],
  point: KillPoint,
): Promise<Fate & { readonly statements: readonly string[]; readonly gitCalls: number }> {
  let child: ChildProcess | undefined;
  const kill = () => void child?.kill('SIGKILL');
  const proxy = await startProxy(place.database.url, point.at === 'sql' ? { moment: { statement: point.number, when: point.when }, act: kill } : {});
  const wrapper = wrapGit(point.at === 'git' ? point : undefined);
  const running = startViewsync(place, args, { url: proxy.url, environment: wrapper.environment });
  child = running.child;
  const timer = point.at === 'time' ? setTimeout(kill, point.number) : undefined;
  const fate = await running.fate;
  clearTimeout(timer);
  return { ...fate, statements: proxy.statements, gitCalls: wrapper.count() };
}

/** A `git` that kills the process that started it, just before or after it has done its work; every run of it is counted. */
function wrapGit(point: KillPoint | undefined): { readonly environment: Record<string, string>; count(): number } {
  const folder = temporaryFolder();
  const counter = join(folder, 'count');
  writeFileSync(counter, '');
  const path = join(folder, 'git');
  const script = `#!/bin/sh
PATH='${someone['PATH']}'
printf x >> '${counter}'
if [ "$(wc -c < '${counter}')" -ne '${point?.number ?? 0}' ]; then exec git "$@"; fi
if [ '${point?.when}' = after ]; then git "$@"; fi
kill -9 $PPID
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return { environment: { PATH: `${folder}:${someone['PATH']}` }, count: () => readFileSync(counter).length };
}
