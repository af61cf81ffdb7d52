import { ViewsyncError } from '../errors.ts';
import type { PushOptions } from './branch-point.ts';
import { mayHaveTakenEffect } from './failed-run.ts';
import { liveRef } from './live-line.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { closeRun, type StartedRun, startRun } from './record-run.ts';
import { pushLiveLine } from './remote-lines.ts';
import { nothingRemembered, type RunMemory } from './run-memory.ts';

function overtaken(): ViewsyncError {
  return new ViewsyncError('WAREHOUSE_MOVED', {
    message: 'Another run was recorded since the plan was made. Nothing was changed.',
    suggestions: ['Run the same command again: it makes a new plan.'],
  });
}

async function start(planned: PlannedRevision, command: string, memory: RunMemory): Promise<StartedRun> {
  try {
    return await startRun(planned, command, memory);
  } catch (error) {
    throw error instanceof ViewsyncError && error.code === 'BRANCH_MOVED' ? overtaken() : error;
  }
}

function ignoreKnown(error: unknown): void {
  if (!(error instanceof ViewsyncError)) throw error;
}

/** A run that puts its start on the live line before anything is locked, and only while no other run can begin. */
export interface Preparation {
  /** For `TransactionOptions.prepare`. */
  readonly prepare: () => Promise<void>;
  /** Undefined as long as nothing stands on the live line. */
  readonly started: () => StartedRun | undefined;
  /** Puts on the live line that nothing changed, unless something may have, and returns the error. */
  readonly giveUp: (error: unknown) => Promise<unknown>;
}

interface PreparationOptions extends Pick<PushOptions, 'push'> {
  /** What whoever has to end the run must know beside the files. Asked while no other run can begin. */
  readonly remember?: () => Promise<RunMemory>;
}

export function prepareRun(planned: PlannedRevision, command: string, { push, remember }: PreparationOptions): Preparation {
  const { project, target } = planned.reading;
  let started: StartedRun | undefined;
  return {
    started: () => started,
    prepare: async () => {
      if (started && (await project.history.tip(liveRef(target))) !== started.started) throw overtaken();
      if (started) return;
      await project.history.requireRecordable(planned.recorded.head.branch ?? 'HEAD');
      started = await start(planned, command, (await remember?.()) ?? nothingRemembered);
      if (push === 'push') await pushLiveLine(project, target);
    },
    giveUp: async (error) => {
      // Whoever has gone on with the live line meanwhile has ended this run there.
      if (started && !mayHaveTakenEffect(error)) await closeRun(started).catch(ignoreKnown);
      return error;
    },
  };
}
