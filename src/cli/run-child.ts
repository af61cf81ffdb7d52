import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { interruption } from './interruption.ts';

/** What a shell says of a command that it cannot find. */
const notFound = 127;

/** Runs a command on our own terminal or pipes and resolves to its exit code, as a shell has it. Under `--json` what it prints goes to stderr. */
export async function runChild([program = '', ...parameters]: readonly string[], output: 'pass on' | 'to stderr'): Promise<number> {
  const child = spawn(program, parameters, { stdio: ['inherit', output === 'pass on' ? 'inherit' : 2, 'inherit'] });
  // At a terminal Ctrl-C reaches the command by itself.
  const forward = () => void (process.stdin.isTTY || child.kill('SIGTERM'));
  interruption.signal.addEventListener('abort', forward, { once: true });
  try {
    const [code, signal] = await once(child, 'close');
    return code ?? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return notFound;
  } finally {
    interruption.signal.removeEventListener('abort', forward);
  }
}
