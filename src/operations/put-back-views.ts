import { findCulprit, findNewName } from '../core/blame.ts';
import { describeChange } from '../core/commit-message.ts';
import { diffBelongings, diffViews } from '../core/compare.ts';
import type { Dialect } from '../core/dialect.ts';
import { findReaders, reach } from '../core/graph.ts';
import type { Plan } from '../core/plan.ts';
import { readsOf } from '../core/rebuild.ts';
import { compareText, type RelationName, relationKey } from '../core/relation.ts';
import { mayName } from '../core/script.ts';
import { withArticle } from '../core/sentence.ts';
import { isView, type View } from '../core/view.ts';
import { planMaking, planMending, withoutPowers, withReason } from './detour.ts';
import { misfit } from './failed-script.ts';
import { findLikeness, type Likeness } from './likeness.ts';
import { type AbsentView, type BrokenView, type RunningScript, runOurs } from './running-script.ts';

/** Thrown inside an attempt: one of the views does not fit the tables as they are now. */
class Unfit extends Error {
  readonly key: string;

  constructor(key: string, because: string) {
    super(because);
    this.key = key;
  }
}

/** Whether a view that was made again has all that it had; the text of an expression may have got casts with its columns' types. */
function isRestored(wanted: View, view: View, { likeness, dialect }: { readonly likeness: Likeness; readonly dialect: Dialect }): boolean {
  const { added, removed, changed } = diffBelongings(wanted, view, dialect);
  const differing = changed.filter(({ from }) => dialect.printedKinds?.includes(from.kind) !== true);
  return view.kind === wanted.kind && added.length + removed.length + differing.length === 0 && likeness.hasSameDefinition(wanted, view);
}

/** Bystanders that were made on something else that has the name of their view, and so are none any more. */
async function findFreed(running: RunningScript, missing: readonly View[]): Promise<ReadonlySet<string>> {
  const bystanders = missing.filter(({ kind }) => kind === 'bystander');
  const occupants = await findOccupants(
    running,
    bystanders.flatMap(({ reads }) => reads),
  );
  const standsOn = ({ reads }: View) => reads.some((read) => occupants.has(relationKey(read)));
  return new Set(bystanders.filter(standsOn).map(({ name }) => relationKey(name)));
}

/** A view that was made again and is not what it was, or is not there. */
interface Differing {
  readonly wanted: View;
  readonly view: View | undefined;
  readonly likeness: Likeness;
}

/** Views that are not what they were once they were made again; their columns may have changed with the tables. */
async function findDiffering(running: RunningScript, after: readonly View[]): Promise<readonly Differing[]> {
  const { transaction, surroundings } = running;
  const { dialect } = surroundings;
  const views = await transaction.inspect(after.map(({ name }) => name));
  const likeness = await findLikeness(views, [after], { dialect, settle: transaction.settle.bind(transaction) });
  const found = new Map(views.map((view) => [relationKey(view.name), view]));
  const freed = await findFreed(
    running,
    after.filter(({ name }) => !found.has(relationKey(name))),
  );
  return after.flatMap((wanted) => {
    const key = relationKey(wanted.name);
    const view = found.get(key);
    return freed.has(key) || (view && isRestored(wanted, view, { likeness, dialect })) ? [] : [{ wanted, view, likeness }];
  });
}

/** Raises for the first that differs. */
function requireSame([differing]: readonly Differing[], { surroundings: { dialect } }: RunningScript): void {
  if (!differing) return;
  const { wanted, view, likeness } = differing;
  const [change] = diffViews([wanted], view ? [view] : [], { dialect, ...likeness });
  throw new Unfit(relationKey(wanted.name), `made again, it is not what it was (${change ? describeChange(change) : 'its definition differs'})`);
}

