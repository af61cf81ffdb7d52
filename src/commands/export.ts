import { Flags } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { colorsFor } from '../cli/colors.ts';
import { allowFlag, overwriteFlag, pushFlags, pushOptions } from '../cli/flags.ts';
import { exitCodes } from '../errors.ts';
import { exportViews } from '../operations/export-views.ts';
import { type ExportKind, needsPerson, renderExport, renderExportWarnings } from '../render/export.ts';

export default class Export extends BaseCommand {
  static override readonly summary = 'Back up every view: one file each, and one commit when anything changed.';
  static override readonly description = `Reads all views of the target and commits the difference to the branch, and the whole live state to the live line.
A file that was edited in git and not applied yet is left alone. Changes nothing in the warehouse. The same state twice makes no commit.

Exit codes: 0 recorded or nothing to do, 3 a view is unreadable, broken, in conflict, or absent without proof that it was dropped (everything else was recorded), 65 history, 69 warehouse or remote, 78 configuration.`;
  static override readonly examples = [
    { description: 'Back up, and share it', command: '<%= config.bin %> export --push' },
    { description: 'See what would be recorded', command: '<%= config.bin %> export --dry-run' },
    { description: "In a conflict, take the warehouse's side of one view", command: "<%= config.bin %> export --overwrite 'shop.orders'" },
  ];
  static override readonly flags = {
    ...targetFlags,
    ...pushFlags,
    ...overwriteFlag,
    ...allowFlag,
    message: Flags.string({ char: 'm', summary: 'Subject of the commit.', helpValue: 'TEXT', env: 'VIEWSYNC_MESSAGE' }),
    commit: Flags.boolean({ default: true, allowNo: true, summary: 'Commit; without it, only write the files.', env: 'VIEWSYNC_COMMIT' }),
    'dry-run': Flags.boolean({ summary: 'Write nothing; show what would change.', env: 'VIEWSYNC_DRY_RUN' }),
    forget: Flags.boolean({ summary: 'Remove the files of views whose schema is no longer in scope.' }),
    reformat: Flags.boolean({ summary: 'Format every definition anew, also those that did not change.', env: 'VIEWSYNC_REFORMAT' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Export);
    const kind: ExportKind = flags['dry-run'] ? 'dry run' : flags.commit ? 'commit' : 'files only';
    const result = await this.withWarehouse(flags, ({ project, target, warehouse }) =>
      exportViews(project, target, {
        warehouse,
        commit: kind,
        ...pushOptions({ ...flags, push: flags.push && kind === 'commit' }),
        reformat: flags.reformat ? 'all' : 'new',
        ...(flags.message === undefined ? {} : { message: flags.message }),
        outOfScope: flags.forget ? 'forget' : 'keep',
        overwrite: flags.overwrite ?? [],
        allowed: flags.allow ?? [],
        progress: this.progress,
      }),
    );
    this.tell(renderExportWarnings(result, colorsFor(process.stderr)));
    this.print(flags, result, renderExport(result, kind, this.colors));
    if (needsPerson(result)) this.exitWith(exitCodes.needsPerson);
  }
}
