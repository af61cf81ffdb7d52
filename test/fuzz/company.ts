import type { Random } from '../faults/simulation/random.ts';
import { type Made, nameOf, quote } from './model.ts';

type Hanging = (view: Made, table: Made, number: number) => readonly string[];

/** What is no view but hangs on one, and goes with it. */
const hanging: readonly Hanging[] = [
  (view, _, number) => [
    `CREATE FUNCTION ${quote(view.schema)}."all of ${number}"() RETURNS SETOF ${nameOf(view)} LANGUAGE sql STABLE AS $f$SELECT * FROM ${nameOf(view)}$f$`,
  ],
  (view, _, number) => [`CREATE FUNCTION ${quote(view.schema)}.takes_${number}(${nameOf(view)}) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'`],
  (view, _, number) => [
    `CREATE FUNCTION ${quote(view.schema)}.counts_${number}() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM ${nameOf(view)}; END`,
  ],
  (view, table, number) => [
    `ALTER TABLE ${nameOf(table)} ENABLE ROW LEVEL SECURITY`,
    `CREATE POLICY "pol ${number}" ON ${nameOf(table)} USING (EXISTS (SELECT FROM ${nameOf(view)}))`,
  ],
  (view, table, number) => [`CREATE RULE "rule ${number}" AS ON DELETE TO ${nameOf(table)} DO ALSO SELECT count(*) FROM ${nameOf(view)}`],
];

/** Statements for something that hangs on a view. */
export function makeHanging(random: Random, { view, table, number }: { view: Made; table: Made; number: number }): readonly string[] {
  return random.pick(hanging)(view, table, number);
}

/** A function of a view's rows and a view over it: the function stands between the two. */
export function makeBetween(view: Made, name: Pick<Made, 'schema' | 'name'>, number: number): { readonly view: Made; readonly statements: readonly string[] } {
  const between = `${quote(view.schema)}.between_${number}`;
  const over: Made = { kind: 'view', columns: view.columns, ...name };
  return {
    view: over,
    statements: [
      `CREATE FUNCTION ${between}() RETURNS SETOF ${nameOf(view)} LANGUAGE sql STABLE AS $f$SELECT * FROM ${nameOf(view)}$f$`,
      `CREATE VIEW ${nameOf(over)} AS SELECT * FROM ${between}()`,
    ],
  };
}
