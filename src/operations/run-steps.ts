import type { Plan, Step } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import type { ApplyReport, StepOutcome } from '../core/report.ts';
import type { ExecuteOutcome, StepFailure, Transaction } from '../warehouses/warehouse.ts';

export interface StepsOptions {
  /** What a failed step means for the others where DDL is not transactional: none of them runs, or those that have nothing to do with its view do. */
  readonly afterFailure?: 'put back' | 'keep going' | undefined;
  readonly onStep?: ((done: number, total: number) => void) | undefined;
  /** Stops before the next step where DDL is not transactional. */
  readonly signal?: AbortSignal | undefined;
}

/** What became of the steps of a plan, in their order. */
export interface Execution {
  readonly steps: readonly { readonly outcome: StepOutcome; readonly milliseconds: number }[];
  /** In the order in which they happened; `index` counts from the plan's first step. */
  readonly failures: readonly StepFailure[];
  /** Set when no step was begun, since somebody wished for an end. */
  readonly isInterrupted?: true;
}

const interruption = 'it was interrupted.';

const notRun: ExecuteOutcome = { results: [] };

/** Whether a step is about one of these views, or about one that will read it. */
function isConcerned({ view }: Step, failed: ReadonlySet<string>, reads: ReadonlyMap<string, readonly string[]>): boolean {
  const key = relationKey(view);
  return failed.has(key) || (reads.get(key) ?? []).some((read) => failed.has(read));
}

/** One after the other, stopping or going on after a failure as asked. */
async function runSingly(plan: Plan, transaction: Transaction, { afterFailure, onStep, signal }: StepsOptions): Promise<Execution> {
  const reads = new Map([...plan.before, ...plan.after].map((view) => [relationKey(view.name), view.reads.map(relationKey)]));
  const steps: { outcome: StepOutcome; milliseconds: number }[] = [];
  const failures: StepFailure[] = [];
  const stopped = new Set<string>();
  const isSkipped = (step: Step) => failures.length > 0 && (signal?.aborted === true || afterFailure !== 'keep going' || isConcerned(step, stopped, reads));
  for (const [index, step] of plan.steps.entries()) {
    if (signal?.aborted === true && failures.length === 0) failures.push({ index, message: interruption });
    const { failure, results } = isSkipped(step) ? notRun : await transaction.execute([step]);
    const milliseconds = results[0]?.milliseconds;
    if (failure) failures.push({ ...failure, index });
    if (milliseconds === undefined) stopped.add(relationKey(step.view));
    else onStep?.(index + 1, plan.steps.length);
    steps.push({ outcome: failure ? 'failed' : milliseconds === undefined ? 'not run' : 'applied', milliseconds: milliseconds ?? 0 });
  }
  return { steps, failures };
}

function stopBefore({ steps }: Plan): Execution {
  return { isInterrupted: true, failures: [{ index: 0, message: interruption }], steps: steps.map(() => ({ outcome: 'not run', milliseconds: 0 })) };
}

async function runTogether({ steps }: Plan, transaction: Transaction, { onStep }: StepsOptions): Promise<Execution> {
  const { results, failure } = await transaction.execute(steps, (index) => onStep?.(index + 1, steps.length));
  const outcomes = steps.map((_, index) => {
    const result = results[index];
    const outcome: StepOutcome = result ? 'applied' : failure?.index === index ? 'failed' : 'not run';
    return { outcome, milliseconds: result?.milliseconds ?? 0 };
  });
  return { steps: outcomes, failures: failure ? [failure] : [] };
}

/** Runs the steps of a plan byte for byte: pipelined in one transaction, or singly where nothing could take them back. Failures are returned. */
export async function runSteps(plan: Plan, transaction: Transaction, options: StepsOptions & { readonly isTransactional: boolean }): Promise<Execution> {
  if (options.isTransactional) return runTogether(plan, transaction, options);
  return options.signal?.aborted ? stopBefore(plan) : runSingly(plan, transaction, options);
}

/** Whether the warehouse may differ from the state before. */
export function hasTakenEffect({ steps, failures }: Execution): boolean {
  return steps.some(({ outcome }) => outcome === 'applied') || failures.some(({ isUncertain }) => isUncertain === true);
}

/** The report of an execution; what was applied is `done` now. */
export function reportSteps({ steps }: Plan, execution: Execution, done: StepOutcome): ApplyReport['steps'] {
  return steps.flatMap((step, index) => {
    const { outcome, milliseconds } = execution.steps[index] ?? { outcome: 'not run', milliseconds: 0 };
    return [{ step, milliseconds, outcome: outcome === 'applied' ? done : outcome }];
  });
}
