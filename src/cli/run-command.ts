import type { Dialect } from '../core/dialect.ts';
import type { Plan } from '../core/plan.ts';
import type { ApplyOptions } from '../operations/apply-revision.ts';
import { renderOutline, renderPlan, renderScript } from '../render/plan.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';
import { BaseCommand, type TargetFlags } from './base-command.ts';
import { colorsFor } from './colors.ts';
import { confirm } from './confirm.ts';
import { pushOptions } from './flags.ts';

interface RunFlags extends TargetFlags {
  readonly yes: boolean;
  readonly sql: boolean;
  readonly verify: boolean;
  readonly 'keep-going': boolean;
  readonly push: boolean;
  readonly branch?: string | undefined;
  readonly 'lock-timeout'?: number | undefined;
}

const defaultLockTimeout = 5000;
const attempts = 5;

/** What commands share that change a warehouse: they show the plan, ask, and tell what they wait for. */
export abstract class RunCommand extends BaseCommand {
  protected runOptions(
    flags: RunFlags,
    { dialect }: Warehouse,
  ): Pick<ApplyOptions, 'lockTimeout' | 'attempts' | 'verify' | 'afterFailure' | 'push' | 'pushedBranch' | 'confirm' | 'progress' | 'onStep' | 'onWait'> {
    return {
      lockTimeout: flags['lock-timeout'] ?? defaultLockTimeout,
      attempts,
      verify: flags.verify ? 'verify' : 'skip',
      afterFailure: flags['keep-going'] ? 'keep going' : 'put back',
      ...pushOptions(flags),
      confirm: (plan) => this.confirmPlan(plan, flags, dialect),
      progress: this.progress,
      onStep: (done, total) => this.progress({ what: 'Step', done, total }),
      onWait: ({ attempt, holder }) =>
        this.tell(`A lock was not granted${holder === undefined ? '' : ` (held by ${holder})`}; trying again (${attempt} of ${attempts}).`),
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
