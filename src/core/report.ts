import type { Step } from './plan.ts';

export type StepOutcome = 'applied' | 'failed' | 'not run' | 'rolled back';

/** What became of a plan. */
export interface ApplyReport {
  readonly steps: readonly { readonly step: Step; readonly outcome: StepOutcome; readonly milliseconds: number }[];
  readonly failure?: { readonly step?: Step; readonly message: string; readonly code?: string };
}
