import type { DemoResult } from '../operations/run-demo.ts';
import type { Colors } from './colors.ts';

export interface DemoOptions {
  readonly colors: Colors;
  /** How viewsync is called here: `viewsync`, or through npm in a clone. */
  readonly program: string;
  /** The folder as it was asked for. */
  readonly directory: string;
}

/** What to try in the repository that the demo leaves behind. */
export function renderDemo({ directory }: DemoResult, { colors, program, directory: asked }: DemoOptions): string {
  const commands = [
    `git -C ${asked} log -p views/`,
    `${program} show shop.customer_value --at HEAD~2 --directory ${asked}`,
    `${program} diff HEAD~2 HEAD~1 --directory ${asked}`,
  ];
  return ['', `The repository stays in ${directory}; the server is gone. To explore it:`, ...commands.map((command) => `  ${colors.heading(command)}`)].join(
    '\n',
  );
}
