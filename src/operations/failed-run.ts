import type { Dialect } from '../core/dialect.ts';
import type { Plan, Step } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import type { ApplyReport, StepOutcome } from '../core/report.ts';
import { ViewsyncError } from '../errors.ts';
import type { ExecuteOutcome, StepFailure } from '../warehouses/warehouse.ts';

/** What of a dialect decides what is left of a run that failed. */
type Abilities = Pick<Dialect, 'isTransactional'>;

/** What became of each step, those that ran being `done` now. */
export function reportSteps(steps: readonly Step[], outcome: ExecuteOutcome, done: StepOutcome): ApplyReport['steps'] {
  return steps.map((step, index) => {
    const result = outcome.results[index];
    if (result) return { step, outcome: done, milliseconds: result.milliseconds };
    return { step, outcome: outcome.failure?.index === index ? 'failed' : 'not run', milliseconds: 0 };
  });
}

/** How the warehouse stands after a run that failed when `applied` of its steps had taken effect. */
function leave(applied: number, total: number, { isTransactional }: Abilities): { readonly code: 'ROLLED_BACK' | 'STEP_FAILED'; readonly state: string } {
  if (isTransactional) return { code: 'ROLLED_BACK', state: 'Rolled back; nothing changed.' };
  if (applied === 0) return { code: 'ROLLED_BACK', state: 'It was the first one; nothing changed.' };
  return { code: 'STEP_FAILED', state: `${applied} of ${total} steps were applied and stay, since this warehouse cannot take them back.` };
}

const waysOn = ['viewsync status', 'viewsync rollback   (brings back the state before)'];

function describeStep(plan: Plan, { index, message, detail, hint }: StepFailure): string {
  const step = plan.steps[index];
  const parts = [message, detail, hint].filter((part) => part !== undefined && part !== '');
  return `Step ${index + 1} of ${plan.steps.length} (${step?.kind} ${step ? relationKey(step.view) : ''}) was refused: ${parts.join(' ')}`;
}

/** The error of a refused step: `ROLLED_BACK` when nothing is left of the run, `STEP_FAILED` when the steps before it stay. */
export function refusedStep(plan: Plan, outcome: ExecuteOutcome & { readonly failure: StepFailure }, abilities: Abilities): ViewsyncError {
  const { failure, results } = outcome;
  const step = plan.steps[failure.index];
  const { code, state } = leave(results.length, plan.steps.length, abilities);
  const report: ApplyReport = {
    steps: reportSteps(plan.steps, outcome, code === 'STEP_FAILED' ? 'applied' : 'rolled back'),
    failure: { ...(step ? { step } : {}), message: failure.message, ...(failure.code === undefined ? {} : { code: failure.code }) },
  };
  return new ViewsyncError(code, {
    message: `${describeStep(plan, failure)} ${state}`,
    suggestions: code === 'STEP_FAILED' ? waysOn : ['viewsync plan shows every step with its SQL.'],
    details: { report, code: failure.code, sql: step?.sql },
  });
}

/** Whether something of a failed run may stay: steps that nothing takes back, or a transaction whose connection was lost while it was being committed. */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (!(error instanceof ViewsyncError)) return false;
  return error.code === 'STEP_FAILED' || (error.code === 'CONNECTION_LOST' && error.details['transaction'] !== undefined);
}

/** The error of a run after which the warehouse holds something else than planned: `ROLLED_BACK`, or `STEP_FAILED` where it stays so. */
export function failedVerification(plan: Plan, differences: readonly string[], abilities: Abilities): ViewsyncError {
  const { code, state } = leave(plan.steps.length, plan.steps.length, abilities);
  return new ViewsyncError(code, {
    message: `After the last step the warehouse did not hold what was planned (${differences.slice(0, 5).join('; ')}). ${state}`,
    suggestions: [...(code === 'STEP_FAILED' ? waysOn : ['viewsync plan']), 'viewsync diff'],
    details: { differences },
  });
}

/** What to raise when the steps broke off for any other reason: where they are not rolled back, that some of them may stay. */
export function brokenOff(error: unknown, { isTransactional }: Abilities): unknown {
  const isTold = error instanceof ViewsyncError && (error.code === 'ROLLED_BACK' || error.code === 'STEP_FAILED');
  if (isTransactional || isTold) return error;
  return new ViewsyncError('STEP_FAILED', {
    message: `The run broke off: ${error instanceof Error ? error.message : String(error)} Steps that were applied stay, since this warehouse cannot take them back.`,
    suggestions: waysOn,
    cause: error,
  });
}
