import { targetFlags } from '../cli/base-command.ts';
import { allowFlag, applyFlags, scriptFlag } from '../cli/flags.ts';
import { RunCommand } from '../cli/run-command.ts';
import { rollbackRun } from '../operations/rollback-run.ts';
import { renderApplied } from '../render/apply.ts';

export default class Rollback extends RunCommand {
  static override readonly summary = 'Undo the last apply.';
  static override readonly description =
    `Brings back what the last apply or rollback touched, as it was before. Done twice it undoes itself. It also ends a run that was interrupted.

Exit codes: 0 rolled back, 2 a step failed after others had taken effect, which were put back or stay as the message says (never where the warehouse has transactions), 3 a hazard or not confirmed, 65 there is nothing to undo, 69 warehouse, 75 rolled back and nothing changed, 78 configuration, 130 interrupted.`;
  static override readonly examples = ['<%= config.bin %> rollback', '<%= config.bin %> rollback --yes --push'];
  static override readonly flags = { ...targetFlags, ...allowFlag, ...applyFlags, ...scriptFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Rollback);
    const result = await this.withWarehouse(flags, ({ project, target, warehouse }) =>
      rollbackRun(project, target, { ...this.runOptions(flags, warehouse), warehouse, allowed: flags.allow ?? [] }),
    );
    this.print(flags, result, renderApplied({ ...result, isVerified: flags.verify }, this.colors));
  }
}
