import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const versionFlags: readonly (string | undefined)[] = ['--version', '-v'];

/** As the command framework says it. */
function describeVersion(): string {
  const { name, version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly name: string;
    readonly version: string;
  };
  return `${name}/${version} ${process.platform}-${process.arch} node-${process.version}`;
}

/** Runs one command line; what needs no command is answered before any is loaded. Sets the exit code of the process; never throws. */
export async function main(argv: readonly string[]): Promise<void> {
  if (versionFlags.includes(argv[0])) {
    process.stdout.write(`${describeVersion()}\n`);
    return;
  }
  // Room for new objects that grows with the number of views costs memory, and with as little as there is at first everything is looked at too often:
  // it grows once, while the program is loaded.
  setFlagsFromString('--semi-space-growth-factor=8');
  const { runCommandLine } = await import('./command-line.ts');
  setFlagsFromString('--semi-space-growth-factor=1');
  await runCommandLine(argv);
}
