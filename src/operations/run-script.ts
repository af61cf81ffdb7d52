import { findReaders, reach } from '../core/graph.ts';
import { callingOf, leansOn } from '../core/leaning.ts';
import { readsOf } from '../core/rebuild.ts';
import { compareText, type RelationName, relationKey } from '../core/relation.ts';
import { mayName, placeOf, type ScriptStatement } from '../core/script.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Part } from '../warehouses/parts.ts';
import type { StatementResult } from '../warehouses/script-session.ts';
import type { Transaction } from '../warehouses/warehouse.ts';
import { planDropping, type Surroundings } from './detour.ts';
import { refusedStatement, unrestorable } from './failed-script.ts';
import { findLost } from './find-lost.ts';
import { findReplaced, putBackAll, tryPutBack } from './put-back-views.ts';
import { type BrokenView, type MigrationAct, type RunningScript, runOurs, type ScriptOptions } from './running-script.ts';

export interface ScriptOutcome {
  readonly acts: readonly MigrationAct[];
  readonly restored: readonly string[];
  readonly broken: readonly BrokenView[];
  /** Views that the script dropped by name. */
  readonly dropped: readonly string[];
  /** Every view that is there in the end. */
  readonly views: readonly RelationName[];
}

/** The bystanders that hang on some views, directly or not. */
function findHanging({ bystanders, absent }: RunningScript, names: readonly RelationName[]): readonly RelationName[] {
  const reached = reach(names.map(relationKey), findReaders(readsOf(bystanders)));
  return bystanders.map(({ name }) => name).filter((name) => reached.has(relationKey(name)) && !absent.has(relationKey(name)));
}

/** Views and bystanders as they are now; which bystanders a view needs is known from before. */
async function inspect({ transaction, needs }: RunningScript, names: readonly RelationName[]): Promise<readonly View[]> {
  const objects = await transaction.inspect(names);
  return objects.map((view) => ({ ...view, needs: view.needs ?? needs.get(relationKey(view.name)) ?? [] }));
}

/** Drops views that stand in the way of a statement, and what hangs on them. */
async function drop(running: RunningScript, names: readonly RelationName[], at: ScriptStatement): Promise<void> {
  await running.atomic.lock(names);
  const views = await inspect(running, [...names, ...findHanging(running, names)]);
  const plan = planDropping(views, `it stands in the way of ${placeOf(at)}`, running.surroundings);
  if (plan.refusals.length > 0) throw unrestorable(at, plan.refusals);
  const failure = await runOurs(running, plan);
  if (failure) throw refusedStatement(at, { ...failure, isInTheWay: false }, `A view that stands in its way cannot be dropped (${failure.step.sql}).`);
  for (const view of views) running.absent.set(relationKey(view.name), { view, takenBy: 'viewsync', at });
  running.views = await running.session.listViews();
}

function isOneOf(name: RelationName, { views, schemas }: ReturnType<NonNullable<Surroundings['dialect']['script']>['dropsByName']>): boolean {
  if (schemas.includes(name.schema)) return true;
  // A cast has the name of its type, which may be the view's.
  if (name.object !== undefined) return false;
  return views.some((parts) => parts.at(-1) === name.name && (parts.length === 1 || parts.at(-2) === name.schema));
}

const none = { views: [], schemas: [] };

function dropsByName({ surroundings }: RunningScript, { statement }: ScriptStatement) {
  return surroundings.dialect.script?.dropsByName(statement) ?? none;
}

/** Clears the way for a statement that was refused; whether there was anything to clear. */
async function clearWay(running: RunningScript, at: ScriptStatement, on: 'parts' | 'whole'): Promise<boolean> {
  const own = dropsByName(running, at);
  const standing = (await running.session.findStanding(at.named, on)).filter((name) => !isOneOf(name, own));
  if (standing.length > 0) await drop(running, standing, at);
  return standing.length > 0;
}

/** Puts back what a statement names; before something is renamed all of it, since a view that is there follows by itself. */
async function putBackNamed(running: RunningScript, at: ScriptStatement): Promise<void> {
  const isRenaming = running.surroundings.dialect.script?.isRenaming(at.statement) === true;
  const ours = [...running.absent].filter(([, { takenBy }]) => takenBy === 'viewsync');
  const wanted = ours.filter(([, { view }]) => isRenaming || at.named.some((parts) => mayName(parts, view.name))).map(([key]) => key);
  if (wanted.length > 0) await tryPutBack(running, wanted, `${placeOf(at)} ${isRenaming ? 'renames' : 'names it'}`);
}

