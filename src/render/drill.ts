import type { DrillResult } from '../operations/drill-revision.ts';
import type { DrilledView } from '../operations/drill-verdicts.ts';
import type { Colors } from './colors.ts';
import { count } from './count.ts';

function renderView({ view, outcome, because }: DrilledView, colors: Colors): string {
  if (outcome === 'restored identical') return `${colors.added('ok     ')}  ${view}: restored identical`;
  if (outcome === 'differs') return `${colors.removed('differs')}  ${colors.heading(view)}: differs in ${because}`;
  return `${colors.warning('needs  ')}  ${colors.heading(view)}: needs ${because}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** A line for each view, those that did not come back first, and a summary. */
export function renderDrill(result: DrillResult, colors: Colors): string {
  const { views, restored, differing, needing, revision, place, server, milliseconds } = result;
  const isBack = ({ outcome }: DrilledView) => outcome === 'restored identical';
  const lines = [...views.filter((view) => !isBack(view)), ...views.filter(isBack)].map((view) => renderView(view, colors));
  const others = [
    differing > 0 ? `${differing} ${differing === 1 ? 'differs' : 'differ'}` : '',
    needing > 0 ? `${needing} ${needing === 1 ? 'needs' : 'need'} something` : '',
  ];
  const summary = [`${restored} of ${count(views.length, 'view')} of ${revision} restored identical`, ...others.filter((part) => part !== '')].join(', ');
  return [...lines, '', colors.heading(`${summary}. ${seconds(milliseconds)} in ${place} (${server}), which is removed.`)].join('\n');
}
