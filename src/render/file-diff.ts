import { structuredPatch } from 'diff';
import type { Colors } from './colors.ts';
import { count } from './count.ts';
import { renderTable } from './table.ts';

/** One file on both sides; undefined where it is absent. */
export interface FileDifference {
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** A unified diff as git prints it. */
export function renderFileDiff({ path, from, to }: FileDifference, colors: Colors): string {
  const patch = structuredPatch(`a/${path}`, `b/${path}`, from ?? '', to ?? '', undefined, undefined, { context: 3 });
  const head = [
    `diff --git a/${path} b/${path}`,
    ...(from === undefined ? ['new file'] : []),
    ...(to === undefined ? ['deleted file'] : []),
    from === undefined ? '--- /dev/null' : `--- a/${path}`,
    to === undefined ? '+++ /dev/null' : `+++ b/${path}`,
  ];
  const hunks = patch.hunks.flatMap((hunk) => [
    colors.changed(`@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`),
    ...hunk.lines.map((line) => paintLine(line, colors)),
  ]);
  return [...head.map(colors.heading), ...hunks].join('\n');
}

function paintLine(line: string, colors: Colors): string {
  if (line.startsWith('+')) return colors.added(line);
  return line.startsWith('-') ? colors.removed(line) : line;
}

interface Lines {
  readonly added: number;
  readonly removed: number;
}

function countLines({ from, to }: FileDifference): Lines {
  const lines = structuredPatch('', '', from ?? '', to ?? '', undefined, undefined, { context: 0 }).hunks.flatMap((hunk) => hunk.lines);
  return { added: lines.filter((line) => line.startsWith('+')).length, removed: lines.filter((line) => line.startsWith('-')).length };
}

const widest = 40;

/** One line per file with its number of changed lines, then the totals, as `git diff --stat`. */
export function renderStat(differences: readonly FileDifference[], colors: Colors): string {
  if (differences.length === 0) return '';
  const counted = differences.map((difference) => ({ path: difference.path, ...countLines(difference) }));
  const most = Math.max(...counted.map(({ added, removed }) => added + removed));
  const scale = most > widest ? widest / most : 1;
  const bar = (mark: string, amount: number) => mark.repeat(amount === 0 ? 0 : Math.max(1, Math.round(amount * scale)));
  const rows = counted.map(({ path, added, removed }) => [
    ` ${path}`,
    '|',
    String(added + removed).padStart(String(most).length),
    `${colors.added(bar('+', added))}${colors.removed(bar('-', removed))}`,
  ]);
  const sum = (side: keyof Lines) => counted.reduce((total, lines) => total + lines[side], 0);
  const totals = `${count(counted.length, 'file')} changed, ${count(sum('added'), 'insertion')}(+), ${count(sum('removed'), 'deletion')}(-)`;
  return `${renderTable(rows)}\n ${totals}`;
}
