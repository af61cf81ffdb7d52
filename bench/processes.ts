import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const memoryReport = new URL('report-memory.mjs', import.meta.url).href;

export interface Launch {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** File for what the process prints; nowhere without it. */
  readonly output?: string;
}

/** Runs a program to its end and gives the milliseconds that it took. Fails when the program does. */
export async function runProgram(program: string, parameters: readonly string[], { directory, environment, output }: Launch): Promise<number> {
  const stdout = output === undefined ? 'ignore' : openSync(output, 'w');
  const started = performance.now();
  const child = spawn(program, parameters, { cwd: directory, env: environment, stdio: ['ignore', stdout, 'pipe'] });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const [code] = await once(child, 'close');
  const milliseconds = performance.now() - started;
  if (typeof stdout === 'number') closeSync(stdout);
  if (code !== 0) throw new Error(`"${program} ${parameters.join(' ')}" ended with ${code}: ${complaint}`);
  return milliseconds;
}

export interface CommandRun {
  readonly milliseconds: number;
  /** Bytes. */
  readonly peakMemory: number;
  /** What it printed. */
  readonly output: string;
}

/** Runs the built command line in a process of its own, as a user does. */
export async function runCommand(parameters: readonly string[], launch: Launch): Promise<CommandRun> {
  const output = join(launch.directory, '.git', 'bench-output');
  const memory = join(launch.directory, '.git', 'bench-memory');
  const environment = { ...launch.environment, NODE_OPTIONS: `--import=${memoryReport}`, BENCH_MEMORY_FILE: memory };
  const milliseconds = await runProgram(process.execPath, [join(root, 'bin', 'run.js'), ...parameters], { ...launch, environment, output });
  return { milliseconds, peakMemory: Number(readFileSync(memory, 'utf8')), output: readFileSync(output, 'utf8') };
}
