import { isSameView } from '../core/compare.ts';
import { findRelations } from '../core/find-relations.ts';
import { bareKey, compareText, relationKey } from '../core/relation.ts';
import type { Loss } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import type { Progress, Warehouse } from '../warehouses/warehouse.ts';
import type { PushOptions } from './branch-point.ts';
import type { Sources } from './compose-files.ts';
import { exportViews } from './export-views.ts';
import { gatherSources, pathOf, type Reading, type Recorded, readPosition, requireSameWarehouse, startReading } from './gather-sources.ts';
import { requireNoInterruptedRun } from './interrupted-run.ts';
import { readBoth } from './keep-unseen.ts';
import { findDependents, findKnown } from './migrate-around.ts';
import { askRemote, type FetchOutcome, fetchLiveLine } from './remote-lines.ts';
import { type ViewFile, viewOf } from './view-files.ts';

/** `stale`: what is recorded is not what is live. `uncommitted`: the live line has it, the branch does not yet. `unpushed`: the remote does not. */
export type BackupState = 'current' | 'stale' | 'missing' | 'uncommitted' | 'unpushed' | 'out of scope' | 'unreadable';

export interface CheckedView {
  readonly view: string;
  readonly kind: View['kind'];
  readonly state: BackupState;
  /** Rough size of a materialized view, which has to be computed again. */
  readonly bytes?: number;
}

/** Something that hangs on one of the views and that a migration could not bring back. */
export interface CheckedLoss {
  readonly what: string;
  readonly of: readonly string[];
}

export interface CheckResult {
  readonly target: string;
  readonly relations: readonly string[];
  readonly dependents: readonly CheckedView[];
  readonly losses: readonly CheckedLoss[];
  /** The newest state on the live line. */
  readonly live?: ObjectId;
  readonly remote: FetchOutcome;
}

export interface CheckOptions extends PushOptions {
  readonly warehouse: Warehouse;
  /** Names or globs. */
  readonly relations: readonly string[];
  /** `export`: what is missing or stale is recorded first. */
  readonly backup: 'look' | 'export';
  readonly progress?: Progress;
}

/** What decides of a view whether its backup is current. */
interface Evidence {
  readonly reading: Reading;
  readonly recorded: Recorded;
  readonly sources: Sources;
  readonly outside: ReadonlySet<string>;
  readonly isPushed: boolean;
}

function holds(file: ViewFile | 'unknown' | undefined, view: View, { sources, reading }: Evidence): boolean {
  const known = file === 'unknown' ? undefined : viewOf(file);
  return known !== undefined && (isSameView(known, view, reading.dialect) || sources.likeness.isAlike(known, view));
}

/** The branch has a view's backup when it has taken in a state that holds it, whatever somebody has edited since. */
function stateOf(view: View, evidence: Evidence): BackupState {
  const { recorded, reading, sources, outside, isPushed } = evidence;
  const path = pathOf(reading, view.name);
  if (outside.has(relationKey(view.name))) return 'out of scope';
  if (sources.unreadable.has(path)) return 'unreadable';
  const file = recorded.tip.views.get(path);
  if (file === undefined) return 'missing';
  if (!holds(file, view, evidence)) return 'stale';
  const base = recorded.base === 'unknown' ? undefined : recorded.base.get(path);
  if (!holds(base, view, evidence)) return 'uncommitted';
  return isPushed ? 'current' : 'unpushed';
}

async function isLivePushed(project: Project, target: Target, tip: ObjectId | undefined): Promise<boolean> {
  const remote = await askRemote(project, target, (await project.history.head()).branch);
  if (!remote || tip === undefined) return true;
  if (remote.live === undefined || !(await project.history.isAncestor(tip, remote.live))) return false;
  const { commit } = await project.history.head();
  return commit === undefined || (remote.branch !== undefined && (await isTakenIn(project, commit, remote.branch)));
}

async function isTakenIn({ history }: Project, commit: ObjectId, branch: ObjectId): Promise<boolean> {
  return commit === branch || history.isAncestor(commit, branch);
}

function findLosses(dependents: readonly View[], losses: readonly Loss[]): readonly CheckedLoss[] {
  const keys = new Set(dependents.map(({ name }) => relationKey(name)));
  const attributes = dependents.flatMap(({ name, unrestorable }) => unrestorable.map((what) => ({ what, of: [relationKey(name)] })));
  const objects = losses.flatMap(({ description, of }) => {
    const own = of.map(relationKey).filter((key) => keys.has(key));
    return own.length === 0 ? [] : [{ what: description, of: own }];
  });
  return [...attributes, ...objects].sort((left, right) => compareText(left.what, right.what));
}

async function exportFirst(project: Project, target: Target, { warehouse, progress, ...push }: CheckOptions): Promise<void> {
  const how = { commit: 'commit' as const, reformat: 'new' as const, overwrite: [], allowed: [], ...(progress ? { progress } : {}) };
  await exportViews(project, target, { warehouse, ...how, push: push.push, ...(push.pushedBranch === undefined ? {} : { pushedBranch: push.pushedBranch }) });
}

/**
 * Everything that depends on some relations, directly or not, with the state of its backup. Changes nothing, unless it is to export first.
 * `RELATION_UNKNOWN`, `INTERRUPTED_RUN`, `OTHER_WAREHOUSE`.
 */
export async function checkRelations(project: Project, target: Target, options: CheckOptions): Promise<CheckResult> {
  const { warehouse, progress, backup, push } = options;
  if (backup === 'export') await exportFirst(project, target, options);
  const reading = startReading(project, target, warehouse.dialect);
  const remote = await fetchLiveLine(project, target, 'read');
  const position = await readPosition(reading);
  await requireNoInterruptedRun(position.line, warehouse);
  const { recorded, inspection } = await readBoth(reading, position, { warehouse, progress });
  requireSameWarehouse(recorded, inspection.snapshot.description, target);
  const relations = findRelations(options.relations, findKnown(inspection));
  const sources = await gatherSources(reading, { recorded, inspection }, { settle: warehouse.settle.bind(warehouse) });
  const isPushed = push === 'keep' || (await isLivePushed(project, target, recorded.line.tip));
  const outside = new Set(inspection.outside.map(({ name }) => relationKey(name)));
  const evidence: Evidence = { reading, recorded, sources, outside, isPushed };
  const dependents = findDependents(relations, inspection, warehouse.dialect).toSorted((left, right) => compareText(bareKey(left.name), bareKey(right.name)));
  return {
    target: target.name,
    relations,
    dependents: dependents.map((view) => {
      const bytes = inspection.sizes.get(relationKey(view.name));
      return { view: relationKey(view.name), kind: view.kind, state: stateOf(view, evidence), ...(bytes === undefined ? {} : { bytes }) };
    }),
    losses: findLosses(dependents, inspection.snapshot.losses ?? []),
    ...(recorded.line.tip === undefined ? {} : { live: recorded.line.tip }),
    remote,
  };
}
