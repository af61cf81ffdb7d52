import type { Change } from '../core/change.ts';
import { composeMessage, type Trailer } from '../core/commit-message.ts';
import type { Head, ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { writeConflict } from './base-mark.ts';
import { type LiveLine, liveRef } from './live-line.ts';
import { trailerKeys } from './trailer-keys.ts';
import type { TargetFiles } from './view-files.ts';

/** Texts by path; undefined deletes. */
export type FileChanges = ReadonlyMap<string, string | undefined>;

/** What has to change so that `files` hold exactly these texts. */
export function changeFiles(files: TargetFiles, wanted: ReadonlyMap<string, string>, target: { readonly path: string; readonly text: string }): FileChanges {
  const { strays = [], memory } = files;
  const isMoved = strays.length > 0;
  const changed = [...wanted].filter(([path, text]) => isMoved || files.views.get(path)?.text !== text);
  const gone = [...files.views.keys(), ...strays].filter((path) => !wanted.has(path)).map((path) => [path, undefined] as const);
  const description = files.targetText === target.text && !isMoved ? [] : [[target.path, target.text] as const];
  const forgotten = memory === undefined ? [] : [[memory.path, undefined] as const];
  return new Map<string, string | undefined>([...changed, ...gone, ...description, ...forgotten]);
}

export interface LiveRecord {
  readonly subject: string;
  readonly changes: readonly Change[];
  readonly files: FileChanges;
  readonly trailers?: readonly Trailer[];
}

/** `write`: the commit waits for being pushed, and no ref moves yet. */
export type Recording = 'record' | 'write';

export interface LiveEnd {
  readonly tip: ObjectId | undefined;
  readonly record: LiveRecord;
  readonly how?: Recording;
}

/** Writes the next commit of the live line; the one that is there when nothing changes and no run is told of. */
export async function recordLive(project: Project, target: Target, { tip, record, how = 'record' }: LiveEnd): Promise<ObjectId> {
  const { subject, changes, files, trailers = [] } = record;
  if (tip !== undefined && files.size === 0 && trailers.length === 0) return tip;
  const message = composeMessage({ subject, changes, trailers: [{ key: trailerKeys.target, value: target.name }, ...trailers] });
  return project.history[how]({ ref: liveRef(target), parent: tip, changes: files, message });
}

export interface BranchRecord extends LiveRecord {
  /** Where the branch stood when the files were composed. */
  readonly head: Head;
  readonly how?: Recording;
  readonly live: ObjectId;
  /** Views in conflict, by `relationKey`, each with the live commit that stays its base. */
  readonly conflicts: ReadonlyMap<string, ObjectId | 'unknown'>;
  readonly notes?: readonly string[];
}

/** Writes one commit on the branch, or on HEAD when it is detached. `BRANCH_MOVED` when somebody else has committed since. */
export async function recordBranch(project: Project, target: Target, record: BranchRecord): Promise<ObjectId> {
  const { head, how = 'record' } = record;
  const conflicts = [...record.conflicts].map(([view, base]) => ({ key: trailerKeys.conflict, value: writeConflict(view, base) }));
  const message = composeMessage({
    subject: record.subject,
    changes: record.changes,
    ...(record.notes ? { notes: record.notes } : {}),
    trailers: [{ key: trailerKeys.live, value: record.live }, { key: trailerKeys.target, value: target.name }, ...(record.trailers ?? []), ...conflicts],
  });
  return project.history[how]({ ref: head.branch ?? 'HEAD', parent: head.commit, changes: record.files, message, sharing: record.live });
}

/** Whether nothing was ever recorded for this target. */
export function isBaseline(line: LiveLine): boolean {
  return line.tip === undefined && line.base === undefined;
}
