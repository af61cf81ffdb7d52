import { describeChange } from '../core/commit-message.ts';
import { describeSize } from '../core/hazards.ts';
import { relationKey } from '../core/relation.ts';
import type { Foresight, MigrateResult } from '../operations/migrate-script.ts';
import type { BrokenView } from '../operations/running-script.ts';
import type { Colors } from './colors.ts';
import { count } from './count.ts';

const longest = 50;

/** A title and at most fifty lines below it; nothing without a line. */
export function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  const rest = items.length > longest ? [`  and ${items.length - longest} more`] : [];
  return [title, ...items.slice(0, longest).map((item) => `  ${item}`), ...rest].join('\n');
}

/** What a script may touch, for somebody who is asked. */
export function renderForesight({ target, statements, readers }: Foresight, colors: Colors): string {
  const files = [...new Set(statements.map(({ file }) => file))].map((file) => (file === '-' ? 'standard input' : file));
  const views = readers.map(({ view, kind, bytes }) =>
    kind === 'view' ? view : `${view} (${kind}${bytes === undefined ? '' : `, ${describeSize(bytes)}`}, computed again)`,
  );
  return [
    colors.heading(`${count(statements.length, 'statement')} of ${files.join(', ')} on "${target}", in one transaction.`),
    list('Views that depend on what it changes; those that stand in its way are dropped and made again:', views),
  ]
    .filter((block) => block !== '')
    .join('\n');
}

/** One line for a view that no longer fits. */
export function tellBroken({ view, because, file, line, hint }: BrokenView): string {
  const place = file === undefined ? '' : ` (${file === '-' ? 'standard input' : file}:${line})`;
  return `${view}: ${because.replace(/[.\s]*$/, '')}${place}.${hint === undefined ? '' : ` ${hint}`}`;
}

/** What became of the views that had to make way. */
function tellWay({ restored, broken }: MigrateResult): string {
  if (restored.length + broken.length === 0) return 'no view had to make way';
  const back = `${count(restored.length, 'view')} ${restored.length === 1 ? 'was' : 'were'} made again`;
  return broken.length === 0 ? back : `${back}, ${broken.length} no longer ${broken.length === 1 ? 'fits' : 'fit'}`;
}

function headlineOf(result: MigrateResult): string {
  const { acts, target, isRehearsal, exitCode } = result;
  const statements = acts.filter(({ origin }) => origin === 'script').length;
  const what =
    exitCode === undefined ? (statements > 0 ? `${count(statements, 'statement')} ran` : 'the migration has ended') : `the command ended with ${exitCode}`;
  return `${isRehearsal ? 'Rehearsed and rolled back' : 'Migrated'} "${target}": ${what}, ${tellWay(result)}.`;
}

/** What a migration came to. */
export function renderMigrated(result: MigrateResult, colors: Colors): string {
  const { changes, broken, commit, pushed, notes, isRehearsal } = result;
  const blocks = [
    colors.heading(headlineOf(result)),
    list(
      `${isRehearsal ? 'Would be' : 'Is'} other than before:`,
      changes.map((change) => `${relationKey(change.view)}: ${describeChange(change)}`),
    ),
    list(colors.warning('No longer fit, and stay in git:'), broken.map(tellBroken)),
    ...(commit === undefined ? [] : [`Committed ${commit.slice(0, 10)}${pushed ? ' and pushed' : ''}.`]),
    ...notes,
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

/** Every statement of a rehearsal in the order in which it ran, as a script for people. */
export function renderActs({ acts }: MigrateResult): string {
  return acts.map(({ sql, because, view, origin }) => `-- ${origin === 'script' ? because : `${view}: ${because.replace(/\s+/g, ' ')}`}\n${sql};\n`).join('\n');
}
