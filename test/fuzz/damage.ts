import type { Random } from '../faults/simulation/random.ts';
import { makeAttribute } from './attributes.ts';
import { type Made, nameOf, quote, sample, times, typedName } from './model.ts';
import { makeQuery } from './queries.ts';
import { makeDefaultPrivileges, type RandomSchema } from './schema.ts';

type Damage = (random: Random, schema: RandomSchema, view: Made) => readonly string[];

const drop: Damage = (_, __, view) => [`DROP ${typedName(view)} CASCADE`];

const damages: readonly Damage[] = [
  drop,
  drop,
  (_, { views }) => views.map((view) => `DROP ${view.kind.toUpperCase()} IF EXISTS ${nameOf(view)} CASCADE`),
  (random, { views }) => times(3 + random.integer(8), () => makeAttribute(random, random.pick(views))),
  (random, { views }) => sample(random, views, Math.ceil(views.length * 0.3)).flatMap((view) => times(2, () => makeAttribute(random, view))),
  (_, __, view) => [`ALTER ${typedName(view)} RENAME TO "renam ed"`],
  (random, __, view) => [`ALTER ${typedName(view)} RENAME COLUMN ${quote(random.pick(view.columns).name)} TO "renam ed"`],
  (random, { relations }, view) => [
    `DROP ${typedName(view)} CASCADE`,
    `CREATE ${typedName(view)} AS ${
      makeQuery(
        random,
        relations.filter(({ kind }) => kind === 'table'),
      ).sql
    }`,
  ],
  (random, { relations }, view) => [
    `CREATE OR REPLACE VIEW ${nameOf(view)} AS ${
      makeQuery(
        random,
        relations.filter(({ kind }) => kind === 'table'),
      ).sql
    }`,
  ],
  (_, __, view) => [
    `DO $do$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW ' || $n$${nameOf(view)}$n$ || ' AS SELECT *, 1 AS appended FROM (' || rtrim(pg_get_viewdef($n$${nameOf(view)}$n$::regclass), ';') || ') q'; END $do$`,
  ],
  (random, { relations }, view) => [`CREATE VIEW ${quote(view.schema)}."on top" AS ${makeQuery(random, relations).sql}`],
  (random, { relations }) => [makeDefaultPrivileges(random, [...new Set(relations.map(({ schema }) => schema))])],
  (_, __, view) => [`DROP ${typedName(view)} CASCADE`, `CREATE ${view.kind === 'view' ? 'MATERIALIZED VIEW' : 'VIEW'} ${nameOf(view)} AS SELECT 1 AS other`],
];

/** What somebody does to the views of a schema behind our back; some of it may fail. */
export function makeDamage(random: Random, schema: RandomSchema): readonly string[] {
  return times(1 + random.integer(3), () => random.pick(damages)(random, schema, random.pick(schema.views))).flat();
}
