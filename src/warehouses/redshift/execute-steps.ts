import type { Step } from '../../core/plan.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { ExecuteOutcome, StepResult } from '../warehouse.ts';

const queryCanceled = '57014';

/** Milliseconds that a statement may take which only changes the catalog: what it takes beyond is waiting for somebody's lock. */
const longestChange = 60_000;

/** Making or refreshing a materialized view computes all of it. */
function timeoutOf({ sql }: Step): number {
  return /^(?:CREATE|REFRESH) MATERIALIZED/.test(sql) ? 0 : longestChange;
}

/** Runs the steps in order, each by itself; stops at the first that the server refuses. `onError` is told what it said. */
export async function executeSteps(
  connection: Connection,
  steps: readonly Step[],
  { onStep, onError }: { readonly onStep: ((index: number) => void) | undefined; readonly onError: (error: unknown) => void },
): Promise<ExecuteOutcome> {
  const results: StepResult[] = [];
  let timeout: number | undefined;
  for (const [index, step] of steps.entries()) {
    const started = performance.now();
    try {
      if (timeoutOf(step) !== timeout) await connection.run(`SET statement_timeout TO ${timeoutOf(step)}`);
      timeout = timeoutOf(step);
      await connection.run(step.sql);
    } catch (error) {
      if (!isServerError(error)) throw error;
      onError(error);
      const { code, message, detail, hint } = error;
      const more = {
        ...(detail === undefined ? {} : { detail }),
        ...(hint === undefined ? {} : { hint }),
        ...(code === queryCanceled ? { isLock: true } : {}),
      };
      return { results, failure: { index, message, code, ...more } };
    }
    results.push({ milliseconds: performance.now() - started });
    onStep?.(index);
  }
  return { results };
}
