import { askGit, runGit } from './git-process.ts';
import type { ObjectId, RecordRequest } from './history.ts';
import { commonFolder } from './index-entries.ts';
import { emptyTree, learnTree, type Repository, treeOf, zeroId } from './repository.ts';
import { refuseUnsafe } from './safe-path.ts';
import { hashBlob, pathTaken } from './work-tree.ts';

interface TreeEntry {
  readonly mode: string;
  readonly type: string;
  readonly id: ObjectId;
}

/** What a path shall hold; contents undefined: nothing. */
interface FileChange {
  readonly path: string;
  readonly mode: string;
  readonly contents: Buffer | undefined;
  readonly id?: ObjectId;
}

/** Writes the commit that a request asks for, moving no ref. `PATH_TAKEN`, `GIT_IDENTITY_MISSING`, `SIGNING_FAILED`. */
export async function writeCommit(repository: Repository, request: Omit<RecordRequest, 'ref'>): Promise<ObjectId> {
  const changes = await listEffective(repository, request);
  const tree = changes.length > 0 ? await importTree(repository, request, changes) : await sameTree(repository, request.parent);
  const parents = [...(request.parent === undefined ? [] : [request.parent]), ...(request.joined ?? [])].flatMap((parent) => ['-p', parent]);
  const signing = (await isSigning(repository)) ? ['-S'] : [];
  const args = ['-c', 'i18n.commitEncoding=UTF-8', 'commit-tree', ...signing, ...parents, tree];
  const id = await askGit(repository, args, { input: request.message.endsWith('\n') ? request.message : `${request.message}\n` });
  learnTree(repository, { id, tree });
  return id;
}

const signing = new WeakMap<Repository, Promise<boolean>>();

/** Asked once: a run makes several commits. */
function isSigning(repository: Repository): Promise<boolean> {
  const asked =
    signing.get(repository) ?? askGit(repository, ['config', '--type=bool', 'commit.gpgSign'], { accept: [0, 1] }).then((answer) => answer === 'true');
  signing.set(repository, asked);
  return asked;
}

function sameTree(repository: Repository, parent: ObjectId | undefined): Promise<ObjectId> {
  return parent === undefined ? emptyTree(repository) : treeOf(repository, parent);
}

/** The requested changes that change something. */
async function listEffective(repository: Repository, request: Pick<RecordRequest, 'changes' | 'parent'>): Promise<readonly FileChange[]> {
  const paths = [...request.changes.keys()];
  if (paths.length === 0) return [];
  for (const path of paths) refuseUnsafe(path);
  const entries = await listEntries(repository, request.parent, commonFolder(paths));
  return [...request.changes].flatMap(([path, text]) => {
    if (text !== undefined) refuseFolders(entries, path);
    return effective(repository, { path, text, entry: entries.get(path) });
  });
}

function effective(
  repository: Repository,
  { path, text, entry }: { readonly path: string; readonly text: string | undefined; readonly entry: TreeEntry | undefined },
): readonly FileChange[] {
  if (text === undefined) return entry?.type === 'blob' ? [{ path, mode: entry.mode, contents: undefined }] : [];
  const contents = Buffer.from(text);
  const mode = entry?.mode === '100755' ? '100755' : '100644';
  const id = hashBlob(repository, contents);
  return entry?.mode === mode && entry.id === id ? [] : [{ path, mode, contents, id }];
}

// Below this many files it takes longer to look for stored ones than to write them.
const manyFiles = 100;

/** Ids of contents that need no writing. */
async function listStored(repository: Repository, { sharing }: Pick<RecordRequest, 'sharing'>, changes: readonly FileChange[]): Promise<ReadonlySet<ObjectId>> {
  if (sharing === undefined || changes.length < manyFiles) return new Set();
  const entries = await listEntries(repository, sharing, commonFolder(changes.map(({ path }) => path)));
  return new Set([...entries.values()].map(({ id }) => id));
}

/** Everything of a commit below a folder, folders included, and the folder with those above it. */
async function listEntries(repository: Repository, commit: ObjectId | undefined, folder: string): Promise<ReadonlyMap<string, TreeEntry>> {
  if (commit === undefined) return new Map();
  const below = await listPaths(repository, ['-r', '-t', commit, ...(folder === '' ? [] : ['--', `${folder}/`])]);
  // What is no folder is not listed as one: a file in its place, or in that of one above it.
  if (folder === '' || below.has(folder)) return below;
  const above = folder.split('/').map((_, depth, parts) => parts.slice(0, depth + 1).join('/'));
  return listPaths(repository, [commit, '--', ...above]);
}

async function listPaths(repository: Repository, args: readonly string[]): Promise<ReadonlyMap<string, TreeEntry>> {
  return new Map(parseEntries((await runGit(repository, ['ls-tree', '-z', '--full-tree', ...args])).stdout.toString()));
}

function parseEntries(listing: string): readonly (readonly [string, TreeEntry])[] {
  return listing.split('\0').flatMap((line) => {
    const [, mode, type, id, path] = /^(\d+) (\w+) ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    return mode && type && id && path ? [[path, { mode, type, id }] as const] : [];
  });
}

/** fast-import would put a file in the place of a folder, and a folder in that of a file. */
function refuseFolders(entries: ReadonlyMap<string, TreeEntry>, path: string): void {
  if (entries.get(path)?.type === 'tree') throw pathTaken(path);
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
    const entry = entries.get(path.slice(0, end));
    if (entry && entry.type !== 'tree') throw pathTaken(path.slice(0, end));
  }
}

/**
 * The tree of the parent with the changes, written by one `git fast-import` (https://git-scm.com/docs/git-fast-import). The commit
 * around it is on a private branch that is dropped in the same stream, so no ref is left behind, not even by a kill.
 */
async function importTree(repository: Repository, request: Pick<RecordRequest, 'parent' | 'sharing'>, changes: readonly FileChange[]): Promise<ObjectId> {
  const stored = await listStored(repository, request, changes);
  const input = importStream(repository, request.parent, { changes, stored });
  const answer = await askGit(repository, ['fast-import', '--quiet', '--done'], { input });
  const [, tree] = /^040000 tree ([0-9a-f]+)\b/.exec(answer) ?? [];
  return tree ?? emptyTree(repository);
}

const lineEnd = Buffer.from('\n');

interface Import {
  readonly changes: readonly FileChange[];
  readonly stored: ReadonlySet<ObjectId>;
}

function* importStream(repository: Repository, parent: ObjectId | undefined, { changes, stored }: Import): Generator<string | Buffer> {
  const branch = 'refs/viewsync-private/import';
  yield `commit ${branch}\nmark :1\ncommitter viewsync <> 0 +0000\ndata 0\n`;
  if (parent !== undefined) yield `from ${parent}\n`;
  // Deletions first: they make room for files where folders were.
  for (const change of changes) if (change.contents === undefined) yield `D ${quote(change.path)}\n`;
  for (const { path, mode, contents, id = '' } of changes) {
    if (contents === undefined) continue;
    if (stored.has(id)) yield `M ${mode} ${id} ${quote(path)}\n`;
    else yield Buffer.concat([Buffer.from(`M ${mode} inline ${quote(path)}\ndata ${contents.length}\n`), contents, lineEnd]);
  }
  yield `\nreset ${branch}\nfrom ${zeroId(repository)}\n\nls :1 ""\ndone\n`;
}

function quote(path: string): string {
  return `"${path.replaceAll('"', '\\"')}"`;
}
