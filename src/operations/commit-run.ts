import { setTimeout as wait } from 'node:timers/promises';
import type { Change } from '../core/change.ts';
import type { Trailer } from '../core/commit-message.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import { type BranchPoint, chooseBranchPoint, type Published, type PushOptions, publish } from './branch-point.ts';
import { type Composition, comparePaths, composeBranchChanges } from './compose-files.ts';
import { targetChanges } from './describe-target.ts';
import { pathOf, readPosition, readRecorded } from './gather-sources.ts';
import { findKeptBases } from './kept-bases.ts';
import { liveRef } from './live-line.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { recordBranch } from './record-state.ts';

/** What a run leaves to be told on the branch. */
export interface RunCommit {
  readonly planned: PlannedRevision;
  /** The state that the branch takes in. */
  readonly live: ObjectId;
  readonly message: { readonly subject: string; readonly changes: readonly Change[]; readonly trailers: readonly Trailer[] };
  /** Both sides after the run, seen from where the branch stands. */
  readonly compose: (planned: PlannedRevision) => Promise<Composition>;
}

async function commitAt({ live, message, compose }: RunCommit, planned: PlannedRevision, point: BranchPoint): Promise<ObjectId> {
  const { project, target } = planned.reading;
  const composition = await compose(planned);
  const states = comparePaths(composition);
  const files = new Map([...composeBranchChanges(states, composition), ...targetChanges(planned)]);
  const adopted = new Map([...files].filter(([path]) => composition.adopted.has(path)));
  if (adopted.size > 0) await project.history.writeFiles(adopted);
  const touched = new Set([...planned.plan.before, ...planned.plan.after].map(({ name }) => pathOf(planned.reading, name)));
  const conflicts = findKeptBases({ ...planned, sources: composition, states: states.filter(({ path }) => !touched.has(path)), written: files });
  const how = point.remote ? 'write' : 'record';
  return recordBranch(project, target, { head: point.head, how, files, live, conflicts, ...message, trailers: message.trailers.slice(0, 1) });
}

export interface CommittedRun extends Published {
  readonly commit: ObjectId;
}

async function commitAndPublish(run: RunCommit, planned: PlannedRevision, point: BranchPoint): Promise<CommittedRun> {
  const { project, target } = planned.reading;
  const commit = await commitAt(run, planned, point);
  const live = await project.history.tip(liveRef(target));
  return { commit, ...(await publish(project, target, { point, written: { live, from: live, commit } })) };
}

const rounds = 8;

async function findPoint({ planned }: RunCommit, options: PushOptions, round: number): Promise<BranchPoint> {
  const { project, target } = planned.reading;
  if (options.push === 'push') return chooseBranchPoint(project, target, options);
  const head = round === 1 ? planned.recorded.head : await project.history.head();
  return { head, files: 'work tree', fetched: 'up to date' };
}

/** One commit on the branch, made again on what somebody else has committed or pushed meanwhile. `REMOTE_FAILED`, `REMOTE_MOVED`, `BRANCH_MOVED`. */
export async function commitRun(run: RunCommit, options: PushOptions): Promise<CommittedRun> {
  for (let round = 1; ; round++) {
    const point = await findPoint(run, options, round);
    const isFirst = round === 1 && options.push === 'keep';
    const recorded = isFirst ? run.planned.recorded : await readRecorded(run.planned.reading, await readPosition(run.planned.reading, point));
    try {
      return await commitAndPublish(run, { ...run.planned, recorded }, point);
    } catch (error) {
      const isOvertaken = error instanceof ViewsyncError && ['BRANCH_MOVED', 'REMOTE_MOVED'].includes(error.code);
      if (!isOvertaken || round === rounds) throw error;
    }
    await wait(Math.random() * 100 * round);
  }
}
