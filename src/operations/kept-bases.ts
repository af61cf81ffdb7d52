import { parseRelationKey, relationKey } from '../core/relation.ts';
import type { ObjectId } from '../history/history.ts';
import type { PathState, Sources } from './compose-files.ts';
import { pathOf, type Reading, type Recorded } from './gather-sources.ts';
import type { FileChanges } from './record-state.ts';
import { viewOf } from './view-files.ts';

export interface KeptBasesRequest {
  readonly reading: Reading;
  readonly recorded: Recorded;
  readonly sources: Sources;
  readonly states: readonly PathState[];
  /** What the commit writes. */
  readonly written: FileChanges;
}

/** The view at a path, as any side calls it. */
function keyOf({ path, live, git }: PathState, { base, tip }: Sources): string | undefined {
  const known = base === 'unknown' ? undefined : base.get(path);
  const view = live ?? viewOf(git) ?? viewOf(tip.views.get(path)) ?? (known === 'unknown' ? undefined : viewOf(known));
  return view && relationKey(view.name);
}

/** Whether the commit leaves the file as it is although the warehouse may hold something that it has not taken in. */
function isOpen({ path, state, isEdited }: PathState, { written }: KeptBasesRequest): boolean {
  return state === 'conflict' || (isEdited && state !== 'pending' && !written.has(path));
}

/**
 * Views, by `relationKey`, whose base stays what it is although the branch takes in a newer live state, each with that base: conflicts, and
 * files that could not be looked at or written this time.
 */
export function findKeptBases(request: KeptBasesRequest): ReadonlyMap<string, ObjectId | 'unknown'> {
  const { reading, recorded, sources, states } = request;
  const { conflicts, base = 'unknown' } = recorded.line;
  const open = states.filter((state) => isOpen(state, request)).flatMap((state) => keyOf(state, sources) ?? []);
  const unseen = [...conflicts.keys()].filter((key) => {
    const name = parseRelationKey(key);
    return name !== undefined && sources.unreadable.has(pathOf(reading, name));
  });
  return new Map([...open, ...unseen].map((key) => [key, conflicts.get(key) ?? base]));
}
