import type { Plan, Step } from '../core/plan.ts';
import { type RelationName, relationKey } from '../core/relation.ts';
import type { ScriptStatement } from '../core/script.ts';
import type { View } from '../core/view.ts';
import type { ScriptSession } from '../warehouses/script-session.ts';
import { type AtomicTransaction, LockNotGranted, type StepFailure, type Transaction } from '../warehouses/warehouse.ts';
import type { Surroundings } from './detour.ts';
import { vetoed } from './failed-script.ts';

/** One statement that ran, in the order in which they ran: the script's, or one of ours around it. */
export interface MigrationAct {
  readonly origin: 'script' | 'viewsync';
  readonly sql: string;
  /** Why it was needed; where it stands, for a statement of the script. */
  readonly because: string;
  readonly view?: string;
  readonly milliseconds: number;
}

/** A view that is gone for the moment. */
export interface AbsentView {
  readonly view: View;
  /** `script`: a statement of the script took it along without naming it. */
  readonly takenBy: 'viewsync' | 'script';
  /** The statement that it made way for, where that is known. */
  readonly at?: ScriptStatement;
}

/** A view that does not fit what the script has made of the tables. */
export interface BrokenView {
  readonly view: string;
  readonly because: string;
  readonly file?: string;
  readonly line?: number;
  /** What something that it misses is called now. */
  readonly hint?: string;
}

export interface ScriptOptions {
  readonly statements: readonly ScriptStatement[];
  readonly surroundings: Surroundings;
  /** What is no view and hangs on one, as it was before the script. */
  readonly bystanders: readonly View[];
  /** All views, likewise. */
  readonly before: readonly View[];
  /** Which bystanders a view needs, by its `relationKey`, as it was before the script. */
  readonly needs: ReadonlyMap<string, readonly RelationName[]>;
  /** Whether a view that no longer fits stops everything, or is left out. */
  readonly misfits: 'stop' | 'skip';
  readonly verify: 'verify' | 'skip';
  readonly onStatement?: (done: number, total: number) => void;
}

/** A script at work. What changes is what the database holds. */
export interface RunningScript extends Omit<ScriptOptions, 'bystanders'> {
  bystanders: readonly View[];
  /** Whether the script may have made other bystanders since these were read, or have given them other names. */
  isOutdated: boolean;
  readonly transaction: Transaction;
  readonly atomic: AtomicTransaction;
  readonly session: ScriptSession;
  readonly acts: MigrationAct[];
  /** By `relationKey`. */
  readonly absent: Map<string, AbsentView>;
  /** Why a view that a statement names could not be put back before it, by `relationKey`. */
  readonly unfit: Map<string, string>;
  /** Keys of the views that were put back. */
  readonly restored: Set<string>;
  views: ReadonlyMap<string, RelationName>;
  /** Makes again what was dropped last; see `withReason`. */
  wayBack?: Plan;
}

// What a function raises. https://www.postgresql.org/docs/current/errcodes-appendix.html
const raised = /^P0/;

/** Whether what watches statements has refused one, or failed itself, which says nothing about the view. A refresh, an index and a check call functions themselves. */
function isVetoed({ code = '', context = '' }: StepFailure, { kind, view }: Step, { watchers = [], watching = [] }: Surroundings): boolean {
  if (watching.some((routine) => context.includes(routine))) return true;
  const callsFunctions = kind === 'refresh' || view.object?.kind === 'index' || view.object?.kind === 'check';
  return raised.test(code) && watchers.length > 0 && !callsFunctions;
}

/** Runs steps of ours; throws `LockNotGranted` when only a lock was missing, `ROLLED_BACK` for a veto. */
export async function runOurs(
  { transaction, acts, surroundings }: RunningScript,
  { steps }: Pick<Plan, 'steps'>,
): Promise<(StepFailure & { readonly step: Step }) | undefined> {
  const { results, failure } = await transaction.execute(steps);
  for (const [index, { sql, because, view }] of steps.entries()) {
    const result = results[index];
    if (result) acts.push({ origin: 'viewsync', sql, because, view: relationKey(view), milliseconds: result.milliseconds });
  }
  if (!failure) return undefined;
  const step = steps[failure.index] as Step;
  if (failure.isLock) throw new LockNotGranted({ what: `"${relationKey(step.view)}"`, view: step.view });
  if (isVetoed(failure, step, surroundings)) throw vetoed(step, failure, surroundings.watchers ?? []);
  return { ...failure, step };
}
