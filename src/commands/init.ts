import { Flags } from '@oclif/core';
import { askForSettings } from '../cli/ask-for-settings.ts';
import { BaseCommand, directoryFlags } from '../cli/base-command.ts';
import { ViewsyncError } from '../errors.ts';
import { initializeProject } from '../operations/initialize-project.ts';
import { renderInitialized } from '../render/initialized.ts';

function readOption(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1)
    throw new ViewsyncError('USAGE', {
      message: `"${text}" is no option: write KEY=VALUE. Nothing was done.`,
      suggestions: ['--option account=myorg-myaccount'],
    });
  return [text.slice(0, at), text.slice(at + 1)];
}

export default class Init extends BaseCommand {
  static override readonly summary = 'Start backing up a warehouse in this folder.';
  static override readonly description = `Connects to the warehouse, then writes viewsync.yaml, a line of .gitattributes and a nightly GitHub workflow.
Makes a git repository where there is none. Never overwrites a file. Changes nothing in the warehouse.

Exit codes: 0 written, 64 usage or already there, 69 no connection, 78 a variable is not set.`;
  static override readonly examples = [
    { description: 'Asks for what it needs', command: '<%= config.bin %> init' },
    {
      description: 'Asks nothing',
      command: "<%= config.bin %> init --target prod --warehouse postgres --url '${DATABASE_URL}' --yes",
    },
    {
      description: 'Snowflake, with a connection of connections.toml',
      command: "<%= config.bin %> init --warehouse snowflake --option connection=prod --schemas 'PROD.*.*' --yes",
    },
  ];
  static override readonly flags = {
    ...directoryFlags,
    target: Flags.string({ char: 't', summary: 'Name of the target.', helpValue: 'NAME', default: 'prod', env: 'VIEWSYNC_TARGET' }),
    warehouse: Flags.string({ summary: 'Kind of warehouse.', helpValue: 'KIND', default: 'postgres', env: 'VIEWSYNC_WAREHOUSE' }),
    url: Flags.string({
      summary: 'Connection string, as it is to stand in viewsync.yaml; a variable keeps the password out.',
      default: '${DATABASE_URL}',
      env: 'VIEWSYNC_URL',
    }),
    option: Flags.string({
      summary: 'Another key of the target in viewsync.yaml, such as account=myorg-myaccount or project=my-project; a variable keeps a secret out.',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
      env: 'VIEWSYNC_OPTION',
    }),
    schemas: Flags.string({
      summary: 'Globs of the schemas to back up; a leading ! excludes.',
      helpValue: 'GLOB',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      default: ['*', '!scratch_*'],
      env: 'VIEWSYNC_SCHEMAS',
    }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask; take the flags and their defaults.' }),
  };

  override async run(): Promise<void> {
    const { flags } = await this.parse(Init);
    const settings = await askForSettings(flags);
    const options = Object.fromEntries((flags.option ?? []).map(readOption));
    const initialized = await initializeProject({ ...settings, options, directory: flags.directory, environment: process.env, version: this.config.version });
    this.print(flags, initialized, renderInitialized(initialized, this.colors));
  }
}
