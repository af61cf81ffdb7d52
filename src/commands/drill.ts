import { Args, Flags } from '@oclif/core';
import { BaseCommand, targetFlags } from '../cli/base-command.ts';
import { exitCodes } from '../errors.ts';
import { drillRevision, isProven } from '../operations/drill-revision.ts';
import { renderDrill } from '../render/drill.ts';

export default class Drill extends BaseCommand {
  static override readonly summary = 'Prove that a revision restores, in a scratch database.';
  static override readonly description =
    `Makes every view of the revision in a scratch database, with the planner and the executor of an apply, reads them back and compares. What the views read is stood in for from the catalogs of the target: its tables without rows, its types, functions and extensions. Nothing else of the target is read, and nothing is changed.
The scratch database is made on the target's server where the role may create databases, otherwise on a server that is started for it; --on chooses. It is removed whatever happens; one that a killed drill left behind is removed by the next.
REVISION is anything that git resolves: HEAD, HEAD~3, a branch, a tag, main@{yesterday}; or "worktree" for files that are not committed.

Exit codes: 0 every view came back identical, 3 a view differs or needs something, or no scratch database may be made, 64 usage, 65 the revision is unknown, 69 warehouse, 78 configuration, 130 interrupted.`;
  static override readonly examples = [
    { description: 'Once a month, for a log', command: '<%= config.bin %> drill --json' },
    { description: 'Without touching the server of the views', command: '<%= config.bin %> drill HEAD --on embedded' },
    { description: 'On the server of another target', command: '<%= config.bin %> drill HEAD~1 --on staging' },
  ];
  static override readonly args = {
    revision: Args.string({ description: 'The state to prove.', default: 'HEAD' }),
  };
  static override readonly flags = {
    ...targetFlags,
    on: Flags.string({ summary: 'Where to drill: "server", "embedded", or another target.', helpValue: 'PLACE', env: 'VIEWSYNC_ON' }),
  };

  override async run(): Promise<void> {
    const { flags, args } = await this.parse(Drill);
    const { project, target } = await this.openTarget(flags);
    const on = flags.on === undefined ? {} : { on: flags.on };
    const result = await drillRevision(project, target, { revision: args.revision, ...on, progress: this.progress });
    this.print(flags, result, renderDrill(result, this.colors));
    this.exitWith(isProven(result) ? 0 : exitCodes.needsPerson);
  }
}
