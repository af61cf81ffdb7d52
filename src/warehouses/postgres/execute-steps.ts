import type { Step } from '../../core/plan.ts';
import type { Connection, ServerError } from '../postgres-family/connection.ts';
import type { ExecuteOutcome, StepFailure, StepResult } from '../warehouse.ts';
import { amongComparisons } from './comparison-path.ts';
import { isLockDenied } from './lock.ts';
import { type Refused, runEarly, runRefreshes } from './refresh-views.ts';

const outOfLocks = '53200';
const insufficientPrivilege = '42501';

export interface ExecuteOptions {
  readonly onStep: ((index: number) => void) | undefined;
  /** Major version. */
  readonly version: number;
}

/** What became of the steps, by their position in the plan. */
interface Progress {
  readonly results: StepResult[];
  /** Steps that were answered together share the time that has passed. */
  done(...indices: readonly number[]): void;
}

function createProgress(onStep: ExecuteOptions['onStep']): Progress {
  const results: StepResult[] = [];
  let last = performance.now();
  return {
    results,
    done: (...indices) => {
      const milliseconds = (performance.now() - last) / indices.length;
      last = performance.now();
      for (const index of indices) {
        results[index] = { milliseconds };
        onStep?.(index);
      }
    },
  };
}

interface Numbered {
  readonly index: number;
  readonly step: Step;
}

/** How much is sent before it is answered, in characters: enough for the server never to wait for us, and little that waits in our memory. */
const ahead = 200_000;

/** How many statements one message holds: each message costs the server and us about as much as a small statement. */
const together = 20;

/** Steps side by side, as messages. One that may be several statements, or nothing but a comment, is a message of its own, so that answers can be counted. */
function toMessages(steps: readonly Numbered[]): readonly (readonly Numbered[])[] {
  const messages: Numbered[][] = [];
  let isOpen = false;
  for (const each of steps) {
    const isSingle = isOneStatement(amongComparisons(each.step.sql));
    const last = messages.at(-1);
    if (last !== undefined && isOpen && isSingle && last.length < together) last.push(each);
    else messages.push([each]);
    isOpen = isSingle;
  }
  return messages;
}

function isOneStatement(sql: string): boolean {
  return /^\w/.test(sql) && !sql.includes(';');
}

async function runMessage(connection: Connection, message: readonly Numbered[], { done }: Progress): Promise<Refused | undefined> {
  const indices = message.map(({ index }) => index);
  const refused = await connection.runTogether(message.map(({ step }) => amongComparisons(step.sql)));
  if (refused === undefined) {
    done(...indices);
    return undefined;
  }
  // A step that is a message of its own may be several statements, and is done when all of them are.
  const [index, completed] = message.length === 1 ? [0, 0] : [refused.index, refused.completed];
  done(...indices.slice(0, completed));
  return { index: indices[index] ?? 0, error: refused.error };
}

const lengthOf = (message: readonly Numbered[]) => message.reduce((sum, { step }) => sum + step.sql.length, 0);

/** Sends the steps without waiting for answers. Behind a failed one the server runs none of the others, because the transaction is then void. */
async function runAtOnce(connection: Connection, steps: readonly Numbered[], progress: Progress): Promise<Refused | undefined> {
  const stops: (() => Refused)[] = [];
  const sent: Promise<unknown>[] = [];
  let underWay = 0;
  for (const message of toMessages(steps)) {
    while (underWay > ahead) await sent.shift();
    if (stops.length > 0) break;
    const length = lengthOf(message);
    underWay += length;
    const answered = runMessage(connection, message, progress)
      .then((refused) => refused && stops.push(() => refused))
      .catch((error: unknown) =>
        stops.push(() => {
          throw error;
        }),
      )
      .finally(() => {
        underWay -= length;
      });
    sent.push(answered);
  }
  await Promise.all(sent);
  return stops[0]?.();
}

