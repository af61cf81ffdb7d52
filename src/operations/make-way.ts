import { findReaders, reach } from '../core/graph.ts';
import { readsOf } from '../core/rebuild.ts';
import { type RelationName, relationKey } from '../core/relation.ts';
import { placeOf, type ScriptStatement } from '../core/script.ts';
import type { View } from '../core/view.ts';
import { planDropping, planWayBack, type Surroundings } from './detour.ts';
import { refusedStatement, unrestorable } from './failed-script.ts';
import { type RunningScript, runOurs } from './running-script.ts';

/** The bystanders that hang on some views, directly or not. */
export function findHanging({ bystanders, absent }: RunningScript, names: readonly RelationName[]): readonly RelationName[] {
  const reached = reach(names.map(relationKey), findReaders(readsOf(bystanders)));
  return bystanders.map(({ name }) => name).filter((name) => reached.has(relationKey(name)) && !absent.has(relationKey(name)));
}

/** Views and bystanders as they are now; which bystanders a view needs is known from before. */
export async function inspect({ transaction, needs }: RunningScript, names: readonly RelationName[]): Promise<readonly View[]> {
  const objects = await transaction.inspect(names);
  return objects.map((view) => ({ ...view, needs: view.needs ?? needs.get(relationKey(view.name)) ?? [] }));
}

/** Reads bystanders anew where the script may have made some or given them other names. */
export async function lookAgain(running: RunningScript): Promise<void> {
  const { listBystanders } = running.transaction;
  if (running.isOutdated && listBystanders) running.bystanders = await listBystanders();
  running.isOutdated = false;
}

/** Drops views that stand in the way of a statement, and what hangs on them. */
export async function drop(running: RunningScript, names: readonly RelationName[], at: ScriptStatement): Promise<void> {
  await running.atomic.lock(names);
  await lookAgain(running);
  const views = await inspect(running, [...names, ...findHanging(running, names)]);
  const dropping = planDropping(views, `it stands in the way of ${placeOf(at)}`, running.surroundings);
  if (dropping.refusals.length > 0) throw unrestorable(at, dropping.refusals);
  // The server drops while the way back is planned; where there is none, all of it is rolled back.
  const dropped = runOurs(running, dropping);
  const wayBack = planWayBack(views, running.surroundings);
  const failure = await dropped;
  if (wayBack.refusals.length > 0) throw unrestorable(at, wayBack.refusals);
  if (failure)
    throw refusedStatement(at, { ...failure, isInTheWay: false, isMissing: false }, `A view that stands in its way cannot be dropped (${failure.step.sql}).`);
  for (const view of views) running.absent.set(relationKey(view.name), { view, takenBy: 'viewsync', at });
  running.wayBack = wayBack;
  running.views = await running.session.listViews();
}

/** Whether a name is one of those that a statement drops. */
export function isOneOf(name: RelationName, { views, schemas }: ReturnType<NonNullable<Surroundings['dialect']['script']>['dropsByName']>): boolean {
  if (schemas.includes(name.schema)) return true;
  // A cast has the name of its type, which may be the view's.
  if (name.object !== undefined) return false;
  return views.some((parts) => parts.at(-1) === name.name && (parts.length === 1 || parts.at(-2) === name.schema));
}

const none = { views: [], schemas: [] };

/** A name without a schema with the one in which the script finds a view of that name, there or away. */
function findAlongPath(parts: readonly string[], { session, views, absent }: RunningScript): readonly string[] {
  const [name = ''] = parts;
  if (parts.length !== 1 || session.path === undefined) return parts;
  const there = new Set([...views.values()].filter((view) => view.name === name).map(relationKey));
  const schema = session.path().find((each) => {
    const key = relationKey({ schema: each, name });
    return there.has(key) || absent.has(key);
  });
  return schema === undefined ? parts : [schema, name];
}

/** What a statement drops by name. */
export function dropsByName(running: RunningScript, { statement }: ScriptStatement) {
  const { views, schemas } = running.surroundings.dialect.script?.dropsByName(statement) ?? none;
  return { schemas, views: views.map((parts) => findAlongPath(parts, running)) };
}

/** Clears the way for a statement that was refused; whether there was anything to clear. */
export async function clearWay(running: RunningScript, at: ScriptStatement, on: 'parts' | 'whole'): Promise<boolean> {
  const own = dropsByName(running, at);
  const standing = (await running.session.findStanding(at.named, on)).filter((name) => !isOneOf(name, own));
  if (standing.length > 0) await drop(running, standing, at);
  return standing.length > 0;
}
