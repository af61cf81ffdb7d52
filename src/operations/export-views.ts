import type { Change } from '../core/change.ts';
import { countViews, summarizeChanges } from '../core/commit-message.ts';
import { diffViews } from '../core/compare.ts';
import type { HazardName } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import { allowsUnreadable } from '../core/scope.ts';
import type { Unreadable } from '../core/snapshot.ts';
import { writeTargetFile } from '../core/target-file.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection, Progress, Warehouse } from '../warehouses/warehouse.ts';
import { comparePaths, composeBranchChanges, composeLiveTexts, type PathState, type Sources } from './compose-files.ts';
import { composeSources } from './compose-sources.ts';
import { gatherSources, readRecorded, type Reading, type Recorded, requireSameWarehouse, startReading } from './gather-sources.ts';
import { requireNoInterruptedRun } from './interrupted-run.ts';
import { liveRef } from './live-line.ts';
import { changeFiles, type FileChanges, isBaseline, recordBranch, recordLive } from './record-state.ts';
import { fetchLiveLine, type FetchOutcome, pushLines } from './remote-lines.ts';
import { brokenFiles, targetPath, viewOf } from './view-files.ts';

export interface ExportOptions {
  readonly warehouse: Warehouse;
  /** `dry run` shows what would be written, `files only` writes into the work tree and commits nothing. */
  readonly commit: 'commit' | 'files only' | 'dry run';
  readonly push: 'push' | 'keep';
  /** `all`: also definitions whose tokens did not change. */
  readonly reformat: 'new' | 'all';
  readonly message?: string;
  /** Views in conflict whose live state is to win, by `relationKey`. */
  readonly overwrite: readonly string[];
  readonly allowed: readonly HazardName[];
  readonly progress?: Progress;
}

export interface ExportResult {
  readonly target: string;
  readonly server: string;
  readonly views: number;
  readonly isBaseline: boolean;
  readonly subject: string;
  readonly changes: readonly Change[];
  /** Texts by path before and after, of what is or would be written. */
  readonly files: readonly { readonly path: string; readonly before: string | undefined; readonly after: string | undefined }[];
  readonly unreadable: readonly (Unreadable & { readonly isAllowed: boolean })[];
  readonly pending: readonly string[];
  readonly conflicts: readonly string[];
  readonly broken: readonly { readonly path: string; readonly message: string }[];
  /** Commits written by this run; absent when nothing changed. */
  readonly commit?: ObjectId;
  readonly live?: ObjectId;
  readonly branch?: string;
  readonly pushed: boolean;
  readonly remote: FetchOutcome;
  readonly queries: number;
  /** Milliseconds per part, in the order in which they ran. */
  readonly timings: readonly { readonly part: string; readonly milliseconds: number }[];
}

/** What one export is about to write. */
interface Draft {
  readonly reading: Reading;
  readonly recorded: Recorded;
  readonly inspection: Inspection;
  readonly states: readonly PathState[];
  readonly live: FileChanges;
  readonly branch: FileChanges;
  readonly changes: readonly Change[];
  readonly subject: string;
}

/** Milliseconds per part. */
function createStopwatch(): { readonly timings: { part: string; milliseconds: number }[]; measure<T>(part: string, work: Promise<T>): Promise<T> } {
  const timings: { part: string; milliseconds: number }[] = [];
  const measure = async <T>(part: string, work: Promise<T>): Promise<T> => {
    const from = performance.now();
    const result = await work;
    timings.push({ part, milliseconds: Math.round(performance.now() - from) });
    return result;
  };
  return { timings, measure };
}

/** The views of some paths before and after, for the commit message. */
function diffFiles(changes: FileChanges, { reading, recorded, sources }: { reading: Reading; recorded: Recorded; sources: Sources }): readonly Change[] {
  const views = (texts: Iterable<readonly [string, string | undefined]>): View[] =>
    [...texts].flatMap(([path, text]) => (text === undefined || !path.endsWith('.sql') ? [] : (viewOf({ path, text, parsed: reading.parse(text, path) }) ?? [])));
  const before = [...changes.keys()].map((path) => [path, recorded.branch.edited.has(path) ? undefined : recorded.branch.views.get(path)?.text] as const);
  return diffViews(views(before), views(changes), { dialect: reading.dialect, ...sources.likeness });
}

function subjectOf(draft: Omit<Draft, 'subject'>, options: ExportOptions): string {
  const { reading, recorded, inspection, changes } = draft;
  const name = reading.target.name;
  if (options.message !== undefined) return options.message;
  if (isBaseline(recorded.line, recorded.branch)) return `${name}: baseline, ${countViews(inspection.snapshot.views.length)}`;
  if (options.reformat === 'all' && changes.every(({ definition }) => definition === 'same')) return `${name}: format ${countViews(draft.branch.size)}`;
  const summary = summarizeChanges(changes);
  if (summary !== '') return `${name}: ${summary}`;
  return draft.branch.size > 0 ? `${name}: header of ${countViews(draft.branch.size)}` : `${name}: live state`;
}

