import { describeSize } from '../core/hazards.ts';
import type { BackupState, CheckedView, CheckResult } from '../operations/check-relations.ts';
import type { Colors } from './colors.ts';
import { count } from './count.ts';
import { renderTable } from './table.ts';

/** Whether a migration may go on: every backup is current, and nothing would be lost. */
export function isCurrent({ dependents, losses }: CheckResult): boolean {
  return losses.length === 0 && dependents.every(({ state }) => state === 'current');
}

const means: Readonly<Record<BackupState, string>> = {
  current: '',
  stale: 'what is recorded is not what is there',
  missing: 'was never exported',
  uncommitted: 'is on the live line, and not on the branch yet',
  unpushed: 'is not on the remote yet',
  'out of scope': 'its schema is not in the scope of the target, so that no export records it',
  unreadable: 'its definition cannot be read',
};

/** Everything that depends on the relations and the state of its backup, then what would be lost, then what to type next. */
export function renderCheck(result: CheckResult, colors: Colors): string {
  const { dependents, losses, relations } = result;
  const headline = `${count(dependents.length, 'object')} ${dependents.length === 1 ? 'depends' : 'depend'} on ${relations.join(', ')}: ${isCurrent(result) ? 'every backup is current.' : 'not safe to migrate.'}`;
  const lost = losses.map(({ what, of }) => `${colors.warning('Warning:')} ${what} hangs on ${of.join(', ')} and could not be brought back.`);
  return [colors.heading(headline), renderTable(dependents.map((view) => toRow(view, colors))), lost.join('\n'), renderNext(result, colors)]
    .filter((block) => block !== '')
    .join('\n\n');
}

function toRow({ view, kind, state, bytes }: CheckedView, colors: Colors): readonly string[] {
  const paint = state === 'current' ? colors.added : colors.removed;
  const size = bytes === undefined ? '' : `${describeSize(bytes)}, computed again when it is made again`;
  return [`  ${paint(state)}`, view, [kind === 'view' ? '' : kind, size, means[state]].filter((text) => text !== '').join('; ')];
}

function renderNext(result: CheckResult, colors: Colors): string {
  const states = new Set(result.dependents.map(({ state }) => state));
  const command = `viewsync check ${result.relations.join(' ')} --export${states.has('unpushed') ? ' --push' : ''}`;
  const canExport = (['stale', 'missing', 'uncommitted', 'unpushed'] as const).some((state) => states.has(state));
  return canExport ? `Next: ${colors.heading(command)}` : '';
}
