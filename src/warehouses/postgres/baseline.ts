import type { Connection } from '../postgres-family/connection.ts';

/**
 * `printed`: only what is new, in the catalogs that the server prints from, which tells what has to be printed again. `everything`: also what else is read of views, and what
 * was deleted, which tells whether anything has to be read again, and takes as long as reading a few dozen views.
 */
export type Reach = 'printed' | 'everything';

/** Rows of one catalog: those of one object that are new, or may be, or all that are not. */
export interface Mark {
  readonly catalog: string;
  /** Of `object`; null where what the server prints does not depend on the catalog. */
  readonly class: number | null;
  /** The object whose rows were written by transactions that were not over when the threshold was taken; null for all older rows. */
  readonly object: number | null;
  readonly rows: string;
  /** Sum of hashes of the new rows' places and transactions. */
  readonly versions: string | null;
}

/**
 * What the catalogs hold at one moment. Two of them with one threshold are alike only when no row was written or deleted in between: what is
 * new has another transaction or another place, and of the older rows none can be added, so that their number tells whether all are left.
 */
export interface Baseline {
  readonly reach: Reach;
  /** Oldest transaction that was still running. */
  readonly threshold: string;
  readonly marks: ReadonlyMap<string, Mark>;
}

// What the server looks up when it prints a definition, a rule, a trigger, an index, a default, or a bystander, each with the object that it belongs to.
const printed = [
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

// What else is read of views and of what hangs on them. The roles themselves are open to superusers alone, but as a view.
const others = [
  'pg_depend',
  'pg_description',
  'pg_seclabel',
  'pg_extension',
  'pg_am',
  'pg_tablespace',
  'pg_inherits',
  'pg_default_acl',
  'pg_auth_members',
  'pg_event_trigger',
  'pg_partitioned_table',
  'pg_range',
  'pg_amop',
  'pg_amproc',
  'pg_opfamily',
  'pg_language',
  'pg_transform',
  'pg_ts_config',
  'pg_ts_dict',
] as const;

const isRecent = 'age(xmin) <= (SELECT age FROM since)';
const version = "hashtextextended(ctid::text || ' ' || xmin::text, 0)";
const versionOf = `CASE WHEN ${isRecent} THEN ${version} END AS version`;

const perObject = ([owner, , catalog]: (typeof printed)[number], rows: string) => `
SELECT '${catalog}' AS catalog, '${owner}'::regclass::oid AS class, object, count(*)::text AS rows, sum(version)::text AS versions FROM (${rows}) versions GROUP BY object`;

const recentMarks = printed.map((each) => perObject(each, `SELECT ${each[1]}::oid AS object, ${version} AS version FROM ${each[2]} WHERE ${isRecent}`));

const allMarks = [
  ...printed.map((each) => perObject(each, `SELECT CASE WHEN ${isRecent} THEN ${each[1]}::oid END AS object, ${versionOf} FROM ${each[2]}`)),
  ...others.map((catalog) => `SELECT '${catalog}', NULL, NULL, count(*)::text, sum(version)::text FROM (SELECT ${versionOf} FROM ${catalog}) versions`),
  // Before version 14 this was changed in place.
  `SELECT 'valid', NULL, NULL, count(*)::text, NULL FROM pg_index WHERE indisvalid`,
  `SELECT 'pg_roles', NULL, NULL, count(*)::text, md5(string_agg(r::text, ' ' ORDER BY oid)) FROM pg_roles r`,
];

// `age` compares transactions as they wrap around. A row so old that it looks new counts as new, which is harmless.
const queryOf = (marks: readonly string[]) => `
WITH since AS MATERIALIZED (
  SELECT threshold, age(threshold::xid) AS age FROM (SELECT coalesce($1::text, pg_snapshot_xmin(pg_current_snapshot())::xid::text) AS threshold) given)
SELECT 'threshold' AS catalog, NULL::oid AS class, NULL::oid AS object, threshold AS rows, NULL AS versions FROM since
UNION ALL ${marks.join('\nUNION ALL ')}`;

const queries = { printed: queryOf(recentMarks), everything: queryOf(allMarks) } as const;

/** What the catalogs hold as the present snapshot sees them; to be compared with a former one when that is given. */
export async function readBaseline(connection: Connection, reach: Reach, former?: Baseline): Promise<Baseline> {
  const rows = await connection.query<Mark>(queries[reach], [former?.threshold ?? null]);
  return { reach, threshold: rows[0]?.rows ?? '0', marks: new Map(rows.map((mark) => [`${mark.catalog} ${mark.object}`, mark])) };
}

function isAlike(left: Mark | undefined, right: Mark): boolean {
  return left !== undefined && left.rows === right.rows && left.versions === right.versions;
}

/** Whether no row was written or deleted in between; never said of what was looked at for `printed` alone. */
export function isStill(former: Baseline, now: Baseline): boolean {
  return now.reach === 'everything' && former.marks.size === now.marks.size && [...now.marks].every(([key, mark]) => isAlike(former.marks.get(key), mark));
}

/** An object of which rows that the server prints from are other ones than before. */
export interface ChangedObject {
  readonly class: number;
  readonly object: number;
}

/** The objects with rows that were written in between. */
export function findChanged(former: Baseline, now: Baseline): readonly ChangedObject[] {
  return [...now.marks].flatMap(([key, mark]) =>
    mark.class === null || mark.object === null || isAlike(former.marks.get(key), mark) ? [] : [{ class: mark.class, object: mark.object }],
  );
}
