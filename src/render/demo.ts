import type { DemoResult } from '../operations/run-demo.ts';
import type { Colors } from './colors.ts';

/** What to try in the repository that the demo leaves behind. */
export function renderDemo({ directory }: DemoResult, colors: Colors): string {
  const commands = ['git log -p views/', 'viewsync show shop.customer_value --at HEAD~1', 'viewsync diff HEAD~1 HEAD'];
  return [
    '',
    `The repository stays in ${directory}; the server is gone. To explore it:`,
    ...[`cd ${directory}`, ...commands].map((command) => `  ${colors.heading(command)}`),
  ].join('\n');
}
