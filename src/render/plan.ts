import { countObjects } from '../core/commit-message.ts';
import type { Plan, Step } from '../core/plan.ts';
import { relationKey } from '../core/relation.ts';
import { endStatement } from '../core/reserved-line.ts';
import { exitCodes } from '../errors.ts';
import type { Colors } from './colors.ts';
import { count } from './count.ts';

const marks = { create: '+', replace: '~', alter: '~', drop: '-', refresh: '*' } as const;

/** A plan for people: its steps grouped by view and numbered in the order in which they run, then what stands in the way. */
export function renderPlan(plan: Plan, colors: Colors): string {
  const groups = groupByView(plan.steps);
  const headline = plan.steps.length === 0 ? nothingToDo(plan) : `Plan for ${plan.target}: ${count(plan.steps.length, 'step')} on ${countTouched(plan.steps)}.`;
  const blocks = [colors.heading(headline), ...[...groups].map(([view, steps]) => renderGroup(view, steps, colors)), ...renderNotes(plan, colors)];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function countTouched(steps: readonly Step[]): string {
  return countObjects([...new Map(steps.map(({ view }) => [relationKey(view), view])).values()]);
}

function nothingToDo({ target, refusals }: Plan): string {
  return refusals.length > 0 ? `No plan for ${target} is possible.` : `Nothing to do: ${target} is as wanted.`;
}

/** A plan in a line per view: which kinds of steps, and how many. */
export function renderOutline(plan: Plan, colors: Colors): string {
  const groups = [...groupByView(plan.steps)];
  const lines = groups.map(([view, steps]) => {
    const kinds = [...Map.groupBy(steps, ({ kind }) => kind)].map(([kind, { length }]) => (length === 1 ? kind : `${length} ${kind}`));
    return `  ${view}: ${kinds.join(', ')}`;
  });
  return [colors.heading(`${count(plan.steps.length, 'step')} on ${countTouched(plan.steps)} of ${plan.target}:`), ...lines].join('\n');
}

type NumberedStep = Step & { readonly number: number };

function groupByView(steps: readonly Step[]): ReadonlyMap<string, readonly NumberedStep[]> {
  const numbered = steps.map((step, index) => ({ ...step, number: index + 1 }));
  return Map.groupBy(numbered, (step) => relationKey(step.view));
}

function renderGroup(view: string, steps: readonly NumberedStep[], colors: Colors): string {
  return [colors.heading(view), ...steps.map((step) => renderStep(step, colors))].join('\n');
}

function renderStep({ number, kind, sql, because }: NumberedStep, colors: Colors): string {
  const paint = kind === 'create' ? colors.added : kind === 'drop' ? colors.removed : colors.changed;
  return `  ${paint(`${marks[kind]} ${number}. ${kind}`)}${because === '' ? '' : colors.quiet(` (${because})`)}\n${indent(endStatement(sql), '      ')}`;
}

function indent(text: string, margin: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? line : margin + line))
    .join('\n');
}

function renderNotes(plan: Plan, colors: Colors): readonly string[] {
  return [
    noteList(
      `Kept, although the revision does not have ${plan.kept.length === 1 ? 'it' : 'them'} (--prune drops ${plan.kept.length === 1 ? 'it' : 'them'}):`,
      plan.kept.map(relationKey),
    ),
    noteList(
      'Left as they are, since bystanders and schemas are made when they are gone and never changed otherwise:',
      plan.left.map(({ view, because }) => `${relationKey(view)}: ${because}`),
    ),
    noteList(
      'It could not be found out whether these really differ:',
      plan.unproven.map(({ view, because }) => `${relationKey(view)}: ${because}`),
    ),
    noteList('What may refuse a step, or add to it:', plan.watchers),
    noteList(
      colors.warning('Hazards; each needs --allow and its name:'),
      plan.hazards.map(({ name, because }) => `${colors.warning(name)}: ${because}`),
    ),
    noteList(
      colors.removed('Refused; nothing can run as long as this is so:'),
      plan.refusals.map(({ view, because, suggestion }) => `${relationKey(view)}: ${because}${suggestion === undefined ? '' : `\n    Try: ${suggestion}`}`),
    ),
  ];
}

function noteList(heading: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : [heading, ...lines.map((line) => `  ${line}`)].join('\n');
}

/** The exit code of a plan that cannot be applied as it is; undefined when it can. */
export function findObstacle({ refusals, hazards }: Plan): number | undefined {
  if (refusals.length > 0) return exitCodes.history;
  return hazards.length > 0 ? exitCodes.needsPerson : undefined;
}

export interface ScriptOptions {
  /** As it was typed. */
  readonly revision: string;
  readonly commit: string | undefined;
  /** Whether the script can be one transaction. */
  readonly isTransactional: boolean;
  /** Set before bystanders are made. */
  readonly bystanderSettings?: readonly string[] | undefined;
}

/** The plan as one ordered script that runs as it stands. */
export function renderScript(plan: Plan, { revision, commit, isTransactional, bystanderSettings = [] }: ScriptOptions): string {
  const statements = plan.steps.map(({ sql, because, view }) => `${comment(`${relationKey(view)}: ${because}`)}\n${endStatement(sql)}\n`);
  const makesBystander = plan.steps.some(({ kind, view }) => kind === 'create' && view.object !== undefined);
  const settings = makesBystander ? bystanderSettings.map((sql) => `${sql};\n`) : [];
  const body = isTransactional && statements.length > 0 ? ['BEGIN;\n', ...settings, ...statements, 'COMMIT;\n'] : [...settings, ...statements];
  const origin = commit === undefined ? revision : `${revision} (${commit.slice(0, 10)})`;
  return [`${comment(`viewsync plan of ${origin} for ${plan.target}: ${count(plan.steps.length, 'step')}`)}\n`, ...body].join('\n');
}

function comment(text: string): string {
  return `-- ${text.replace(/\s+/g, ' ')}`;
}
