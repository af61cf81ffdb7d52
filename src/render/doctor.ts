import type { Check, Examination } from '../operations/examine-target.ts';
import type { Colors } from './colors.ts';

/** Whether something was found that only a person can mend. */
export function isSick({ checks }: Examination): boolean {
  return checks.some(({ outcome }) => outcome === 'bad');
}

/** A line for each check, with what to do below it. */
export function renderExamination({ checks }: Examination, colors: Colors): string {
  return checks.map((check) => renderCheck(check, colors)).join('\n');
}

function renderCheck({ check, outcome, found, suggestions = [] }: Check, colors: Colors): string {
  const mark = { good: colors.added('ok     '), warning: colors.warning('warning'), bad: colors.removed('bad    ') }[outcome];
  return [`${mark}  ${colors.heading(check)}: ${found}`, ...suggestions.map((suggestion) => `           ${suggestion}`)].join('\n');
}