async function send({ session }: RunningScript, { statement, named }: ScriptStatement): Promise<StatementResult> {
  return session.run(statement.text, named);
}

/** Runs a statement, and once more without the views that stand in its way. */
async function insist(running: RunningScript, at: ScriptStatement): Promise<StatementResult> {
  let result = await send(running, at);
  for (const on of ['parts', 'whole'] as const) {
    if (!result.refusal?.isInTheWay) break;
    if (await clearWay(running, at, on)) result = await send(running, at);
  }
  return result;
}

function requireRun({ refusal }: StatementResult, at: ScriptStatement, { unfit }: RunningScript): void {
  if (!refusal) return;
  const missing = [...unfit].filter(([key]) => refusal.message.includes(key)).map(([key, because]) => `${key} could not be put back before it: ${because}`);
  throw refusedStatement(at, refusal, missing.join(' '));
}

/** Views that stay, and of which something may have gone with these. */
function findLeaning({ before, absent, surroundings }: RunningScript, gone: readonly RelationName[]): readonly RelationName[] {
  const keys = new Set(gone.map(relationKey));
  const names = new Set(gone.flatMap((name) => callingOf({ name, kind: name.object === undefined ? 'view' : 'bystander' })));
  const isStanding = (key: string) => !keys.has(key) && !absent.has(key);
  return before.filter((view) => isStanding(relationKey(view.name)) && leansOn(view, names, surroundings.dialect)).map(({ name }) => name);
}

interface Taken {
  readonly taken: readonly RelationName[];
  /** Views that are still there, without something that belonged to them. */
  readonly leaning: readonly RelationName[];
  /** Bystanders of views that are gone, named or not; some may be left. */
  readonly hanging: readonly RelationName[];
}

/** Makes way for a statement with whole views, where it would only take something of them along. */
async function dropWithReaders(running: RunningScript, views: readonly RelationName[], at: ScriptStatement): Promise<void> {
  const named = views.map(({ schema, name }) => [schema, name]);
  const own = dropsByName(running, at);
  const readers = (await running.session.findStanding(named, 'whole')).filter((name) => !isOneOf(name, own));
  const all = new Map([...views, ...readers].map((name) => [relationKey(name), name]));
  await drop(running, [...all.values()], at);
}

/** Views that a statement took along without naming them, and bystanders: taken back, read, and let go once more, to be restored in the end. */
async function keepTaken(running: RunningScript, at: ScriptStatement, { taken, hanging, leaning }: Taken): Promise<void> {
  await running.session.takeBack();
  if (leaning.length > 0) await dropWithReaders(running, leaning, at);
  const objects = await inspect(
    running,
    [...taken, ...hanging].filter((name) => !running.absent.has(relationKey(name))),
  );
  const lost = objects.flatMap((view) =>
    view.unrestorable.map((what) => ({ view: view.name, because: `${relationKey(view.name)} would go, and with it ${what}.` })),
  );
  if (lost.length > 0) throw unrestorable(at, lost);
  requireRun(await send(running, at), at, running);
  const left = new Set((await running.transaction.inspect(hanging)).map(({ name }) => relationKey(name)));
  for (const view of objects) if (!left.has(relationKey(view.name))) running.absent.set(relationKey(view.name), { view, takenBy: 'script', at });
}

// Only what is dropped takes anything along; a routine may drop something without the script saying so.
const takesAlong = /\bDROP\b|^\s*(SELECT|WITH|CALL|EXECUTE)\b/i;

const drops = /\bDROP\b/i;

/** What a statement may take along without naming it. */
interface Exposed {
  readonly parts: readonly Part[];
  readonly bystanders: readonly RelationName[];
}

/** What there is before a statement that may take some of it along. */
async function findExposed({ session, transaction, bystanders, absent }: RunningScript, { statement }: ScriptStatement): Promise<Exposed> {
  const parts = session.parts && takesAlong.test(statement.text) ? await session.parts.listParts() : [];
  const names = drops.test(statement.text) ? bystanders.map(({ name }) => name).filter((name) => !absent.has(relationKey(name))) : [];
  return { parts, bystanders: names.length === 0 ? [] : (await transaction.inspect(names)).map(({ name }) => name) };
}

/** Bystanders that a statement took along for the sake of something else than a view; what stands on a table that it names is its own affair. */
async function findSwept({ transaction }: RunningScript, { bystanders }: Exposed, { named }: ScriptStatement): Promise<readonly RelationName[]> {
  if (bystanders.length === 0) return [];
  const left = new Set((await transaction.inspect(bystanders)).map(({ name }) => relationKey(name)));
  const isNamed = (name: RelationName) =>
    [name.name, name.object?.on ?? name.name].some((part) => named.some((parts) => mayName(parts, { ...name, name: part })));
  return bystanders.filter((name) => !left.has(relationKey(name)) && !isNamed(name));
}

