import type { RelationName } from '../../core/relation.ts';
import type { Connection } from '../postgres-family/connection.ts';

/** Catalog rows that are new, or may be: written by a transaction that was not over when the snapshot was taken. */
export interface Baseline {
  /** Oldest transaction that was still running. */
  readonly threshold: string;
  /** One key per row. */
  readonly rows: ReadonlySet<string>;
}

interface RecentRow {
  readonly class: number;
  readonly object: number;
  readonly xmin: string;
}

// What the server looks up when it prints a definition, a rule, a trigger, an index, a default, or a bystander, each with the object that it belongs to.
const sources = [
  ['pg_class', 'oid', 'pg_class'],
  ['pg_class', 'attrelid', 'pg_attribute'],
  ['pg_class', 'ev_class', 'pg_rewrite'],
  ['pg_class', 'tgrelid', 'pg_trigger'],
  ['pg_class', 'adrelid', 'pg_attrdef'],
  ['pg_class', 'indexrelid', 'pg_index'],
  ['pg_class', 'stxrelid', 'pg_statistic_ext'],
  ['pg_proc', 'oid', 'pg_proc'],
  ['pg_proc', 'aggfnoid', 'pg_aggregate'],
  ['pg_policy', 'oid', 'pg_policy'],
  ['pg_constraint', 'oid', 'pg_constraint'],
  ['pg_cast', 'oid', 'pg_cast'],
  ['pg_type', 'oid', 'pg_type'],
  ['pg_type', 'enumtypid', 'pg_enum'],
  ['pg_operator', 'oid', 'pg_operator'],
  ['pg_opclass', 'oid', 'pg_opclass'],
  ['pg_collation', 'oid', 'pg_collation'],
  ['pg_namespace', 'oid', 'pg_namespace'],
] as const;

// Transaction ids of rows have 32 bits and wrap around. A row so old that it looks new is read once more, which is harmless.
const recentQuery = `
SELECT class::oid AS class, object, xmin::text FROM (
${sources.map(([owner, column, source]) => `SELECT '${owner}'::regclass AS class, ${column} AS object, xmin FROM ${source}`).join('\nUNION ALL ')}) sources
WHERE (xmin::text::bigint - $1::bigint % 4294967296 + 4294967296) % 4294967296
    < pg_snapshot_xmax(pg_current_snapshot())::text::bigint - $1::bigint`;

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

/** What the present snapshot sees of transactions that other snapshots may not see. */
export async function readBaseline(connection: Connection): Promise<Baseline> {
  const [snapshot] = await connection.query<{ threshold: string }>('SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS threshold');
  const threshold = snapshot?.threshold ?? '0';
  return { threshold, rows: new Set((await readRecent(connection, threshold)).map(rowKey)) };
}

/** What has changed since a baseline was read. */
export interface Moved {
  /** Oids of the views and bystanders whose text may be another one than then. */
  readonly views: ReadonlySet<number>;
  /** The tables and views that were changed themselves. */
  readonly relations: readonly RelationName[];
}

const relationsQuery = `
SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name FROM unnest($1::oid[], $2::oid[]) AS changed(class, object)
JOIN pg_class c ON changed.class = 'pg_class'::regclass AND c.oid = changed.object JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

export async function findMoved(connection: Connection, baseline: Baseline): Promise<Moved> {
  const changed = (await readRecent(connection, baseline.threshold)).filter((row) => !baseline.rows.has(rowKey(row)));
  if (changed.length === 0) return { views: new Set(), relations: [] };
  const parameters = [changed.map((row) => row.class), changed.map((row) => row.object)];
  const [views, relations] = await Promise.all([
    connection.query<{ oid: number }>(concernedQuery, parameters),
    connection.query<RelationName>(relationsQuery, parameters),
  ]);
  return { views: new Set(views.map((row) => row.oid)), relations: relations.map(({ schema, name }) => ({ schema, name })) };
}

function readRecent(connection: Connection, threshold: string): Promise<RecentRow[]> {
  return connection.query<RecentRow>(recentQuery, [threshold]);
}

function rowKey(row: RecentRow): string {
  return `${row.class} ${row.object} ${row.xmin}`;
}
