import type { Row } from './pairs.ts';

const headings = ['views', 'row', 'reference', 'ratio', 'lowest to highest', 'goal', '', 'measured'];

function cellsOf({ size, name, reference, ratio, spread, goal, met, measured }: Row): readonly string[] {
  const [lowest, highest] = spread;
  const range = lowest === highest ? '' : `${lowest.toFixed(2)} to ${highest.toFixed(2)}`;
  return [String(size), name, reference, ratio.toFixed(2), range, goal.toFixed(1), met ? 'met' : 'missed', measured];
}

/** The rows as a table in Markdown. */
export function renderTable(rows: readonly Row[]): string {
  const lines = [headings, ...rows.map(cellsOf)];
  const widths = headings.map((_, column) => Math.max(3, ...lines.map((cells) => cells[column]?.length ?? 0)));
  const written = lines.map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  return [written[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...written.slice(1)].join('\n');
}
