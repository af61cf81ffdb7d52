import { describeChange } from '../core/commit-message.ts';
import { relationKey } from '../core/relation.ts';
import type { RevisionDifference } from '../operations/diff-revisions.ts';
import type { Colors } from './colors.ts';
import { renderFileDiff, renderStat } from './file-diff.ts';

export interface DifferenceOptions {
  readonly form: 'patch' | 'statistics';
  readonly colors: Colors;
}

/** What differs of each view in words, and as a patch that git can read; nothing when nothing differs. */
export function renderDifference({ files }: RevisionDifference, { form, colors }: DifferenceOptions): string {
  const sides = files.map(({ path, before, after }) => ({ path, from: before, to: after }));
  if (form === 'statistics') return renderStat(sides, colors);
  const words = files.map(({ change }) => colors.quiet(`# ${relationKey(change.view)}: ${describeChange(change)}`));
  return sides.map((side, index) => `${words[index]}\n${renderFileDiff(side, colors)}`).join('\n');
}
