import type { UnprovenDeletion } from '../core/deletions.ts';
import type { Dialect } from '../core/dialect.ts';
import { relationKey } from '../core/relation.ts';
import { compareSides, type SyncState } from '../core/sync.ts';
import { isView, type View } from '../core/view.ts';
import { type ParsedViewFile, writeViewFile } from '../core/view-file.ts';
import { ViewsyncError } from '../errors.ts';
import type { Likeness } from './likeness.ts';
import { type TargetFiles, type ViewFile, viewOf } from './view-files.ts';

/** Everything that is known of a target's views, by path. */
export interface Sources {
  readonly dialect: Dialect;
  readonly live: ReadonlyMap<string, View>;
  /** Paths of live views that could not be read: nothing of theirs changes anywhere. */
  readonly unreadable: ReadonlySet<string>;
  /** Recorded views that are absent without proof that they were dropped; nothing of theirs changes either. */
  readonly unproven: readonly UnprovenDeletion[];
  readonly branch: TargetFiles;
  readonly tip: TargetFiles;
  /** The files that the branch last took in; `unknown` when nothing was ever recorded. */
  readonly base: ReadonlyMap<string, ViewFile | 'unknown'> | 'unknown';
  readonly likeness: Likeness;
  /** Views, by `relationKey`, whose live state is to win over an edit in git. */
  readonly liveWins: ReadonlySet<string>;
  /** Paths whose edited file was applied as it stands and is committed with the run. */
  readonly adopted: ReadonlySet<string>;
  /** Paths whose file stays on the branch: the view could not be made again, or not be filled, and waits for somebody. */
  readonly kept: ReadonlySet<string>;
}

/** One path of a target and where its view stands. */
export interface PathState {
  readonly path: string;
  readonly state: SyncState;
  readonly live: View | undefined;
  readonly git: ViewFile | undefined;
  readonly isEdited: boolean;
}

/** The view at a path by its `relationKey`, as the warehouse or else git calls it; undefined for a file that cannot be read. */
export function keyOf({ live, git }: Pick<PathState, 'live' | 'git'>): string | undefined {
  const view = live ?? viewOf(git);
  return view && relationKey(view.name);
}

function parsedOf(file: ViewFile | undefined): ParsedViewFile | undefined {
  return file === undefined || file.parsed instanceof ViewsyncError ? undefined : file.parsed;
}

function baseOf({ base }: Sources, path: string): ViewFile | undefined | 'unknown' {
  return base === 'unknown' ? 'unknown' : base.get(path);
}

/** A side of the comparison: a view, or the text of a file that cannot be read and is like nothing else. */
type Side = View | { readonly broken: string };

function sideOf(file: ViewFile): Side {
  return viewOf(file) ?? { broken: file.text };
}

function isAlike(left: Side, right: Side, likeness: Likeness): boolean {
  if ('broken' in left || 'broken' in right) return 'broken' in left && 'broken' in right && left.broken === right.broken;
  return likeness.isAlike(left, right);
}

function stateOf(path: string, sources: Sources): SyncState {
  const git = sources.branch.views.get(path);
  const live = sources.live.get(path);
  const base = baseOf(sources, path);
  const sides = { git: git && sideOf(git), base: base === 'unknown' ? base : base && sideOf(base), live };
  return compareSides<Side>(sides, (left, right) => isAlike(left, right, sources.likeness));
}

/** Where every path of the target stands: in git, in the live state last taken in, in the warehouse. Sorted by path; unreadable views are left out. */
export function comparePaths(sources: Sources): readonly PathState[] {
  const base = sources.base === 'unknown' ? [] : sources.base.keys();
  const paths = [...new Set([...sources.live.keys(), ...sources.branch.views.keys(), ...base])].filter((path) => !sources.unreadable.has(path)).sort();
  return paths.map((path) => {
    const sides = { live: sources.live.get(path), git: sources.branch.views.get(path) };
    const found = stateOf(path, sources);
    const state = found === 'conflict' && sources.liveWins.has(keyOf(sides) ?? '') ? 'drift' : found;
    return { path, state, ...sides, isEdited: sources.branch.edited.has(path) };
  });
}

/** The file whose definition says the same as the live view, so that its bytes can stay. */
function findKeptFile(path: string, view: View, sources: Sources): ViewFile | undefined {
  const base = baseOf(sources, path);
  const candidates = [sources.branch.views.get(path), sources.tip.views.get(path), base === 'unknown' ? undefined : base];
  return candidates.find((file) => {
    const known = viewOf(file);
    return known !== undefined && known.kind === view.kind && sources.likeness.hasSameDefinition(known, view);
  });
}

/** Definitions of views to be formatted, by path: those that stand in no file yet, or all of them, hand-written ones as their files have them. */
export function findUnformatted(sources: Sources, which: 'new' | 'all'): ReadonlyMap<string, string> {
  const views = [...sources.live].filter(([, view]) => isView(view));
  const kept = views.map(([path, view]) => ({ path, view, file: viewOf(findKeptFile(path, view, sources)) }));
  const wanted = kept.filter(({ file }) => which === 'all' || file === undefined);
  return new Map(wanted.map(({ path, view, file }) => [path, file?.definition ?? view.definition]));
}

/** Sources with the definitions that had to be formatted, by path. */
export interface Composition extends Sources {
  readonly formatted: ReadonlyMap<string, string>;
  /** `new`: nothing keeps the bytes that it has in a file. */
  readonly bytes: 'kept' | 'new';
}

function composeText(path: string, view: View, composition: Composition, into: ViewFile | undefined): string {
  const kept = findKeptFile(path, view, composition);
  const definition = composition.formatted.get(path) ?? viewOf(kept)?.definition ?? view.definition;
  const previous = composition.bytes === 'new' ? undefined : parsedOf(into ?? kept ?? composition.tip.views.get(path));
  return writeViewFile({ ...view, definition }, composition.dialect, previous);
}

/** The text of each view as the live line holds it, by path: the live view, in the bytes of a file that says the same. */
export function composeLiveTexts(composition: Composition): ReadonlyMap<string, string> {
  const written = [...composition.live].map(([path, view]) => [path, composeText(path, view, composition, findKeptFile(path, view, composition))] as const);
  const unread = [...composition.unreadable].flatMap((path) => {
    const file = composition.tip.views.get(path);
    return file ? [[path, file.text] as const] : [];
  });
  return new Map([...written, ...unread]);
}

/** The new text of a path on the branch: nothing for what is edited or pending, undefined to delete. */
function composeBranchText({ path, state, live, git, isEdited }: PathState, composition: Composition): { readonly text: string | undefined } | undefined {
  if (state === 'pending' || state === 'conflict' || composition.kept.has(path)) return undefined;
  const text = live && composeText(path, live, composition, git);
  if (composition.adopted.has(path)) return { text };
  if (isEdited && text !== git?.text) return undefined;
  return isEdited || text !== git?.text ? { text } : undefined;
}

/** What changes on the branch, by path. */
export function composeBranchChanges(states: readonly PathState[], composition: Composition): ReadonlyMap<string, string | undefined> {
  return new Map(
    states.flatMap((state) => {
      const change = composeBranchText(state, composition);
      return change ? [[state.path, change.text] as const] : [];
    }),
  );
}
