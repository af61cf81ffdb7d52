import type { Dialect } from '../core/dialect.ts';
import { isOwnPath } from '../core/path.ts';
import { recognizeViewFile } from '../core/recognize.ts';
import { compareRelations, compareText } from '../core/relation.ts';
import { type Snapshot, type TargetDescription, withObjects } from '../core/snapshot.ts';
import { readTargetFile } from '../core/target-file.ts';
import type { View } from '../core/view.ts';
import { type ParsedViewFile, readViewFile } from '../core/view-file.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { findFormerFolder, listNeighbours } from './former-folder.ts';

/** One view file as it stands somewhere; `parsed` is the error when it could not be read. */
export interface ViewFile {
  readonly path: string;
  readonly text: string;
  readonly parsed: ParsedViewFile | ViewsyncError;
}

/** A target's folder in a commit or in the work tree. */
export interface TargetFiles {
  /** Other targets of a commit that does not hold this one. */
  readonly neighbours?: readonly string[];
  /** Undefined where the target has no `target.json`. */
  readonly description: TargetDescription | undefined;
  readonly targetText: string | undefined;
  /** Why the `target.json` that is there could not be read, where that was let pass; `description` is undefined then. */
  readonly damage?: ViewsyncError;
  /** By path from the root of the repository. */
  readonly views: ReadonlyMap<string, ViewFile>;
  /** Paths where the work tree holds something else than HEAD, deleted files among them. */
  readonly edited: ReadonlySet<string>;
  /** Where a live commit holds the files, when the folder was moved since; all else is told as if they lay where they lie today. */
  readonly strays?: readonly string[];
  /** What a run that has begun, and not ended, left in a live commit beside the files: see `RunMemory`. */
  readonly memory?: Pick<ViewFile, 'path' | 'text'>;
}

export const noFiles: TargetFiles = { description: undefined, targetText: undefined, views: new Map(), edited: new Set() };

export function targetFolder(project: Project, target: Target): string {
  return project.viewsFolder === '' ? target.name : `${project.viewsFolder}/${target.name}`;
}

export function targetPath(project: Project, target: Target): string {
  return `${targetFolder(project, target)}/target.json`;
}

/** No schema has a folder of that name: a point in front is escaped. */
export function memoryPath(project: Project, target: Target): string {
  return `${targetFolder(project, target)}/.run.json`;
}

/** Reads texts into views, each text once, however many commits hold it. */
export interface FileParser {
  parse(text: string, path: string): ParsedViewFile | ViewsyncError;
  /** Views as they are in the warehouse, by path: a file that holds nothing else is recognized, which is much less work than reading it. */
  expect(live: ReadonlyMap<string, View>): void;
}

export function createFileParser(dialect: Dialect): FileParser {
  const known = new Map<string, Map<string, ParsedViewFile | ViewsyncError>>();
  let expected: ReadonlyMap<string, View> = new Map();
  const read = (text: string, path: string) => {
    const live = expected.get(path);
    return (live && recognizeViewFile(text, live, dialect)) ?? parseFile(text, path, dialect);
  };
  return {
    expect: (live) => {
      expected = live;
    },
    parse: (text, path) => {
      const versions = known.get(path) ?? new Map<string, ParsedViewFile | ViewsyncError>();
      known.set(path, versions);
      const found = versions.get(text) ?? read(text, path);
      versions.set(text, found);
      return found;
    },
  };
}

/** A file that is read when somebody asks what it says. */
export function viewFile(path: string, text: string, parser: FileParser): ViewFile {
  let found: ViewFile['parsed'] | undefined;
  return {
    path,
    text,
    get parsed() {
      found ??= parser.parse(text, path);
      return found;
    },
  };
}

function parseFile(text: string, path: string, dialect: Dialect): ParsedViewFile | ViewsyncError {
  try {
    return readViewFile(text, path, dialect);
  } catch (error) {
    if (error instanceof ViewsyncError) return error;
    throw error;
  }
}

/** Contents that were read already: most commits share most of their files. */
export type BlobTexts = Map<ObjectId, string>;

