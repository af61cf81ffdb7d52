import { Ansis } from 'ansis';
import type { Colors } from '../render/colors.ts';

/** Colours for a stream. Only a terminal gets them, and not under `NO_COLOR`; `FORCE_COLOR` decides otherwise. */
export function colorsFor(stream: { readonly isTTY?: boolean }): Colors {
  const { NO_COLOR: never, FORCE_COLOR: always } = process.env;
  const isColored = always ? always !== '0' : !never && stream.isTTY === true && process.env['TERM'] !== 'dumb';
  const ansis = new Ansis(isColored ? 1 : 0);
  return {
    added: (text) => ansis.green(text),
    removed: (text) => ansis.red(text),
    changed: (text) => ansis.yellow(text),
    heading: (text) => ansis.bold(text),
    quiet: (text) => ansis.dim(text),
    warning: (text) => ansis.yellow(text),
  };
}
