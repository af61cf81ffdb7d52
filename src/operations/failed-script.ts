import type { Refusal, Step } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import { placeOf, type ScriptStatement } from '../core/script.ts';
import { positionAt } from '../core/statements.ts';
import { ViewsyncError } from '../errors.ts';
import type { StatementRefusal } from '../warehouses/script-session.ts';
import type { StepFailure } from '../warehouses/warehouse.ts';
import type { BrokenView } from './running-script.ts';

const rolledBack = 'Rolled back; nothing changed.';

/** The line of the script and a caret below the place that the server means. */
function pointAt({ source, statement }: ScriptStatement, offset: number): { readonly line: number; readonly shown: string } {
  const { line, column } = positionAt(source, statement.start + offset);
  const text = source.split('\n')[line - 1] ?? '';
  const margin = text.slice(0, column - 1).replace(/\S/g, ' ');
  return { line, shown: `  ${text}\n  ${margin}^` };
}

/** A statement that the server refuses: where it stands, what the server said. */
export function refusedStatement(at: ScriptStatement, refusal: StatementRefusal, more = ''): ViewsyncError {
  const { line, shown } = pointAt(at, refusal.offset ?? 0);
  const { message, detail, hint, code } = refusal;
  const said = [`${message}.`, detail, hint, more].filter((text) => text !== undefined && text !== '').join(' ');
  return new ViewsyncError('SCRIPT_FAILED', {
    message: `${placeOf({ file: at.file, line })}: ${said} ${rolledBack}\n${shown}`,
    details: { file: at.file, line, sql: at.statement.text, code, detail, hint },
  });
}

/** What stands in the way of a statement could not be brought back. */
export function unrestorable(at: ScriptStatement, refusals: readonly Refusal[]): ViewsyncError {
  const suggestions = refusals.flatMap(({ suggestion }) => suggestion ?? []);
  return new ViewsyncError('PLAN_IMPOSSIBLE', {
    message: `${placeOf(at)} cannot run without a loss: ${refusals.map(({ because }) => because).join(' ')} ${rolledBack}`,
    suggestions: [...new Set(suggestions)],
    details: { file: at.file, line: at.line, refusals },
  });
}

/** A statement of ours was refused by what watches statements: no view is to be left out for that. */
export function vetoed({ kind, view, sql }: Step, { message, code }: StepFailure, watchers: readonly string[]): ViewsyncError {
  return new ViewsyncError('ROLLED_BACK', {
    message: `To ${kind} ${relationKey(view)} was refused: ${message.replace(/[.\s]*$/, '')}${code === undefined ? '' : ` (SQLSTATE ${code})`}. ${rolledBack}`,
    suggestions: watchers,
    details: { code, sql },
  });
}

/** One line for a view that does not fit. */
export function tellBroken({ view, because, file, line, hint }: BrokenView): string {
  const place = file === undefined || line === undefined ? '' : ` (${placeOf({ file, line })})`;
  return `${view} no longer fits: ${because.replace(/[.\s]*$/, '')}${place}.${hint === undefined ? '' : ` ${hint}`}`;
}

export function misfit(broken: readonly BrokenView[]): ViewsyncError {
  const lines = broken.slice(0, 10).map(tellBroken);
  const rest = broken.length > lines.length ? [`and ${broken.length - lines.length} more`] : [];
  return new ViewsyncError('VIEW_MISFIT', {
    message: [
      `${broken.length === 1 ? 'A view does' : `${broken.length} views do`} not fit what the migration makes of the tables. ${rolledBack}`,
      ...lines,
      ...rest,
    ].join('\n'),
    suggestions: ['Change the views in the script, too', 'Add --skip-broken: the others are restored, and these stay in git'],
    details: { broken },
  });
}
