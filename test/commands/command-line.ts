import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { someone } from '../support/repository.ts';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export interface Ending {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built program as a user does, away from any terminal. `npm test` builds it first. */
export async function runViewsync(
  args: readonly string[],
  place: { readonly directory: string; readonly environment?: Readonly<Record<string, string>> },
): Promise<Ending> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: place.directory,
    env: { ...someone, ...place.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [[exitCode], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { exitCode, stdout, stderr };
}
