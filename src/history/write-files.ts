import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ViewsyncError } from '../errors.ts';
import { refuseUnsafe } from './safe-path.ts';

/** `History.writeFiles`: each file appears whole or not at all. */
export async function writeFiles(root: string | undefined, changes: ReadonlyMap<string, string | undefined>): Promise<void> {
  if (root === undefined) {
    throw new ViewsyncError('USAGE', {
      message: 'A bare repository has no work tree to write files into. Nothing was changed.',
      suggestions: ['viewsync export'],
    });
  }
  for (const path of changes.keys()) refuseUnsafe(path);
  for (const [path, text] of changes) await writeWhole(join(root, path), text);
}

async function writeWhole(file: string, text: string | undefined): Promise<void> {
  if (text === undefined) return rm(file, { force: true });
  const fresh = `${file}.viewsync-new`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(fresh, text);
  await rename(fresh, file);
}
