import { runGit, whenFree } from './git-process.ts';
import type { ObjectId } from './history.ts';
import { type Repository, zeroId } from './repository.ts';

/** What a path becomes when one tree follows another. */
export interface TreeChange {
  readonly path: string;
  readonly from: TreeFile | undefined;
  readonly to: TreeFile | undefined;
}

export interface TreeFile {
  readonly mode: string;
  readonly id: ObjectId;
}

/** The paths in which two trees differ. */
export async function listChanges(repository: Repository, from: ObjectId, to: ObjectId): Promise<readonly TreeChange[]> {
  const raw = (await runGit(repository, ['diff-tree', '-r', '-z', '--no-renames', from, to])).stdout.toString().split('\0');
  return raw.flatMap((header, index) => {
    const [, oldMode = '', newMode = '', oldId = '', newId = ''] = /^:(\d+) (\d+) (\w+) (\w+) [A-Z]/.exec(header) ?? [];
    return newId === '' ? [] : [{ path: raw[index + 1] ?? '', from: fileOf(oldMode, oldId), to: fileOf(newMode, newId) }];
  });
}

function fileOf(mode: string, id: ObjectId): TreeFile | undefined {
  return mode === '000000' ? undefined : { mode, id };
}

/** A line for `writeIndex` (https://git-scm.com/docs/git-update-index#_using_index_info); without a file, it removes the path. */
export function indexLine(repository: Repository, path: string, file: TreeFile | undefined): string {
  return file === undefined ? `0 ${zeroId(repository)}\t${path}` : `${file.mode} ${file.id} 0\t${path}`;
}

/** What the index holds at the paths, as lines that put it back. */
export async function readIndex(repository: Repository, paths: readonly string[]): Promise<readonly string[]> {
  if (paths.length === 0) return [];
  const args = ['ls-files', '--stage', '-z', '--', commonFolder(paths) || '.'];
  const listing = (await runGit(repository, args)).stdout.toString().split('\0');
  const lines = new Map(listing.map((line) => [line.slice(line.indexOf('\t') + 1), line]));
  return paths.map((path) => lines.get(path) ?? indexLine(repository, path, undefined));
}

export async function writeIndex(repository: Repository, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await whenFree(() => runGit(repository, ['update-index', '-z', '--index-info'], { input: `${lines.join('\0')}\0` }));
}

/** The deepest folder that holds all the paths; empty for the root. */
export function commonFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => path.split('/').slice(0, -1));
  const first = folders[0] ?? [];
  const length = first.findIndex((part, depth) => folders.some((folder) => folder[depth] !== part));
  return (length === -1 ? first : first.slice(0, length)).join('/');
}
