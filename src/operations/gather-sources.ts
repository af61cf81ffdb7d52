import { findUnprovenDeletions, type UnprovenDeletion } from '../core/deletions.ts';
import type { Dialect } from '../core/dialect.ts';
import { viewPath } from '../core/path.ts';
import { parseRelationKey, type RelationName } from '../core/relation.ts';
import { matchScope } from '../core/scope.ts';
import { objectsOf, type Scope, type TargetDescription } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Head, ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection } from '../warehouses/warehouse.ts';
import { withAgreed } from './agreed-base.ts';
import type { BranchPoint } from './branch-point.ts';
import type { Sources } from './compose-files.ts';
import { findLikeness, type Settle } from './likeness.ts';
import { type LiveLine, readLiveLine } from './live-line.ts';
import {
  type BlobTexts,
  createFileParser,
  type FileParser,
  noFiles,
  readBranchFiles,
  readCommitFiles,
  readLiveFiles,
  type TargetFiles,
  type ViewFile,
  viewOf,
} from './view-files.ts';

/** Who asks, for which target, and how texts are read. */
export interface Reading {
  readonly project: Project;
  readonly target: Target;
  readonly dialect: Dialect;
  readonly parser: FileParser;
  readonly texts: BlobTexts;
}

export function startReading(project: Project, target: Target, dialect: Dialect): Reading {
  return { project, target, dialect: { ...dialect, equivalents: new Map() }, parser: createFileParser(dialect), texts: new Map() };
}

/** What git holds of a target: the branch with the user's edits, the live line's tip, and the state that the branch last took in. */
export interface Recorded {
  /** Where the branch stood when it was read: the only parent that a commit made from this may have. */
  readonly head: Head;
  readonly line: LiveLine;
  readonly branch: TargetFiles;
  readonly tip: TargetFiles;
  readonly base: Sources['base'];
}

export function pathOf({ project, target, dialect }: Reading, name: RelationName): string {
  return viewPath({ viewsFolder: project.viewsFolder, target: target.name }, name, dialect);
}

async function readConflictBase(reading: Reading, path: string, commit: ObjectId | 'unknown'): Promise<ViewFile | 'unknown' | undefined> {
  return commit === 'unknown' ? commit : (await readLiveFiles(reading, commit)).views.get(path);
}

type ReadLine = typeof readLiveFiles;

interface LiveSide {
  readonly tip: TargetFiles;
  readonly readLine: ReadLine;
}

async function readBase(reading: Reading, line: LiveLine, { tip, readLine }: LiveSide): Promise<Sources['base']> {
  if (line.base === undefined) return 'unknown';
  const files = line.base === line.tip ? tip : await readLine(reading, line.base);
  const base = new Map<string, ViewFile | 'unknown'>(files.views);
  for (const [key, commit] of line.conflicts) {
    const name = parseRelationKey(key);
    const path = name && pathOf(reading, name);
    const file = path === undefined ? undefined : await readConflictBase(reading, path, commit);
    if (path !== undefined && file === undefined) base.delete(path);
    if (path !== undefined && file !== undefined) base.set(path, file);
  }
  return base;
}

/** Where both lines of history stand: commits, whose files can be read at any time later. */
export interface Position extends Pick<Recorded, 'head' | 'line'> {
  /** Whether what is edited here counts, or the commit is not the one that is checked out. */
  readonly files: BranchPoint['files'];
}

/** What is recorded after the warehouse was read may be newer than it, and must not be taken back: so this comes first. */
export async function readPosition({ project, target }: Reading, point: Partial<Pick<BranchPoint, 'head' | 'files' | 'fetched'>> = {}): Promise<Position> {
  const { head = await project.history.head(), files = 'work tree', fetched } = point;
  const search = typeof fetched === 'string' ? 'everywhere' : 'here';
  return { head, line: await readLiveLine(project, target, head.commit, search), files };
}

