/** Chance that is the same for the same seed. */
export interface Random {
  /** From 0 to below `limit`. */
  integer(limit: number): number;
  isLucky(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32: small, and good enough to choose with. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (limit: number) => Math.floor(next() * limit);
  return { integer, isLucky: (probability) => next() < probability, pick: (items) => items[integer(items.length)] as (typeof items)[number] };
}
