type Paint = (text: string) => string;

/** How pieces of a text are told apart; every function returns its text as it is where there are no colours. */
export interface Colors {
  readonly added: Paint;
  readonly removed: Paint;
  readonly changed: Paint;
  readonly heading: Paint;
  readonly quiet: Paint;
  readonly warning: Paint;
}

const same: Paint = (text) => text;

export const noColors: Colors = { added: same, removed: same, changed: same, heading: same, quiet: same, warning: same };
