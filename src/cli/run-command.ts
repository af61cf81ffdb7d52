import type { Dialect } from '../core/dialect.ts';
import type { Plan } from '../core/plan.ts';
import type { ApplyOptions } from '../operations/apply-revision.ts';
import { renderOutline, renderPlan, renderScript } from '../render/plan.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';
import { BaseCommand, type TargetFlags } from './base-command.ts';
import { colorsFor } from './colors.ts';
import { confirm } from './confirm.ts';
import { pushOptions } from './flags.ts';

interface LockFlags {
  readonly verify: boolean;
  readonly push: boolean;
  readonly branch?: string | undefined;
  readonly 'lock-timeout'?: number | undefined;
}

interface RunFlags extends TargetFlags, LockFlags {
  readonly yes: boolean;
  readonly sql: boolean;
  readonly 'keep-going': boolean;
  readonly refresh: 'inside' | 'later';
}

const defaultLockTimeout = 5000;
const attempts = 5;

/** What commands share that change a warehouse: they show the plan, ask, and tell what they wait for. */
export abstract class RunCommand extends BaseCommand {
  /** How long to wait, what to compare, where to push, and what to tell meanwhile. */
  protected lockOptions(flags: LockFlags): Pick<ApplyOptions, 'lockTimeout' | 'attempts' | 'verify' | 'push' | 'pushedBranch' | 'progress' | 'onWait'> {
    return {
      lockTimeout: flags['lock-timeout'] ?? defaultLockTimeout,
      attempts,
      verify: flags.verify ? 'verify' : 'skip',
      ...pushOptions(flags),
      progress: this.progress,
      onWait: ({ attempt, holder }) =>
        this.tell(`A lock was not granted${holder === undefined ? '' : ` (held by ${holder})`}; trying again (${attempt} of ${attempts}).`),
    };
  }

  protected runOptions(
    flags: RunFlags,
    { dialect }: Warehouse,
  ): Pick<
    ApplyOptions,
    'lockTimeout' | 'attempts' | 'verify' | 'refresh' | 'afterFailure' | 'push' | 'pushedBranch' | 'confirm' | 'progress' | 'onStep' | 'onWait'
  > {
    return {
      ...this.lockOptions(flags),
      refresh: flags.refresh,
      afterFailure: flags['keep-going'] ? 'keep going' : 'put back',
      confirm: (plan) => this.confirmPlan(plan, flags, dialect),
      onStep: (done, total) => this.progress({ what: 'Step', done, total }),
    };
  }

  private async confirmPlan(plan: Plan, flags: RunFlags, dialect: Dialect): Promise<boolean> {
    if (!flags.json) this.tell(`${describePlan(plan, flags, dialect)}\n`);
    return confirm({ text: `Run these ${plan.steps.length} steps on "${plan.target}"?`, isAnswered: flags.yes });
  }
}

/** Everything to somebody who is asked; an outline where the answer was given before. */
function describePlan(plan: Plan, { sql, yes }: RunFlags, { isTransactional }: Dialect): string {
  const colors = colorsFor(process.stderr);
  if (sql) return renderScript(plan, { revision: 'this run', commit: undefined, isTransactional });
  return yes ? renderOutline(plan, colors) : renderPlan(plan, colors);
}
