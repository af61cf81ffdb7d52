import { ViewsyncError } from '../errors.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';
import type { LiveLine, Run } from './live-line.ts';

/** What an interrupted run is, and the one command that ends it. */
export function describeInterruptedRun(run: Run): string {
  return `An earlier run was interrupted: "${run.command} ${run.revision}", started ${run.startedAt}.`;
}

/** What to type to end it, either way. */
export function endingCommands({ command, revision }: Run): readonly string[] {
  if (command === 'migrate') return ['viewsync migrate --continue', 'viewsync rollback'];
  return command === 'apply' ? ['viewsync rollback', `viewsync apply ${revision}`] : ['viewsync rollback'];
}

/** Raises `RUN_IN_PROGRESS` when the run that has not finished is still at work. */
export async function requireNotRunning({ interrupted }: Pick<LiveLine, 'interrupted'>, warehouse: Warehouse): Promise<void> {
  if (!interrupted || !(await warehouse.isBusy())) return;
  throw new ViewsyncError('RUN_IN_PROGRESS', {
    message: `"viewsync ${interrupted.command} ${interrupted.revision}", started ${interrupted.startedAt}, is still at work. Nothing was changed.`,
    suggestions: ['Run it again when the other run has ended.'],
  });
}

/** Raises `INTERRUPTED_RUN` when the live line ends in a run that has not finished, `RUN_IN_PROGRESS` when it is still at work. */
export async function requireNoInterruptedRun({ interrupted }: LiveLine, warehouse: Warehouse): Promise<void> {
  if (!interrupted) return;
  await requireNotRunning({ interrupted }, warehouse);
  throw new ViewsyncError('INTERRUPTED_RUN', {
    message: `${describeInterruptedRun(interrupted)} Nothing was recorded, so that no view counts as deleted by mistake.`,
    suggestions: ['viewsync status', ...endingCommands(interrupted)],
    details: { run: interrupted.id, started: interrupted.started, before: interrupted.before },
  });
}