async function draftExport(reading: Reading, inspection: Inspection, { recorded, options }: { recorded: Recorded; options: ExportOptions }): Promise<Draft> {
  const settle = options.warehouse.settle.bind(options.warehouse);
  const sources = await gatherSources(reading, { recorded, inspection }, { settle, liveWins: new Set(options.overwrite) });
  const composition = await composeSources(sources, options.reformat, options.progress);
  const states = comparePaths(composition);
  const path = targetPath(reading.project, reading.target);
  const text = writeTargetFile(inspection.snapshot.description);
  const views = composeBranchChanges(states, composition);
  const branch = recorded.branch.targetText === text ? views : new Map([...views, [path, text] as const]);
  const draft = {
    reading,
    recorded,
    inspection,
    states,
    branch,
    live: changeFiles(recorded.tip, composeLiveTexts(composition), { path, text }),
    changes: diffFiles(branch, { reading, recorded, sources }),
  };
  return { ...draft, subject: subjectOf(draft, options) };
}

const inState = (states: readonly PathState[], state: PathState['state']) => states.filter((path) => path.state === state);

/** How a path is called for people: by its view's name where that is known. */
function nameOf({ path, live, git }: PathState): string {
  const view = live ?? viewOf(git);
  return view ? relationKey(view.name) : path;
}

function findConflictBases({ states, recorded }: Draft): ReadonlyMap<string, ObjectId | 'unknown'> {
  const names = inState(states, 'conflict').map(nameOf);
  return new Map(names.map((name) => [name, recorded.line.conflicts.get(name) ?? recorded.line.base ?? 'unknown']));
}

/** Whether the branch needs a commit: something changes, or it has never taken in the live line. */
function needsBranchCommit({ branch, recorded }: Draft): boolean {
  return branch.size > 0 || recorded.line.base === undefined;
}

async function recordDraft(draft: Draft): Promise<Pick<ExportResult, 'commit' | 'live'>> {
  const { project, target } = draft.reading;
  const { subject, changes } = draft;
  const live = await recordLive(project, target, { tip: draft.recorded.line.tip, record: { subject, changes, files: draft.live } });
  if (!needsBranchCommit(draft)) return live === draft.recorded.line.tip ? {} : { live };
  const commit = await recordBranch(project, target, { head: draft.recorded.head, subject, changes, files: draft.branch, live, conflicts: findConflictBases(draft) });
  return { live, commit };
}

function describeDraft(draft: Draft, target: Target): Omit<ExportResult, 'timings' | 'pushed' | 'remote'> {
  const { inspection, recorded, states } = draft;
  const isAllowed = allowsUnreadable(target.allowUnreadable);
  return {
    target: target.name,
    server: inspection.session.server,
    views: inspection.snapshot.views.length,
    isBaseline: isBaseline(recorded.line, recorded.branch),
    subject: draft.subject,
    changes: draft.changes,
    files: [...draft.branch].map(([path, after]) => ({ path, before: recorded.branch.views.get(path)?.text, after })),
    unreadable: inspection.snapshot.description.unreadable.map((view) => ({ ...view, isAllowed: isAllowed(view.name) })),
    pending: inState(states, 'pending').map(nameOf),
    conflicts: inState(states, 'conflict').map(nameOf),
    broken: brokenFiles(recorded.branch).map(({ path, error }) => ({ path, message: error.message })),
    queries: inspection.queries,
  };
}

const rounds = 4;

/**
 * Reads every view of the target and records the difference: the whole live state on the live line, and on the branch what nobody has
 * edited there. Nothing is written when nothing changed. Starts over when somebody else commits meanwhile. `LISTING_MOVED`,
 * `OTHER_WAREHOUSE`, `INTERRUPTED_RUN`, `RUN_IN_PROGRESS`, `PATH_TAKEN`, `REMOTE_MOVED`, `BRANCH_MOVED`.
 */
export async function exportViews(project: Project, target: Target, options: ExportOptions): Promise<ExportResult> {
  for (let round = 1; round < rounds; round++) {
    try {
      return await exportOnce(project, target, options);
    } catch (error) {
      if (!(error instanceof ViewsyncError) || error.code !== 'BRANCH_MOVED') throw error;
    }
  }
  return exportOnce(project, target, options);
}

async function exportOnce(project: Project, target: Target, options: ExportOptions): Promise<ExportResult> {
  const { warehouse } = options;
  const { timings, measure } = createStopwatch();
  const reading = startReading(project, target, warehouse.dialect);
  const remote = options.commit === 'commit' ? await measure('fetch', fetchLiveLine(project, target)) : 'no remote';
  // In this order: what is recorded after the warehouse was read may be newer than it, and must not be taken back.
  const recorded = await measure('read git', readRecorded(reading));
  await requireNoInterruptedRun(recorded.line, warehouse);
  const inspection = await measure('inspect', warehouse.inspect(target.scope, options.progress));
  if (!options.allowed.includes('OTHER_WAREHOUSE')) requireSameWarehouse(recorded, inspection.snapshot.description, target);
  const draft = await measure('compare and format', draftExport(reading, inspection, { recorded, options }));
  const written = options.commit === 'commit' ? await measure('record', recordDraft(draft)) : {};
  if (options.commit === 'files only') await measure('write files', project.history.writeFiles(draft.branch));
  const { branch } = recorded.head;
  if (options.push === 'push') await measure('push', pushLines(project, [...(branch === undefined ? [] : [branch]), liveRef(target)]));
  return { ...describeDraft(draft, target), ...written, ...(branch === undefined ? {} : { branch }), remote, timings, pushed: options.push === 'push' };
}
