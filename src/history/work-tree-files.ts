import { lstatSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The bytes of a file of the work tree, links not followed. */
export async function readBytes(root: string, path: string): Promise<Buffer | 'no file' | 'no regular file'> {
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return 'no file';
  return stat.isFile() ? readFile(join(root, path)) : 'no regular file';
}
