import { BaseCommand, directoryFlags } from '../cli/base-command.ts';
import { listTargets } from '../operations/list-targets.ts';
import { renderTargets } from '../render/targets.ts';

export default class Targets extends BaseCommand {
  static override readonly summary = 'List the targets of viewsync.yaml.';
  static override readonly description =
    `Names each target with its kind of warehouse. Connects to nothing. With --json it is a matrix for a GitHub workflow: one job for each target.

Exit codes: 0 listed, 65 no repository, 78 configuration.`;
  static override readonly examples = [
    '<%= config.bin %> targets',
    { description: 'In a workflow, for strategy.matrix', command: '<%= config.bin %> targets --json' },
  ];
  static override readonly flags = { ...directoryFlags };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Targets);
    const found = listTargets(await this.openProject(flags));
    this.print(flags, found, renderTargets(found, this.colors));
  }
}
