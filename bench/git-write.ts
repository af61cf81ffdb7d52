import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openHistory } from '../src/history/open-history.ts';
import type { Stage } from './stage.ts';

export type Files = ReadonlyMap<string, string>;

function createRepository({ folder, environment }: Stage, kind: 'bare' | 'with files'): string {
  // A new folder each time: removing thousands of files keeps the file system busy for seconds.
  const directory = mkdtempSync(join(folder, 'write-'));
  execFileSync('git', ['init', '--quiet', ...(kind === 'bare' ? ['--bare'] : []), '--initial-branch=main', directory], { env: environment });
  return directory;
}

/** Milliseconds of our way to write files as one commit. */
export async function timeRecord(stage: Stage, kind: 'bare' | 'with files', files: Files): Promise<number> {
  const history = await openHistory(createRepository(stage, kind), stage.environment);
  const started = performance.now();
  await history.record({ ref: 'refs/heads/main', parent: undefined, changes: files, message: 'bench: write' });
  return performance.now() - started;
}

function* importStream(files: Files): Generator<string> {
  yield 'commit refs/heads/main\ncommitter Bench <bench@example.com> 0 +0000\ndata 0\n';
  for (const [path, text] of files) yield `M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
  yield 'done\n';
}

/** Milliseconds of `git fast-import` for the same commit in a bare repository. */
export async function timeFastImport(stage: Stage, files: Files): Promise<number> {
  const directory = createRepository(stage, 'bare');
  const started = performance.now();
  const child = spawn('git', ['fast-import', '--quiet', '--done'], { cwd: directory, env: stage.environment, stdio: ['pipe', 'ignore', 'inherit'] });
  Readable.from(importStream(files)).pipe(child.stdin);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`git fast-import ended with ${code}.`);
  return performance.now() - started;
}

/** The files of the newest commit of a repository. */
export async function readFiles({ environment }: Stage, directory: string): Promise<Files> {
  const { reader } = await openHistory(directory, environment);
  const blobs = await reader.listTree(await reader.resolve('HEAD'), 'views');
  const texts = await reader.readBlobs(blobs.values());
  return new Map([...blobs].map(([path, blob]) => [path, texts.get(blob) ?? '']));
}
