import { Flags } from '@oclif/core';
import { BaseCommand, directoryFlags } from '../cli/base-command.ts';
import { createDemoStage } from '../cli/demo-stage.ts';
import { runDemo } from '../operations/run-demo.ts';
import { renderDemo } from '../render/demo.ts';

export default class Demo extends BaseCommand {
  static override readonly summary = 'See backup, drift, an accident and the way back, on a database of its own.';
  static override readonly description =
    `Starts a PostgreSQL server on a private socket, builds a small shop, backs up its views, changes one, drops most of them
with a bad migration, brings them back and proves it. Leaves a git repository to explore; touches nothing else.

Exit codes: 0 all is back, 65 the folder is taken, 69 no PostgreSQL server is installed, 70 the demo failed.`;
  static override readonly examples = ['<%= config.bin %> demo', '<%= config.bin %> demo --directory /tmp/shop'];
  static override readonly flags = {
    ...directoryFlags,
    directory: Flags.string({ char: 'C', summary: 'Folder for the repository of the demo.', helpValue: 'DIR', default: 'demo', env: 'VIEWSYNC_DIRECTORY' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Demo);
    const stage = createDemoStage(flags.json ? 'stderr' : 'stdout');
    const result = await runDemo({ directory: flags.directory, environment: withoutSettings(process.env) }, stage);
    const program = process.env['npm_lifecycle_event'] === 'demo' ? 'npm run --silent viewsync --' : 'viewsync';
    this.print(flags, result, renderDemo(result, { colors: this.colors, program, directory: flags.directory }));
  }
}

/** The story is told as it stands: no flag from the environment may change it. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('VIEWSYNC_') && !/^GIT_(DIR|WORK_TREE|INDEX_FILE|AUTHOR_.*|COMMITTER_.*)$/.test(name)),
  );
}