/** Views that are still there and have lost a trigger, a rule, a default or an index with what it needs. */
async function findBereft({ session }: RunningScript, { parts }: Exposed): Promise<readonly RelationName[]> {
  const lost = session.parts ? await findLost(parts, session.parts) : [];
  return uniqueNames(lost.filter(({ kind }) => kind !== 'view').map(({ view }) => view));
}

const uniqueNames = (names: readonly RelationName[]) => [...new Map(names.map((name) => [relationKey(name), name])).values()];

/** What a statement has done to the views. Returns those that it dropped by name. */
async function lookAround(running: RunningScript, at: ScriptStatement, exposed: Exposed): Promise<readonly string[]> {
  const own = dropsByName(running, at);
  const after = await running.session.listViews();
  const gone = [...running.views].filter(([id]) => !after.has(id)).map(([, name]) => name);
  const taken = gone.filter((name) => !isOneOf(name, own));
  const swept = (await findSwept(running, exposed, at)).filter((name) => !isOneOf(name, own));
  const hanging = uniqueNames([...findHanging(running, gone), ...swept]);
  const bereft = await findBereft(running, exposed);
  const leaning = [...bereft, ...(gone.length === 0 ? [] : findLeaning(running, [...gone, ...hanging]))];
  const isTaken = taken.length + hanging.length + leaning.length > 0;
  if (isTaken) await keepTaken(running, at, { taken, hanging, leaning });
  for (const [key, { view }] of [...running.absent]) if (isOneOf(view.name, own)) running.absent.delete(key);
  running.views = isTaken ? await running.session.listViews() : after;
  return gone.filter((name) => isOneOf(name, own)).map(relationKey);
}

async function runStatement(running: RunningScript, at: ScriptStatement): Promise<readonly string[]> {
  await putBackNamed(running, at);
  const exposed = await findExposed(running, at);
  const result = await insist(running, at);
  requireRun(result, at, running);
  running.acts.push({ origin: 'script', sql: at.statement.text, because: placeOf(at), milliseconds: result.milliseconds });
  return lookAround(running, at, exposed);
}

async function open(transaction: Transaction, options: ScriptOptions): Promise<RunningScript> {
  const { atomic } = transaction;
  if (!atomic) throw new ViewsyncError('INTERNAL', { message: 'A script needs a warehouse whose DDL is transactional.' });
  const session = await atomic.openScript();
  const state = { acts: [], absent: new Map(), unfit: new Map(), restored: new Set<string>(), views: await session.listViews() };
  return { ...options, transaction, atomic, session, ...state };
}

/** Puts back what is gone, and tells what it all came to. */
async function close(running: RunningScript, dropped: readonly string[], replaced: readonly BrokenView[] = []): Promise<ScriptOutcome> {
  const broken = [...replaced, ...(await putBackAll(running))].sort((left, right) => compareText(left.view, right.view));
  const views = [...(await running.session.listViews()).values()];
  const there = new Set(views.map(relationKey));
  return {
    acts: running.acts,
    restored: [...running.restored].filter((key) => !dropped.includes(key)).sort(compareText),
    broken,
    dropped: dropped.filter((key) => !there.has(key)).sort(compareText),
    views,
  };
}

/**
 * Runs a script statement by statement. Views that stand in the way of one are dropped, and all that are gone without being dropped by name are
 * made again, at the end or before a statement that names them. `SCRIPT_FAILED`, `PLAN_IMPOSSIBLE`, `VIEW_MISFIT`.
 */
export async function runScript(transaction: Transaction, options: ScriptOptions): Promise<ScriptOutcome> {
  const running = await open(transaction, options);
  const dropped: string[] = [];
  for (const [index, at] of options.statements.entries()) {
    dropped.push(...(await runStatement(running, at)));
    options.onStatement?.(index + 1, options.statements.length);
  }
  return close(running, dropped, await findReplaced(running));
}

/** Makes views again that were dropped before; what has taken the name of one meanwhile stays. */
export async function restoreViews(transaction: Transaction, views: readonly View[], options: Omit<ScriptOptions, 'statements'>): Promise<ScriptOutcome> {
  const running = await open(transaction, { ...options, statements: [] });
  for (const view of views) running.absent.set(relationKey(view.name), { view, takenBy: 'viewsync' });
  return close(running, []);
}
