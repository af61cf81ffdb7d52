import { keepAccess } from '../core/deletions.ts';
import type { TargetDescription } from '../core/snapshot.ts';
import { writeTargetFile } from '../core/target-file.ts';
import { describeRecorded } from './gather-sources.ts';
import type { PlannedRevision } from './plan-revision.ts';
import { targetPath } from './view-files.ts';

/** What `target.json` is to say: see `keepAccess`. */
export function describeTarget({ inspection, recorded, sources }: PlannedRevision): TargetDescription {
  return keepAccess(inspection.snapshot.description, describeRecorded(recorded)?.access, sources.unproven);
}

/** The `target.json` of the warehouse that is connected. */
export function targetOf(planned: PlannedRevision): { readonly path: string; readonly text: string } {
  return { path: targetPath(planned.reading.project, planned.reading.target), text: writeTargetFile(describeTarget(planned)) };
}

/** What of it a run has to put on the branch: nothing where the branch says so already, has none, or somebody edits it. */
export function targetChanges(planned: PlannedRevision): ReadonlyMap<string, string> {
  const { path, text } = targetOf(planned);
  const { targetText, edited } = planned.recorded.branch;
  return targetText === undefined || targetText === text || edited.has(path) ? new Map() : new Map([[path, text]]);
}
