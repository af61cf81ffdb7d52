import type { Dialect } from './dialect.ts';
import type { Step } from './plan.ts';
import { relationKey } from './relation.ts';
import { endStatement } from './reserved-line.ts';

function join(first: Step, others: readonly Step[]): Step {
  const all = [first, ...others];
  const sql = all.map((step, index) => (index < all.length - 1 ? endStatement(step.sql) : step.sql)).join('\n');
  return { ...first, sql, because: [...new Set(all.map(({ because }) => because))].join('; ') };
}

/** The steps, those that are carried out in one call as one, where the first of them stands. What is altered belongs to its view alone, so that no other step minds. */
export function joinSteps(steps: readonly Step[], { joins }: Pick<Dialect, 'joins'>): readonly Step[] {
  if (joins === undefined) return steps;
  const joined = Map.groupBy(steps.filter(joins), ({ view }) => relationKey(view));
  return steps.flatMap((step) => {
    const [first, ...others] = joined.get(relationKey(step.view)) ?? [];
    if (first === undefined || (step !== first && !others.includes(step))) return [step];
    return step === first ? [join(first, others)] : [];
  });
}
