import fs from 'node:fs';
import type { ReadCommitResult, TreeEntry } from 'isomorphic-git';
import { ViewsyncError } from '../errors.ts';
import { formatTime, parseMessage } from './commit-text.ts';
import type { Commit, ObjectId } from './history.ts';
import { type RepositoryFiles, readGrafts } from './isomorphic-folder.ts';

/** isomorphic-git with the repository it reads and what it remembers of it. */
export interface Library {
  readonly git: typeof import('isomorphic-git');
  readonly files: RepositoryFiles;
  readonly grafts: ReadonlySet<ObjectId>;
  /** What every call takes. */
  readonly place: { readonly fs: typeof fs; readonly gitdir: string; readonly cache: object };
}

export async function loadLibrary(files: RepositoryFiles): Promise<Library> {
  // The library is CommonJS, of which a bundle has the default export alone.
  const { default: git } = (await import('isomorphic-git')) as unknown as { readonly default: Library['git'] };
  return { git, files, grafts: readGrafts(files), place: { fs, gitdir: files.commonDirectory, cache: {} } };
}

export async function readCommit(library: Library, id: ObjectId): Promise<Commit> {
  return describe(library, await present(library, library.git.readCommit({ ...library.place, oid: id })));
}

/** Raises `GIT_MISSING` for an object that is not here: of a partial clone git alone can fetch it. */
export async function present<Found>({ git }: Library, reading: Promise<Found>): Promise<Found> {
  try {
    return await reading;
  } catch (cause) {
    if (!(cause instanceof git.Errors.NotFoundError)) throw cause;
    throw new ViewsyncError('GIT_MISSING', {
      message: `The object ${cause.data.what} is not in this clone. Git would fetch what a partial clone lacks, and there is no git command on this machine. Nothing was changed.`,
      suggestions: ['Install git (https://git-scm.com/downloads).', 'git fetch --refetch, where there is a git'],
      cause,
    });
  }
}

function describe(library: Library, { oid, commit }: ReadCommitResult): Commit {
  const { name, email, timestamp, timezoneOffset } = commit.author;
  return {
    id: oid,
    tree: commit.tree,
    parents: library.grafts.has(oid) ? [] : commit.parent,
    ...parseMessage(commit.message),
    author: `${name} <${email}>`,
    authoredAt: formatTime(timestamp, formatOffset(timezoneOffset)),
  };
}

/** Minutes as Date counts them (west is positive) in git's form `+0200`. */
function formatOffset(minutes: number): string {
  const size = Math.abs(minutes);
  const digits = String(Math.floor(size / 60) * 100 + (size % 60)).padStart(4, '0');
  return `${minutes > 0 ? '-' : '+'}${digits}`;
}

/** What stands at a path of a tree; the tree itself at the empty path. */
export async function entryAt(library: Library, tree: ObjectId, path: string): Promise<Pick<TreeEntry, 'oid' | 'type'> | undefined> {
  let entry: Pick<TreeEntry, 'oid' | 'type'> | undefined = { oid: tree, type: 'tree' };
  for (const part of path === '' ? [] : path.split('/')) {
    if (entry?.type !== 'tree') return undefined;
    const entries: readonly TreeEntry[] = await readTree(library, entry.oid);
    entry = entries.find((each) => each.path === part);
  }
  return entry;
}

/** Blobs of a tree and of those below it, in git's order. */
export async function* walkBlobs(library: Library, tree: ObjectId, folder: string): AsyncGenerator<readonly [string, ObjectId]> {
  for (const entry of await readTree(library, tree)) {
    const path = folder === '' ? entry.path : `${folder}/${entry.path}`;
    if (entry.type === 'blob') yield [path, entry.oid];
    if (entry.type === 'tree') yield* walkBlobs(library, entry.oid, path);
  }
}

async function readTree(library: Library, id: ObjectId): Promise<readonly TreeEntry[]> {
  const { tree } = await present(library, library.git.readTree({ ...library.place, oid: id }));
  const key = (entry: TreeEntry) => Buffer.from(entry.type === 'tree' ? `${entry.path}/` : entry.path);
  return tree.toSorted((one, other) => Buffer.compare(key(one), key(other)));
}
