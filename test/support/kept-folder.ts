import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A folder that is removed when the last test of the file is over. */
export function keptFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'viewsync-')));
  folders.push(folder);
  return folder;
}
