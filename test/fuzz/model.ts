import type { Random } from '../faults/simulation/random.ts';

/** A column of something that was made. */
export interface MadeColumn {
  readonly name: string;
  readonly type: 'int' | 'text' | 'numeric' | 'date' | 'bool' | 'varchar';
}

/** A table or view that was made, under the name that SQL needs for it. */
export interface Made {
  readonly kind: 'table' | 'view' | 'materialized view';
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly MadeColumn[];
}

export const roles: readonly string[] = ['fz_own', 'fz_two', '"Fz three"', 'fz_four'];

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const nameOf = ({ schema, name }: Pick<Made, 'schema' | 'name'>): string => `${quote(schema)}.${quote(name)}`;
export const typedName = (made: Made): string => `${made.kind.toUpperCase()} ${nameOf(made)}`;

const names: readonly string[] = [
  'a',
  'B b',
  'select',
  'ü"x',
  'x.y',
  "it's",
  'UPPER',
  'a;--',
  '$$',
  'con',
  'table',
  'very_long_name_that_goes_on_and_on_until_it_nearly_fills_all_63',
];

/** A name that is not taken: most of them plain. */
export function inventName(random: Random, taken: Set<string>, stem: string): string {
  const base = random.isLucky(0.3) ? random.pick(names) : stem;
  for (let number = taken.size; ; number++) {
    const name = taken.has(base) ? `${base.slice(0, 55)}${number}` : base;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

export function sample<Item>(random: Random, items: readonly Item[], count: number): readonly Item[] {
  const left = [...items];
  const picked: Item[] = [];
  while (left.length > 0 && picked.length < count) picked.push(...left.splice(random.integer(left.length), 1));
  return picked;
}

export function times<Item>(count: number, make: (index: number) => Item): readonly Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}
