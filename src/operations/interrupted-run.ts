import { ViewsyncError } from '../errors.ts';
import type { LiveLine, Run } from './live-line.ts';

/** What an interrupted run is, and the one command that ends it. */
export function describeInterruptedRun(run: Run): string {
  return `An earlier run was interrupted: "${run.command} ${run.revision}", started ${run.startedAt}.`;
}

/** Raises `INTERRUPTED_RUN` when the live line ends in a run that has not finished. */
export function requireNoInterruptedRun({ interrupted }: LiveLine): void {
  if (!interrupted) return;
  throw new ViewsyncError('INTERRUPTED_RUN', {
    message: `${describeInterruptedRun(interrupted)} Nothing was recorded, so that no view counts as deleted by mistake.`,
    suggestions: ['viewsync status', 'viewsync rollback'],
    details: { run: interrupted.id, started: interrupted.started, before: interrupted.before },
  });
}
