import { ViewsyncError } from '../errors.ts';
import { trailerOf } from '../history/commit-text.ts';
import type { Commit, ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { findBaseMark } from './base-mark.ts';
import { trailerKeys } from './trailer-keys.ts';

/** Full name of the ref that holds a target's live line. */
export function liveRef(target: Target): string {
  return `refs/viewsync/${target.name}`;
}

/** An apply as the live line tells it. */
export interface Run {
  readonly id: string;
  readonly command: string;
  readonly revision: string;
  /** The live state before it. */
  readonly before: ObjectId;
  readonly started: ObjectId;
  readonly startedAt: string;
  /** Undefined while it runs, and for ever when it was interrupted. */
  readonly finished?: ObjectId;
}

export interface LiveLine {
  readonly tip: ObjectId | undefined;
  /** The live commit that the branch last took in; undefined before the first export. */
  readonly base: ObjectId | undefined;
  /** Conflicts that were open then, by view: the live commit that is still their base, or `unknown`. */
  readonly conflicts: ReadonlyMap<string, ObjectId | 'unknown'>;
  /** The run whose `started` is the tip. */
  readonly interrupted: Run | undefined;
  /** For people: that the ref was gone or set back, or that the states which the branch refers to are nowhere any more. */
  readonly note?: string;
}

function runOf(started: Commit): Run | undefined {
  const id = trailerOf(started, trailerKeys.run);
  const [before] = started.parents;
  if (id === undefined || before === undefined || trailerOf(started, trailerKeys.state) !== 'started') return undefined;
  return {
    id,
    before,
    started: started.id,
    startedAt: started.authoredAt,
    command: trailerOf(started, trailerKeys.command) ?? 'viewsync apply',
    revision: trailerOf(started, trailerKeys.revision) ?? '',
  };
}

function missingLiveCommit(target: Target, id: string): ViewsyncError {
  return new ViewsyncError('SHALLOW_HISTORY', {
    message: `The branch refers to the live state ${id.slice(0, 10)}, which this clone does not hold. Nothing was changed.`,
    suggestions: [
      "git fetch origin 'refs/viewsync/*:refs/viewsync/*'",
      'In GitHub Actions: actions/checkout with fetch-depth: 0',
      `If no remote and no clone has ${liveRef(target)} any more: viewsync export   (begins a new live line)`,
    ],
  });
}

function findCommit({ history }: Project, id: ObjectId): Promise<ObjectId | undefined> {
  return history.reader.resolve(id).catch((error: unknown) => {
    if (error instanceof ViewsyncError) return undefined;
    throw error;
  });
}

/** Takes up the line again at a state that the branch refers to; where nothing can be written here, it is read from there all the same. */
async function takeUp({ history }: Project, target: Target, { to, from }: { readonly to: ObjectId; readonly from: ObjectId | undefined }): Promise<string> {
  await history.moveRef(liveRef(target), to, from).catch((error: unknown) => {
    if (!(error instanceof ViewsyncError)) throw error;
  });
  return `${liveRef(target)} ${from === undefined ? 'was gone' : 'had been set back'}; it goes on from ${to.slice(0, 10)}, which the branch refers to.`;
}

function describeLoss(target: Target, id: ObjectId): string {
  const what = `The live state ${id.slice(0, 10)}, which the branch refers to, is neither here nor on the remote: ${liveRef(target)} was deleted.`;
  return `${what} A new one begins with what is live now. Nobody can tell any more which side has changed a view that differs: it counts as a conflict.`;
}

/** How far the states that a branch refers to were looked for: `everywhere` when the remote, if there is one, has answered. */
export type Search = 'here' | 'everywhere';

type Ends = Pick<LiveLine, 'tip' | 'base' | 'conflicts' | 'note'>;

async function findEnds(
  project: Project,
  target: Target,
  { commit, search }: { readonly commit: ObjectId | undefined; readonly search: Search },
): Promise<Ends> {
  const { history } = project;
  const tip = await history.tip(liveRef(target));
  const mark = commit === undefined ? undefined : await findBaseMark(project, target, { commit, tip });
  if (!mark) return { tip, base: undefined, conflicts: new Map() };
  const base = mark.live === tip ? tip : await findCommit(project, mark.live);
  if (base === undefined) {
    if (search === 'here' || (await history.isShallow())) throw missingLiveCommit(target, mark.live);
    return { tip, base, conflicts: new Map(), note: describeLoss(target, mark.live) };
  }
  const { conflicts } = mark;
  if (tip !== undefined && !mark.isAhead) return { tip, base, conflicts };
  return { tip: base, base, conflicts, note: await takeUp(project, target, { to: base, from: tip }) };
}

/**
 * Where the live line stands, and from where on the branch, of which `commit` is the tip, it was last taken in. Puts its ref back where
 * somebody has deleted it or set it back. `SHALLOW_HISTORY`.
 */
export async function readLiveLine(project: Project, target: Target, commit: ObjectId | undefined, search: Search = 'here'): Promise<LiveLine> {
  const ends = await findEnds(project, target, { commit, search });
  const interrupted = ends.tip === undefined ? undefined : runOf(await project.history.reader.readCommit(ends.tip));
  return { ...ends, interrupted };
}

/** The newest run on the live line that took effect. Undefined when there was none. */
export async function findLastRun(project: Project, target: Target): Promise<Run | undefined> {
  const tip = await project.history.tip(liveRef(target));
  if (tip === undefined) return undefined;
  for await (const commit of project.history.reader.listCommits({ from: tip })) {
    if (trailerOf(commit, trailerKeys.state) !== 'finished') continue;
    const [started] = commit.parents;
    const run = started === undefined ? undefined : runOf(await project.history.reader.readCommit(started));
    if (run) return { ...run, finished: commit.id };
  }
  return undefined;
}
