import type { Change } from '../core/change.ts';
import { describeChange } from '../core/commit-message.ts';
import { relationKey } from '../core/relation.ts';
import type { Colors } from './colors.ts';

const longest = 20;

/** A line per changed view, the rest counted. */
export function renderChanges(changes: readonly Change[], colors: Colors): string {
  const lines = changes.slice(0, longest).map((change) => `  ${renderChange(change, colors)}`);
  const rest = changes.length - lines.length;
  return [...lines, ...(rest > 0 ? [`  and ${rest} more`] : [])].join('\n');
}

const marks = { added: '+', modified: '~', deleted: '-' } as const;

function renderChange(change: Change, colors: Colors): string {
  const paint = { added: colors.added, modified: colors.changed, deleted: colors.removed }[change.change];
  const name = paint(`${marks[change.change]} ${relationKey(change.view)}`);
  return change.change === 'modified' ? `${name}: ${describeChange(change)}` : name;
}
