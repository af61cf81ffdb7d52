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
  /** `during`, of a run of git: git is killed, too. */
  readonly when: 'before' | 'after' | 'during';
}

export const never: KillPoint = { at: 'time', number: 60_000, when: 'before' };

/** `VIEWSYNC_KILLS=all` tries every statement and every run of git, and fifty random moments. */
const isThorough = process.env['VIEWSYNC_KILLS'] === 'all';

/** Every point where something may be half done, or a few of them that are spread evenly and hold the last ones. */
export function choosePoints({ statements, gitCalls }: Traces, few: number): readonly KillPoint[] {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const points = (at: KillPoint['at'], count: number) =>
    numbers(count).flatMap((number) => (['before', 'after'] as const).map((when) => ({ at, number, when })));
  const [sql, git] = [points('sql', statements.length), points('git', gitCalls)];
  // What a git call has left is what the next one finds, so that dying after each but the last would try the same again.
  const distinct = git.filter(({ when }, index) => when === 'before' || index === git.length - 1);
  if (isThorough)
    return [...sql, ...distinct, ...numbers(50).map(() => ({ at: 'time' as const, number: 150 + Math.round(Math.random() * 1000), when: 'before' as const }))];
  const spread = (all: readonly KillPoint[]) => numbers(few).map((n) => all[Math.floor((n * all.length) / few) - 1] as KillPoint);
  return [...spread(sql), ...spread(git)];
}

/** What a run left to be counted. */
export interface Traces {
  readonly statements: readonly string[];
  readonly gitCalls: number;
}

/** Runs the program and kills it at that point; a point behind its end lets it finish. SIGINT reaches all that it started, as Ctrl-C does. */
export async function runKilled(place: Workplace, args: readonly string[], point: KillPoint, signal: 'SIGKILL' | 'SIGINT' = 'SIGKILL'): Promise<Fate & Traces> {
  let child: ChildProcess | undefined;
  const group = signal === 'SIGINT' ? -1 : 1;
  const kill = () => void (child?.pid && child.exitCode === null && process.kill(group * child.pid, signal));
  const moment = point.at === 'sql' && point.when !== 'during' ? { statement: point.number, when: point.when } : undefined;
  const proxy = await startProxy(place.database.url, moment ? { moment, act: kill, wire: signal === 'SIGINT' ? 'whole' : 'cut' } : {});
  const wrapper = wrapGit(point.at === 'git' ? point : undefined, signal === 'SIGINT' ? 'kill -INT -- -$PPID' : 'kill -9 $PPID');
  const running = startViewsync(place, args, { url: proxy.url, environment: wrapper.environment });
  child = running.child;
  const timer = point.at === 'time' ? setTimeout(kill, point.number) : undefined;
  const fate = await running.fate;
  clearTimeout(timer);
  return { ...fate, statements: proxy.statements, gitCalls: wrapper.count() };
}

/** A `git` that kills the process that started it, just before or after it has done its work; every run of it is counted. */
function wrapGit(point: KillPoint | undefined, kill: string): { readonly environment: Record<string, string>; count(): number } {
  const folder = temporaryFolder();
  const counter = join(folder, 'count');
  writeFileSync(counter, '');
  const path = join(folder, 'git');
  const script = `#!/bin/sh
PATH='${someone['PATH']}'
printf x >> '${counter}'
if [ "$(wc -c < '${counter}')" -ne '${point?.number ?? 0}' ]; then exec git "$@"; fi
if [ '${point?.when}' = after ]; then git "$@"; fi
if [ '${point?.when}' = during ]; then git "$@" <&0 & kill -9 $!; fi
${kill}
if [ '${point?.when}' = before ]; then exec git "$@"; fi
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return { environment: { PATH: `${folder}:${someone['PATH']}` }, count: () => readFileSync(counter).length };
}
