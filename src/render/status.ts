import { countObjects, describeChange } from '../core/commit-message.ts';
import { parseRelationKey, relationKey } from '../core/relation.ts';
import type { SyncState } from '../core/sync.ts';
import type { Status, ViewStatus } from '../operations/read-status.ts';
import type { Colors } from './colors.ts';
import { count } from './count.ts';
import { renderTable } from './table.ts';

/** Whether git and the warehouse agree and nothing waits for a person. */
export function isClean({ differing, stale, unproven, unreadable, broken, run, isRecorded }: Status): boolean {
  return isRecorded && run === undefined && differing.length + stale.length + unproven.length + unreadable.length + broken.length === 0;
}

/** One line per view that differs, what is odd, and what to type next. */
export function renderStatus(status: Status, colors: Colors): string {
  const blocks = [
    renderHeadline(status, colors),
    renderDiffering(status.differing, colors),
    renderOddities(status, colors),
    renderRun(status),
    renderNext(status, colors),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function renderHeadline(status: Status, colors: Colors): string {
  const { target, server, views, differing, isRecorded } = status;
  const place = `${target} (${server}, ${count(views, 'view')})`;
  if (!isRecorded) return colors.heading(`${place}: never exported.`);
  if (isClean(status)) return colors.heading(`${place}: in sync.`);
  return colors.heading(differing.length === 0 ? `${place}:` : `${place}: ${countDiffering(differing)} ${differing.length === 1 ? 'differs' : 'differ'}.`);
}

function countDiffering(differing: readonly ViewStatus[]): string {
  return countObjects(differing.map(({ view }) => parseRelationKey(view) ?? { schema: '', name: view }));
}

function paintOf(state: SyncState, colors: Colors): (text: string) => string {
  return { 'in sync': colors.quiet, drift: colors.changed, pending: colors.added, conflict: colors.removed }[state];
}

const longest = 50;

function renderDiffering(differing: readonly ViewStatus[], colors: Colors): string {
  const rows = differing
    .slice(0, longest)
    .map(({ view, state, isEdited, change }) => [
      `  ${paintOf(state, colors)(state)}`,
      view,
      change === undefined ? 'its file cannot be read' : `${describeFound(change, state)}${isEdited ? ' (file not committed)' : ''}`,
    ]);
  const rest = differing.length - rows.length;
  return renderTable(rows) + (rest > 0 ? `\n  and ${rest} more` : '');
}

/** The change is told from git to the warehouse; for somebody who edited the file, it goes the other way. */
function describeFound(change: NonNullable<ViewStatus['change']>, state: SyncState): string {
  const text = describeChange(change);
  if (change.change === 'added') return state === 'pending' ? 'deleted in git' : 'only in the warehouse';
  if (change.change === 'deleted') return state === 'pending' ? 'added in git' : 'gone from the warehouse';
  return text;
}

function renderOddities({ stale, unproven, unreadable, broken, unseen }: Status, colors: Colors): string {
  const lines = [
    ...stale.map(({ view, because }) => `${view}: ${because}.`),
    ...unproven.map(({ name, because }) => `${relationKey(name)} is gone, or hidden from this role: ${because}.`),
    ...unreadable.map(({ name, reason }) => `${relationKey(name)} cannot be read: ${reason}`),
    ...broken.map(({ message }) => message),
    ...unseen,
  ];
  return lines.map((line) => `${colors.warning('Warning:')} ${line}`).join('\n');
}

function renderRun({ run }: Status): string {
  if (run === undefined) return '';
  const command = `${run.command} ${run.revision}`.trim();
  if (run.isRunning) return `A run is going on now: "${command}", since ${run.startedAt}.`;
  const holds = run.command === 'migrate' ? 'Views that made way for it may be missing.' : `The warehouse holds ${run.holds}.`;
  return `A run was interrupted: "${command}", started ${run.startedAt}. ${holds}`;
}

function renderEnding({ command, revision }: NonNullable<Status['run']>, colors: Colors): string {
  if (command === 'migrate') return `Next: ${colors.heading('viewsync migrate --continue')} brings back what is missing and records the state.`;
  return `Next: ${colors.heading('viewsync rollback')} or ${colors.heading(`viewsync apply ${revision}`)} ends it.`;
}

function renderLost(colors: Colors): string {
  const recording = colors.heading('viewsync export --allow MANY_DELETIONS');
  return `${colors.heading('viewsync apply HEAD')} makes what is gone again, ${recording} records that it was dropped.`;
}

function renderNext(status: Status, colors: Colors): string {
  const { differing, isRecorded, run } = status;
  if (run !== undefined) return run.isRunning ? '' : renderEnding(run, colors);
  if (!isRecorded) return `Next: ${colors.heading('viewsync export')}`;
  const lost = status.unproven.length === 0 ? [] : [renderLost(colors)];
  const states = new Set(differing.map(({ state }) => state));
  const next = [
    ...lost,
    ...(states.has('drift') ? [`${colors.heading('viewsync export')} records the drift, ${colors.heading('viewsync apply HEAD')} takes it back.`] : []),
    ...(differing.some(({ state, isEdited }) => state === 'drift' && isEdited)
      ? [
          `An export leaves a file that is not committed alone: commit or discard the edit first, or type ${colors.heading('viewsync export --overwrite VIEW')}.`,
        ]
      : []),
    ...(states.has('pending')
      ? [
          `${colors.heading('viewsync apply HEAD')} deploys what is pending${differing.some(({ isEdited }) => isEdited) ? ` and committed, ${colors.heading('viewsync apply worktree')} the files as they are` : ''}.`,
        ]
      : []),
    ...(states.has('conflict')
      ? [`${colors.heading('viewsync diff')} shows a conflict; --overwrite VIEW decides it: with apply git wins, with export the warehouse.`]
      : []),
  ];
  return next.join('\n');
}
