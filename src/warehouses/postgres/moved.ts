import type { RelationName } from '../../core/relation.ts';
import type { Connection } from '../postgres-family/connection.ts';
import { type Baseline, findChanged, isStill, readBaseline } from './baseline.ts';

/** Views and bystanders whose text depends on one of the objects; a new or renamed schema concerns all views. No two of them share an oid. */
const concernedQuery = `
WITH changed AS (SELECT * FROM unnest($1::oid[], $2::oid[]) AS changed(class, object)), dependent AS (
  SELECT d.classid AS class, d.objid AS object FROM pg_depend d JOIN changed ON d.refclassid = changed.class AND d.refobjid = changed.object
  UNION SELECT * FROM changed)
SELECT object AS oid FROM dependent WHERE class IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_cast'::regclass,
  'pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_trigger'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass)
UNION SELECT r.ev_class FROM dependent JOIN pg_rewrite r ON class = 'pg_rewrite'::regclass AND r.oid = object
UNION SELECT t.tgrelid FROM dependent JOIN pg_trigger t ON class = 'pg_trigger'::regclass AND t.oid = object
UNION SELECT a.adrelid FROM dependent JOIN pg_attrdef a ON class = 'pg_attrdef'::regclass AND a.oid = object
UNION SELECT i.indrelid FROM dependent JOIN pg_index i ON class = 'pg_class'::regclass AND i.indexrelid = object
UNION SELECT c.oid FROM changed JOIN pg_namespace n ON class = 'pg_namespace'::regclass AND n.oid = object AND n.nspname !~ '^pg_', pg_class c
WHERE c.relkind IN ('v', 'm')`;

/** What has changed since a baseline was read. */
export interface Moved {
  /** Oids of the views and bystanders whose text may be another one than then. */
  readonly views: ReadonlySet<number>;
  /** The tables and views that were changed themselves. */
  readonly relations: readonly RelationName[];
}

/** Found by comparing two looks at the catalogs. */
export interface Comparison extends Moved {
  readonly now: Baseline;
  /** Whether nothing was written or deleted in any catalog. */
  readonly isStill: boolean;
}

const relationsQuery = `
SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name FROM unnest($1::oid[], $2::oid[]) AS changed(class, object)
JOIN pg_class c ON changed.class = 'pg_class'::regclass AND c.oid = changed.object JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

export async function findMoved(connection: Connection, former: Baseline): Promise<Comparison> {
  const now = await readBaseline(connection, former.reach, former);
  const changed = findChanged(former, now);
  if (changed.length === 0) return { now, isStill: isStill(former, now), views: new Set(), relations: [] };
  const parameters = [changed.map((row) => row.class), changed.map((row) => row.object)];
  const [views, relations] = await Promise.all([
    connection.query<{ oid: number }>(concernedQuery, parameters),
    connection.query<RelationName>(relationsQuery, parameters),
  ]);
  return { now, isStill: false, views: new Set(views.map((row) => row.oid)), relations: relations.map(({ schema, name }) => ({ schema, name })) };
}
