import { ViewsyncError } from '../errors.ts';
import { formatTime, parseMessage } from './commit-text.ts';
import { explainFailure } from './git-failure.ts';
import { askGit, type Place, runGit, streamGit } from './git-process.ts';
import type { Commit, ObjectId, ObjectReader } from './history.ts';
import { learnTree } from './repository.ts';
import { ambiguousRevision, unknownRevision } from './revision-errors.ts';

// log.* settings of the user must not change what is read.
const logArguments = [
  'log',
  '--topo-order',
  '--full-history',
  '--no-show-signature',
  '--no-color',
  '--encoding=UTF-8',
  '-z',
  '--date=raw',
  '--format=%H%n%T%n%P%n%an <%ae>%n%ad%n%B',
];

/** An `ObjectReader` that asks git. */
export function gitReader(place: Place): ObjectReader {
  const trees = new Map<string, ReturnType<typeof listTree>>();
  return {
    resolve: (revision) => resolve(place, revision),
    readCommit: (commit) => readCommit(place, commit),
    listTree: (commit, folder) => keepLast(trees, `${commit} ${folder}`, () => listTree(place, commit, folder)),
    readBlobs: (blobs) => readBlobs(place, blobs),
    listCommits: (options) => listCommits(place, options),
  };
}

// A command reads both lines and what it applies, often the same commit twice.
const keptTrees = 3;

function keepLast<Value>(kept: Map<string, Value>, key: string, make: () => Value): Value {
  const value = kept.get(key) ?? make();
  kept.delete(key);
  kept.set(key, value);
  for (const oldest of [...kept.keys()].slice(0, -keptTrees)) kept.delete(oldest);
  return value;
}

/** Commits as `git log` with these further arguments lists them. */
export async function* logCommits(place: Place, args: readonly string[]): AsyncGenerator<Commit> {
  for await (const record of streamGit(place, [...logArguments, ...args])) yield parseCommit(record);
}

async function resolve(place: Place, revision: string): Promise<ObjectId> {
  if (revision === '' || revision.startsWith('-')) throw unknownRevision(revision);
  const args = ['-c', 'core.warnAmbiguousRefs=true', 'rev-parse', '--verify', `${revision}^{commit}`];
  const { exitCode, stdout, stderr } = await runGit(place, args, { accept: [0, 128] });
  if (/is ambiguous/.test(stderr)) throw ambiguousRevision(revision);
  if (exitCode === 0) return stdout.toString().trim();
  if (/not a git repository|dubious ownership/.test(stderr)) throw explainFailure('rev-parse', stderr);
  throw unknownRevision(revision);
}

async function readCommit(place: Place, id: ObjectId): Promise<Commit> {
  const record = await askGit(place, [...logArguments, '--no-walk', '--end-of-options', id]);
  const commit = parseCommit(record.replaceAll('\0', ''));
  learnTree(place, commit);
  return commit;
}

function parseCommit(record: string): Commit {
  const [id = '', tree = '', parents = '', author = '', date = '', ...message] = record.split('\n');
  const [seconds = '0', offset = '+0000'] = date.split(' ');
  return {
    id,
    tree,
    parents: parents.split(' ').filter((parent) => parent !== ''),
    ...parseMessage(message.join('\n')),
    author,
    authoredAt: formatTime(Number(seconds), offset),
  };
}

async function listTree(place: Place, commit: ObjectId, folder: string): Promise<ReadonlyMap<string, ObjectId>> {
  const below = folder === '' ? [] : ['--', `${folder}/`];
  const listing = await runGit(place, ['ls-tree', '-r', '-z', '--full-tree', commit, ...below]);
  const blobs = new Map<string, ObjectId>();
  for (const line of listing.stdout.toString().split('\0')) {
    const [, type, id, path] = /^\d+ (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    if (type === 'blob' && id && path) blobs.set(path, id);
  }
  return blobs;
}

async function readBlobs(place: Place, blobs: Iterable<ObjectId>): Promise<ReadonlyMap<ObjectId, string>> {
  const ids = [...new Set(blobs)];
  if (ids.length === 0) return new Map();
  const { stdout } = await runGit(place, ['cat-file', '--batch', '--buffer'], { input: `${ids.join('\n')}\n` });
  return parseBatch(stdout);
}

/** `<id> <type> <size> LF <contents> LF`, once per object (https://git-scm.com/docs/git-cat-file#_batch_output). */
function parseBatch(output: Buffer): ReadonlyMap<ObjectId, string> {
  const texts = new Map<ObjectId, string>();
  for (let position = 0; position < output.length; ) {
    const lineEnd = output.indexOf(10, position);
    const [id = '', type = '', size = ''] = output.toString('utf8', position, lineEnd).split(' ');
    if (type !== 'blob') throw missingBlob(id);
    const end = lineEnd + 1 + Number(size);
    texts.set(id, output.toString('utf8', lineEnd + 1, end));
    position = end + 1;
  }
  return texts;
}

function missingBlob(id: ObjectId): ViewsyncError {
  const message = `The repository has no file contents with the id ${id}, although a commit names it: the repository is damaged. Nothing was changed.`;
  return new ViewsyncError('GIT_FAILED', { message, suggestions: ['git fsck', 'git fetch --refetch'] });
}

function listCommits(place: Place, options: Parameters<ObjectReader['listCommits']>[0]): AsyncIterable<Commit> {
  const limit = options.limit === undefined ? [] : [`--max-count=${options.limit}`];
  const path = options.path === undefined ? [] : [options.path];
  return logCommits(place, [...limit, '--end-of-options', options.from, '--', ...path]);
}
