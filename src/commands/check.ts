import { Args, Flags } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { pushFlags, pushOptions } from '../cli/flags.ts';
import { exitCodes } from '../errors.ts';
import { checkRelations } from '../operations/check-relations.ts';
import { isCurrent, renderCheck } from '../render/check.ts';

export default class Check extends BaseCommand {
  static override readonly summary = 'Say whether everything that depends on some tables is backed up, before they are changed.';
  static override readonly description =
    `Lists every view that depends on the relations, directly or not, with the state of its backup: current when the live line holds it as it is and the branch has taken that in, with --push also when the remote has both. Names what no migration could bring back, such as a table's column of a view's row type.
RELATION is a table or a view: "shop.orders", 'shop."My Table"', or a glob such as "shop.*". A migration pipeline calls this first and stops unless it ends with 0.

Exit codes: 0 every backup is current and nothing would be lost, 3 a backup is stale, missing or not committed, something would be lost, or a run was interrupted, 64 usage, 65 there is no such relation, 69 warehouse or remote, 78 configuration.`;
  static override readonly examples = [
    '<%= config.bin %> check shop.orders',
    { description: 'Back up first what is not', command: '<%= config.bin %> check shop.orders --export --push' },
    { description: 'In a pipeline', command: "<%= config.bin %> check 'shop.*' --json" },
  ];
  static override readonly strict = false;
  static override readonly args = {
    relation: Args.string({ description: 'The table or view that will be changed; several may follow.', required: true }),
  };
  static override readonly flags = {
    ...targetFlags,
    ...pushFlags,
    export: Flags.boolean({ summary: 'Export first what is missing or stale.', env: 'VIEWSYNC_EXPORT' }),
  };

  override async run(): Promise<void> {
    const { flags, argv } = await this.parse(Check);
    const backup = flags.export ? 'export' : 'look';
    const result = await this.withWarehouse(flags, ({ project, target, warehouse }) =>
      checkRelations(project, target, { warehouse, relations: argv as string[], backup, ...pushOptions(flags), progress: this.progress }),
    );
    this.print(flags, result, renderCheck(result, this.colors));
    if (!isCurrent(result)) this.exitWith(exitCodes.needsPerson);
  }
}
