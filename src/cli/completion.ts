import type { Config } from '@oclif/core';
import type { SupportedShell } from '@pnpm/tabtab';
import { readTargetNames } from '../project.ts';

export const shells = ['bash', 'zsh', 'fish', 'pwsh'] as const satisfies readonly SupportedShell[];

/** What may stand at the end of a command line, with what it means. */
export interface Candidate {
  readonly name: string;
  readonly description: string;
}

type Manifest = Pick<Config, 'commands' | 'findCommand'>;
type Flags = NonNullable<ReturnType<Config['findCommand']>>['flags'];

/** The script that makes a shell ask for what may come next. */
export async function writeCompletionScript(shell: SupportedShell): Promise<string> {
  const { getCompletionScript } = (await import('@pnpm/tabtab')).default;
  return getCompletionScript({ name: 'viewsync', completer: 'viewsync', shell });
}

/** Answers the script: the shell has put the line into the environment, and reads a candidate from each line. */
export async function answerShell(config: Manifest): Promise<void> {
  const { getShellFromEnv, log, parseEnv } = (await import('@pnpm/tabtab')).default;
  const words = parseEnv(process.env).partial.split(/\s+/).slice(1);
  log([...(await listCandidates(config, words, '.'))], getShellFromEnv(process.env));
}

/** What may stand in the place of the last word: commands, flags, the values of a flag, targets of the folder's `viewsync.yaml`. */
export async function listCandidates(config: Manifest, words: readonly string[], directory: string): Promise<readonly Candidate[]> {
  const [id = ''] = words;
  if (words.length <= 1) return config.commands.filter(({ hidden }) => !hidden).map((command) => candidate(command.id, command.summary));
  const flags = config.findCommand(id)?.flags ?? {};
  const flag = findFlag(flags, words.at(-2) ?? '');
  if (flag?.type === 'option') return listValues(flag, directory);
  return Object.values(flags).flatMap(nameFlag);
}

const candidate = (name: string, description: string | undefined): Candidate => ({ name, description: description ?? '' });

function findFlag(flags: Flags, word: string): Flags[string] | undefined {
  return Object.values(flags).find(({ name, char }) => word === `--${name}` || (char !== undefined && word === `-${char}`));
}

async function listValues(flag: Flags[string] & { readonly type: 'option' }, directory: string): Promise<readonly Candidate[]> {
  if (flag.name === 'target') return (await readTargetNames(directory).catch(() => [])).map((name) => candidate(name, undefined));
  return (flag.options ?? []).map((value) => candidate(value, undefined));
}

function nameFlag(flag: Flags[string]): readonly Candidate[] {
  const names = flag.type === 'boolean' && flag.allowNo ? [`--${flag.name}`, `--no-${flag.name}`] : [`--${flag.name}`];
  return names.map((name) => candidate(name, flag.summary));
}
