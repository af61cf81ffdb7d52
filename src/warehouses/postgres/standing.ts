import type { RelationName } from '../../core/relation.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { NamedParts } from '../script-session.ts';

/** Names as the queries below take them: schemas (null: look along the path), relations, the path, every single word. */
type Parameters = readonly [(string | null)[], string[], readonly string[], string[]];

/** Of a dotted name any two neighbours may be schema and object, and the first part may be an object of the path. */
function toParameters(named: NamedParts, path: readonly string[]): Parameters {
  const pairs = named.flatMap((parts) => [
    ...parts.slice(0, 1).map((name) => ({ schema: null, name })),
    ...parts.slice(1).map((name, index) => ({ schema: parts[index] ?? null, name })),
  ]);
  const unique = [...new Map(pairs.map((pair) => [JSON.stringify(pair), pair])).values()];
  return [unique.map(({ schema }) => schema), unique.map(({ name }) => name), path, [...new Set(named.flat())]];
}

const isNamed = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND (n.nspname = w.schema OR w.schema IS NULL AND n.nspname = ANY ($3::text[]))`;

const namedQuery = `
  SELECT DISTINCT c.oid FROM unnest($1::text[], $2::text[]) w(schema, name) JOIN pg_class c ON c.relname = w.name JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND ${isNamed}`;

const columnsAndConstraints = `
  SELECT 'pg_class'::regclass::oid, a.attrelid, a.attnum::int FROM family JOIN pg_attribute a ON a.attrelid = family.oid AND a.attnum > 0 AND a.attname = ANY ($4::text[])
  UNION SELECT 'pg_constraint'::regclass::oid, k.oid, 0 FROM family JOIN pg_constraint k ON k.conrelid = family.oid AND k.conname = ANY ($4::text[])`;

const wholeObjects = `
  SELECT 'pg_class'::regclass::oid, oid, 0 FROM family
  UNION SELECT 'pg_constraint'::regclass::oid, k.oid, 0 FROM family JOIN pg_constraint k ON k.conrelid = family.oid
  UNION SELECT 'pg_type'::regclass::oid, t.oid, 0 FROM unnest($1::text[], $2::text[]) w(schema, name)
    JOIN pg_type t ON t.typname = w.name AND t.typrelid = 0 JOIN pg_namespace n ON n.oid = t.typnamespace WHERE ${isNamed}
  UNION SELECT 'pg_proc'::regclass::oid, p.oid, 0 FROM unnest($1::text[], $2::text[]) w(schema, name)
    JOIN pg_proc p ON p.proname = w.name JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${isNamed}
  UNION SELECT 'pg_collation'::regclass::oid, o.oid, 0 FROM unnest($1::text[], $2::text[]) w(schema, name)
    JOIN pg_collation o ON o.collname = w.name JOIN pg_namespace n ON n.oid = o.collnamespace WHERE ${isNamed}
  UNION SELECT 'pg_ts_config'::regclass::oid, o.oid, 0 FROM unnest($1::text[], $2::text[]) w(schema, name)
    JOIN pg_ts_config o ON o.cfgname = w.name JOIN pg_namespace n ON n.oid = o.cfgnamespace WHERE ${isNamed}
  UNION SELECT 'pg_ts_dict'::regclass::oid, o.oid, 0 FROM unnest($1::text[], $2::text[]) w(schema, name)
    JOIN pg_ts_dict o ON o.dictname = w.name JOIN pg_namespace n ON n.oid = o.dictnamespace WHERE ${isNamed}
  UNION SELECT 'pg_extension'::regclass::oid, e.oid, 0 FROM pg_extension e WHERE e.extname = ANY ($4::text[])`;

/**
 * From the start along pg_depend; a view stands for its rules, defaults, triggers, indexes and statistics, and those of a table lead nowhere. The relations that inherit from a named
 * one, or are of a named type, change with it.
 */
const standingQuery = (start: string): string => `
WITH RECURSIVE named AS (${namedQuery}),
typed AS (SELECT t.oid FROM named JOIN pg_type y ON y.typrelid = named.oid JOIN pg_class t ON t.reloftype = y.oid),
family AS (SELECT oid FROM named UNION SELECT oid FROM typed UNION SELECT i.inhrelid FROM family JOIN pg_inherits i ON i.inhparent = family.oid),
start(class, object, part) AS (${start}),
reached(class, object, part, distance) AS (
  SELECT class, object, part, 0 FROM start
  UNION
  SELECT CASE WHEN v.oid IS NULL THEN d.classid ELSE 'pg_class'::regclass::oid END, coalesce(v.oid, d.objid), CASE WHEN v.oid IS NULL THEN d.objsubid ELSE 0 END, 1
  FROM (SELECT DISTINCT d.classid, d.objid, d.objsubid
        FROM reached r JOIN pg_depend d ON d.refclassid = r.class AND d.refobjid = r.object AND (r.part = 0 OR d.refobjsubid = r.part) WHERE d.deptype <> 'x') d
       LEFT JOIN LATERAL (SELECT c.oid FROM (
         SELECT ev_class AS relation FROM pg_rewrite WHERE d.classid = 'pg_rewrite'::regclass AND oid = d.objid
         UNION ALL SELECT adrelid FROM pg_attrdef WHERE d.classid = 'pg_attrdef'::regclass AND oid = d.objid
         UNION ALL SELECT tgrelid FROM pg_trigger WHERE d.classid = 'pg_trigger'::regclass AND oid = d.objid
         UNION ALL SELECT indrelid FROM pg_index WHERE d.classid = 'pg_class'::regclass AND indexrelid = d.objid
         UNION ALL SELECT stxrelid FROM pg_statistic_ext WHERE d.classid = 'pg_statistic_ext'::regclass AND oid = d.objid OFFSET 0) p
         JOIN pg_class c ON c.oid = p.relation AND c.relkind IN ('v', 'm') OFFSET 0) v ON true)
SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name
FROM reached JOIN pg_class c ON reached.class = 'pg_class'::regclass AND c.oid = reached.object AND c.relkind IN ('v', 'm') JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE reached.distance = 1 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

const queries = { parts: standingQuery(columnsAndConstraints), whole: standingQuery(wholeObjects) } as const;

export interface StandingRequest {
  readonly named: NamedParts;
  readonly on: keyof typeof queries;
  /** Where names without a schema are looked up. */
  readonly path: readonly string[];
}

/** See `ScriptSession.findStanding`. */
export function findStanding(connection: Connection, { named, on, path }: StandingRequest): Promise<RelationName[]> {
  return connection.query<RelationName>(queries[on], [...toParameters(named, path)].slice(0, 4));
}

/** The oids of the relations that are named. */
export async function findNamedRelations(connection: Connection, named: NamedParts, path: readonly string[]): Promise<readonly number[]> {
  const rows = await connection.query<{ oid: number }>(namedQuery, toParameters(named, path).slice(0, 3));
  return rows.map(({ oid }) => oid);
}
