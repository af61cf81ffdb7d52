import { describeChange } from '../core/commit-message.ts';
import { diffViews } from '../core/compare.ts';
import { compareText, relationKey } from '../core/relation.ts';
import { objectsOf } from '../core/snapshot.ts';
import type { View } from '../core/view.ts';
import type { ViewsyncError } from '../errors.ts';
import type { FailedStandIn, Scratch } from '../warehouses/scratch.ts';
import { findLikeness } from './likeness.ts';
import type { Restored } from './restore-in-scratch.ts';

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
}

const absentRelations = [/^relation "(.+)" does not exist/, / reads (.+), which does not exist\./];
const absentObject = /^(type|function|aggregate|collation|schema|text search configuration) "?(.+?)"? does not exist/;

const bare = (text: string) => text.replaceAll('"', '');

function fateOf(failed: FailedStandIn | undefined): string {
  return failed ? `could not be stood in (${failed.because})` : 'no longer exists';
}

/** What a refusal of the server or of the planner asks for: `shop.orders, which no longer exists`. Any other refusal is told as it is. */
function toNeed(because: string, missing: readonly FailedStandIn[]): string {
  const relation = absentRelations.map((pattern) => pattern.exec(because)?.[1]).find((found) => found !== undefined);
  if (relation !== undefined) {
    const isIt = ({ standIn }: FailedStandIn) => standIn.relation !== undefined && bare(relationKey(standIn.relation)) === bare(relation);
    return `${relation}, which ${fateOf(missing.find(isIt))}`;
  }
  const [, kind, name = ''] = absentObject.exec(because) ?? [];
  if (kind === undefined) return because;
  const start = bare(`${kind} ${name.split('(')[0]}`);
  return `${kind} ${name}, which ${fateOf(missing.find(({ standIn }) => bare(standIn.what).split('(')[0] === start))}`;
}

async function findDifferences({ scratch, wanted, restored }: Evidence): Promise<ReadonlyMap<string, string>> {
  const { dialect, settle } = scratch.warehouse;
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
  const { wanted, restored, missing, broken } = evidence;
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
  return [...judged, ...unread].sort((left, right) => compareText(left.view, right.view));
}
