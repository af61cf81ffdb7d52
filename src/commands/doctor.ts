import { Args } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { exitCodes } from '../errors.ts';
import { examineTarget } from '../operations/examine-target.ts';
import { connectTarget } from '../project.ts';
import { isSick, renderExamination } from '../render/doctor.ts';

export default class Doctor extends BaseCommand {
  static override readonly summary = 'Look for what would keep an export or an apply from working.';
  static override readonly description =
    `Examines the connection, the server, the privileges, the clock, the identity of git, the remote, the live line and the last export, and warns of passwords in definitions. Changes nothing.

Exit codes: 0 all is well, warnings included, 3 something needs a person, 64 usage, 65 no repository, 78 configuration.`;
  static override readonly examples = ['<%= config.bin %> doctor', { description: 'For a script', command: '<%= config.bin %> doctor --json' }];
  static override readonly args = { target: Args.string({ description: 'The same as --target.' }) };
  static override readonly flags = { ...targetFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Doctor);
    const { project, target } = await this.openTarget({ ...flags, target: flags.target ?? args.target });
    const examination = await examineTarget(project, target, () => connectTarget(project, target, { command: 'doctor' }));
    this.print(flags, examination, renderExamination(examination, this.colors));
    if (isSick(examination)) this.exitWith(exitCodes.needsPerson);
  }
}
