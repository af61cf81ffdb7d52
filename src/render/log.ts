import type { HistoryEntry } from '../operations/list-history.ts';
import type { Colors } from './colors.ts';

export interface LogOptions {
  /** The view that was asked for; its lines are shown and no others. */
  readonly view: string | undefined;
  readonly colors: Colors;
}

/** A block per commit, newest first. */
export function renderLog(entries: readonly HistoryEntry[], options: LogOptions): string {
  if (entries.length === 0) return 'Nothing was recorded yet. Next: viewsync export';
  return entries.map((entry) => renderEntry(entry, options)).join('\n\n');
}

function authorOf(line: string, changedBy: HistoryEntry['changedBy']): string {
  const view = Object.keys(changedBy).find((key) => line.startsWith(`${key}: `));
  return view === undefined ? '' : `   (by ${changedBy[view]})`;
}

function renderEntry({ commit, at, author, subject, body, changedBy }: HistoryEntry, { view, colors }: LogOptions): string {
  const head = `${colors.changed(commit.slice(0, 10))} ${colors.quiet(`${at.slice(0, 16).replace('T', ' ')} ${author}`)}`;
  const lines = body.split('\n').filter((line) => line.trim() !== '' && line !== subject && (view === undefined || line.startsWith(`${view}: `)));
  return [head, `  ${colors.heading(subject)}`, ...lines.map((line) => `    ${line}${authorOf(line, changedBy)}`)].join('\n');
}
