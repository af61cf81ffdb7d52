import { ViewsyncError } from '../errors.ts';
import { compareWorkTree } from './compare-work-tree.ts';
import type { Commit, Head, History, ObjectId } from './history.ts';
import { findRepositoryFiles, readHeadFile } from './isomorphic-folder.ts';
import { type Library, loadLibrary } from './isomorphic-objects.ts';
import { isomorphicReader } from './isomorphic-reader.ts';
import { resolveRef } from './isomorphic-revision.ts';
import { type CarrierSearch, onlyCarriers, shallowHistory } from './trailers.ts';
import { writeFiles } from './write-files.ts';

/** The history of a folder where there is no git command: commits can be read, all else raises `GIT_MISSING`. */
export async function readOnlyHistory(directory: string): Promise<History> {
  const files = findRepositoryFiles(directory);
  const library = await loadLibrary(files);
  const reader = isomorphicReader(library);
  return {
    reader,
    root: files.root,
    prefix: files.prefix,
    head: () => readHead(library),
    tip: (ref) => resolveRef(library, ref),
    listCarriers: (from, line) => listCarriers(library, { from, line }),
    isShallow: async () => library.grafts.size > 0,
    isAncestor: (ancestor, descendant) => isAncestor(library, ancestor, descendant),
    listEdited: async (folder) => (files.root === undefined ? [] : compareWorkTree(files.root, folder, { reader, head: await readHead(library) })),
    writeFiles: (changes) => writeFiles(files.root, changes),
    identity: () => gitMissing('Finding out who commits'),
    record: () => gitMissing('Making a commit'),
    requireRecordable: () => gitMissing('Making a commit'),
    write: () => gitMissing('Making a commit'),
    readAttributes: () => gitMissing('Reading attributes of files'),
    remoteOf: () => gitMissing('Finding the remote'),
    fetch: () => gitMissing('Fetching'),
    push: () => gitMissing('Pushing'),
    moveRef: () => gitMissing('Moving a branch'),
  };
}

async function readHead(library: Library): Promise<Head> {
  const { branch } = readHeadFile(library.files);
  const commit = await resolveRef(library, 'HEAD');
  return { ...(branch === undefined ? {} : { branch }), ...(commit === undefined ? {} : { commit }) };
}

async function* listCarriers(library: Library, { from, line }: CarrierSearch): AsyncGenerator<Commit> {
  const commits = await Array.fromAsync(isomorphicReader(library).listCommits({ from }));
  const carriers = await Array.fromAsync(onlyCarriers(iterate(commits), line));
  if (carriers.length === 0 && commits.some((commit) => library.grafts.has(commit.id))) throw shallowHistory(line.key);
  yield* carriers;
}

async function* iterate<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

async function isAncestor(library: Library, ancestor: ObjectId, descendant: ObjectId): Promise<boolean> {
  for await (const commit of isomorphicReader(library).listCommits({ from: descendant })) {
    if (commit.id === ancestor) return true;
  }
  return false;
}

function gitMissing(act: string): Promise<never> {
  const message = `${act} needs git, and there is no git command on this machine, or it is not in the PATH. Nothing changed.`;
  return Promise.reject(new ViewsyncError('GIT_MISSING', { message, suggestions: ['Install git (https://git-scm.com/downloads).'] }));
}
