import { existsSync, lstatSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EditedFile, Head, ObjectReader } from './history.ts';

/** `History.listEdited` where no git can be asked: every file of the folder is read and compared with HEAD. The index does not count. */
export async function compareWorkTree(
  root: string,
  folder: string,
  { reader, head }: { readonly reader: ObjectReader; readonly head: Head },
): Promise<readonly EditedFile[]> {
  const blobs = head.commit === undefined ? new Map<string, string>() : await reader.listTree(head.commit, folder);
  const texts = await reader.readBlobs(blobs.values());
  const committed = (path: string) => texts.get(blobs.get(path) ?? '');
  const paths = [...new Set([...blobs.keys(), ...(await listFiles(root, folder))])].sort();
  const files = await Promise.all(paths.map(async (path) => ({ path, text: await readText(join(root, path)), isTracked: blobs.has(path) })));
  return files.filter(({ path, text }) => text !== committed(path));
}

async function listFiles(root: string, folder: string): Promise<readonly string[]> {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) =>
    join(entry.parentPath, entry.name)
      .slice(root.length + 1)
      .replaceAll('\\', '/'),
  );
}

async function readText(path: string): Promise<string | undefined> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ? readFile(path, 'utf8') : undefined;
}
