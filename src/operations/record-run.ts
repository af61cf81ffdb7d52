import type { Trailer } from '../core/commit-message.ts';
import { diffViews, isSameView } from '../core/compare.ts';
import type { Plan } from '../core/plan.ts';
import { type RelationName, relationKey } from '../core/relation.ts';
import { objectsOf, withObjects } from '../core/snapshot.ts';
import { writeTargetFile } from '../core/target-file.ts';
import type { View } from '../core/view.ts';
import type { ObjectId } from '../history/history.ts';
import type { Inspection, Warehouse } from '../warehouses/warehouse.ts';
import type { PushOptions } from './branch-point.ts';
import { type CommittedRun, commitRun } from './commit-run.ts';
import { type Composition, composeLiveTexts } from './compose-files.ts';
import { composeSources } from './compose-sources.ts';
import { describeTarget, targetOf } from './describe-target.ts';
import { gatherSources, pathOf, type Reading } from './gather-sources.ts';
import type { Run } from './live-line.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { changeFiles, type FileChanges, recordLive } from './record-state.ts';
import { type RunMemory, writeMemory } from './run-memory.ts';
import { createRunId, type RunOutcome, summarizeRun } from './run-plan.ts';
import { trailerKeys } from './trailer-keys.ts';
import { memoryPath, type TargetFiles, viewFile, viewOf } from './view-files.ts';

/** A run whose `started` stands on the live line. */
export interface StartedRun {
  readonly id: string;
  readonly command: string;
  readonly planned: PlannedRevision;
  readonly before: ObjectId;
  readonly started: ObjectId;
  /** Files as they were before, and as they are to be. */
  readonly beforeFiles: TargetFiles;
  readonly plannedFiles: TargetFiles;
  /** Texts of views that the run makes because they are not listed, although nothing proves that they are gone: they stay recorded when it changes nothing. */
  readonly doubted?: ReadonlyMap<string, string>;
}

type State = 'started' | 'finished' | 'closed';

function runTrailers(run: { readonly id: string; readonly command: string; readonly revision: string }, state: State): Trailer[] {
  return [
    { key: trailerKeys.run, value: run.id },
    { key: trailerKeys.state, value: state },
    { key: trailerKeys.command, value: run.command },
    { key: trailerKeys.revision, value: run.revision },
  ];
}

function filesOf(texts: ReadonlyMap<string, string>, planned: PlannedRevision): TargetFiles {
  const { reading } = planned;
  const description = describeTarget(planned);
  const views = [...texts].map(([path, text]) => [path, viewFile(path, text, reading.parser)] as const);
  return { description, targetText: writeTargetFile(description), views: new Map(views), edited: new Set() };
}

const textsOf = (files: TargetFiles) => new Map([...files.views].map(([path, { text }]) => [path, text]));

/** The texts once the plan has run: the revision's own bytes for what it asks for, today's for everything else. */
function planTexts({ plan, files, reading }: PlannedRevision, before: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const texts = new Map(before);
  for (const { name } of plan.before) texts.delete(pathOf(reading, name));
  for (const { name } of plan.after) {
    const path = pathOf(reading, name);
    const text = files.views.get(path)?.text ?? before.get(path);
    if (text !== undefined) texts.set(path, text);
  }
  return texts;
}

const describePlan = ({ before, after }: Plan, { dialect }: Reading) => diffViews(before, after, { dialect, reprinted: new Set() });

function findDoubted({ sources, plan, reading }: PlannedRevision, texts: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const unproven = new Set(sources.unproven.map(({ name }) => pathOf(reading, name)));
  const paths = plan.after.map(({ name }) => pathOf(reading, name)).filter((path) => unproven.has(path));
  return new Map(paths.flatMap((path) => (texts.has(path) ? [[path, texts.get(path) ?? ''] as const] : [])));
}

/** Puts on the live line what is there now, and then what is going to be: from here on everything can be brought back. */
export async function startRun(planned: PlannedRevision, command: string, memory: RunMemory): Promise<StartedRun> {
  const { reading, recorded, plan, revision } = planned;
  const { project, target } = reading;
  const run = { id: createRunId(), command, revision };
  const texts = composeLiveTexts(await composeSources(planned.sources, 'new'));
  const doubted = findDoubted(planned, texts);
  const beforeTexts = new Map([...texts].filter(([path]) => !doubted.has(path)));
  const beforeFiles = filesOf(beforeTexts, planned);
  const remembered = writeMemory(memory, reading);
  const left = remembered === undefined ? {} : { memory: { path: memoryPath(project, target), text: remembered } };
  const plannedFiles = { ...filesOf(planTexts(planned, beforeTexts), planned), ...left };
  const subject = `${target.name}: before ${summarizeRun(command, revision, plan)}`;
  const before = await recordLive(project, target, {
    tip: recorded.line.tip,
    record: { subject, changes: [], files: changeFiles(recorded.tip, beforeTexts, targetOf(planned)) },
  });
  const started = await recordLive(project, target, {
    tip: before,
    record: {
      subject: `${target.name}: start ${summarizeRun(command, revision, plan)}`,
      changes: describePlan(plan, reading),
      files: new Map([
        ...changeFiles(beforeFiles, textsOf(plannedFiles), targetOf(planned)),
        ...(left.memory ? [[left.memory.path, left.memory.text] as const] : []),
      ]),
      trailers: runTrailers(run, 'started'),
    },
  });
  return { ...run, planned, before, started, beforeFiles, plannedFiles, doubted };
}

