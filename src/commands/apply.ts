import { Args } from '@oclif/core';
import { targetFlags } from '../cli/base-command.ts';
import { applyFlags, overwriteFlag, planFlags, planOptions, scriptFlag, skipBrokenFlag } from '../cli/flags.ts';
import { RunCommand } from '../cli/run-command.ts';
import { exitCodes } from '../errors.ts';
import { applyRevision } from '../operations/apply-revision.ts';
import { renderApplied } from '../render/apply.ts';

export default class Apply extends RunCommand {
  static override readonly summary = 'Bring the warehouse to a revision.';
  static override readonly description =
    `Shows the plan, asks, and runs it, in one transaction where the warehouse has them: everything or nothing. What was changed is read back and compared before it is committed.
The state before is recorded first, so that "viewsync rollback" can undo it. Views that the revision does not have stay, unless --prune.
REVISION is anything that git resolves: HEAD, HEAD~3, a branch, a tag, main@{yesterday}; or "worktree" for files that are not committed.

Exit codes: 0 applied or nothing to do, 2 a step failed after others had taken effect, which were put back or stay as the message says (never where the warehouse has transactions), 3 a hazard, a conflict, not confirmed, or a view no longer fits and was skipped, 64 usage, 65 the revision or the plan is impossible, 69 warehouse, 75 rolled back and nothing changed, 78 configuration, 130 interrupted.`;
  static override readonly examples = [
    { description: 'Bring everything back after an accident', command: '<%= config.bin %> apply HEAD' },
    { description: 'One view and all that it reads, as it was last week', command: "<%= config.bin %> apply 'main@{1 week ago}' --select '+shop.orders'" },
    { description: 'From a workflow', command: '<%= config.bin %> apply HEAD --yes --lock-timeout 2s --push' },
  ];
  static override readonly args = {
    revision: Args.string({ description: 'The state to bring about.', required: true }),
  };
  static override readonly flags = { ...targetFlags, ...planFlags, ...overwriteFlag, ...applyFlags, ...skipBrokenFlag, ...scriptFlag };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Apply);
    const result = await this.withWarehouse(flags, ({ project, target, warehouse }) =>
      applyRevision(project, target, {
        ...planOptions(flags),
        ...this.runOptions(flags, warehouse),
        misfits: flags['skip-broken'] ? 'skip' : 'stop',
        warehouse,
        revision: args.revision,
      }),
    );
    this.print(flags, result, renderApplied({ ...result, isVerified: flags.verify }, this.colors));
    if (result.broken) this.exitWith(exitCodes.needsPerson);
  }
}
