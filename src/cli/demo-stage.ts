import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Stage } from '../operations/run-demo.ts';
import { colorsFor } from './colors.ts';

const program = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** Tells the story on stdout, or on stderr where stdout is for JSON. */
export function createDemoStage(output: 'stdout' | 'stderr'): Stage {
  const stream = process[output];
  const colors = colorsFor(stream);
  const print = (text: string) => stream.write(`${text}\n`);
  return {
    tell: (line) => print(line.startsWith(' ') ? line : `\n${colors.heading(`# ${line}`)}`),
    show: (sql) => print(sql.replace(/^/gm, '  ')),
    run: async (command, { directory, environment }) => {
      print(colors.added(`$ ${command.map(quoteWord).join(' ')}`));
      const [name, ...parameters] = command;
      const [file, ...args] = name === 'viewsync' ? [process.execPath, program, ...parameters] : command;
      const child = spawn(file, args, { cwd: directory, env: { ...environment }, stdio: ['ignore', output === 'stdout' ? 1 : 2, 2] });
      const [code] = await once(child, 'exit');
      return typeof code === 'number' ? code : 1;
    },
  };
}

function quoteWord(word: string): string {
  return /^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
