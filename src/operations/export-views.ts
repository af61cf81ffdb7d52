import { setTimeout as wait } from 'node:timers/promises';
import type { Change } from '../core/change.ts';
import { writeChangedBy } from '../core/changed-by.ts';
import type { Trailer } from '../core/commit-message.ts';
import type { UnprovenDeletion } from '../core/deletions.ts';
import type { HazardName } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import { allowsUnreadable } from '../core/scope.ts';
import type { Unreadable } from '../core/snapshot.ts';
import { isView } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import type { Progress, Warehouse } from '../warehouses/warehouse.ts';
import { type BranchPoint, chooseBranchPoint, type Published, type PushOptions, publish } from './branch-point.ts';
import { type Draft, describeDamage, describeVerbatim, draftExport, inState, nameOf, needsBranchCommit } from './draft-export.ts';
import { findOutOfScope, pathOf, readPosition, readRecorded, requireSameWarehouse, startReading } from './gather-sources.ts';
import { requireNoInterruptedRun } from './interrupted-run.ts';
import { completeInspection } from './keep-unseen.ts';
import { findKeptBases } from './kept-bases.ts';
import { isBaseline, recordBranch, recordLive } from './record-state.ts';
import { type FetchOutcome, fetchLiveLine } from './remote-lines.ts';
import { trailerKeys } from './trailer-keys.ts';
import { brokenFiles } from './view-files.ts';

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
  /** What becomes of files whose schema is out of scope today: they stay if not given. */
  readonly outOfScope?: 'keep' | 'forget';
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
  /** Views that are no longer listed and that were kept, because nothing proves that they were dropped. */
  readonly unproven: readonly UnprovenDeletion[];
  readonly pending: readonly string[];
  /** Views whose file is here and whose schema is not in scope. */
  readonly outOfScope: readonly string[];
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

/** A trailer for each view that was changed, where the warehouse knows by whom; a first export asks for none. */
async function findAuthors({ changes, recorded }: Draft, warehouse: Warehouse): Promise<readonly Trailer[]> {
  const names = changes.filter(({ change }) => change !== 'deleted').map(({ view }) => view);
  if (names.length === 0 || isBaseline(recorded.line)) return [];
  const authors = (await warehouse.findAuthors?.(names)) ?? new Map<string, string>();
  return [...authors].map(([view, who]) => ({ key: trailerKeys.changedBy, value: writeChangedBy(view, who) }));
}

interface DraftWithAuthors extends Draft {
  readonly authors: readonly Trailer[];
}

async function recordDraft(draft: DraftWithAuthors, point: BranchPoint): Promise<Pick<ExportResult, 'commit' | 'live'>> {
  const { project, target } = draft.reading;
  const { subject, changes, recorded, authors: trailers } = draft;
  const { tip } = recorded.line;
  const how = point.remote ? 'write' : 'record';
  const live = await recordLive(project, target, { tip, how, record: { ...draft.told, files: draft.live, trailers: draft.live.size > 0 ? trailers : [] } });
  if (!needsBranchCommit(draft)) return live === tip ? {} : { live };
  const commit = await recordBranch(project, target, {
    head: point.head,
    how,
    subject,
    changes,
    trailers,
    files: draft.branch,
    live,
    conflicts: findKeptBases({ ...draft, written: draft.branch }),
  });
  return { live, commit };
}

/** Records what differs and pushes it where that was asked for. */
async function carryOut(draft: DraftWithAuthors, point: BranchPoint): Promise<Pick<ExportResult, 'commit' | 'live'> & Published> {
  const { project, target } = draft.reading;
  const { tip } = draft.recorded.line;
  const { live, commit } = await recordDraft(draft, point);
  return {
    ...(live === undefined ? {} : { live }),
    ...(commit === undefined ? {} : { commit }),
    ...(await publish(project, target, { point, written: { live: live ?? tip, from: tip, commit } })),
  };
}

/** Views whose schema is out of scope and whose file stays. */
function listOutOfScope({ recorded, branch, reading, sources }: Draft): readonly string[] {
  const views = findOutOfScope([recorded.branch], { scope: reading.target.scope, dialect: reading.dialect }, sources.live);
  return views.filter((view) => isView(view) && !branch.has(pathOf(reading, view.name))).map(({ name }) => relationKey(name));
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
    unproven: draft.sources.unproven,
    pending: inState(states, 'pending').map(nameOf),
    outOfScope: listOutOfScope(draft),
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
  const head = await project.history.head();
  return { head, files: 'work tree', fetched: await fetchLiveLine(project, target, 'read', head) };
}

async function exportOnce(project: Project, target: Target, options: ExportOptions): Promise<ExportResult> {
  const { warehouse } = options;
  const { timings, measure } = createStopwatch();
  const reading = startReading(project, target, warehouse.dialect);
  const point = await measure('fetch', findPoint(project, target, options));
  const position = await measure('find base', readPosition(reading, point));
  await requireNoInterruptedRun(position.line, warehouse);
  const [recorded, seen] = await Promise.all([
    measure('read git', readRecorded(reading, position)),
    measure('inspect', warehouse.inspect(target.scope, options.progress)),
  ]);
  const inspection = await completeInspection(reading, recorded, seen);
  if (!options.allowed.includes('OTHER_WAREHOUSE')) requireSameWarehouse(recorded, inspection.snapshot.description, target);
  const draft = await measure('compare and format', draftExport(reading, inspection, { recorded, options }));
  const authors = options.commit === 'commit' ? await findAuthors(draft, warehouse) : [];
  const written = options.commit === 'commit' ? await measure('record', carryOut({ ...draft, authors }, point)) : { pushed: false, notes: [] };
  if (options.commit === 'files only') await measure('write files', project.history.writeFiles(draft.branch));
  const branch = point.remote?.ref ?? point.head.branch;
  const lost = recorded.line.note === undefined ? [] : [recorded.line.note];
  const notes = [...lost, ...inspection.unseen, ...describeDamage(draft), ...describeVerbatim(draft), ...written.notes];
  return { ...describeDraft(draft, target), ...written, notes, ...(branch === undefined ? {} : { branch }), remote: point.fetched, timings };
}
