import { Args, Flags } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { showView } from '../operations/show-view.ts';
import { adapterOf } from '../project.ts';

export default class Show extends BaseCommand {
  static override readonly summary = 'Print the file of a view, as any revision has it.';
  static override readonly description = `Prints the file byte for byte: it runs as it stands. Needs no connection. Changes nothing.

Exit codes: 0 printed, 64 usage, 65 the view or the revision is unknown, 78 configuration.`;
  static override readonly examples = [
    '<%= config.bin %> show shop.orders',
    { description: 'As it was', command: '<%= config.bin %> show shop.orders --at HEAD~1' },
  ];
  static override readonly args = { view: Args.string({ description: 'The view: schema.name, or its name where only one schema has it.', required: true }) };
  static override readonly flags = {
    ...targetFlags,
    at: Flags.string({ summary: 'Anything that git resolves, or "worktree".', helpValue: 'REVISION', default: 'HEAD', env: 'VIEWSYNC_AT' }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Show);
    const { project, target } = await this.openTarget(flags);
    const { dialect } = await adapterOf(target);
    const shown = await showView(project, target, { view: args.view, at: flags.at, dialect });
    this.print(flags, shown, shown.text);
  }
}