/** What both lines hold there, or where they stand now; it may be read while the warehouse is. */
export async function readRecorded(reading: Reading, position?: Position): Promise<Recorded> {
  const { head, line, files } = position ?? (await readPosition(reading));
  const isElsewhere = files === 'commit' && head.commit !== undefined;
  const branch = isElsewhere ? await readCommitFiles(reading, head.commit, 'keep') : await readBranchFiles(reading, head.commit, 'keep');
  // As long as the branch has not followed a folder that is to lie elsewhere, its files there are none that somebody has deleted.
  const readLine: ReadLine = branch.targetText === undefined ? (request, commit) => readCommitFiles(request, commit, 'keep') : readLiveFiles;
  const tip = line.tip === undefined ? noFiles : await readLine(reading, line.tip);
  return { head, line, branch, tip, base: withAgreed(await readBase(reading, line, { tip, readLine }), { line, branch, tip }) };
}

function isOtherWarehouse(recorded: TargetDescription, live: TargetDescription): boolean {
  const differs = ([key, value]: [string, string]) => live.identity[key] !== undefined && live.identity[key] !== value;
  return recorded.warehouse !== live.warehouse || Object.entries(recorded.identity).some(differs);
}

function describeIdentity({ warehouse, identity }: TargetDescription): string {
  return `${warehouse} ${Object.entries(identity)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')}`;
}

/** What is known of the last export where its `target.json` cannot be read on one of the lines. */
export function describeRecorded({ tip, branch }: Pick<Recorded, 'tip' | 'branch'>): TargetDescription | undefined {
  return tip.description ?? branch.description;
}

/** Nothing that is left says which database the files were recorded from. */
function unknownWarehouse(damage: ViewsyncError): ViewsyncError {
  return new ViewsyncError('FILE_UNREADABLE', {
    message: `${damage.message} Without it, nothing says which database the files were recorded from. Nothing was changed.`,
    suggestions: ['If this connection leads to that database: viewsync export --allow OTHER_WAREHOUSE', ...damage.suggestions],
    details: damage.details,
    cause: damage,
  });
}

/** Raises `OTHER_WAREHOUSE` when the files were recorded from another database than the one that is connected, `FILE_UNREADABLE` when nobody can tell. */
export function requireSameWarehouse({ tip, branch }: Pick<Recorded, 'tip' | 'branch'>, live: TargetDescription, target: Target): void {
  const recorded = describeRecorded({ tip, branch });
  const damage = tip.damage ?? branch.damage;
  if (!recorded && damage) throw unknownWarehouse(damage);
  if (!recorded || !isOtherWarehouse(recorded, live)) return;
  throw new ViewsyncError('OTHER_WAREHOUSE', {
    message: `The files of "${target.name}" were recorded from ${describeIdentity(recorded)}, but this connection leads to ${describeIdentity(live)}. Nothing was changed.`,
    suggestions: [`Look at the url of "${target.name}" in viewsync.yaml`, 'If the database was moved on purpose: add --allow OTHER_WAREHOUSE'],
    details: { recorded: recorded.identity, connected: live.identity },
  });
}

/** Files of views in schemas that are out of scope. */
export function findOutOfScope(
  sides: readonly TargetFiles[],
  { scope, dialect }: { scope: Scope; dialect: Dialect },
  live: ReadonlyMap<string, View>,
): readonly View[] {
  const isInScope = matchScope(scope, dialect);
  const files = sides.flatMap(({ views }) => [...views.values()]).filter(({ path }) => !live.has(path));
  return files.flatMap((file) => viewOf(file) ?? []).filter((view) => !placesOf(view).some(isInScope));
}

/** The names by which a file is in scope or not: a bystander goes with the views that it hangs on. */
function placesOf({ kind, name, reads }: View): readonly RelationName[] {
  return kind === 'bystander' && reads.length > 0 ? reads : [name];
}

interface Seen {
  readonly recorded: Recorded;
  readonly inspection: Inspection;
  readonly live: ReadonlyMap<string, View>;
}

/** Paths of which nothing may be concluded: views that could not be read, and views of schemas that are out of scope today unless these are to be forgotten. */
function findUntouchable(reading: Reading, { recorded, inspection, live }: Seen, { outOfScope, unproven }: Untouched): ReadonlySet<string> {
  const { scope, unreadable } = inspection.snapshot.description;
  const outside = outOfScope === 'forget' ? [] : findOutOfScope([recorded.branch, recorded.tip], { scope, dialect: reading.dialect }, live);
  return new Set([...unreadable, ...outside, ...unproven].map(({ name }) => pathOf(reading, name)));
}

