import { ViewsyncError } from '../errors.ts';

/** Whether somebody sits at a terminal whom we can ask. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

export interface Question {
  readonly text: string;
  /** Whether `--yes` was typed. */
  readonly isAnswered: boolean;
}

/** The answer on a terminal, or of `--yes`. `NOT_CONFIRMED` where there is nobody to ask. */
export async function confirm({ text, isAnswered }: Question): Promise<boolean> {
  if (isAnswered) return true;
  if (!isInteractive()) throw notConfirmed();
  const { confirm: ask } = await import('@inquirer/prompts');
  return ask({ message: text, default: false }, { output: process.stderr });
}

function notConfirmed(): ViewsyncError {
  return new ViewsyncError('NOT_CONFIRMED', {
    message: 'This changes the warehouse, and there is no terminal to ask for your consent. Nothing was changed.',
    suggestions: ['repeat the command with --yes'],
  });
}
