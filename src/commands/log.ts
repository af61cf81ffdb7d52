import { Args, Flags } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { listHistory } from '../operations/list-history.ts';
import { adapterOf } from '../project.ts';
import { renderLog } from '../render/log.ts';

export default class Log extends BaseCommand {
  static override readonly summary = 'Show what happened to the views, or to one of them.';
  static override readonly description =
    `Lists the commits of this branch that changed the views of the target, newest first, with what changed of each. Needs no connection. Changes nothing.

Exit codes: 0 told, 64 usage, 65 the view is unknown, 78 configuration.`;
  static override readonly examples = ['<%= config.bin %> log', { description: 'One view', command: '<%= config.bin %> log shop.orders' }];
  static override readonly args = { view: Args.string({ description: 'Only this view.' }) };
  static override readonly flags = {
    ...targetFlags,
    limit: Flags.integer({ char: 'n', summary: 'At most this many commits.', helpValue: 'COUNT', default: 20, min: 1, env: 'VIEWSYNC_LIMIT' }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Log);
    const { project, target } = await this.openTarget(flags);
    const { dialect } = await adapterOf(target);
    const entries = await listHistory(project, target, { limit: flags.limit, dialect, ...(args.view === undefined ? {} : { view: args.view }) });
    this.print(flags, entries, renderLog(entries, { view: args.view, colors: this.colors }));
  }
}
