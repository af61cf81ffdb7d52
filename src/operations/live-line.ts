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

async function readBase(
  project: Project,
  target: Target,
  { commit, tip }: { readonly commit: ObjectId | undefined; readonly tip: ObjectId | undefined },
): Promise<Pick<LiveLine, 'base' | 'conflicts'>> {
  const mark = commit === undefined ? undefined : await findBaseMark(project, target, { commit, tip });
  if (!mark) return { base: undefined, conflicts: new Map() };
  return { base: await requireLiveCommit(project, mark.live), conflicts: mark.conflicts };
}

async function requireLiveCommit(project: Project, id: string): Promise<ObjectId> {
  try {
    return await project.history.reader.resolve(id);
  } catch (cause) {
    throw new ViewsyncError('SHALLOW_HISTORY', {
      message: `The branch refers to the live state ${id.slice(0, 10)}, which this clone does not hold. Nothing was changed.`,
      suggestions: ["git fetch origin 'refs/viewsync/*:refs/viewsync/*'", 'In GitHub Actions: actions/checkout with fetch-depth: 0'],
      cause,
    });
  }
}

/** Where the live line stands, and from where on the branch, of which `commit` is the tip, it was last taken in. */
export async function readLiveLine(project: Project, target: Target, commit: ObjectId | undefined): Promise<LiveLine> {
  const tip = await project.history.tip(liveRef(target));
  const interrupted = tip === undefined ? undefined : runOf(await project.history.reader.readCommit(tip));
  return { tip, interrupted, ...(await readBase(project, target, { commit, tip })) };
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
