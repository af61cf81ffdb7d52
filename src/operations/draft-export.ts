import type { Change } from '../core/change.ts';
import { countViews, summarizeChanges, summarizeReprint } from '../core/commit-message.ts';
import { diffViews } from '../core/compare.ts';
import { keepAccess } from '../core/deletions.ts';
import { writeTargetFile } from '../core/target-file.ts';
import { isMarked } from '../core/verbatim.ts';
import type { View } from '../core/view.ts';
import type { ViewsyncError } from '../errors.ts';
import type { Inspection } from '../warehouses/warehouse.ts';
import { comparePaths, composeBranchChanges, composeLiveTexts, keyOf, type PathState, type Sources } from './compose-files.ts';
import { composeSources } from './compose-sources.ts';
import type { ExportOptions } from './export-views.ts';
import { describeRecorded, gatherSources, type Reading, type Recorded } from './gather-sources.ts';
import { liveRef } from './live-line.ts';
import { changeFiles, type FileChanges, isBaseline, type LiveRecord } from './record-state.ts';
import { type TargetFiles, targetPath, viewFile, viewOf } from './view-files.ts';

/** What one export is about to write. */
export interface Draft {
  readonly reading: Reading;
  readonly recorded: Recorded;
  readonly inspection: Inspection;
  readonly sources: Sources;
  readonly states: readonly PathState[];
  readonly live: FileChanges;
  readonly branch: FileChanges;
  readonly changes: readonly Change[];
  readonly subject: string;
  /** What the live line is told: it also takes in what the branch leaves alone. */
  readonly told: Pick<LiveRecord, 'subject' | 'changes'>;
}

type Sides = Pick<Draft, 'reading' | 'recorded' | 'sources'>;

/** The views of some paths before, as one of the lines has them, and after, for the commit message. */
function diffFiles(changes: FileChanges, { views: known, edited }: TargetFiles, { reading, sources }: Sides): readonly Change[] {
  const views = (texts: Iterable<readonly [string, string | undefined]>): View[] =>
    [...texts].flatMap(([path, text]) => (text === undefined || !path.endsWith('.sql') ? [] : (viewOf(viewFile(path, text, reading.parser)) ?? [])));
  const before = [...changes.keys()].map((path) => [path, edited.has(path) ? undefined : known.get(path)?.text] as const);
  return diffViews(views(before), views(changes), { dialect: reading.dialect, ...sources.likeness });
}

/** What a new major version of the server did; empty when it is the one that is recorded. */
function describeUpgrade({ recorded, inspection, sources }: Pick<Draft, 'recorded' | 'inspection' | 'sources'>): string {
  const { snapshot, session } = inspection;
  const [before, version] = [recorded.branch.description?.version, snapshot.description.version];
  if (before === undefined || version === undefined || before === version) return '';
  return summarizeReprint(`${session.server.split(' ')[0]} ${version}`, sources.likeness.reprinted.size);
}

/** What a person has to know of a `target.json` that could not be read; it is written anew. */
export function describeDamage({ recorded, sources, reading }: Pick<Draft, 'recorded' | 'sources' | 'reading'>): readonly string[] {
  const tell = (damage: ViewsyncError | undefined, where: string) =>
    damage ? [`${damage.details['path']} cannot be read ${where}: ${damage.details['reason']} The export writes it anew.`] : [];
  const doubt = sources.unproven.length > 0 && recorded.tip.damage ? ['No view counts as dropped this time.'] : [];
  return [...tell(recorded.tip.damage, `on the live line ${liveRef(reading.target)}`), ...tell(recorded.branch.damage, 'on the branch'), ...doubt];
}

/** Files of views whose query viewsync cannot read to its end: what they read, and so the order in which they are restored, may be incomplete. */
export function describeVerbatim({ recorded, live }: Pick<Draft, 'recorded' | 'live'>): readonly string[] {
  const texts = new Map([...[...recorded.tip.views].map(([path, { text }]) => [path, text] as const), ...live]);
  const paths = [...texts].flatMap(([path, text]) => (text !== undefined && isMarked(text) ? [path] : []));
  return paths.map((path) => `${path}: viewsync cannot read the query to its end, and keeps it as it is. What it reads may be known in part only.`);
}