interface FilesRequest {
  readonly project: Project;
  readonly target: Target;
  readonly dialect: Dialect;
  readonly parser: FileParser;
  readonly texts: BlobTexts;
}

/** What a `target.json` that cannot be read does: it stops whoever asks, or is told with the files. One of a format to come always stops. */
export type DamageRule = 'raise' | 'keep';

function readDescription(text: string | undefined, path: string, rule: DamageRule): Pick<TargetFiles, 'description' | 'damage'> {
  try {
    return { description: text === undefined ? undefined : readTargetFile(text, path) };
  } catch (error) {
    if (rule === 'keep' && error instanceof ViewsyncError && error.code === 'FILE_UNREADABLE') return { description: undefined, damage: error };
    throw error;
  }
}

interface Collecting extends FilesRequest {
  readonly edited: ReadonlySet<string>;
  readonly rule: DamageRule;
}

function collectFiles(texts: Iterable<readonly [string, string]>, request: Collecting): TargetFiles {
  const { project, target, dialect, parser, edited, rule } = request;
  const [all, path] = [new Map(texts), memoryPath(project, target)];
  const folder = targetFolder(project, target);
  const targetText = all.get(targetPath(project, target));
  const views = [...all]
    .filter(([path]) => path.startsWith(`${folder}/`) && isOwnPath(path.slice(folder.length + 1), dialect))
    .map(([path, text]) => [path, viewFile(path, text, parser)] as const);
  const left = all.has(path) ? { memory: { path, text: all.get(path) ?? '' } } : {};
  return { ...readDescription(targetText, targetPath(project, target), rule), targetText, views: new Map(views), edited, ...left };
}

async function readTexts({ project, texts }: FilesRequest, paths: ReadonlyMap<string, ObjectId>): Promise<[string, string][]> {
  const { reader } = project.history;
  const unread = [...paths.values()].filter((blob) => !texts.has(blob));
  for (const [blob, text] of await reader.readBlobs(unread)) texts.set(blob, text);
  return [...paths].map(([path, blob]) => [path, texts.get(blob) ?? '']);
}

function listFolder({ project, target }: FilesRequest, commit: ObjectId): Promise<ReadonlyMap<string, ObjectId>> {
  return project.history.reader.listTree(commit, targetFolder(project, target));
}

/** The target's files in one commit. */
export async function readCommitFiles(request: FilesRequest, commit: ObjectId, rule: DamageRule = 'raise'): Promise<TargetFiles> {
  const texts = await readTexts(request, await listFolder(request, commit));
  return collectFiles(texts, { ...request, rule, edited: new Set() });
}

/** The same of a commit that a person names: where the folder of views was moved since, its own `viewsync.yaml` says where the files were. They get today's paths. */
export async function readRevisionFiles(request: FilesRequest, commit: ObjectId): Promise<TargetFiles> {
  const { project, target } = request;
  const files = await readCommitFiles(request, commit);
  const former = files.targetText === undefined ? await findFormerFolder(request, commit) : undefined;
  if (former === undefined) return files.targetText === undefined ? { ...files, neighbours: await listNeighbours(request, commit) } : files;
  const paths = renamePaths(await project.history.reader.listTree(commit, former), former, targetFolder(project, target));
  return collectFiles(await readTexts(request, paths), { ...request, rule: 'raise', edited: new Set() });
}

function renamePaths(paths: ReadonlyMap<string, ObjectId>, from: string, to: string): ReadonlyMap<string, ObjectId> {
  return new Map([...paths].map(([path, blob]) => [path.startsWith(`${from}/`) ? `${to}${path.slice(from.length)}` : path, blob]));
}

/** The files of a live commit, which holds those of its target alone: so they are found wherever the folder was then. */
export async function readLiveFiles(request: FilesRequest, commit: ObjectId): Promise<TargetFiles> {
  const { project, target } = request;
  const folder = targetFolder(project, target);
  const all = await project.history.reader.listTree(commit, '');
  const strays = [...all.keys()].filter((path) => !path.startsWith(`${folder}/`));
  const former = strays.length === all.size ? strays.find((path) => path.endsWith('/target.json'))?.slice(0, -'/target.json'.length) : undefined;
  const texts = await readTexts(request, former === undefined ? all : renamePaths(all, former, folder));
  return { ...collectFiles(texts, { ...request, rule: 'keep', edited: new Set() }), ...(strays.length > 0 ? { strays } : {}) };
}

