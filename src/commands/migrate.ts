import { basename } from 'node:path';
import { Flags } from '@oclif/core';
import { targetFlags } from '../cli/base-command.ts';
import { colorsFor } from '../cli/colors.ts';
import { confirm } from '../cli/confirm.ts';
import { allowFlag, migrateFlags } from '../cli/flags.ts';
import { readScripts } from '../cli/read-scripts.ts';
import { runChild } from '../cli/run-child.ts';
import { RunCommand } from '../cli/run-command.ts';
import { exitCodes, ViewsyncError } from '../errors.ts';
import { continueMigration } from '../operations/continue-migration.ts';
import { migrateAround } from '../operations/migrate-around.ts';
import { type MigrateResult, migrateScript } from '../operations/migrate-script.ts';
import { connectTarget } from '../project.ts';
import { renderActs, renderForesight, renderMigrated } from '../render/migrate.ts';
import { renderOutline } from '../render/plan.ts';

export default class Migrate extends RunCommand {
  static override readonly summary = 'Run a migration and bring back every view that stands in its way.';
  static override readonly description =
    `With --sql, viewsync runs the statements of the files one by one, all in one transaction: where the server refuses one because views depend on what it changes, exactly these are dropped, and made again at the end or before a statement that names them, with everything that belonged to them. What the script itself creates, changes, renames or drops by name counts. If a statement fails, or a view no longer fits the new tables, everything is rolled back.
With --on, everything that depends on the relations is dropped, the command behind "--" is run on its own connection (dbt, Flyway, psql), and what is missing then is brought back, whatever the command's exit code was.
The state before is recorded first, the state after in the end. --continue ends a migration that was killed.

Exit codes: 0 migrated, 3 a view no longer fits and was skipped, not confirmed, or a run was interrupted, 64 usage, 65 the script was refused or failed, or a view does not fit, 69 warehouse, 75 locks: rolled back and nothing changed, 78 configuration, 130 interrupted. With --on the command's own exit code, if it is not 0, comes before 3.`;
  static override readonly examples = [
    { description: 'Look at all of it first; nothing stays', command: '<%= config.bin %> migrate --sql 007_widen_total.sql --dry-run' },
    { description: 'From a pipeline', command: '<%= config.bin %> migrate --sql 007_widen_total.sql --yes --push' },
    { description: 'Around a tool with a connection of its own', command: '<%= config.bin %> migrate --on shop.orders --yes -- dbt run --select orders' },
    { description: 'After a crash', command: '<%= config.bin %> migrate --continue --yes' },
  ];
  static override readonly strict = false;
  static override readonly flags = {
    ...targetFlags,
    ...allowFlag,
    ...migrateFlags,
    sql: Flags.string({
      multiple: true,
      exclusive: ['on', 'continue'],
      summary: 'Run these files, in this order; - is standard input.',
      helpValue: 'FILE',
      env: 'VIEWSYNC_SQL',
    }),
    on: Flags.string({
      multiple: true,
      exclusive: ['sql', 'continue'],
      summary: 'Drop what depends on these relations (names or globs) while the command behind -- runs.',
      helpValue: 'RELATION',
      env: 'VIEWSYNC_ON',
    }),
    continue: Flags.boolean({
      exclusive: ['sql', 'on'],
      summary: 'End a migration that was interrupted: bring back what is missing and record it.',
      env: 'VIEWSYNC_CONTINUE',
    }),
  };

  override async run(): Promise<void> {
    const { flags, command } = await this.parseCommandLine();
    const result = flags.sql ? await this.runScripts(flags, flags.sql) : flags.on ? await this.runAround(flags, flags.on, command) : await this.finish(flags);
    const text = [flags['dry-run'] ? renderActs(result) : '', renderMigrated(result, this.colors)].filter((part) => part !== '').join('\n');
    this.print(flags, result, text);
    this.exitWith(exitCodeOf(result));
  }

  /** Everything behind the first `--` is the command's own. */
  private async parseCommandLine() {
    const at = this.argv.indexOf('--');
    const [own, command] = at === -1 ? [this.argv, []] : [this.argv.slice(0, at), this.argv.slice(at + 1)];
    const { flags, argv } = await this.parse(Migrate, own);
    if (argv.length > 0) throw misused(`"${argv[0]}" is neither a flag nor behind "--".`);
    if (!flags.sql && !flags.on && !flags.continue) throw misused('Say what to run: --sql FILE, --on RELATION -- COMMAND, or --continue.');
    if ((flags.on !== undefined) !== command.length > 0) throw misused('--on needs a command behind "--", and only --on takes one.');
    if (flags['dry-run'] && !flags.sql) throw misused('--dry-run can rehearse --sql only.');
    return { flags, command };
  }

  private async runScripts(flags: Parsed, files: readonly string[]): Promise<MigrateResult> {
    const scripts = await readScripts(files);
    return this.withWarehouse(flags, ({ project, target, warehouse }) =>
      migrateScript(project, target, {
        ...this.lockOptions(flags),
        warehouse,
        scripts,
        mode: flags['dry-run'] ? 'rehearse' : 'run',
        misfits: flags['skip-broken'] ? 'skip' : 'stop',
        allowed: flags.allow ?? [],
        confirm: async (foresight) => {
          if (!flags.json) this.tell(`${renderForesight(foresight, colorsFor(process.stderr))}\n`);
          return confirm({ text: `Run this on "${target.name}"?`, isAnswered: flags.yes });
        },
      }),
    );
  }

  private async runAround(flags: Parsed, relations: readonly string[], command: readonly string[]): Promise<MigrateResult> {
    return this.withWarehouse(flags, ({ project, target, warehouse }) =>
      migrateAround(project, target, {
        ...this.lockOptions(flags),
        warehouse,
        relations,
        // Parameters may hold a password, and this is committed.
        label: `--on ${relations.join(' ')} -- ${basename(command[0] ?? '')}`,
        allowed: flags.allow ?? [],
        connect: () => connectTarget(project, target),
        runCommand: () => runChild(command, flags.json ? 'to stderr' : 'pass on'),
        confirm: async (plan) => {
          if (!flags.json) this.tell(`${renderOutline(plan, colorsFor(process.stderr))}\n`);
          return confirm({ text: `Drop these on "${target.name}" while "${command[0]}" runs, and bring them back?`, isAnswered: flags.yes });
        },
      }),
    );
  }

  private async finish(flags: Parsed): Promise<MigrateResult> {
    return this.withWarehouse(flags, ({ project, target, warehouse }) =>
      continueMigration(project, target, {
        ...this.lockOptions(flags),
        warehouse,
        allowed: flags.allow ?? [],
        confirm: async (missing) => {
          if (!flags.json && missing.length > 0) this.tell(`Missing, and made again:\n${missing.map((view) => `  ${view}`).join('\n')}\n`);
          return confirm({ text: `Make ${missing.length} views on "${target.name}" again, and record the state?`, isAnswered: flags.yes });
        },
      }),
    );
  }
}

type Parsed = Awaited<ReturnType<Migrate['parseCommandLine']>>['flags'];

function misused(problem: string): ViewsyncError {
  return new ViewsyncError('USAGE', { message: `${problem} Nothing was done.`, suggestions: ['viewsync migrate --help'] });
}

function exitCodeOf({ exitCode = 0, broken }: MigrateResult): number {
  if (exitCode !== 0) return exitCode;
  return broken.length > 0 ? exitCodes.needsPerson : 0;
}
