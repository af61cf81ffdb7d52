import { Args } from '@oclif/core';
import { BaseCommand, directoryFlags } from '../cli/base-command.ts';
import { shells, writeCompletionScript } from '../cli/completion.ts';

export default class Completion extends BaseCommand {
  static override readonly summary = 'Print the script with which a shell completes commands, flags and targets.';
  static override readonly description =
    `Load it where your shell starts: eval "$(viewsync completion bash)" in ~/.bashrc, the same with zsh in ~/.zshrc behind compinit,
viewsync completion fish | source in config.fish, and viewsync completion pwsh | Out-String | Invoke-Expression in $PROFILE. Changes nothing.

Exit codes: 0 printed, 64 usage.`;
  static override readonly examples = ['<%= config.bin %> completion bash'];
  static override readonly args = {
    shell: Args.string({ description: 'The shell that is to complete.', required: true, options: [...shells] }),
  };
  static override readonly flags = { ...directoryFlags };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    const shell = shells.find((known) => known === args.shell) ?? 'bash';
    const script = await writeCompletionScript(shell);
    this.print(flags, { shell, script }, script);
  }
}
