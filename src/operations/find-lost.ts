import type { Part, PartSource } from '../warehouses/parts.ts';

/** What is gone because something that it needs is gone as well: nobody has dropped it by its own name alone. Parts of a view that is gone went with that. */
export async function findLost(parts: readonly Part[], { findGone }: PartSource): Promise<readonly Part[]> {
  if (parts.length === 0) return [];
  const gone = await findGone(parts.map(({ id }) => id));
  const candidates = parts.filter(({ id }) => gone.has(id));
  if (candidates.length === 0) return [];
  const missing = await findGone(candidates.flatMap(({ of, needs }) => [of, ...needs]));
  return candidates.filter(({ id, of, needs }) => (id === of || !missing.has(of)) && needs.some((need) => missing.has(need)));
}