type Untouched = SourceOptions & { readonly unproven: readonly UnprovenDeletion[] };

/** Recorded views that are absent without proof that they were dropped. */
function findUnproven(reading: Reading, { recorded, inspection, live }: Seen, { deletions }: SourceOptions): readonly UnprovenDeletion[] {
  const { damage } = recorded.tip;
  if (deletions === 'record' || (!reading.dialect.listsByPrivilege && !damage)) return [];
  const { description, containers } = inspection.snapshot;
  const isInScope = matchScope(description.scope, reading.dialect);
  const known = [...new Map([...recorded.tip.views, ...recorded.branch.views]).values()].flatMap((file) => viewOf(file) ?? []);
  const names = known.map(({ name }) => name).filter(isInScope);
  const seen = new Set([...live.keys(), ...description.unreadable.map(({ name }) => pathOf(reading, name))]);
  const gone = names.filter((name) => recorded.tip.views.has(pathOf(reading, name)) && !seen.has(pathOf(reading, name)));
  if (damage) return gone.map((name) => ({ name, because: `${damage.details['path']} of the last export cannot be read` }));
  return findUnprovenDeletions({ recorded: names, gone, containers, access: describeRecorded(recorded)?.access });
}

/** The views that git holds: those of the branch, what the tip holds otherwise, and what the base holds otherwise than both. */
function listSides({ branch, tip, base }: Recorded): readonly (readonly View[])[] {
  const seen = new Set<View>();
  return [branch.views, tip.views, base === 'unknown' ? noFiles.views : base].map((files) => {
    const views = [...files.values()].flatMap((file) => (file === 'unknown' ? [] : (viewOf(file) ?? [])));
    const fresh = views.filter((view) => !seen.has(view));
    for (const view of fresh) seen.add(view);
    return fresh;
  });
}

export interface SourceOptions {
  readonly settle: Settle;
  readonly liveWins?: ReadonlySet<string>;
  readonly adopted?: ReadonlySet<string>;
  readonly kept?: ReadonlySet<string>;
  /** What becomes of files whose schema is out of scope today: they stay if not given. */
  readonly outOfScope?: 'keep' | 'forget';
  /** `record`: absent views count as dropped, also where that is not proven. */
  readonly deletions?: 'record';
}

/** Everything live that has a file, and the containers that hold nothing any more: as long as they exist, what git has of them is not gone. */
function listLive(reading: Reading, { branch, tip, base }: Recorded, { snapshot }: Inspection): readonly View[] {
  const objects = objectsOf(snapshot);
  const held = new Set<View>(objects);
  const isInScope = matchScope(snapshot.description.scope, reading.dialect);
  const empty = snapshot.containers.flatMap(({ state }) => (state === undefined || held.has(state) || !isInScope(state.name) ? [] : [state]));
  const isRecorded = (path: string) => branch.views.has(path) || tip.views.has(path) || (base !== 'unknown' && base.has(path));
  return [...empty.filter(({ name }) => isRecorded(pathOf(reading, name))), ...objects];
}

/** Puts the warehouse and both lines side by side; the server is asked about texts that differ in their tokens. */
export async function gatherSources(
  reading: Reading,
  { recorded, inspection }: { recorded: Recorded; inspection: Inspection },
  options: SourceOptions,
): Promise<Sources> {
  const objects = listLive(reading, recorded, inspection);
  const live = new Map(objects.map((view) => [pathOf(reading, view.name), view]));
  reading.parser.expect(live);
  const seen = { recorded, inspection, live };
  const unproven = findUnproven(reading, seen, options);
  const likeness = await findLikeness(objects, listSides(recorded), { dialect: reading.dialect, settle: options.settle });
  return {
    dialect: reading.dialect,
    live,
    unreadable: findUntouchable(reading, seen, { ...options, unproven }),
    unproven,
    branch: recorded.branch,
    tip: recorded.tip,
    base: recorded.base,
    likeness,
    liveWins: options.liveWins ?? new Set(),
    adopted: options.adopted ?? new Set(),
    kept: options.kept ?? new Set(),
  };
}