/** Gives and takes what the script itself has views get that are made now: by other default privileges, or by something that watches statements. */
async function verify(running: RunningScript, { after }: Plan): Promise<void> {
  const differing = await findDiffering(running, after);
  if (differing.length === 0) return;
  const present = differing.flatMap(({ wanted, view }) => (view ? [{ view, wanted: { ...view, attachments: wanted.attachments } }] : []));
  const views = present.map(({ view }) => view);
  const plan = planMending(
    views,
    present.map(({ wanted }) => wanted),
    { ...withoutPowers(running.surroundings), relations: new Set(), because: 'it did not have this before' },
  );
  const isMended = plan.refusals.length === 0 && plan.steps.every(({ kind }) => kind === 'alter') && (await runOurs(running, plan)) === undefined;
  requireSame(isMended ? await findDiffering(running, after) : differing, running);
}

/** The plan that was made when exactly these views were dropped, or a new one. */
function planPuttingBack({ wayBack, surroundings }: RunningScript, views: readonly View[], because: string): Plan {
  const dropped = new Set(wayBack?.after);
  if (wayBack && dropped.size === views.length && views.every((view) => dropped.has(view))) return withReason(wayBack, because);
  return planMaking(views, because, withoutPowers(surroundings));
}

async function putBack(running: RunningScript, keys: readonly string[], because: string): Promise<void> {
  const views = keys.flatMap((key) => running.absent.get(key)?.view ?? []);
  const plan = planPuttingBack(running, views, because);
  const [open] = plan.refusals;
  if (open) throw new Unfit(relationKey(open.view), open.because);
  const failure = await runOurs(running, plan);
  if (failure) throw new Unfit(relationKey(failure.step.view), [failure.message, failure.detail, failure.hint].filter((text) => text).join('. '));
  if (running.verify === 'verify') await verify(running, plan);
  for (const key of keys) {
    running.absent.delete(key);
    running.restored.add(key);
  }
  running.views = await running.session.listViews();
}

/** Of a failed attempt nothing stays, neither in the database nor in what is told. */
async function attempt(running: RunningScript, keys: readonly string[], because: string): Promise<Unfit | undefined> {
  const { length } = running.acts;
  try {
    await running.atomic.attempt(() => putBack(running, keys, because));
    return undefined;
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    running.acts.length = length;
    return error;
  }
}

/** The keys with the absent views that they read, directly or not. */
function withSources({ absent }: RunningScript, keys: readonly string[]): readonly string[] {
  return [...reach(keys, readsOf([...absent.values()].map(({ view }) => view))).keys()].filter((key) => absent.has(key));
}

/** Puts views back as long as they fit; one that does not, and what reads it, has to wait for the end of the script. */
export async function tryPutBack(running: RunningScript, keys: readonly string[], because: string): Promise<void> {
  let wanted = withSources(running, keys);
  while (wanted.length > 0) {
    const unfit = await attempt(running, wanted, because);
    if (!unfit) return;
    const found = await findUnfit(running, unfit);
    for (const [key, reason] of found) running.unfit.set(key, reason);
    wanted = wanted.filter((key) => !found.has(key) && key !== unfit.key);
  }
}

function describeBroken({ view, at }: AbsentView, because: string, { statements, surroundings: { dialect } }: RunningScript): BrokenView {
  const context = { statements, dialect };
  const culprit = findCulprit(view, because, context) ?? at;
  const hint = findNewName(view, because, context);
  const place = culprit === undefined ? {} : { file: culprit.file, line: culprit.line };
  return { view: relationKey(view.name), because, ...place, ...(hint === undefined ? {} : { hint }) };
}

/** Views that the server refuses now, and with the one that failed all that read it. */
async function findUnfit(running: RunningScript, unfit: Unfit): Promise<ReadonlyMap<string, string>> {
  const views = [...running.absent.values()].map(({ view }) => view);
  // What calls a routine that is away as well cannot be told from here, nor what reads it.
  const isOpen = ({ needs = [], kind }: View) => !isView({ kind }) || needs.some((need) => running.absent.has(relationKey(need)));
  const open = reach(
    views.filter(isOpen).map(({ name }) => relationKey(name)),
    findReaders(readsOf(views)),
  );
  const settled = await running.transaction.settle(views.filter(({ name }) => !open.has(relationKey(name))).map((wanted) => ({ wanted })));
  const refused = [...settled].flatMap(([key, answer]) => (answer.outcome === 'refused' ? [[key, answer.because] as const] : []));
  const reasons = new Map(refused.length > 0 ? refused : [[unfit.key, unfit.message] as const]);
  return withReaders(reasons, views);
}

