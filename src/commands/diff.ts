import { Args, Flags } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { exitCodeFlag } from '../cli/flags.ts';
import { exitCodes } from '../errors.ts';
import { diffRevisions } from '../operations/diff-revisions.ts';
import { adapterOf, connectTarget } from '../project.ts';
import { renderDifference } from '../render/difference.ts';

export default class Diff extends BaseCommand {
  static override readonly summary = 'Show how views differ: git against the warehouse, or commit against commit.';
  static override readonly description =
    `Prints for each view what differs, columns first, and a unified diff of its file. FROM and TO are anything that git resolves, "worktree" for files
that are not committed, or "live" for the warehouse as it is now. Connects only for "live". Changes nothing.

Exit codes: 0 told, 1 there are differences (only with --exit-code), 64 usage, 65 the revision is unknown, 69 warehouse, 78 configuration.`;
  static override readonly examples = [
    { description: 'What is different in the warehouse', command: '<%= config.bin %> diff' },
    { description: 'What the last commit changed', command: '<%= config.bin %> diff HEAD~1 HEAD' },
    { description: 'How much, file by file', command: '<%= config.bin %> diff HEAD --stat' },
  ];
  static override readonly args = {
    from: Args.string({ description: 'The older side.', default: 'HEAD' }),
    to: Args.string({ description: 'The newer side.', default: 'live' }),
  };
  static override readonly flags = {
    ...targetFlags,
    view: Flags.string({ summary: 'Only this view.', helpValue: 'VIEW', env: 'VIEWSYNC_VIEW' }),
    stat: Flags.boolean({ summary: 'Only count the lines that differ, file by file.', env: 'VIEWSYNC_STAT' }),
    ...exitCodeFlag,
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Diff);
    const { project, target } = await this.openTarget(flags);
    const { dialect } = await adapterOf(target);
    const difference = await diffRevisions(project, target, {
      ...args,
      ...(flags.view === undefined ? {} : { view: flags.view }),
      dialect,
      connect: () => connectTarget(project, target),
      progress: this.progress,
    });
    this.print(flags, difference, renderDifference(difference, { form: flags.stat ? 'statistics' : 'patch', colors: this.colors }));
    if (flags['exit-code'] && difference.files.length > 0) this.exitWith(exitCodes.differs);
  }
}