function subjectOf(draft: Omit<Draft, 'subject' | 'told'>, options: ExportOptions): string {
  const { reading, recorded, inspection, changes } = draft;
  const name = reading.target.name;
  if (options.message !== undefined) return options.message;
  if (isBaseline(recorded.line)) return `${name}: baseline, ${countViews(inspection.snapshot.views.length)}`;
  if (options.reformat === 'all' && changes.every(({ definition }) => definition === 'same')) return `${name}: format ${countViews(draft.branch.size)}`;
  const repair = (recorded.tip.damage ?? recorded.branch.damage) ? 'target.json written anew' : '';
  const summary = [summarizeChanges(changes), describeUpgrade(draft), repair].filter((part) => part !== '').join('; ');
  if (summary !== '') return `${name}: ${summary}`;
  const headers = [...draft.branch.keys()].filter((path) => path.endsWith('.sql')).length;
  if (headers > 0) return `${name}: header of ${countViews(headers)}`;
  return draft.branch.size > 0 ? `${name}: target.json` : `${name}: git and the warehouse agree`;
}

/** The same words on both lines where they change alike. */
function tellLiveLine(draft: Omit<Draft, 'told'>): Draft['told'] {
  const { live, changes, subject, recorded, reading } = draft;
  const own = isBaseline(recorded.line) ? changes : diffFiles(live, recorded.tip, draft);
  const summary = summarizeChanges(own);
  const isAlike = summary === '' || summary === summarizeChanges(changes);
  return isAlike ? { subject, changes } : { subject: `${reading.target.name}: ${summary}`, changes: own };
}

/** A file that was edited here and not committed cannot take in what changed in the warehouse: that needs a person as any conflict does. */
function leaveAlone(state: PathState, written: FileChanges): PathState {
  return state.state === 'drift' && state.isEdited && !written.has(state.path) ? { ...state, state: 'conflict' } : state;
}

/** Puts together what an export writes on either line. */
export async function draftExport(
  reading: Reading,
  inspection: Inspection,
  { recorded, options }: { recorded: Recorded; options: ExportOptions },
): Promise<Draft> {
  const settle = options.warehouse.settle.bind(options.warehouse);
  const sources = await gatherSources(
    reading,
    { recorded, inspection },
    {
      settle,
      liveWins: new Set(options.overwrite),
      ...(options.outOfScope ? { outOfScope: options.outOfScope } : {}),
      ...(options.allowed.includes('MANY_DELETIONS') ? { deletions: 'record' } : {}),
    },
  );
  const composition = await composeSources(sources, options.reformat, options.progress);
  const states = comparePaths(composition);
  const path = targetPath(reading.project, reading.target);
  const before = describeRecorded(recorded)?.access;
  const text = writeTargetFile(keepAccess(inspection.snapshot.description, before, sources.unproven));
  const views = composeBranchChanges(states, composition);
  const isSettled = recorded.branch.targetText === text && !recorded.branch.edited.has(path);
  const branch = isSettled ? views : new Map([...views, [path, text] as const]);
  const sides = { reading, recorded, sources };
  const draft = {
    ...sides,
    inspection,
    states: states.map((state) => leaveAlone(state, views)),
    branch,
    live: changeFiles(recorded.tip, composeLiveTexts(composition), { path, text }),
    changes: diffFiles(branch, recorded.branch, sides),
  };
  const subject = subjectOf(draft, options);
  return { ...draft, subject, told: tellLiveLine({ ...draft, subject }) };
}

/** The paths in one state. */
export const inState = (states: readonly PathState[], state: PathState['state']) => states.filter((path) => path.state === state);

/** How a path is called for people: by its view's name where that is known. */
export function nameOf(state: PathState): string {
  return keyOf(state) ?? state.path;
}

/** Whether git and the warehouse have come to agree on what the branch last took in otherwise: an edit was applied, or made on both sides. */
function isAgreement({ path, state, git, live, isEdited }: PathState, { base, likeness }: Sources): boolean {
  if (state !== 'in sync' || isEdited || base === 'unknown') return false;
  const known = base.get(path);
  if (known !== 'unknown' && known?.text === git?.text) return false;
  const view = known === 'unknown' ? undefined : viewOf(known);
  if (view === undefined || live === undefined) return known !== undefined || git !== undefined;
  return !likeness.isAlike(view, live);
}

/** Whether the branch needs a commit: something changes, or it has yet to take in what is live. */
export function needsBranchCommit({ branch, recorded, states, sources }: Draft): boolean {
  return branch.size > 0 || recorded.line.base === undefined || states.some((state) => isAgreement(state, sources));
}
