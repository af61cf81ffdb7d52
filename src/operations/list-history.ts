import { readChangedBy } from '../core/changed-by.ts';
import type { Dialect } from '../core/dialect.ts';
import { parseRelationKey } from '../core/relation.ts';
import { ViewsyncError } from '../errors.ts';
import { linesOf, trailerOf } from '../history/commit-text.ts';
import type { Commit, ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { pathOf, startReading } from './gather-sources.ts';
import { trailerKeys } from './trailer-keys.ts';
import { targetFolder } from './view-files.ts';

export interface HistoryOptions {
  /** Only commits that changed this view, by `relationKey`. */
  readonly view?: string;
  readonly limit: number;
  readonly dialect: Dialect;
}

export interface HistoryEntry {
  readonly commit: ObjectId;
  readonly at: string;
  readonly author: string;
  readonly subject: string;
  readonly body: string;
  /** The live state that the commit took in. */
  readonly live?: ObjectId;
  /** The run that wrote it. */
  readonly run?: string;
  /** Who had changed a view, by its `relationKey`, where the warehouse knew. */
  readonly changedBy: Readonly<Record<string, string>>;
}

function readAuthors(commit: Commit): Readonly<Record<string, string>> {
  const found = linesOf(commit).flatMap(({ key, value }) => (key === trailerKeys.changedBy ? (readChangedBy(value) ?? []) : []));
  return Object.fromEntries(found.map(({ view, who }) => [view, who]));
}

function describeCommit(commit: Commit): HistoryEntry {
  const live = trailerOf(commit, trailerKeys.live);
  const run = trailerOf(commit, trailerKeys.run);
  const { id, authoredAt: at, author, subject, body } = commit;
  return {
    commit: id,
    at,
    author,
    subject,
    body,
    ...(live === undefined ? {} : { live }),
    ...(run === undefined ? {} : { run }),
    changedBy: readAuthors(commit),
  };
}

function pathOfView(project: Project, target: Target, { view, dialect }: HistoryOptions): string {
  if (view === undefined) return targetFolder(project, target);
  const name = parseRelationKey(view);
  if (!name)
    throw new ViewsyncError('USAGE', {
      message: `"${view}" is no name of a view: write schema.name, with double quotes around a part that needs them. Nothing was done.`,
      suggestions: ['viewsync log', 'viewsync status'],
    });
  return pathOf(startReading(project, target, dialect), name);
}

/** Commits that changed the target's files, newest first; runs too, which may change no file. `USAGE`, `VIEW_UNKNOWN`. */
export async function listHistory(project: Project, target: Target, options: HistoryOptions): Promise<readonly HistoryEntry[]> {
  const { commit: from } = await project.history.head();
  if (from === undefined) return [];
  const { reader } = project.history;
  const path = pathOfView(project, target, options);
  const changing = new Set<ObjectId>();
  for await (const commit of reader.listCommits({ from, path })) changing.add(commit.id);
  if (options.view !== undefined && changing.size === 0) {
    throw new ViewsyncError('VIEW_UNKNOWN', {
      message: `No commit holds a view "${options.view}" of "${target.name}". Nothing was changed.`,
      suggestions: ['viewsync log', 'viewsync status'],
    });
  }
  const entries: HistoryEntry[] = [];
  for await (const commit of reader.listCommits({ from })) {
    const isRun = options.view === undefined && trailerOf(commit, trailerKeys.target) === target.name;
    if (changing.has(commit.id) || isRun) entries.push(describeCommit(commit));
    if (entries.length >= options.limit) break;
  }
  return entries;
}
