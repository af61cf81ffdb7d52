import type { ListedTarget } from '../operations/list-targets.ts';
import type { Colors } from './colors.ts';
import { renderTable } from './table.ts';

/** A line for each target: its name and its kind. */
export function renderTargets({ include }: { readonly include: readonly ListedTarget[] }, colors: Colors): string {
  return renderTable(include.map(({ target, warehouse }) => [colors.heading(target), warehouse]));
}
