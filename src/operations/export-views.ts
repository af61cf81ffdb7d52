import { setTimeout as wait } from 'node:timers/promises';
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
import { type BranchPoint, chooseBranchPoint, publish, type Published, type PushOptions } from './branch-point.ts';
import { comparePaths, composeBranchChanges, composeLiveTexts, type PathState, type Sources } from './compose-files.ts';
import { composeSources } from './compose-sources.ts';
import { gatherSources, readPosition, readRecorded, type Reading, type Recorded, requireSameWarehouse, startReading } from './gather-sources.ts';
import { requireNoInterruptedRun } from './interrupted-run.ts';
import { findKeptBases } from './kept-bases.ts';
import { changeFiles, type FileChanges, isBaseline, recordBranch, recordLive } from './record-state.ts';
import { fetchLiveLine, type FetchOutcome } from './remote-lines.ts';
import { brokenFiles, targetPath, viewFile, viewOf } from './view-files.ts';

export interface ExportOptions extends PushOptions {
  readonly warehouse: Warehouse;
  /** `dry run` shows what would be written, `files only` writes into the work tree and commits nothing. */
  readonly commit: 'commit' | 'files only' | 'dry run';
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
  /** What a person has to know of the branch here, such as that it could not follow. */
  readonly notes: readonly string[];
  readonly queries: number;
  /** Milliseconds per part, in the order in which they ended. */
  readonly timings: readonly { readonly part: string; readonly milliseconds: number }[];
}

/** What one export is about to write. */
interface Draft {
  readonly reading: Reading;
  readonly recorded: Recorded;
  readonly inspection: Inspection;
  readonly sources: Sources;
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
    [...texts].flatMap(([path, text]) => (text === undefined || !path.endsWith('.sql') ? [] : (viewOf(viewFile(path, text, reading.parser)) ?? [])));
  const before = [...changes.keys()].map((path) => [path, recorded.branch.edited.has(path) ? undefined : recorded.branch.views.get(path)?.text] as const);
  return diffViews(views(before), views(changes), { dialect: reading.dialect, ...sources.likeness });
}

function subjectOf(draft: Omit<Draft, 'subject'>, options: ExportOptions): string {
  const { reading, recorded, inspection, changes } = draft;
  const name = reading.target.name;
  if (options.message !== undefined) return options.message;
  if (isBaseline(recorded.line)) return `${name}: baseline, ${countViews(inspection.snapshot.views.length)}`;
  if (options.reformat === 'all' && changes.every(({ definition }) => definition === 'same')) return `${name}: format ${countViews(draft.branch.size)}`;
  const summary = summarizeChanges(changes);
  if (summary !== '') return `${name}: ${summary}`;
  return draft.branch.size > 0 ? `${name}: header of ${countViews(draft.branch.size)}` : `${name}: git and the warehouse agree`;
}

/** A file that was edited here and not committed cannot take in what changed in the warehouse: that needs a person as any conflict does. */
function leaveAlone(state: PathState, written: FileChanges): PathState {
  return state.state === 'drift' && state.isEdited && !written.has(state.path) ? { ...state, state: 'conflict' } : state;
}

