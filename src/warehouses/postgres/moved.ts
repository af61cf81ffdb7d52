import type { RelationName } from '../../core/relation.ts';
import type { Connection } from '../postgres-family/connection.ts';
import { type Baseline, type ChangedObject, findChanged, isStill, readBaseline } from './baseline.ts';

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

/** What another look at the catalogs found. */
export interface Look {
  readonly now: Baseline;
  /** Whether nothing was written or deleted in any catalog. */
  readonly isStill: boolean;
  readonly changed: readonly ChangedObject[];
}

/** What has moved, and the look that told. */
export type Comparison = Moved & Look;

const relationsQuery = `
SELECT DISTINCT n.nspname::text AS schema, c.relname::text AS name FROM unnest($1::oid[], $2::oid[]) AS changed(class, object)
JOIN pg_class c ON changed.class = 'pg_class'::regclass AND c.oid = changed.object JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

export async function lookAgain(connection: Connection, former: Baseline): Promise<Look> {
  const now = await readBaseline(connection, former.reach, former);
  return { now, isStill: isStill(former, now), changed: findChanged(former, now) };
}

const toParameters = (changed: readonly ChangedObject[]) => [changed.map((row) => row.class), changed.map((row) => row.object)];

/** Oids of the views and bystanders whose text may depend on what has changed. */
export async function findConcerned(connection: Connection, changed: readonly ChangedObject[]): Promise<ReadonlySet<number>> {
  if (changed.length === 0) return new Set();
  const rows = await connection.query<{ oid: number }>(concernedQuery, toParameters(changed));
  return new Set(rows.map(({ oid }) => oid));
}

async function findRelations(connection: Connection, changed: readonly ChangedObject[]): Promise<readonly RelationName[]> {
  if (changed.length === 0) return [];
  const rows = await connection.query<RelationName>(relationsQuery, toParameters(changed));
  return rows.map(({ schema, name }) => ({ schema, name }));
}

export async function findMoved(connection: Connection, former: Baseline): Promise<Comparison> {
  const look = await lookAgain(connection, former);
  const [views, relations] = await Promise.all([findConcerned(connection, look.changed), findRelations(connection, look.changed)]);
  return { ...look, views, relations };
}
