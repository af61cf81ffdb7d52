import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Config, run, settings } from '@oclif/core';
import { didYouMean } from '../core/nearest.ts';
import { ViewsyncError } from '../errors.ts';
import { interrupted } from '../history/interruption.ts';
import { describeError, renderError } from '../render/error.ts';
import { colorsFor } from './colors.ts';
import { answerShell } from './completion.ts';
import { toViewsyncError } from './failure.ts';
import { onInterruption } from './interruption.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs one command line. Sets the exit code of the process and prints what went wrong; never throws. */
export async function runCommandLine(argv: readonly string[]): Promise<void> {
  settings.enableAutoTranspile = false;
  onInterruption(() => {
    report(interrupted(), argv);
    process.exit();
  });
  try {
    const config = await Config.load({ root });
    if (argv[0] === 'completion-server') return await answerShell(config);
    checkCommand(config, argv);
    await run([...argv], config);
  } catch (error) {
    // What failed may have been ended by the same Ctrl-C, of which we hear a moment later.
    await setImmediate();
    report(toViewsyncError(error), argv);
  }
}

function checkCommand(config: Config, argv: readonly string[]): void {
  const [id] = argv;
  if (id === undefined || id.startsWith('-') || config.findCommand(id) !== undefined) return;
  const known = config.commandIDs;
  throw new ViewsyncError('USAGE', {
    message: `There is no command "${id}".${didYouMean(id, known)} Nothing was done.`,
    suggestions: ['viewsync --help'],
    details: { commands: known },
  });
}

function report(error: ViewsyncError, argv: readonly string[]): void {
  process.exitCode = error.exitCode;
  if (wantsJson(argv)) {
    process.stdout.write(`${JSON.stringify(describeError(error), null, 2)}\n`);
    return;
  }
  process.stderr.write(`${renderError(error, colorsFor(process.stderr))}\n`);
  const { stack } = error.details;
  if (error.code === 'INTERNAL' && typeof stack === 'string') process.stderr.write(`${stack}\n`);
}

/** Known before the flags are parsed, because parsing them may be what fails. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  return flags.includes('--json') || /^(1|true|yes|y)$/i.test(process.env['VIEWSYNC_JSON'] ?? '');
}
