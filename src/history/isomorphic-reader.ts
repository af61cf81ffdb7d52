import type { Commit, ObjectId, ObjectReader } from './history.ts';
import { entryAt, type Library, present, readCommit, walkBlobs } from './isomorphic-objects.ts';
import { resolveRevision } from './isomorphic-revision.ts';

/** An `ObjectReader` that needs no git command: 20 to 40 times slower than the one that asks git, and it never writes. */
export function isomorphicReader(library: Library): ObjectReader {
  return {
    resolve: (revision) => resolveRevision(library, revision),
    readCommit: (commit) => readCommit(library, commit),
    listTree: (commit, folder) => listTree(library, commit, folder),
    readBlobs: (blobs) => readBlobs(library, blobs),
    listCommits: (options) => listCommits(library, options),
  };
}

async function listTree(library: Library, commit: ObjectId, folder: string): Promise<ReadonlyMap<string, ObjectId>> {
  const { tree } = await readCommit(library, commit);
  const entry = await entryAt(library, tree, folder);
  return new Map(entry?.type === 'tree' ? await Array.fromAsync(walkBlobs(library, entry.oid, folder)) : []);
}

async function readBlobs(library: Library, blobs: Iterable<ObjectId>): Promise<ReadonlyMap<ObjectId, string>> {
  const texts = new Map<ObjectId, string>();
  for (const id of new Set(blobs)) {
    const { blob } = await present(library, library.git.readBlob({ ...library.place, oid: id }));
    texts.set(id, Buffer.from(blob).toString('utf8'));
  }
  return texts;
}

async function* listCommits(library: Library, options: Parameters<ObjectReader['listCommits']>[0]): AsyncGenerator<Commit> {
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  for (const commit of childrenFirst(await readAncestors(library, options.from), options.from)) {
    if (left === 0) return;
    if (options.path !== undefined && !(await changed(library, commit, options.path))) continue;
    left -= 1;
    yield commit;
  }
}

async function readAncestors(library: Library, from: ObjectId): Promise<ReadonlyMap<ObjectId, Commit>> {
  const commits = new Map<ObjectId, Commit>();
  const waiting = [from];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (commits.has(id)) continue;
    const commit = await readCommit(library, id);
    commits.set(id, commit);
    waiting.push(...commit.parents);
  }
  return commits;
}

/** `git log --topo-order`: no commit before all of its children, the side branch of a merge before the main one. */
function* childrenFirst(commits: ReadonlyMap<ObjectId, Commit>, from: ObjectId): Generator<Commit> {
  const parents = [...commits.values()].flatMap((commit) => commit.parents);
  const children = new Map<ObjectId, number>();
  for (const parent of parents) children.set(parent, (children.get(parent) ?? 0) + 1);
  const ready = [from];
  for (let commit = commits.get(ready.pop() ?? ''); commit; commit = commits.get(ready.pop() ?? '')) {
    yield commit;
    for (const parent of commit.parents) {
      children.set(parent, (children.get(parent) ?? 1) - 1);
      if (children.get(parent) === 0) ready.push(parent);
    }
  }
}

/** Whether the path holds something else than in one of the parents. */
async function changed(library: Library, commit: Commit, path: string): Promise<boolean> {
  const own = await entryAt(library, commit.tree, path);
  if (commit.parents.length === 0) return own !== undefined;
  for (const parent of commit.parents) {
    const theirs = await entryAt(library, (await readCommit(library, parent)).tree, path);
    if (theirs?.oid !== own?.oid) return true;
  }
  return false;
}
