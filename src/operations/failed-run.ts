import type { Dialect } from '../core/dialect.ts';
import type { Plan } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import type { ApplyReport } from '../core/report.ts';
import { endSentence } from '../core/sentence.ts';
import { ViewsyncError } from '../errors.ts';
import type { StepFailure } from '../warehouses/warehouse.ts';
import type { Aftermath } from './put-back.ts';
import { type Execution, hasTakenEffect, reportSteps } from './run-steps.ts';

/** What of a dialect decides what is left of a run that failed. */
type Abilities = Pick<Dialect, 'isTransactional'>;

const waysOn = ['viewsync status', 'viewsync rollback   (brings back the state before)'];

function describeStep(plan: Plan, { index, message, detail, hint }: StepFailure): string {
  const step = plan.steps[index];
  const parts = [message, detail, hint].filter((part) => part !== undefined && part !== '');
  return `Step ${index + 1} of ${plan.steps.length} (${step?.kind} ${step ? relationKey(step.view) : ''}) was refused: ${endSentence(parts.join(' '))}`;
}

function makeReport(plan: Plan, execution: Execution, done: 'applied' | 'undone' | 'rolled back'): ApplyReport {
  const [failure] = execution.failures;
  const step = failure && plan.steps[failure.index];
  const steps = reportSteps(plan, execution, done);
  if (!failure) return { steps };
  const { message, code, context } = failure;
  return { steps, failure: { ...(step ? { step } : {}), message, ...(code === undefined ? {} : { code }), ...(context === undefined ? {} : { context }) } };
}

/** What else can be done about a materialized view that cannot be filled. */
function anotherTime({ steps }: Plan, failure: StepFailure | undefined): readonly string[] {
  const isRefresh = failure !== undefined && steps[failure.index]?.kind === 'refresh';
  return isRefresh ? ['Add --refresh later: everything else is brought back, and the view is there and holds no data.'] : [];
}

interface Failed {
  readonly plan: Plan;
  readonly execution: Execution;
}

function raise(
  { plan, execution }: Failed,
  content: { code: 'ROLLED_BACK' | 'STEP_FAILED' | 'WAREHOUSE_MOVED'; state: string; report: ApplyReport; rest?: object },
): ViewsyncError {
  const { code, state, report, rest = {} } = content;
  const [failure] = execution.failures;
  const said = execution.failures.map((each) => describeStep(plan, each)).join(' ');
  return new ViewsyncError(code, {
    message: `${said} ${state}`,
    suggestions: [...plan.watchers, ...(code === 'STEP_FAILED' ? waysOn : [...anotherTime(plan, failure), 'viewsync plan shows every step with its SQL.'])],
    details: { report, code: failure?.code, sql: failure && plan.steps[failure.index]?.sql, ...rest },
  });
}

function interruptedRun({ plan, execution }: Failed): ViewsyncError {
  return new ViewsyncError('INTERRUPTED', {
    message: 'Interrupted before the first step; nothing changed.',
    suggestions: ['viewsync status'],
    details: { report: makeReport(plan, execution, 'rolled back') },
  });
}

/** The error of a run of which nothing is left: it was rolled back, or its first step failed. */
export function refusedRun(failed: Failed, { isTransactional }: Abilities): ViewsyncError {
  if (failed.execution.isInterrupted) return interruptedRun(failed);
  const state = isTransactional ? 'Rolled back; nothing changed.' : 'It was the first one; nothing changed.';
  const code = failed.execution.failures[0]?.code === 'WAREHOUSE_MOVED' ? 'WAREHOUSE_MOVED' : 'ROLLED_BACK';
  return raise(failed, { code, state, report: makeReport(failed.plan, failed.execution, 'rolled back') });
}

/** Whether a run failed where nothing rolls back, and steps of it may have taken effect. */
export function leavesSomething({ execution }: Failed, { isTransactional }: Abilities): boolean {
  return !isTransactional && hasTakenEffect(execution);
}

function describeViews({ views }: Aftermath): string {
  const states = [...new Set(views.map(({ state }) => state))];
  return states
    .map(
      (state) =>
        `${state}: ${views
          .filter((view) => view.state === state)
          .map(({ view }) => view)
          .join(', ')}`,
    )
    .join('; ');
}

/** What became of the steps that were applied before one was refused, in whole sentences. */
function describeAftermath(aftermath: Aftermath, applied: number, total: number): string {
  if (aftermath.outcome === 'put back') return `The ${applied} of ${total} steps applied before were undone: every view is as it was before.`;
  const because = aftermath.outcome === 'failed' ? ` Putting back failed: ${aftermath.because}` : '';
  return `${applied} of ${total} steps were applied and stay, since this warehouse cannot take them back.${because} The views are ${describeViews(aftermath)}.`;
}

/** The error of a run that failed where nothing rolls back, with the state that each view is in. */
export function failedRun(failed: Failed, aftermath: Aftermath): ViewsyncError {
  const { plan, execution } = failed;
  const applied = execution.steps.filter(({ outcome }) => outcome === 'applied').length;
  const isUndone = aftermath.outcome === 'put back';
  return raise(failed, {
    code: 'STEP_FAILED',
    state: describeAftermath(aftermath, applied, plan.steps.length),
    report: makeReport(plan, execution, isUndone ? 'undone' : 'applied'),
    rest: { views: aftermath.views, putBack: aftermath.outcome },
  });
}

/** Whether something of a failed run may stay: steps that nothing took back, or a transaction whose connection was lost while it was being committed. */
export function mayHaveTakenEffect(error: unknown): boolean {
  if (!(error instanceof ViewsyncError)) return false;
  if (error.code === 'STEP_FAILED') return error.details['putBack'] !== 'put back';
  return error.code === 'CONNECTION_LOST' && error.details['transaction'] !== undefined;
}

/** The error of a run after which the warehouse holds something else than planned: `ROLLED_BACK`, or `STEP_FAILED` where it stays so. */
export function failedVerification(plan: Plan, differences: readonly string[], { isTransactional }: Abilities): ViewsyncError {
  const code = isTransactional ? 'ROLLED_BACK' : 'STEP_FAILED';
  const total = plan.steps.length;
  const state = isTransactional
    ? 'Rolled back; nothing changed.'
    : `${total} of ${total} steps were applied and stay, since this warehouse cannot take them back.`;
  return new ViewsyncError(code, {
    message: `After the last step the warehouse did not hold what was planned (${differences.slice(0, 5).join('; ')}). ${state}`,
    suggestions: [...plan.watchers, ...(isTransactional ? ['viewsync plan'] : waysOn), 'viewsync diff'],
    details: { differences },
  });
}

/** What to raise when the steps broke off for any other reason: where they are not rolled back, that some of them may stay. */
export function brokenOff(error: unknown, { isTransactional }: Abilities): unknown {
  const isTold = error instanceof ViewsyncError && ['ROLLED_BACK', 'STEP_FAILED', 'WAREHOUSE_MOVED', 'INTERRUPTED'].includes(error.code);
  if (isTransactional || isTold) return error;
  return new ViewsyncError('STEP_FAILED', {
    message: `The run broke off: ${error instanceof Error ? error.message : String(error)} Steps that were applied stay, since this warehouse cannot take them back.`,
    suggestions: waysOn,
    cause: error,
  });
}
