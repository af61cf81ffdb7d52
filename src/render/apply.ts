import { countObjects } from '../core/commit-message.ts';
import type { Plan } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import type { ApplyReport } from '../core/report.ts';
import type { BrokenView } from '../operations/running-script.ts';
import type { Colors } from './colors.ts';
import { count, duration } from './count.ts';
import { list, tellBroken } from './migrate.ts';

/** What an apply or a rollback came to. */
export interface Applied {
  readonly target: string;
  readonly plan: Plan;
  readonly report: ApplyReport;
  readonly commit?: string;
  readonly pushed: boolean;
  readonly notes: readonly string[];
  readonly isVerified: boolean;
  readonly broken?: readonly BrokenView[];
}

export function renderApplied({ target, plan, report, commit, pushed, notes, isVerified, broken = [] }: Applied, colors: Colors): string {
  const kept = plan.kept.length === 0 ? [] : [`Kept, because the revision does not say that they should go: ${plan.kept.map(relationKey).join(', ')}.`];
  const left = plan.left.map(({ view, because }) => `Left as it is: ${relationKey(view)}, ${because}.`);
  const recorded = commit === undefined ? [] : [`Committed ${commit.slice(0, 10)}${pushed ? ' and pushed' : ''}.`];
  const headline =
    report.steps.length === 0 && broken.length === 0
      ? `Nothing to do: "${target}" is as wanted.`
      : `${countSteps(target, report)}${isVerified ? '; read back and found as planned.' : '; not verified.'}`;
  const next = report.steps.length === 0 ? [] : [`To undo it: ${colors.heading('viewsync rollback')}`];
  const skipped = broken.length === 0 ? [] : [list(colors.warning('No longer fit, and stay in git:'), broken.map(tellBroken))];
  return [colors.heading(headline), ...skipped, ...kept, ...left, ...recorded, ...notes, ...next].join('\n');
}

function countSteps(target: string, { steps }: ApplyReport): string {
  const touched = [...new Map(steps.map(({ step }) => [relationKey(step.view), step.view])).values()];
  const time = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return `Applied ${count(steps.length, 'step')} to ${countObjects(touched)} of "${target}" in ${duration(time)}`;
}