async function draftExport(reading: Reading, inspection: Inspection, { recorded, options }: { recorded: Recorded; options: ExportOptions }): Promise<Draft> {
  const settle = options.warehouse.settle.bind(options.warehouse);
  const sources = await gatherSources(reading, { recorded, inspection }, { settle, liveWins: new Set(options.overwrite) });
  const composition = await composeSources(sources, options.reformat, options.progress);
  const states = comparePaths(composition);
  const path = targetPath(reading.project, reading.target);
  const text = writeTargetFile(inspection.snapshot.description);
  const views = composeBranchChanges(states, composition);
  const isSettled = recorded.branch.targetText === text && !recorded.branch.edited.has(path);
  const branch = isSettled ? views : new Map([...views, [path, text] as const]);
  const draft = {
    reading,
    recorded,
    inspection,
    sources,
    states: states.map((state) => leaveAlone(state, views)),
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

/** Whether git and the warehouse have come to agree on what the branch last took in otherwise: an edit was applied, or made on both sides. */
function isAgreement({ path, state, git, live, isEdited }: PathState, { base, likeness }: Sources): boolean {
  if (state !== 'in sync' || isEdited || base === 'unknown') return false;
  const known = base.get(path);
  const view = known === 'unknown' ? undefined : viewOf(known);
  if (view === undefined || live === undefined) return known !== undefined || git !== undefined;
  return !likeness.isAlike(view, live);
}

/** Whether the branch needs a commit: something changes, or it has yet to take in what is live. */
function needsBranchCommit({ branch, recorded, states, sources }: Draft): boolean {
  return branch.size > 0 || recorded.line.base === undefined || states.some((state) => isAgreement(state, sources));
}

async function recordDraft(draft: Draft, point: BranchPoint): Promise<Pick<ExportResult, 'commit' | 'live'>> {
  const { project, target } = draft.reading;
  const { subject, changes, recorded } = draft;
  const { tip } = recorded.line;
  const how = point.remote ? 'write' : 'record';
  const live = await recordLive(project, target, { tip, how, record: { subject, changes, files: draft.live } });
  if (!needsBranchCommit(draft)) return live === tip ? {} : { live };
  const commit = await recordBranch(project, target, { head: point.head, how, subject, changes, files: draft.branch, live, conflicts: findKeptBases({ ...draft, written: draft.branch }) });
  return { live, commit };
}

/** Records what differs and pushes it where that was asked for. */
async function carryOut(draft: Draft, point: BranchPoint): Promise<Pick<ExportResult, 'commit' | 'live'> & Published> {
  const { project, target } = draft.reading;
  const { tip } = draft.recorded.line;
  const { live, commit } = await recordDraft(draft, point);
  return { ...(live === undefined ? {} : { live }), ...(commit === undefined ? {} : { commit }), ...(await publish(project, target, { point, written: { live: live ?? tip, from: tip, commit } })) };
}

function describeDraft(draft: Draft, target: Target): Omit<ExportResult, 'timings' | 'pushed' | 'remote' | 'notes'> {
  const { inspection, recorded, states } = draft;
  const isAllowed = allowsUnreadable(target.allowUnreadable);
  return {
    target: target.name,
    server: inspection.session.server,
    views: inspection.snapshot.views.length,
    isBaseline: isBaseline(recorded.line),
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

const rounds = 8;

/** Whether somebody else was faster, in this clone or on the remote, so that another try may succeed. */
function isOvertaken(error: unknown): error is ViewsyncError {
  return error instanceof ViewsyncError && (error.code === 'BRANCH_MOVED' || error.code === 'REMOTE_MOVED');
}

/**
 * Reads every view of the target and records the difference: the whole live state on the live line, and on the branch what nobody has
 * edited there. Nothing is written when nothing changed. Starts over when somebody else commits or pushes meanwhile. `LISTING_MOVED`,
 * `OTHER_WAREHOUSE`, `INTERRUPTED_RUN`, `RUN_IN_PROGRESS`, `PATH_TAKEN`, `REMOTE_FAILED`, `REMOTE_MOVED`, `BRANCH_MOVED`.
 */
export async function exportViews(project: Project, target: Target, options: ExportOptions): Promise<ExportResult> {
  for (let round = 1; round < rounds; round++) {
    try {
      return await exportOnce(project, target, options);
    } catch (error) {
      if (!isOvertaken(error)) throw error;
    }
    await wait(Math.random() * 100 * round);
  }
  return exportOnce(project, target, options);
}

async function findPoint(project: Project, target: Target, options: ExportOptions): Promise<BranchPoint> {
  if (options.commit === 'commit') return chooseBranchPoint(project, target, options);
  return { head: await project.history.head(), files: 'work tree', fetched: await fetchLiveLine(project, target, 'read') };
}

async function exportOnce(project: Project, target: Target, options: ExportOptions): Promise<ExportResult> {
  const { warehouse } = options;
  const { timings, measure } = createStopwatch();
  const reading = startReading(project, target, warehouse.dialect);
  const point = await measure('fetch', findPoint(project, target, options));
  const position = await measure('find base', readPosition(reading, point));
  await requireNoInterruptedRun(position.line, warehouse);
  const [recorded, inspection] = await Promise.all([
    measure('read git', readRecorded(reading, position)),
    measure('inspect', warehouse.inspect(target.scope, options.progress)),
  ]);
  if (!options.allowed.includes('OTHER_WAREHOUSE')) requireSameWarehouse(recorded, inspection.snapshot.description, target);
  const draft = await measure('compare and format', draftExport(reading, inspection, { recorded, options }));
  const written = options.commit === 'commit' ? await measure('record', carryOut(draft, point)) : { pushed: false, notes: [] };
  if (options.commit === 'files only') await measure('write files', project.history.writeFiles(draft.branch));
  const branch = point.remote?.ref ?? point.head.branch;
  return { ...describeDraft(draft, target), ...written, ...(branch === undefined ? {} : { branch }), remote: point.fetched, timings };
}
