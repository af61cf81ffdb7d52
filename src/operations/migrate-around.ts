import { diffViews } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { findRelations } from '../core/find-relations.ts';
import { findReaders, reach } from '../core/graph.ts';
import { callingOf, leansOn } from '../core/leaning.ts';
import type { Plan } from '../core/plan.ts';
import { readsOf } from '../core/rebuild.ts';
import { parseRelationKey, relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import { isView, type View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Project, Target } from '../project.ts';
import type { Part } from '../warehouses/parts.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import { requireRunnable } from './apply-revision.ts';
import type { Restoration } from './bring-back.ts';
import { hangingOf, planDropping, planWayBack, surroundingsOf } from './detour.ts';
import { findLost } from './find-lost.ts';
import { completeInspection } from './keep-unseen.ts';
import { bringBackAll, mendViews } from './lost-parts.ts';
import type { MigrateResult } from './migrate-script.ts';
import { type MigrationOptions, migrateCommand, readExported, recordAfter } from './migration.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { prepareRun } from './prepare-run.ts';
import type { StartedRun } from './record-run.ts';
import { fetchLiveLine } from './remote-lines.ts';
import type { RunMemory } from './run-memory.ts';
import { runPlan } from './run-plan.ts';
import { undisturbed } from './undisturbed.ts';

export interface AroundOptions extends Omit<MigrationOptions, 'misfits'> {
  /** Names or globs of the relations that the command changes. */
  readonly relations: readonly string[];
  /** What the command is called when it is told of. */
  readonly label: string;
  /** Runs it to its end and resolves to its exit code. */
  readonly runCommand: () => Promise<number>;
  /** Shown what will be dropped before anything is written or run; false stops. */
  readonly confirm: (plan: Plan) => Promise<boolean>;
  /** Another connection, since the first one may not last as long as the command. */
  readonly connect: () => Promise<Warehouse>;
}

/** Names in queries that stand for one of the relations, too. */
function findCovering(relations: readonly string[], objects: readonly View[], { covers }: Dialect): readonly string[] {
  const names = relations.flatMap((key) => parseRelationKey(key) ?? []);
  if (covers === undefined) return [];
  return objects.flatMap(({ reads }) => reads.filter((read) => names.some((name) => covers(read, name))).map(relationKey));
}

/** Views that depend on the relations and on what inherits from these, and bystanders that depend on the views, out of scope too. */
export function findDependents(relations: readonly string[], { snapshot, outside, heirs = new Map() }: Inspection, dialect: Dialect): readonly View[] {
  const objects = [...objectsOf(snapshot), ...outside].filter(({ kind }) => kind !== 'container');
  const family = [...reach(relations, heirs).keys()];
  const named = new Set(relations);
  const reached = reachLeaning([...family, ...findCovering(family, objects, dialect)], objects, dialect);
  return objects.filter((view) => reached.has(relationKey(view.name)) && !named.has(relationKey(view.name)));
}

/** What depends on the start, and the views of which something names one of these: all that has to make way. */
function reachLeaning(start: readonly string[], objects: readonly View[], dialect: Dialect): ReadonlySet<string> {
  const readers = findReaders(readsOf(objects));
  const reached = new Set(reach(start, readers).keys());
  for (let count = -1; count !== reached.size; ) {
    count = reached.size;
    const names = new Set(objects.filter(({ name }) => reached.has(relationKey(name))).flatMap(callingOf));
    const leaning = objects.filter((view) => isView(view) && !reached.has(relationKey(view.name)) && leansOn(view, names, dialect));
    const more = leaning.map(({ name }) => relationKey(name));
    for (const key of reach(more, readers).keys()) reached.add(key);
  }
  return reached;
}

/** Every relation that somebody may ask about: also those that only a view's query names, as in another database. */
export function findKnown({ relations, snapshot, outside }: Inspection): ReadonlySet<string> {
  const reads = [...snapshot.views, ...outside].flatMap((view) => view.reads.filter(({ name }) => !name.includes('*')).map(relationKey));
  return new Set([...relations, ...reads]);
}

/** What is to be dropped, and the views that have to be there in the end. */
interface Way {
  readonly plan: Plan;
  readonly views: readonly View[];
}

async function planWay(planned: PlannedRevision, { relations, warehouse, confirm }: AroundOptions): Promise<Way> {
  const { inspection, reading } = planned;
  const views = findDependents(findRelations(relations, findKnown(inspection)), inspection, warehouse.dialect);
  const because = `it depends on ${relations.join(', ')}`;
  const surroundings = surroundingsOf(reading.target.name, warehouse, inspection);
  const dropped = warehouse.dialect.readersStand ? [] : views;
  const plan = planDropping(dropped, because, surroundings);
  const { refusals } = planWayBack(dropped, surroundings);
  requireRunnable({ ...plan, hazards: [], refusals: [...plan.refusals, ...refusals] }, []);
  if (await confirm(plan)) return { plan, views };
  throw new ViewsyncError('NOT_CONFIRMED', { message: 'Not confirmed. Nothing was changed.', suggestions: ['Add --yes to go ahead without a question.'] });
}

/** Those of some views that are out of scope, and so stand in no file. */
export function findOutside(views: readonly View[], { outside }: Inspection): readonly View[] {
  const keys = new Set(outside.map(({ name }) => relationKey(name)));
  return views.filter(({ name, definition }) => keys.has(relationKey(name)) && definition !== '');
}

/** What will tell, when the command has ended, what it has taken along; and what may be lost and stands in no file. */
async function remember({ plan, inspection }: PlannedRevision, views: readonly View[], { parts }: Warehouse): Promise<RunMemory> {
  const dropped = new Set(plan.before.map(({ name }) => relationKey(name)));
  const bystanders = hangingOf(inspection).bystanders.map(({ name }) => name);
  const known = (await parts?.listParts(bystanders)) ?? [];
  return { parts: known.filter(({ view }) => !dropped.has(relationKey(view))), outside: findOutside(views, inspection) };
}

interface Begun {
  readonly started: StartedRun;
  /** What the views that stay consist of, and what hangs on them. */
  readonly parts: readonly Part[];
}

/** Drops the views, once the state with and without them stands on the live line. */
async function drop(planned: PlannedRevision, views: readonly View[], options: AroundOptions): Promise<Begun> {
  const { warehouse } = options;
  const { signal } = planned.reading.project.interruption;
  let parts: readonly Part[] = [];
  const noting = async () => {
    const memory = await remember(planned, views, warehouse);
    ({ parts } = memory);
    return memory;
  };
  const preparation = prepareRun(planned, migrateCommand, { ...options, remember: noting });
  try {
    await runPlan(warehouse, planned.plan, { ...options, signal, prepare: preparation.prepare });
  } catch (error) {
    throw await preparation.giveUp(error);
  }
  return { started: preparation.started() as StartedRun, parts };
}

type Ended = Omit<MigrateResult, 'target' | 'command' | 'revision' | 'isRehearsal' | 'remote'>;

function notBroughtBack(cause: ViewsyncError): ViewsyncError {
  return new ViewsyncError(cause.code, {
    message: `The views that were dropped for the command could not be brought back: ${cause.message} They are safe on the live line.`,
    suggestions: ['viewsync migrate --continue', ...cause.suggestions],
    cause,
  });
}

type RestoringOptions = Parameters<typeof restoreAndRecord>[2];

/** The views that were dropped, and what the command has taken along beside them. */
async function restore({ planned }: StartedRun, views: readonly View[], options: RestoringOptions): Promise<Restoration> {
  const { warehouse, parts = [] } = options;
  const { reading, recorded } = planned;
  const { target } = reading;
  const inspect = async () => completeInspection(reading, recorded, await warehouse.inspect(target.scope, options.progress));
  const lost = warehouse.parts ? await findLost(parts, warehouse.parts) : [];
  const now = { ...options, target: target.name, inspection: await inspect(), before: planned.inspection };
  const back = await bringBackAll(warehouse, { dropped: views, lost }, now);
  if (lost.every(({ kind }) => kind === 'view' || kind === 'bystander')) return back;
  const mended = await mendViews(warehouse, lost, { ...now, inspection: await inspect() });
  return { ...back, acts: [...back.acts, ...mended.acts], restored: [...back.restored, ...mended.restored], broken: [...back.broken, ...mended.broken] };
}

/** Brings back what is not there and records everything. Whatever goes wrong, one command does the rest. */
export async function restoreAndRecord(
  started: StartedRun,
  views: readonly View[],
  options: Omit<AroundOptions, 'relations' | 'label' | 'runCommand' | 'confirm' | 'connect'> & { readonly parts?: readonly Part[] },
): Promise<Ended> {
  const { dialect } = started.planned.reading;
  const restoration = await restore(started, views, options);
  const kept = restoration.broken.flatMap(({ view }) => parseRelationKey(view) ?? []);
  const { plan, ...recorded } = await recordAfter(started, { ...options, kept, touched: new Set(restoration.restored) });
  const changes = diffViews(plan.before, plan.after, { dialect, reprinted: new Set() });
  const { acts, restored, broken, notes = [] } = restoration;
  return { acts, restored, broken, dropped: [], changes, run: started.id, ...recorded, notes: [...recorded.notes, ...notes] };
}

/** What came of a command, or why it could not be run. */
type Outcome = { readonly exitCode: number } | { readonly error: unknown };

interface Away extends Begun {
  readonly outcome: Outcome;
}

/** Drops the views and runs the command while they are away. */
async function runWithout(planned: PlannedRevision, views: readonly View[], options: AroundOptions): Promise<Away> {
  const begun = await drop(planned, views, options);
  const outcome = await options.runCommand().then(
    (exitCode) => ({ exitCode }),
    (error: unknown) => ({ error }),
  );
  return { ...begun, outcome };
}

async function comeBack(project: Project, { started, parts, views }: Away & Pick<Way, 'views'>, options: AroundOptions): Promise<Ended> {
  const warehouse = await options.connect();
  try {
    return await undisturbed(project, warehouse, () => restoreAndRecord(started, views, { ...options, warehouse, parts }));
  } catch (cause) {
    throw cause instanceof ViewsyncError ? notBroughtBack(cause) : cause;
  } finally {
    await warehouse.close();
  }
}

async function carryOut(planned: PlannedRevision, views: readonly View[], options: AroundOptions): Promise<Ended> {
  const { project } = planned.reading;
  const away = await undisturbed(project, options.warehouse, () => runWithout(planned, views, options));
  const ended = await comeBack(project, { ...away, views }, options);
  if ('error' in away.outcome) throw away.outcome.error;
  return { ...ended, exitCode: away.outcome.exitCode };
}

/**
 * Drops what depends on some relations, runs a command of somebody else's on a connection of its own, and brings back what is missing then,
 * whatever its exit code. Killed in between, `continueMigration` does the rest. `RELATION_UNKNOWN`, `PLAN_IMPOSSIBLE`, `NOT_CONFIRMED`,
 * `LOCK_TIMEOUT` before the command is run.
 */
export async function migrateAround(project: Project, target: Target, options: AroundOptions): Promise<MigrateResult> {
  const remote = await fetchLiveLine(project, target, 'write');
  const before = await readExported(project, target, { ...options, misfits: 'skip' });
  const { plan, views } = await planWay(before, options);
  const ended = await project.interruption.complete(() => carryOut({ ...before, plan }, views, options), 'last');
  return { target: target.name, command: migrateCommand, revision: options.label, isRehearsal: false, remote, ...ended };
}
