import { relationKey } from '../core/relation.ts';
import type { ExportResult } from '../operations/export-views.ts';
import { renderChanges } from './changes.ts';
import type { Colors } from './colors.ts';
import { count, duration } from './count.ts';
import { renderStat } from './file-diff.ts';

export type ExportKind = 'commit' | 'files only' | 'dry run';

/** One screen: what was recorded and where, how long it took, and what to do next. */
export function renderExport(result: ExportResult, kind: ExportKind, colors: Colors): string {
  const isQuiet = result.files.length === 0 && result.commit === undefined;
  const parts = [
    colors.heading(
      isQuiet ? `Nothing changed: ${count(result.views, 'view')} of "${result.target}" ${result.views === 1 ? 'is' : 'are'} as recorded.` : result.subject,
    ),
    result.isBaseline ? '' : renderChanges(result.changes, colors),
    kind === 'dry run'
      ? renderStat(
          result.files.map(({ path, before, after }) => ({ path, from: before, to: after })),
          colors,
        )
      : '',
    renderOutcome(result, kind, isQuiet),
    renderOutOfScope(result),
    renderTimings(result, colors),
    renderNext(result, kind, colors),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function renderOutcome({ commit, live, branch, pushed, files }: ExportResult, kind: ExportKind, isQuiet: boolean): string {
  if (kind === 'dry run') return isQuiet ? '' : 'Dry run: nothing was written.';
  if (kind === 'files only') return `${count(files.length, 'file')} written, nothing committed.`;
  const where = branch === undefined ? 'HEAD' : branch.replace(/^refs\/heads\//, '');
  const recorded =
    commit === undefined
      ? live === undefined
        ? ''
        : 'Recorded on the live line; the branch needs no commit.'
      : `Committed ${commit.slice(0, 10)} on ${where}.`;
  return [recorded, pushed ? 'Pushed the branch and the live line.' : ''].filter((part) => part !== '').join(' ');
}

function renderOutOfScope({ outOfScope }: ExportResult): string {
  if (outOfScope.length === 0) return '';
  return `${count(outOfScope.length, 'file')} of schemas that are not in scope stay as they are; "viewsync export --forget" removes them.`;
}

function renderTimings({ timings, server, views, queries }: ExportResult, colors: Colors): string {
  const total = timings.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const slowest = timings.reduce((left, right) => (right.milliseconds > left.milliseconds ? right : left), { part: '', milliseconds: 0 });
  const part = slowest.part === '' ? '' : `, most of it "${slowest.part}" (${duration(slowest.milliseconds)})`;
  return colors.quiet(`${server}: ${count(views, 'view')} in ${count(queries, 'query', 'queries')}, ${duration(total)}${part}.`);
}

function renderNext({ isBaseline, commit, remote, pushed }: ExportResult, kind: ExportKind, colors: Colors): string {
  if (kind !== 'commit' || commit === undefined) return '';
  if (isBaseline) return `Next: ${colors.heading('git log -p')}, and ${colors.heading('viewsync status')} whenever the database may have changed.`;
  return pushed || remote === 'no remote' ? '' : `Next: ${colors.heading('viewsync export --push')} or ${colors.heading('git push')}.`;
}

/** What needs a person's eye, for stderr: a line each. */
export function renderExportWarnings({ unreadable, unproven, pending, conflicts, broken, target, notes, remote }: ExportResult, colors: Colors): string {
  const lines = [
    ...(typeof remote === 'object' ? [`The live line of the remote could not be fetched: ${remote.failed}`] : []),
    ...notes,
    ...unreadable.map(({ name, reason, isAllowed }) => `${relationKey(name)} cannot be read${isAllowed ? ' (allowed)' : ''}: ${reason}`),
    ...unproven.map(
      ({ name, because }) =>
        `${relationKey(name)} is not listed any more, but ${because}; its file stays. If it was dropped: viewsync export --allow MANY_DELETIONS`,
    ),
    ...broken.map(({ path, message }) => `${path} was left alone: ${message}`),
    ...pending.map((view) => `${view} is edited in git and not applied yet; its file was left alone.`),
    ...conflicts.map(
      (view) =>
        `${view} was changed in git and in the warehouse; its file was left alone. viewsync export --target ${target} --overwrite '${view}' takes the warehouse's.`,
    ),
  ];
  return lines.map((line) => `${colors.warning('Warning:')} ${line}`).join('\n');
}

/** Whether the export leaves something that only a person can settle. */
export function needsPerson({ unreadable, unproven, conflicts, broken }: ExportResult): boolean {
  return unproven.length > 0 || unreadable.some(({ isAllowed }) => !isAllowed) || conflicts.length > 0 || broken.length > 0;
}
