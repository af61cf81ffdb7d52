import { holdsPassword } from '../core/passwords.ts';
import { relationKey } from '../core/relation.ts';
import { ViewsyncError } from '../errors.ts';
import type { ObjectId } from '../history/history.ts';
import type { Project, Target } from '../project.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';
import { checkAttributes } from './check-attributes.ts';
import { describeInterruptedRun, endingCommands } from './interrupted-run.ts';
import { liveRef, readLiveLine } from './live-line.ts';
import { askRemote } from './remote-lines.ts';

export interface Check {
  readonly check: string;
  readonly outcome: 'good' | 'warning' | 'bad';
  /** What was found, a whole sentence. */
  readonly found: string;
  readonly suggestions?: readonly string[];
}

export interface Examination {
  readonly target: string;
  readonly checks: readonly Check[];
}

const good = (check: string, found: string): Check => ({ check, outcome: 'good', found });

/** Runs one check; an error of ours becomes its finding, so that the others still run. */
async function examine(check: string, work: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ViewsyncError)) throw error;
    return [{ check, outcome: 'bad', found: error.message, suggestions: error.suggestions }];
  }
}

const tolerance = 60_000;

function checkClock(clock: Date): Check {
  const apart = Math.abs(clock.getTime() - Date.now());
  if (apart < tolerance) return good('clock', 'The clocks of the server and of this machine agree.');
  return {
    check: 'clock',
    outcome: 'warning',
    found: `The clocks of the server and of this machine are ${Math.round(apart / 1000)} s apart; times in logs will not match.`,
  };
}

function checkPasswords(views: readonly { readonly key: string; readonly definition: string }[]): Check {
  const found = views.filter(({ definition }) => holdsPassword(definition)).map(({ key }) => key);
  if (found.length === 0) return good('passwords', 'No definition seems to hold a password.');
  const text = `A password seems to stand in the definition of ${found.join(', ')}; it is committed with the file.`;
  return { check: 'passwords', outcome: 'warning', found: text, suggestions: ['Move the credential into a user mapping or a table that the view reads.'] };
}

async function checkWarehouse(target: Target, connect: () => Promise<Warehouse>): Promise<readonly Check[]> {
  const warehouse = await connect();
  try {
    const { clock, findings } = await warehouse.examine();
    const { session, snapshot } = await warehouse.inspect(target.scope);
    const { unreadable } = snapshot.description;
    const views = snapshot.views.map(({ name, definition }) => ({ key: relationKey(name), definition }));
    const unread: readonly Check[] = unreadable.map(({ name, reason }) => ({
      check: 'views',
      outcome: 'bad',
      found: `${relationKey(name)} cannot be read: ${reason}`,
    }));
    return [
      good('connection', `Connected as "${session.role}".`),
      good('server', `${session.server}, ${views.length} views in scope.`),
      ...findings.map((finding): Check => ({ check: 'privileges', outcome: 'warning', ...finding })),
      ...(findings.length === 0 ? [good('privileges', 'This role may do everything that an export, an apply, a migration and a drill need.')] : []),
      checkClock(clock),
      checkPasswords(views),
      ...unread,
    ];
  } finally {
    await warehouse.close();
  }
}

async function checkRemote(project: Project, target: Target): Promise<readonly Check[]> {
  const { branch } = await project.history.head();
  const remote = await askRemote(project, target, branch);
  if (!remote)
    return [
      {
        check: 'remote',
        outcome: 'warning',
        found: 'There is no remote: what is recorded is on this machine alone.',
        suggestions: ['git remote add origin URL'],
      },
    ];
  if (remote.live === undefined)
    return [{ check: 'remote', outcome: 'warning', found: `"${remote.name}" does not have the live line yet.`, suggestions: ['viewsync export --push'] }];
  return [await compareLiveLines(project, target, { name: remote.name, theirs: remote.live })];
}

/** Whether the remote's live line holds every state that ours does. */
async function compareLiveLines({ history }: Project, target: Target, { name, theirs }: { readonly name: string; readonly theirs: ObjectId }): Promise<Check> {
  const ours = await history.tip(liveRef(target));
  if (ours === undefined || ours === theirs || (await history.isAncestor(ours, theirs))) return good('remote', `"${name}" answers and has the live line.`);
  const isBehind = await history.isAncestor(theirs, ours);
  const found = isBehind
    ? 'lacks the newest states of the live line: they are on this machine alone.'
    : 'has another live line than this clone: it went two ways.';
  return { check: 'remote', outcome: 'warning', found: `"${name}" ${found}`, suggestions: ['viewsync export --push'] };
}

async function checkLiveLine(project: Project, target: Target): Promise<readonly Check[]> {
  const { commit } = await project.history.head();
  const { tip, interrupted, base, conflicts } = await readLiveLine(project, target, commit);
  if (tip === undefined) return [{ check: 'live line', outcome: 'warning', found: 'Nothing was ever exported.', suggestions: ['viewsync export'] }];
  if (interrupted) return [{ check: 'live line', outcome: 'bad', found: describeInterruptedRun(interrupted), suggestions: endingCommands(interrupted) }];
  const { subject, authoredAt } = await project.history.reader.readCommit(tip);
  const open: readonly Check[] = [...conflicts.keys()].map((view) => ({
    check: 'conflicts',
    outcome: 'bad',
    found: `${view} is in conflict.`,
    suggestions: ['viewsync status'],
  }));
  const line = good(
    'live line',
    base === undefined ? `${liveRef(target)} is here; this branch has not taken it in yet.` : `${liveRef(target)} is here, and the branch knows it.`,
  );
  return [line, good('last export', `The last change was recorded ${authoredAt}: ${subject}.`), ...open];
}

/** Looks at everything that an export or an apply needs, and names what is wrong. Changes nothing but what a fetch does. */
export async function examineTarget(project: Project, target: Target, connect: () => Promise<Warehouse>): Promise<Examination> {
  const parts = [
    await examine('connection', () => checkWarehouse(target, connect)),
    await examine('git identity', async () => [good('git identity', `Commits are made as ${await project.history.identity()}.`)]),
    await examine('attributes', () => checkAttributes(project, target)),
    await examine('remote', () => checkRemote(project, target)),
    await examine('live line', () => checkLiveLine(project, target)),
  ];
  return { target: target.name, checks: parts.flat() };
}
