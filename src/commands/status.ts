import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { exitCodeFlag } from '../cli/flags.ts';
import { exitCodes } from '../errors.ts';
import { readStatus } from '../operations/read-status.ts';
import { isClean, renderStatus } from '../render/status.ts';

export default class Status extends BaseCommand {
  static override readonly summary = 'Show which views differ between git and the warehouse.';
  static override readonly description =
    `Says for every view that differs where it changed: "drift" in the warehouse, "pending" in git, "conflict" in both. Also names a run that was interrupted, and how to end it.
Changes nothing.

Exit codes: 0 told, 1 there are differences (only with --exit-code), 69 warehouse, 78 configuration.`;
  static override readonly examples = ['<%= config.bin %> status', { description: 'In a script', command: '<%= config.bin %> status --exit-code --json' }];
  static override readonly flags = { ...targetFlags, ...exitCodeFlag };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Status);
    const status = await this.withWarehouse(flags, ({ project, target, warehouse }) => readStatus(project, target, { warehouse, progress: this.progress }));
    this.print(flags, status, renderStatus(status, this.colors));
    if (flags['exit-code'] && !isClean(status)) this.exitWith(exitCodes.differs);
  }
}
