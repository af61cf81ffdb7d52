import type { Project } from '../project.ts';

/** One target as `viewsync.yaml` names it. */
export interface ListedTarget {
  readonly target: string;
  readonly warehouse: string;
}

/** The targets in the order of `viewsync.yaml`, in the shape of a GitHub matrix. Connects to nothing. */
export function listTargets({ targets }: Pick<Project, 'targets'>): { readonly include: readonly ListedTarget[] } {
  return { include: targets.map(({ name, warehouse }) => ({ target: name, warehouse })) };
}
