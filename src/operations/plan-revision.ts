import type { Dialect } from '../core/dialect.ts';
import { countingAll, keepIgnored } from '../core/ignore.ts';
import type { HazardName, Plan } from '../core/plan.ts';
import { planChanges } from '../core/planner.ts';
import { findOccupied } from '../core/refusals.ts';
import { type RelationName, relationKey } from '../core/relation.ts';
import { matchScope } from '../core/scope.ts';
import { type Selection, selectViews } from '../core/selection.ts';
import { objectsOf, type Snapshot } from '../core/snapshot.ts';
import { isView, type View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import type { Inspection, Progress, Warehouse } from '../warehouses/warehouse.ts';
import { comparePaths, keyOf, type PathState, type Sources } from './compose-files.ts';
import { findStale } from './find-stale.ts';
import { gatherSources, type Reading, type Recorded, readPosition, requireSameWarehouse, startReading } from './gather-sources.ts';
import { readBoth } from './keep-unseen.ts';
import { findExported, findExportedFiles } from './last-seen.ts';
import { leaveOutBroken } from './leave-out.ts';
import { learnEquivalents } from './likeness.ts';
import { findQuestions } from './plan-questions.ts';
import { readDefaults } from './read-defaults.ts';
import { type FetchOutcome, fetchLiveLine } from './remote-lines.ts';
import type { BrokenView } from './running-script.ts';
import { readRevisionFiles, snapshotOf, type TargetFiles } from './view-files.ts';

/** The word that stands for the files of the work tree, committed or not, where a revision is asked for. */
export const worktreeRevision = 'worktree';

export interface PlanOptions extends Selection {
  readonly warehouse: Warehouse;
  /** Anything git resolves, or `worktree`. */
  readonly revision: string;
  /** `drop`: views that the revision does not hold are dropped. */
  readonly absent: 'keep' | 'drop';
  readonly allowed: readonly HazardName[];
  /** Views in conflict, by `relationKey`, where the file of the revision is to win. */
  readonly overwrite: readonly string[];
  /** `skip`: views that do not fit the tables as they are now are left out; otherwise they make the plan impossible. */
  readonly misfits?: 'stop' | 'skip';
  /** Views that a run has shown not to fit; left out with `skip`. */
  readonly unfit?: readonly BrokenView[];
  readonly progress?: Progress;
}

/** A plan with everything that it was made from. */
export interface PlannedRevision {
  readonly plan: Plan;
  readonly revision: string;
  /** Undefined for the work tree. */
  readonly commit: ObjectId | undefined;
  readonly reading: Reading;
  readonly inspection: Inspection;
  readonly recorded: Recorded;
  /** Warehouse, branch and live line side by side. */
  readonly sources: Sources;
  /** The revision's files. */
  readonly files: TargetFiles;
  /** Views that were left out, since they do not fit. */
  readonly broken?: readonly BrokenView[];
}

/** What is asked of a plan: the wanted state and which part of it. */
export interface Wish {
  readonly wanted: readonly View[];
  readonly drops: readonly RelationName[];
  /** See `PlanRequest.orphans`. */
  readonly orphans?: 'refuse' | 'leave';
  readonly kept: readonly RelationName[];
  /** What the revision holds, wanted or not. */
  readonly available: readonly View[];
  /** See `PlanRequest.undone`. */
  readonly undone?: ReadonlyMap<string, View>;
}

/** Describes what differs and plans it. `tip` holds the files of the last export, and of what it found gone those of the last one before. */
export async function planWish(
  reading: Reading,
  wish: Wish,
  { inspection, tip, options }: { inspection: Inspection; tip: TargetFiles; options: Pick<PlanOptions, 'warehouse' | 'allowed'> },
): Promise<Plan> {
  const { snapshot, outside, session } = inspection;
  const states = snapshot.containers.flatMap(({ state }) => state ?? []);
  const live = [...states, ...snapshot.views, ...snapshot.bystanders, ...outside];
  const byKey = new Map(live.map((view) => [relationKey(view.name), view]));
  const questions = findQuestions(wish.wanted, live, { dialect: reading.dialect, relations: inspection.relations });
  const described = questions.length === 0 ? new Map() : await options.warehouse.settle(questions);
  const { stale } = await findStale(options.warehouse, inspection);
  learnEquivalents(reading.dialect, described);
  return planChanges({
    target: reading.target.name,
    dialect: countingAll(reading.dialect),
    live,
    ...wish,
    wanted: wish.wanted.map((view) => keepIgnored(view, byKey.get(relationKey(view.name)), reading.dialect)),
    described,
    containers: await readDefaults(snapshot, { wanted: wish.wanted, live: byKey }, options.warehouse),
    losses: snapshot.losses,
    streams: inspection.streams,
    watchers: session.watchers,
    roles: session.roles,
    role: session.role,
    relations: inspection.relations,
    available: new Set(wish.available.map((view) => relationKey(view.name))),
    sizes: inspection.sizes,
    ...(session.lockLimit === undefined ? {} : { lockLimit: session.lockLimit }),
    exported: findExported(reading, wish.wanted, tip),
    stale: new Map(stale.map(({ view, columns }) => [relationKey(view.name), columns])),
    rowSecurity: session.rowSecurity,
    now: Date.now(),
    ...(session.powers === undefined ? {} : { powers: session.powers }),
    allowed: options.allowed,
  });
}

/** Live views that the revision does not hold and could have held: in its scope and in today's. */
function findAbsent(revision: Snapshot, inspection: Inspection, dialect: Dialect): readonly View[] {
  const { description, views } = inspection.snapshot;
  const wasInScope = matchScope(revision.description.scope, dialect);
  const isInScope = matchScope(description.scope, dialect);
  const held = new Set([...revision.views, ...revision.description.unreadable].map(({ name }) => relationKey(name)));
  return views.filter(({ name }) => !held.has(relationKey(name)) && wasInScope(name) && isInScope(name));
}

/**
 * Bystanders and containers that come with the selected views: what hangs on one of them, where no other view is missing for it, and the
 * schemas of both.
 */
function findCompany(revision: Snapshot, views: readonly View[], { inspection, options }: { inspection: Inspection; options: PlanOptions }): readonly View[] {
  const selected = new Set(views.map(({ name }) => relationKey(name)));
  const isThere = (key: string) => selected.has(key) || inspection.relations.has(key);
  const bystanders = revision.bystanders.filter(({ name, reads }) => {
    const keys = reads.map(relationKey);
    if (options.exclude.includes(relationKey(name))) return false;
    return options.select.length === 0 || options.select.includes(relationKey(name)) || (keys.some((key) => selected.has(key)) && keys.every(isThere));
  });
  const schemas = new Set([...views, ...bystanders].map(({ name: { catalog, schema } }) => JSON.stringify([catalog, schema])));
  const states = revision.containers.flatMap(({ state }) => state ?? []);
  return [...states.filter(({ name: { catalog, schema } }) => schemas.has(JSON.stringify([catalog, schema]))), ...bystanders];
}

function makeWish(revision: Snapshot, inspection: Inspection, options: PlanOptions): Wish {
  const absent = findAbsent(revision, inspection, options.warehouse.dialect);
  const ofViews = (patterns: readonly string[]) => patterns.filter((pattern) => !revision.bystanders.some(({ name }) => relationKey(name) === pattern));
  const patterns = { select: ofViews(options.select), exclude: ofViews(options.exclude) };
  const isNarrow = options.select.length > 0;
  const selected = isNarrow && patterns.select.length === 0 ? new Set() : selectViews([...revision.views, ...absent], patterns);
  const isInScope = matchScope(inspection.snapshot.description.scope, options.warehouse.dialect);
  const isSelected = ({ name }: View) => selected.has(relationKey(name)) && (isNarrow || isInScope(name));
  const unreadable = new Set(inspection.snapshot.description.unreadable.map(({ name }) => relationKey(name)));
  const names = absent.filter(isSelected).map(({ name }) => name);
  const views = revision.views.filter(isSelected);
  return {
    wanted: [...views, ...findCompany(revision, views, { inspection, options })].filter(({ name }) => !unreadable.has(relationKey(name))),
    drops: options.absent === 'drop' ? names : [],
    kept: options.absent === 'drop' ? [] : names,
    available: objectsOf(revision),
  };
}

/** Without the bystanders that were changed on both sides: when their view is made again, they come back as they are live. */
function withoutDisputed(wish: Wish, paths: readonly PathState[], { overwrite }: PlanOptions): Wish {
  const disputed = new Set(paths.flatMap(({ state, live }) => (state === 'conflict' && live && !isView(live) ? [relationKey(live.name)] : [])));
  return { ...wish, wanted: wish.wanted.filter(({ name }) => !disputed.has(relationKey(name)) || overwrite.includes(relationKey(name))) };
}

/** Whether both sides have left what they last agreed on; making a view where nothing was ever recorded takes nothing away. */
function isConflict({ state, path, live }: PathState, { base }: Sources): boolean {
  if (state !== 'conflict') return false;
  return live !== undefined || (base !== 'unknown' && base.get(path) !== 'unknown');
}

interface Compared {
  readonly paths: readonly PathState[];
  readonly sources: Sources;
}

/** Raises `CONFLICT` for views in conflict that the wish would change, make or drop. */
function requireNoConflict(wish: Wish, { paths, sources }: Compared, options: PlanOptions): void {
  const concerned = new Set([...wish.wanted.map(({ name }) => name), ...wish.drops].map(relationKey));
  const conflicts = paths.flatMap((path) => {
    const key = keyOf(path);
    return isConflict(path, sources) && key !== undefined && concerned.has(key) && !options.overwrite.includes(key) ? [key] : [];
  });
  if (conflicts.length === 0) return;
  throw new ViewsyncError('CONFLICT', {
    message: `Changed in git and in the warehouse since they last agreed, or dropped in one of them: ${conflicts.join(', ')}. Nothing was changed.`,
    suggestions: [
      ...conflicts.slice(0, 3).map((key) => `viewsync apply ${options.revision} --overwrite '${key}'   (git wins)`),
      `viewsync export --overwrite '${conflicts[0]}'   (the warehouse wins)`,
    ],
    details: { conflicts },
  });
}

/** Whether applying the revision deploys the branch, so that edits on both sides are a conflict; an older commit is a restore. */
function isDeployment({ head }: Recorded, commit: ObjectId | undefined): boolean {
  return commit === undefined || commit === head.commit;
}

/** Whether this goes on with a run that stopped between two steps: it was no conflict then, and what it left behind is none now. */
function isContinued({ line }: Recorded, revision: string, { dialect }: Reading): boolean {
  return !dialect.isTransactional && line.interrupted?.revision === revision;
}

function occupiedIn({ occupied, relations }: Inspection): ReadonlyMap<string, string> {
  return occupied ?? new Map([...relations].map((key) => [key, 'relation']));
}

/** Plans on what the remote knows, too. Changes nothing. The errors of `planFetched`. */
export async function planRevision(project: Project, target: Target, options: PlanOptions): Promise<PlannedRevision & { readonly remote: FetchOutcome }> {
  const remote = await fetchLiveLine(project, target, 'read');
  return { ...(await planFetched(project, target, options)), remote };
}

/** Reads the warehouse and the revision and plans the way from one to the other. Changes nothing. `CONFLICT`, `TARGET_NOT_IN_REVISION`, `OTHER_WAREHOUSE`. */
export async function planFetched(project: Project, target: Target, options: PlanOptions): Promise<PlannedRevision> {
  const { warehouse, revision } = options;
  const reading = startReading(project, target, warehouse.dialect);
  const commit = revision === worktreeRevision ? undefined : await project.history.reader.resolve(revision);
  const position = await readPosition(reading);
  const { recorded, inspection } = await readBoth(reading, position, options);
  const files = commit === undefined ? recorded.branch : await readRevisionFiles(reading, commit);
  if (!options.allowed.includes('OTHER_WAREHOUSE')) requireSameWarehouse({ ...recorded, branch: files, tip: files }, inspection.snapshot.description, target);
  const sources = await gatherSources(reading, { recorded, inspection }, { settle: warehouse.settle.bind(warehouse) });
  const wanted = snapshotOf(files, commit === undefined ? { from: 'worktree' } : { from: 'commit', commit }, target);
  const isDeployed = isDeployment(recorded, commit) && !isContinued(recorded, revision, reading);
  const paths = isDeployed ? comparePaths(sources) : [];
  const wish = withoutDisputed(makeWish(wanted, inspection, options), paths, options);
  requireNoConflict(wish, { paths, sources }, options);
  const fitting = options.misfits === 'skip' ? await leaveOutBroken(wish, { inspection, warehouse, known: options.unfit ?? [] }) : { wish, broken: [] };
  const tip = await findExportedFiles(reading, { recorded, inspection, wanted: fitting.wish.wanted });
  const made = await planWish(reading, fitting.wish, { inspection, tip, options });
  const occupied = warehouse.dialect.isTransactional ? findOccupied(made, occupiedIn(inspection)) : [];
  const plan = { ...made, refusals: [...made.refusals, ...occupied] };
  return { plan, revision, commit, reading, inspection, recorded, sources, files, broken: fitting.broken };
}
