import { isKey, linesOf } from '../history/commit-text.ts';
import type { Commit, ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import { trailerKeys } from './trailer-keys.ts';

/** What a commit on the branch says of the live line: which of its states the branch has taken in. */
export interface BaseMark {
  readonly live: ObjectId;
  readonly target: string;
  /** Views whose base is an older state, since git and the warehouse disagreed over them: by `relationKey`, that state. */
  readonly conflicts: ReadonlyMap<string, ObjectId | 'unknown'>;
  /** Set when the ref of the line stands behind that state, which is here: somebody has set it back. */
  readonly isAhead?: true;
}

const unsafe = /[%\p{Cc}\u2028\u2029]/gu;

/** A view and its base as the value of one trailer, on one line whatever the view is called. */
export function writeConflict(view: string, base: ObjectId | 'unknown'): string {
  return `${view.replaceAll(unsafe, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`)} ${base}`;
}

/** The view may hold blanks, the base cannot. */
export function readConflict(value: string): readonly [string, ObjectId | 'unknown'] {
  const blank = value.lastIndexOf(' ');
  const view = value.slice(0, blank).replaceAll(/%([0-9A-F]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return [view, value.slice(blank + 1)];
}

/** The marks in one message, newest first: a squash puts several into it, each beginning with its `Viewsync-Live`. */
export function readMarks(commit: Commit): readonly BaseMark[] {
  const groups: { live: ObjectId; lines: { key: string; value: string }[] }[] = [];
  for (const line of linesOf(commit)) {
    if (isKey(line.key, trailerKeys.live)) groups.push({ live: line.value, lines: [] });
    else groups.at(-1)?.lines.push(line);
  }
  return groups.reverse().flatMap(({ live, lines }) => {
    const target = lines.find(({ key }) => isKey(key, trailerKeys.target))?.value;
    const conflicts = lines.filter(({ key }) => isKey(key, trailerKeys.conflict)).map(({ value }) => readConflict(value));
    return target !== undefined && /^[0-9a-f]{40,64}$/.test(live) ? [{ live, target, conflicts: new Map(conflicts) }] : [];
  });
}

/** The mark whose state is the newest on the live line; where none is on it, the first whose state this clone has at all. */
async function findNewest({ history }: Project, tip: ObjectId | undefined, marks: readonly BaseMark[]): Promise<BaseMark | undefined> {
  const byLive = new Map(marks.toReversed().map((mark) => [mark.live, mark]));
  for await (const { id } of tip === undefined ? [] : history.reader.listCommits({ from: tip })) {
    const mark = byLive.get(id);
    if (mark) return mark;
  }
  for (const mark of byLive.size === 1 ? [] : marks) if (await isHere(history, mark.live)) return mark;
  return undefined;
}

function isHere({ reader }: Project['history'], commit: ObjectId): Promise<boolean> {
  return reader.resolve(commit).then(
    () => true,
    () => false,
  );
}

/** Whether the line was set back to before a state that the branch has taken in and that is here. */
async function isAhead({ history }: Project, tip: ObjectId | undefined, { live }: BaseMark): Promise<boolean> {
  return tip !== undefined && live !== tip && (await isHere(history, live)) && (await history.isAncestor(tip, live));
}

/**
 * The newest state of the live line that the branch has taken in, of all that the commits up to `commit` name: a rebase, a cherry-pick
 * or a squash can put an older one in front of it, and a run that was not pushed one that nobody else has. `SHALLOW_HISTORY`.
 */
export async function findBaseMark(
  project: Project,
  target: Target,
  { commit, tip }: { readonly commit: ObjectId; readonly tip: ObjectId | undefined },
): Promise<BaseMark | undefined> {
  const marks: BaseMark[] = [];
  for await (const carrier of project.history.listCarriers(commit, { key: trailerKeys.target, value: target.name })) {
    marks.push(...readMarks(carrier).filter((mark) => mark.target === target.name));
    // Nothing is newer than the end of the line.
    if (marks.some(({ live }) => live === tip)) break;
  }
  const [first] = marks;
  if (first && (await isAhead(project, tip, first))) return { ...first, isAhead: true };
  return marks.find(({ live }) => live === tip) ?? (await findNewest(project, tip, marks)) ?? first;
}
