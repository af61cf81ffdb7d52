import type { Step } from './plan.ts';

/** `undone`: it took effect and its view was put back to the state before, where nothing rolls back. */
export type StepOutcome = 'applied' | 'failed' | 'not run' | 'rolled back' | 'undone';

/** What became of a plan. */
export interface ApplyReport {
  readonly steps: readonly { readonly step: Step; readonly outcome: StepOutcome; readonly milliseconds: number }[];
  /** `context`: which code of its own the server ran then, an event trigger's for example. */
  readonly failure?: { readonly step?: Step; readonly message: string; readonly code?: string; readonly context?: string };
}
