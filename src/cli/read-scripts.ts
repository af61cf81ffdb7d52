import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { ScriptText } from '../core/script.ts';
import { ViewsyncError } from '../errors.ts';

/** Files as they were typed; `-` is standard input. `USAGE` for one that cannot be read. */
export function readScripts(files: readonly string[]): Promise<readonly ScriptText[]> {
  return Promise.all(files.map(readScript));
}

async function readScript(file: string): Promise<ScriptText> {
  if (file === '-') return { file, text: await text(process.stdin) };
  try {
    return { file, text: await readFile(file, 'utf8') };
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new ViewsyncError('USAGE', { message: `The file "${file}" cannot be read (${reason}). Nothing was run.`, suggestions: [`ls -l '${file}'`], cause });
  }
}