function withReaders(reasons: ReadonlyMap<string, string>, views: readonly View[]): ReadonlyMap<string, string> {
  const known = new Set(views.map(({ name }) => relationKey(name)));
  const reached = [...reach(reasons.keys(), findReaders(readsOf(views)))].filter(([key]) => known.has(key));
  return new Map(reached.map(([key, through]) => [key, reasons.get(key) ?? `it reads ${through}, which does not fit`]));
}

const viewWords: ReadonlySet<string> = new Set(['view', 'materialized view']);

/** Names that something has now which is no view. */
async function findOccupants({ session }: RunningScript, names: readonly RelationName[]): Promise<ReadonlyMap<string, string>> {
  const taken = names.length === 0 ? [] : await session.findTaken(names);
  return new Map(taken.filter(({ by }) => !viewWords.has(by)).map(({ by, ...name }) => [relationKey(name), by]));
}

/**
 * Views that the script did not drop by name, and whose names it has given to something else: neither of the two may be lost without a word.
 * `VIEW_MISFIT` unless such views are to be skipped.
 */
export async function findReplaced(running: RunningScript): Promise<readonly BrokenView[]> {
  const { absent } = running;
  const occupants = await findOccupants(
    running,
    [...absent.values()].map(({ view }) => view.name).filter(({ object }) => object === undefined),
  );
  const reasons = new Map([...occupants].map(([key, by]) => [key, `${withArticle(by)} that the script makes has its name`] as const));
  const views = [...absent.values()].map(({ view }) => view);
  const broken = [...withReaders(reasons, views)].map(([key, because]) => describeReplaced(absent.get(key) as AbsentView, because, running));
  if (broken.length > 0 && running.misfits === 'stop') throw misfit(broken);
  for (const { view } of broken) absent.delete(view);
  return broken;
}

function describeReplaced({ view }: AbsentView, because: string, { statements, surroundings: { dialect } }: RunningScript): BrokenView {
  const at = statements.findLast(({ named }) => named.some((parts) => mayName(parts, view.name)));
  const hint = because.startsWith('it reads') ? {} : { hint: `Where it is to go for good, say ${dialect.dropView(view)} in the script.` };
  return { view: relationKey(view.name), because, ...(at ? { file: at.file, line: at.line } : {}), ...hint };
}

/** Names that the script has given to something of its own: what it makes counts. */
async function findRemade({ absent, session, transaction }: RunningScript): Promise<readonly RelationName[]> {
  const names = [...absent.values()].map(({ view }) => view.name);
  const objects = names.filter(({ object }) => object !== undefined);
  const found = objects.length === 0 ? [] : await transaction.inspect(objects);
  return [...(await session.findTaken(names.filter(({ object }) => object === undefined))).map(({ by: _, ...name }) => name), ...found.map(({ name }) => name)];
}

/** Makes again whatever is gone and was not dropped by name. Returns what does not fit; `VIEW_MISFIT` unless such views are to be skipped. */
export async function putBackAll(running: RunningScript): Promise<readonly BrokenView[]> {
  const { absent } = running;
  const broken: BrokenView[] = [];
  for (const name of await findRemade(running)) absent.delete(relationKey(name));
  while (absent.size > 0) {
    const unfit = await attempt(running, [...absent.keys()], 'it was dropped for the migration');
    if (!unfit) break;
    const found = await findUnfit(running, unfit);
    broken.push(...[...found].flatMap(([key, because]) => (absent.has(key) ? [describeBroken(absent.get(key) as AbsentView, because, running)] : [])));
    if (running.misfits === 'stop') throw misfit(broken);
    for (const key of found.keys()) absent.delete(key);
  }
  return broken.sort((left, right) => compareText(left.view, right.view));
}
