import type { View } from './view.ts';

/** What a vendor's pages say of the longest that something may be. */
export interface Limits {
  readonly name: number;
  readonly definition: number;
  /** Whether names and definitions are measured in bytes of UTF-8 or in characters. */
  readonly unit: 'bytes' | 'characters';
}

/** Which limit a view is beyond, in a sentence. */
export function findExcess({ name, definition }: View, { unit, ...limits }: Limits): string | undefined {
  const length = (text: string) => (unit === 'bytes' ? Buffer.byteLength(text) : text.length);
  const tell = (what: string, text: string, most: number) =>
    length(text) > most ? `its ${what} has ${length(text)} ${unit}, and ${most} are the most.` : undefined;
  return tell('name', name.name, limits.name) ?? tell('query', definition, limits.definition);
}
