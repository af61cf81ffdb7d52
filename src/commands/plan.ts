import { Args } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { exitCodeFlag, overwriteFlag, planFlags, planOptions, scriptFlag } from '../cli/flags.ts';
import { exitCodes } from '../errors.ts';
import { planRevision } from '../operations/plan-revision.ts';
import { findObstacle, renderPlan, renderScript } from '../render/plan.ts';

export default class Plan extends BaseCommand {
  static override readonly summary = 'Show every statement that would bring a revision back.';
  static override readonly description = `Compares the revision with the warehouse and prints the steps of an apply, in order, each with its reason.
Changes nothing. REVISION is anything that git resolves: HEAD, HEAD~3, a branch, a tag, main@{yesterday}; or "worktree" for files that are not committed.

Exit codes: 0 planned, 1 there are steps (only with --exit-code), 3 a hazard needs --allow or a view is in conflict, 64 usage, 65 the revision or the plan is impossible, 69 warehouse, 78 configuration.`;
  static override readonly examples = [
    '<%= config.bin %> plan HEAD',
    { description: 'One ordered script, for psql', command: '<%= config.bin %> plan HEAD~1 --sql > restore.sql' },
    { description: 'One view with all that it reads', command: "<%= config.bin %> plan HEAD --select '+shop.orders'" },
  ];
  static override readonly args = {
    revision: Args.string({ description: 'The state to bring about.', default: 'HEAD' }),
  };
  static override readonly flags = { ...targetFlags, ...planFlags, ...overwriteFlag, ...scriptFlag, ...exitCodeFlag };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Plan);
    const options = planOptions(flags);
    const planned = await this.withWarehouse(flags, ({ project, target, warehouse }) =>
      planRevision(project, target, { ...options, warehouse, revision: args.revision, progress: this.progress }),
    );
    const { commit, revision, reading } = planned;
    const plan = { ...planned.plan, hazards: planned.plan.hazards.filter(({ name }) => !options.allowed.includes(name)) };
    const { isTransactional, bystanderSettings } = reading.dialect;
    const script = { revision, commit, isTransactional, bystanderSettings };
    this.print(flags, { plan, revision, commit }, flags.sql ? renderScript(plan, script) : renderPlan(plan, this.colors));
    this.exitWith(findObstacle(plan) ?? (flags['exit-code'] && plan.steps.length > 0 ? exitCodes.differs : 0));
  }
}