/** The target's files on the branch, of which `commit` is the tip, with what the work tree holds otherwise put over them; a `target.json` edited here is somebody's work, whose damage always stops. */
export async function readBranchFiles(request: FilesRequest, commit: ObjectId | undefined, rule: DamageRule = 'raise'): Promise<TargetFiles> {
  const { project, target } = request;
  const texts = new Map(commit === undefined ? [] : await readTexts(request, await listFolder(request, commit)));
  const edits = await project.history.listEdited(targetFolder(project, target));
  for (const { path, text } of edits) {
    if (text === undefined) texts.delete(path);
    else texts.set(path, text);
  }
  const edited = new Set(edits.map(({ path }) => path));
  return collectFiles(texts, { ...request, edited, rule: edited.has(targetPath(project, target)) ? 'raise' : rule });
}

/** The file's view, or undefined when there is no file or it could not be read. */
export function viewOf(file: ViewFile | undefined): View | undefined {
  return file === undefined || file.parsed instanceof ViewsyncError ? undefined : file.parsed.view;
}

/** What the readable ones of some files hold, sorted by name: views, bystanders, containers. */
export function objectsIn(files: TargetFiles): readonly View[] {
  return [...files.views.values()].flatMap((file) => viewOf(file) ?? []).sort((left, right) => compareRelations(left.name, right.name));
}

/** Files that could not be read, by path. */
export function brokenFiles(files: TargetFiles): readonly { readonly path: string; readonly error: ViewsyncError }[] {
  const broken = [...files.views.values()].flatMap(({ path, parsed }) => (parsed instanceof ViewsyncError ? [{ path, error: parsed }] : []));
  return broken.sort((left, right) => compareText(left.path, right.path));
}

/** What to raise for files that have to be read and cannot be: the first one's error, with what can be done. */
function unreadable([first, ...more]: readonly [{ readonly path: string; readonly error: ViewsyncError }, ...{ readonly path: string }[]]): ViewsyncError {
  const { path, error } = first;
  const others = more.length === 0 ? '' : ` ${more.length === 1 ? 'One more file' : `${more.length} more files`} cannot be read either.`;
  const state = error.message.endsWith('Nothing was changed.') ? '' : ' Nothing was changed.';
  return new ViewsyncError(error.code, {
    message: `${error.message}${others}${state}`,
    suggestions: [...error.suggestions, `git log --patch -- '${path}'`, 'viewsync export records the other views meanwhile.'],
    details: error.details,
    cause: error,
  });
}

/** What to raise where files hold no such target. */
export function targetMissing({ neighbours = [] }: TargetFiles, origin: Snapshot['origin'], target: Target): ViewsyncError {
  const where = origin.from === 'commit' ? `commit ${origin.commit.slice(0, 10)}` : 'the work tree';
  const known = neighbours.length === 0 ? '' : ` It holds ${neighbours.map((name) => `"${name}"`).join(', ')}.`;
  return new ViewsyncError('TARGET_NOT_IN_REVISION', {
    message: `There is no target "${target.name}" in ${where}: its target.json is missing.${known} Nothing was changed.`,
    suggestions: [
      'viewsync log',
      'viewsync export',
      'If the target had another name then: git worktree add ../before COMMIT, and run it there with --target NAME',
    ],
  });
}

/** The Snapshot that files hold. Raises the first file's error when one cannot be read, and `TARGET_NOT_IN_REVISION` when there is no target. */
export function snapshotOf(files: TargetFiles, origin: Snapshot['origin'], target: Target): Snapshot {
  const [first, ...more] = brokenFiles(files);
  if (first) throw unreadable([first, ...more]);
  if (files.damage) throw files.damage;
  if (!files.description) throw targetMissing(files, origin, target);
  return withObjects({ origin, description: files.description, views: [], containers: [], bystanders: [] }, objectsIn(files));
}
