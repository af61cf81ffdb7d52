/** The id of a git object in lower-case hex: 40 digits, or 64 in a sha256 repository. */
export type ObjectId = string;

/** A line `Key: value` of a commit message. */
export interface Trailer {
  readonly key: string;
  readonly value: string;
}

export interface Commit {
  readonly id: ObjectId;
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly subject: string;
  /** The message without its trailers. */
  readonly body: string;
  /** Trailers in order; a key may come more than once. */
  readonly trailers: readonly Trailer[];
  readonly author: string;
  /** ISO 8601 with offset. */
  readonly authoredAt: string;
}

/** Reads objects of a repository; git itself or, where there is no git binary, isomorphic-git is behind it. Never writes. */
export interface ObjectReader {
  /** The commit that a revision names: anything git resolves. `REVISION_UNKNOWN`, `REVISION_AMBIGUOUS`. */
  resolve(revision: string): Promise<ObjectId>;
  readCommit(commit: ObjectId): Promise<Commit>;
  /** Blobs of a commit below `folder` (relative to the root of the repository, without slash at the end; empty: everything): path → id. */
  listTree(commit: ObjectId, folder: string): Promise<ReadonlyMap<string, ObjectId>>;
  /** Contents of blobs as UTF-8 text, read in one batch. */
  readBlobs(blobs: Iterable<ObjectId>): Promise<ReadonlyMap<ObjectId, string>>;
  /** Commits from `from` backwards, newest first by ancestry, that changed `path` if one is given (first-parent simplification off). */
  listCommits(options: { readonly from: ObjectId; readonly path?: string; readonly limit?: number }): AsyncIterable<Commit>;
}

export interface Head {
  /** Full name of the checked-out branch, born or not: `refs/heads/main`; undefined when HEAD is detached. */
  readonly branch?: string;
  /** Undefined on an unborn branch. */
  readonly commit?: ObjectId;
}

/** A file below the views folder whose content in the work tree or index differs from HEAD; `text` is undefined when it is deleted. */
export interface EditedFile {
  readonly path: string;
  readonly text: string | undefined;
  readonly isTracked: boolean;
}

export interface RecordRequest {
  /** Full name of the ref to move: the branch, or `refs/viewsync/<target>`; `HEAD` when detached. */
  readonly ref: string;
  /** The tip that the change was made from; undefined: the ref must not exist yet. `BRANCH_MOVED` when it has moved. */
  readonly parent: ObjectId | undefined;
  /** Further parents, whose files are not looked at: lines of history that are joined. */
  readonly joined?: readonly ObjectId[];
  /** New text by path from the root of the repository; undefined deletes. Relative to the parent's tree; nothing else changes. */
  readonly changes: ReadonlyMap<string, string | undefined>;
  readonly message: string;
  /** A commit that may hold many of the texts already, which need not be written again then. */
  readonly sharing?: ObjectId;
}

export interface RemoteRequest {
  /** Name of the remote; the branch's own, else `origin`. */
  readonly remote: string;
  readonly refs: readonly string[];
}

/** One ref to push: to `ref` on the remote, which must be at `expected` (undefined: must not exist) or an ancestor of `commit`. */
export interface PushedRef {
  readonly ref: string;
  readonly commit: ObjectId;
}

/** What git does with a file between the work tree and a commit, by attribute as gitattributes(5) calls it; what is not said of it is left out. */
export type FileAttributes = Readonly<Record<string, string>>;

/** A user's repository. The only code that runs git. Paths are relative to the root of the repository, with `/`. */
export interface History {
  readonly reader: ObjectReader;
  /** Absolute path of the root of the work tree; undefined in a bare repository. */
  readonly root: string | undefined;
  /** The folder that was opened, relative to the root: `""` or `analytics/warehouse`. */
  readonly prefix: string;
  head(): Promise<Head>;
  /** Who commits, as git has it: `Ada <ada@example.com>`. `GIT_IDENTITY_MISSING`. */
  identity(): Promise<string>;
  /** Tip of a ref by its full name. */
  tip(ref: string): Promise<ObjectId | undefined>;
  /** Dirty, staged, untracked and deleted files below `folder`, with their text; nothing in a bare repository. */
  listEdited(folder: string): Promise<readonly EditedFile[]>;
  /**
   * Writes one commit and moves the ref by compare and swap. When the ref is the checked-out branch, index and work tree follow for
   * the changed paths alone, before the ref moves; staged and dirty files of other paths stay as they are. A path whose bytes are
   * already the new ones is taken over. `PATH_TAKEN` when a changed path is edited otherwise, `BRANCH_ELSEWHERE` when another worktree has
   * the branch, `GIT_IDENTITY_MISSING`. Signs when `commit.gpgSign` says so.
   */
  record(request: RecordRequest): Promise<ObjectId>;
  /** Raises what would keep `record` from moving the ref, whatever the files: `MERGE_IN_PROGRESS`, `BRANCH_ELSEWHERE`, `GIT_IDENTITY_MISSING`. */
  requireRecordable(ref: string): Promise<void>;
  /** As `record`, but no ref moves: for a commit that has to stand on a remote first. */
  write(request: Omit<RecordRequest, 'ref'>): Promise<ObjectId>;
  /**
   * The commits among `from` and its ancestors whose message has the line `Key: value` anywhere, also where a squash has put it into the
   * middle; newest first by ancestry. `SHALLOW_HISTORY` when there is none and the search ends at a graft.
   */
  listCarriers(from: ObjectId, line: Trailer): AsyncIterable<Commit>;
  /** Writes files into the work tree and commits nothing; undefined deletes. The caller has made sure that nobody edited them. */
  writeFiles(changes: ReadonlyMap<string, string | undefined>): Promise<void>;
  /** What changes the bytes of files when git reads them from the work tree or writes them there, by path; nothing in a bare repository. */
  readAttributes(paths: readonly string[]): Promise<ReadonlyMap<string, FileAttributes>>;
  /** Name of the remote that the branch follows, else `origin`, else undefined. */
  remoteOf(branch: string | undefined): Promise<string | undefined>;
  /** Brings refs of the remote to `refs/viewsync-remote/<remote>/…` (never to the user's own) and tells where each stands there. Deepens a shallow clone. */
  fetch(request: RemoteRequest): Promise<ReadonlyMap<string, ObjectId>>;
  /** One atomic push, never forced. `moved` when the remote refused because a ref there is ahead. */
  push(remote: string, refs: readonly PushedRef[]): Promise<'pushed' | 'moved'>;
  /** Whether the history of this clone was cut off. */
  isShallow(): Promise<boolean>;
  isAncestor(ancestor: ObjectId, descendant: ObjectId): Promise<boolean>;
  /** Moves a ref by compare and swap without a new commit, the checked-out work tree following as in `record`. */
  moveRef(ref: string, to: ObjectId, from: ObjectId | undefined): Promise<void>;
}