/** Refreshes that stand side by side, and whatever else stands side by side. */
function toStretches(steps: readonly Numbered[]): readonly (readonly Numbered[])[] {
  const stretches: Numbered[][] = [];
  for (const each of steps) {
    const last = stretches.at(-1);
    if (last !== undefined && (last[0]?.step.kind === 'refresh') === (each.step.kind === 'refresh')) last.push(each);
    else stretches.push([each]);
  }
  return stretches;
}

interface Attempt {
  readonly connection: Connection;
  readonly version: number;
  readonly progress: Progress;
  /** Refreshes that the owners of their views may not run. */
  readonly early: ReadonlySet<number>;
}

async function runAll(steps: readonly Numbered[], { connection, version, progress, early }: Attempt): Promise<Refused | undefined> {
  for (const stretch of toStretches(steps)) {
    const isRefresh = stretch[0]?.step.kind === 'refresh';
    const run = isRefresh
      ? runRefreshes(
          connection,
          stretch.filter(({ index }) => !early.has(index)),
          { version, done: progress.done },
        )
      : runAtOnce(connection, stretch, progress);
    const refused = await run;
    if (refused) return refused;
  }
  return undefined;
}

/** Whether a view is made here, so that our role owns it at first. */
function isMade(steps: readonly Numbered[], { view }: Step): boolean {
  return steps.some(({ step }) => step.kind === 'create' && step.view.schema === view.schema && step.view.name === view.name);
}

/** Where everything is made and belongs to our role yet. */
function findFirstChange(steps: readonly Numbered[]): number {
  const created = steps.findIndex(({ step }) => step.kind === 'create');
  return steps.findIndex((each) => each.index > created && each.step.kind === 'alter' && isMade(steps.slice(0, each.index), each.step));
}

/**
 * Runs the steps again with the refreshes of `early` where our role still owns their views. A right that only others have filled them before.
 * https://www.postgresql.org/docs/current/sql-refreshmaterializedview.html
 */
async function runReordered(steps: readonly Numbered[], attempt: Attempt): Promise<Refused | undefined> {
  const position = findFirstChange(steps);
  const refused = await runAll(steps.slice(0, position), attempt);
  if (refused) return refused;
  const refreshes = steps.filter(({ step }) => step.kind === 'refresh');
  const filled = await runEarly(attempt.connection, refreshes, { ...attempt, done: attempt.progress.done });
  return filled ?? runAll(steps.slice(position), attempt);
}

const start = 'SAVEPOINT viewsync_steps';
const startOver = 'ROLLBACK TO SAVEPOINT viewsync_steps';

/**
 * Runs steps byte for byte in the open transaction. A refresh that fails is repeated behind the others, and one that its view's owner has no right
 * to run is put before the change of the owner, which starts all steps over.
 */
export async function executeSteps(connection: Connection, steps: readonly Step[], { onStep, version }: ExecuteOptions): Promise<ExecuteOutcome> {
  const numbered = steps.map((step, index) => ({ step, index }));
  const early = new Set<number>();
  const hasRefreshes = steps.some(({ kind }) => kind === 'refresh');
  if (hasRefreshes) await connection.run(start);
  for (;;) {
    const progress = createProgress(onStep);
    const attempt: Attempt = { connection, version, progress, early };
    const refused = await (early.size === 0 ? runAll(numbered, attempt) : runReordered(numbered, attempt));
    if (!refused) return { results: progress.results };
    const step = steps[refused.index] as Step;
    const isOpen =
      refused.error.code === insufficientPrivilege &&
      step.kind === 'refresh' &&
      !early.has(refused.index) &&
      isMade(numbered, step) &&
      findFirstChange(numbered) !== -1;
    if (!isOpen) return { results: progress.results, failure: toFailure(refused) };
    early.add(refused.index);
    await connection.run(startOver);
  }
}

function toFailure({ index, error }: Refused): StepFailure {
  const lock = isLockDenied(error) ? { isLock: true } : {};
  const { code, message, detail, hint, where }: ServerError = error;
  const full = code === outOfLocks ? `${message}: the server's setting max_locks_per_transaction is too small for so many changes at once` : message;
  return {
    index,
    message: full,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { context: where }),
    ...lock,
  };
}
