import { callingOf, leansOn } from '../core/leaning.ts';
import { compareText, type RelationName, relationKey } from '../core/relation.ts';
import { mayName, placeOf, type ScriptStatement } from '../core/script.ts';
import type { View } from '../core/view.ts';
import { ViewsyncError } from '../errors.ts';
import type { Part } from '../warehouses/parts.ts';
import type { StatementResult } from '../warehouses/script-session.ts';
import type { Transaction } from '../warehouses/warehouse.ts';
import { refusedStatement, unrestorable } from './failed-script.ts';
import { findLost } from './find-lost.ts';
import { keepRemade } from './keep-remade.ts';
import { clearWay, drop, dropsByName, findHanging, inspect, isOneOf, lookAgain } from './make-way.ts';
import { findReplaced, putBackAll, tryPutBack } from './put-back-views.ts';
import type { BrokenView, MigrationAct, RunningScript, ScriptOptions } from './running-script.ts';

export interface ScriptOutcome {
  readonly acts: readonly MigrationAct[];
  readonly restored: readonly string[];
  readonly broken: readonly BrokenView[];
  /** Views that the script dropped by name. */
  readonly dropped: readonly string[];
  /** Every view that is there in the end. */
  readonly views: readonly RelationName[];
}

/** What is away because we dropped it; what the script took along itself is none of it. */
function findOurs({ absent }: RunningScript): readonly (readonly [string, View])[] {
  return [...absent].flatMap(([key, { view, takenBy }]) => (takenBy === 'viewsync' ? [[key, view] as const] : []));
}

/** Puts back what a statement names, or all of it, where the statement may be about views that it does not name or follow one that is there. */
async function putBackNamed(running: RunningScript, at: ScriptStatement): Promise<void> {
  const about = running.surroundings.dialect.script?.concernsAll(at.statement);
  const wanted = findOurs(running).filter(([, view]) => about !== undefined || at.named.some((parts) => mayName(parts, view.name)));
  const keys = wanted.map(([key]) => key);
  if (keys.length > 0) await tryPutBack(running, keys, `${placeOf(at)} ${about ?? 'names it'}`);
}

async function send({ session }: RunningScript, { statement, named }: ScriptStatement): Promise<StatementResult> {
  return session.run(statement.text, named);
}

/** Runs a statement; once more with all views, if something that it calls may miss one, and once more without the views that stand in its way. */
async function insist(running: RunningScript, at: ScriptStatement): Promise<StatementResult> {
  let result = await send(running, at);
  const ours = result.refusal?.isMissing ? findOurs(running).map(([key]) => key) : [];
  if (ours.length > 0) {
    await tryPutBack(running, ours, `${placeOf(at)} needs what is not there`);
    result = await send(running, at);
  }
  const first = result;
  for (const on of ['parts', 'whole'] as const) {
    if (!result.refusal?.isInTheWay) break;
    if (await clearWay(running, at, on)) result = await send(running, at);
  }
  // It was refused for another reason, and now misses what was dropped for it.
  return result.refusal?.isMissing ? first : result;
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

/** What there is before a statement that may take some of it along. */
async function listExposed(running: RunningScript, { statement }: ScriptStatement): Promise<readonly Part[]> {
  const { parts } = running.session;
  if (!parts || !takesAlong.test(statement.text)) return [];
  await lookAgain(running);
  return parts.listParts(running.bystanders.map(({ name }) => name).filter((name) => !running.absent.has(relationKey(name))));
}

interface Lost {
  /** Bystanders that went with something else than a view, and that the statement does not drop by name. */
  readonly swept: readonly RelationName[];
  /** Views that are still there and have lost a trigger, a rule, a default or an index with what it needs. */
  readonly bereft: readonly RelationName[];
}

async function findLostParts({ session, absent }: RunningScript, exposed: readonly Part[], { named }: ScriptStatement): Promise<Lost> {
  const lost = session.parts ? await findLost(exposed, session.parts) : [];
  const isOwn = (name: RelationName) => absent.has(relationKey(name)) || named.some((each) => mayName(each, name));
  return {
    swept: lost.flatMap(({ kind, view }) => (kind === 'bystander' && !isOwn(view) ? [view] : [])),
    bereft: uniqueNames(lost.flatMap(({ kind, view }) => (kind === 'bystander' || kind === 'view' ? [] : [view]))),
  };
}

const uniqueNames = (names: readonly RelationName[]) => [...new Map(names.map((name) => [relationKey(name), name])).values()];

/** What a statement has done to the views. Returns those that it dropped by name. */
async function lookAround(running: RunningScript, at: ScriptStatement, exposed: readonly Part[]): Promise<readonly string[]> {
  const own = dropsByName(running, at);
  const after = await running.session.listViews();
  const gone = [...running.views].filter(([id]) => !after.has(id)).map(([, name]) => name);
  const taken = gone.filter((name) => !isOneOf(name, own));
  const { swept, bereft } = await findLostParts(running, exposed, at);
  const hanging = uniqueNames([...findHanging(running, gone), ...swept.filter((name) => !isOneOf(name, own))]);
  const leaning = [...bereft, ...(gone.length === 0 ? [] : findLeaning(running, [...gone, ...hanging]))];
  const isTaken = taken.length + hanging.length + leaning.length > 0;
  if (isTaken) await keepTaken(running, at, { taken, hanging, leaning });
  for (const [key, { view }] of [...running.absent]) if (isOneOf(view.name, own)) running.absent.delete(key);
  running.views = isTaken ? await running.session.listViews() : after;
  return gone.filter((name) => isOneOf(name, own)).map(relationKey);
}

const bystanderWords =
  /^(CREATE|ALTER)\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|OPERATOR|CAST|POLICY|RULE|TRIGGER|CONSTRAINT|UNIQUE|INDEX)\b/i;
const tableWords = /^ALTER\s+TABLE\b[\s\S]*\b(DEFAULT|CHECK)\b/i;

/** Whether something else may hang on views after it, or be called otherwise. */
function mayHang({ surroundings }: RunningScript, { statement }: ScriptStatement): boolean {
  return surroundings.dialect.script?.concernsAll(statement) !== undefined || [bystanderWords, tableWords].some((pattern) => pattern.test(statement.text));
}

async function runStatement(running: RunningScript, at: ScriptStatement): Promise<readonly string[]> {
  await putBackNamed(running, at);
  const exposed = await listExposed(running, at);
  const result = await insist(running, at);
  requireRun(result, at, running);
  running.acts.push({ origin: 'script', sql: at.statement.text, because: placeOf(at), milliseconds: result.milliseconds });
  const dropped = await lookAround(running, at, exposed);
  await keepRemade(running, at);
  running.isOutdated ||= mayHang(running, at);
  return dropped;
}

async function open(transaction: Transaction, options: ScriptOptions): Promise<RunningScript> {
  const { atomic } = transaction;
  if (!atomic) throw new ViewsyncError('INTERNAL', { message: 'A script needs a warehouse whose DDL is transactional.' });
  const session = await atomic.openScript();
  const state = { acts: [], absent: new Map(), unfit: new Map(), restored: new Set<string>(), views: await session.listViews(), isOutdated: false };
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