/** Puts on the live line that the run changed nothing. */
export async function closeRun(run: StartedRun): Promise<ObjectId> {
  const { reading, plan, revision } = run.planned;
  const subject = `${reading.target.name}: close ${summarizeRun(run.command, revision, plan)}, nothing changed`;
  const files = changeFiles(run.plannedFiles, new Map([...textsOf(run.beforeFiles), ...(run.doubted ?? [])]), targetOf(run.planned));
  return recordLive(reading.project, reading.target, {
    tip: run.started,
    record: { subject, changes: [], files, trailers: runTrailers({ ...run, revision }, 'closed') },
  });
}

/** The inspection with the touched views as they are now. */
function inspectionAfter({ inspection, plan }: PlannedRevision, views: readonly View[]): Inspection {
  const touched = new Set([...plan.before, ...plan.after].map(({ name }) => relationKey(name)));
  const outside = new Set(inspection.outside.map(({ name }) => relationKey(name)));
  const others = objectsOf(inspection.snapshot).filter(({ name }) => !touched.has(relationKey(name)));
  const inScope = views.filter(({ name }) => !outside.has(relationKey(name)));
  return { ...inspection, snapshot: withObjects(inspection.snapshot, [...others, ...inScope]) };
}

/** Edited files that were applied as they stand. */
function findAdopted({ files, recorded, commit }: PlannedRevision, outcome: RunOutcome, reading: Reading): ReadonlySet<string> {
  if (commit !== undefined) return new Set();
  const applied = new Set(outcome.views.map(({ name }) => pathOf(reading, name)));
  return new Set([...recorded.branch.edited].filter((path) => applied.has(path) && files.views.has(path)));
}

export interface RecordedRun extends CommittedRun {
  readonly live: ObjectId;
}

async function composeAfter(planned: PlannedRevision, run: StartedRun, { outcome, warehouse, kept = [] }: Done): Promise<Composition> {
  const { reading, recorded } = planned;
  const paths = new Set(kept.map((name) => pathOf(reading, name)));
  const options = { settle: warehouse.settle.bind(warehouse), adopted: findAdopted(planned, outcome, reading), kept: paths };
  const inspection = inspectionAfter(planned, outcome.views);
  return composeSources(await gatherSources(reading, { recorded: { ...recorded, tip: run.plannedFiles }, inspection }, options), 'new');
}

/** A run that took effect. */
interface Done extends PushOptions {
  readonly outcome: RunOutcome;
  readonly warehouse: Warehouse;
  /** Views that could not be made again, or not be filled, and whose files stay. */
  readonly kept?: readonly RelationName[];
}

/** What the live line lacks. All that it was made from is let go of before the branch's commit is put together. */
async function composeLiveChanges(planned: PlannedRevision, run: StartedRun, done: Done): Promise<FileChanges> {
  return changeFiles(run.plannedFiles, composeLiveTexts(await composeAfter(planned, run, done)), targetOf(planned));
}

/** Puts on the live line what is there now, and one commit on the branch. */
export async function finishRun(run: StartedRun, done: Done): Promise<RecordedRun> {
  const { planned } = run;
  const { reading, plan, revision } = planned;
  const { project, target } = reading;
  const message = {
    subject: `${target.name}: ${summarizeRun(run.command, revision, plan)}`,
    changes: describePlan(plan, reading),
    trailers: runTrailers({ ...run, revision }, 'finished'),
  };
  const files = await composeLiveChanges(planned, run, done);
  const live = await recordLive(project, target, { tip: run.started, record: { ...message, files } });
  return { live, ...(await commitRun({ planned, live, message, compose: (newest) => composeAfter(newest, run, done) }, done)) };
}

/** Whether the warehouse holds exactly what some files say. */
export function holdsFiles({ sources, reading }: PlannedRevision, files: TargetFiles): boolean {
  // What is not proven to be dropped is left alone by an export, but it is not there either.
  const absent = new Set(sources.unproven.map(({ name }) => pathOf(reading, name)));
  const paths = new Set([...sources.live.keys(), ...files.views.keys()].filter((path) => absent.has(path) || !sources.unreadable.has(path)));
  return [...paths].every((path) => {
    const [live, recorded] = [sources.live.get(path), viewOf(files.views.get(path))];
    return live !== undefined && recorded !== undefined && (isSameView(live, recorded, reading.dialect) || sources.likeness.isAlike(live, recorded));
  });
}

/** Ends a run that was interrupted and that leaves nothing to do: recorded as finished when it took effect, as closed when not. */
export async function endInterruptedRun(
  planned: PlannedRevision,
  run: Run,
  { warehouse, ...push }: PushOptions & { readonly warehouse: Warehouse },
): Promise<RecordedRun> {
  const { reading, recorded, plan, inspection } = planned;
  const { project, target } = reading;
  const state = holdsFiles(planned, recorded.tip) ? 'finished' : 'closed';
  const subject = `${target.name}: ${state === 'finished' ? 'finish' : 'close'} interrupted ${summarizeRun(run.command, run.revision, plan)}`;
  const message = { subject, changes: [], trailers: runTrailers(run, state) };
  const settle = warehouse.settle.bind(warehouse);
  const compose = async (newest: PlannedRevision) => composeSources(await gatherSources(reading, { recorded: newest.recorded, inspection }, { settle }), 'new');
  const files = changeFiles(recorded.tip, composeLiveTexts(await composeSources(planned.sources, 'new')), targetOf(planned));
  const live = await recordLive(project, target, { tip: recorded.line.tip, record: { ...message, files } });
  return { live, ...(await commitRun({ planned, live, message, compose }, push)) };
}
