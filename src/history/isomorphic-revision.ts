import type { ObjectId } from './history.ts';
import { readHeadFile } from './isomorphic-folder.ts';
import { type Library, readCommit } from './isomorphic-objects.ts';
import { ambiguousRevision, unknownRevision } from './revision-errors.ts';

/** Where a short name is looked for, in git's order (https://git-scm.com/docs/gitrevisions). */
const places = ['', 'refs/', 'refs/tags/', 'refs/heads/', 'refs/remotes/'] as const;

/** The commit that a revision names: HEAD, branches, tags, ids, short ids, each with any number of `~3` and `^2` behind it. */
export async function resolveRevision(library: Library, revision: string): Promise<ObjectId> {
  const [, base = '', steps = ''] = /^(.+?)((?:~\d*|\^\d*|\^\{commit\})*)$/s.exec(revision) ?? [];
  try {
    const start = await resolveBase(library, base, revision);
    return await walkBack(library, await peel(library, start), stepsOf(steps));
  } catch (error) {
    if (error instanceof Error && error.name === 'ViewsyncError') throw error;
    throw unknownRevision(revision);
  }
}

/** Where a ref, given by its full name or as `HEAD`, stands. */
export async function resolveRef(library: Library, ref: string): Promise<ObjectId | undefined> {
  const head = ref === 'HEAD' ? readHeadFile(library.files) : { branch: ref };
  if (head.branch === undefined) return head.commit;
  try {
    return await library.git.resolveRef({ ...library.place, ref: head.branch });
  } catch {
    return undefined;
  }
}

async function resolveBase(library: Library, base: string, revision: string): Promise<ObjectId> {
  if (base === '@' || base === 'HEAD') return (await resolveRef(library, 'HEAD')) ?? base;
  if (/^[0-9a-f]{40}$/.test(base)) return base;
  const names = places.map((place) => place + base).filter((name) => name.startsWith('refs/'));
  const tips = (await Promise.all(names.map((name) => resolveRef(library, name)))).filter((tip) => tip !== undefined);
  if (tips.length > 1) throw ambiguousRevision(revision);
  return tips[0] ?? expandId(library, base, revision);
}

async function expandId(library: Library, digits: string, revision: string): Promise<ObjectId> {
  if (!/^[0-9a-f]{4,39}$/i.test(digits)) throw unknownRevision(revision);
  try {
    return await library.git.expandOid({ ...library.place, oid: digits.toLowerCase() });
  } catch (error) {
    throw error instanceof library.git.Errors.AmbiguousError ? ambiguousRevision(revision) : error;
  }
}

/** The id itself when it is a commit's, or the commit that a tag is of. */
async function peel(library: Library, id: ObjectId): Promise<ObjectId> {
  return (await library.git.readCommit({ ...library.place, oid: id })).oid;
}

interface Step {
  readonly kind: '~' | '^';
  readonly count: number;
}

function stepsOf(text: string): readonly Step[] {
  const steps = [...text.matchAll(/([~^])(\d+)?(?!\{)/g)];
  return steps.map(([, kind, digits]) => ({ kind: kind as '~' | '^', count: digits === undefined ? 1 : Number(digits) }));
}

/** `~3` is the first parent three times, `^2` the second parent, `^0` the commit itself. */
async function walkBack(library: Library, start: ObjectId, steps: readonly Step[]): Promise<ObjectId> {
  let commit = start;
  for (const { kind, count } of steps) {
    const parents = kind === '~' ? Array<number>(count).fill(1) : count === 0 ? [] : [count];
    for (const parent of parents) commit = await parentOf(library, commit, parent);
  }
  return commit;
}

async function parentOf(library: Library, commit: ObjectId, number: number): Promise<ObjectId> {
  const parent = (await readCommit(library, commit)).parents[number - 1];
  if (parent === undefined) throw new RangeError(`${commit} has no parent ${number}`);
  return parent;
}
