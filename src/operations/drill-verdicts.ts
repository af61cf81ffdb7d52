import { describeChange } from '../core/commit-message.ts';
import { diffViews } from '../core/compare.ts';
import { compareText, relationKey } from '../core/relation.ts';
import { objectsOf, type Unreadable } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import type { ViewsyncError } from '../errors.ts';
import type { FailedStandIn, Scratch } from '../warehouses/scratch.ts';
import { findLikeness } from './likeness.ts';
import { notRestored, type Restored } from './restore-in-scratch.ts';

export interface DrilledView {
  /** The name of the view; the path of a file that cannot be read. */
  readonly view: string;
  readonly outcome: 'restored identical' | 'differs' | 'needs';
  /** In what it differs, or what it needs. */
  readonly because?: string;
}

interface Evidence {
  readonly scratch: Scratch;
  readonly wanted: readonly View[];
  readonly restored: Restored;
  readonly missing: readonly FailedStandIn[];
  readonly broken: readonly { readonly path: string; readonly error: ViewsyncError }[];
  /** Views that could not be read when the revision was exported. */
  readonly unreadable: readonly Unreadable[];
}

const absentRelations = [/^relation "(.+)" does not exist/, / reads (.+), which does not exist\./, /Object '(.+)' does not exist or not authorized/];
const absentObject =
  /^(type|column|function|procedure|aggregate|operator class|operator family|operator|collation|schema|tablespace|access method|language|role|extension|text search (?:configuration|dictionary)) "?(.+?)"?(?: for (?:encoding|access method) ".+?")? does not exist/;
const absentOperator = /^(operator) does not exist: (.+?)(?:\. |$)/;

const bare = (text: string) => text.replaceAll('"', '');

/** Why something is not there: its stand-in failed, or that of something which may have brought it along, or there is none. */
function fateOf(isIt: (failed: FailedStandIn) => boolean, missing: readonly FailedStandIn[]): string {
  const failed = missing.find(isIt);
  if (failed) return `could not be stood in (${failed.because})`;
  const bringers = missing.filter(({ standIn }) => standIn.brings === 'more');
  if (bringers.length === 0) return 'no longer exists';
  return `may belong to what could not be made: ${bringers.map(({ standIn, because }) => `${standIn.what} (${because})`).join(', ')}`;
}

/** What a refusal of the server or of the planner asks for: `shop.orders, which no longer exists`. Any other refusal needs attention, and is told as it is. */
function toNeed(because: string, missing: readonly FailedStandIn[]): string {
  const relation = absentRelations.map((pattern) => pattern.exec(because)?.[1]).find((found) => found !== undefined);
  if (relation !== undefined) {
    const isIt = ({ standIn }: FailedStandIn) => standIn.relation !== undefined && bare(relationKey(standIn.relation)) === bare(relation);
    return `${relation}, which ${fateOf(isIt, missing)}`;
  }
  const [, kind, name = ''] = absentOperator.exec(because) ?? absentObject.exec(because) ?? [];
  if (kind === undefined) return because.endsWith(notRestored) ? because : `attention: ${because}`;
  const start = bare(`${kind} ${name.split('(')[0]}`);
  return `${kind} ${name}, which ${fateOf(({ standIn }) => bare(standIn.what).split('(')[0] === start, missing)}`;
}

async function findDifferences({ scratch, wanted, restored }: Evidence): Promise<ReadonlyMap<string, string>> {
  const { settle } = scratch.warehouse;
  const dialect = { ...scratch.warehouse.dialect, equivalents: new Map<string, string>() };
  const found = objectsOf(restored.inspection.snapshot);
  const made = wanted.filter(({ name }) => !restored.failed.has(relationKey(name)));
  const names = new Set(made.map(({ name }) => relationKey(name)));
  const there = found.filter(({ name }) => names.has(relationKey(name)));
  const likeness = await findLikeness(there, [made], { dialect, settle });
  const changes = diffViews(made, there, { dialect, ...likeness });
  const words = changes.map((change) => [relationKey(change.view), change.change === 'deleted' ? 'it is not there' : describeChange(change)] as const);
  return new Map(words.filter(([, text]) => text !== 'reprinted by the server'));
}

/** What became of each wanted view and bystander, sorted by name. */
export async function judgeViews(evidence: Evidence): Promise<readonly DrilledView[]> {
  const { wanted, restored, missing, broken, unreadable } = evidence;
  const differences = await findDifferences(evidence);
  const judged = wanted.map(({ name }): DrilledView => {
    const view = relationKey(name);
    const failure = restored.failed.get(view);
    if (failure !== undefined) return { view, outcome: 'needs', because: toNeed(failure, missing) };
    const roles = restored.missingRoles.get(view);
    if (roles) return { view, outcome: 'needs', because: roles.map((role) => `role "${role}"`).join(', ') };
    const difference = differences.get(view);
    return difference === undefined ? { view, outcome: 'restored identical' } : { view, outcome: 'differs', because: difference };
  });
  const unread = broken.map(({ path, error }): DrilledView => ({ view: path, outcome: 'needs', because: `a file that can be read: ${error.message}` }));
  const known = new Set(judged.map(({ view }) => view));
  const unexported = unreadable.filter(({ name }) => !known.has(relationKey(name)));
  const blank = unexported.map(
    ({ name, reason }): DrilledView => ({ view: relationKey(name), outcome: 'needs', because: `a definition that could be exported: ${reason}` }),
  );
  return [...judged, ...unread, ...blank].sort((left, right) => compareText(left.view, right.view));
}
