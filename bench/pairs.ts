/** A row of the table. */
export interface Row {
  readonly name: string;
  /** What it is compared with: another program in the same run, or a fixed limit. */
  readonly reference: string;
  readonly size: number;
  readonly ratio: number;
  readonly goal: number;
  readonly met: boolean;
  /** The measured values, ours first, for people. */
  readonly measured: string;
  /** Lowest and highest ratio of the single pairs. */
  readonly spread: readonly [number, number];
}

export type RowName = Pick<Row, 'name' | 'reference' | 'size' | 'goal'>;

/** Milliseconds of ours and of the reference, one after the other. */
export interface Pair {
  readonly ours: number;
  readonly reference: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export type Measure = () => Promise<number>;

/** Measures both in turns, so that whatever else the machine does falls on both. */
export async function measurePairs(runs: number, ours: Measure, reference: Measure): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let run = 0; run < runs; run++) {
    if (run % 2 === 0) {
      const first = await reference();
      pairs.push({ reference: first, ours: await ours() });
    } else {
      pairs.push({ ours: await ours(), reference: await reference() });
    }
  }
  return pairs;
}

/** The row of some pairs: the median of their ratios. */
export function toRow(row: RowName, pairs: readonly Pair[]): Row {
  const ratios = pairs.map(({ ours, reference }) => ours / reference);
  const ratio = median(ratios);
  const [ours, reference] = [median(pairs.map((pair) => pair.ours)), median(pairs.map((pair) => pair.reference))];
  return {
    ...row,
    ratio,
    met: ratio <= row.goal,
    measured: `${Math.round(ours)} ms to ${Math.round(reference)} ms`,
    spread: [Math.min(...ratios), Math.max(...ratios)],
  };
}

/** The row of something that is counted and has a limit. */
export function toLimitRow(row: Omit<RowName, 'goal'>, { value, limit, unit }: { readonly value: number; readonly limit: number; readonly unit: string }): Row {
  const ratio = value / limit;
  return { ...row, ratio, goal: 1, met: ratio <= 1, measured: `${Math.round(value)} ${unit}`, spread: [ratio, ratio] };
}
