import type { RelationName } from '../../core/relation.ts';
import type { Part, PartSource } from '../parts.ts';
import type { Connection } from '../postgres-family/connection.ts';
import { bystanderPartsQuery } from './bystander-queries.ts';

/** A part stands for what depends on other objects: of a view its query. */
const partsQuery = `
WITH parts(class, oid, object, kind, key) AS (
  SELECT 'pg_rewrite'::regclass::oid, oid, ev_class, CASE rulename WHEN '_RETURN' THEN 'view' ELSE 'rule' END, CASE rulename WHEN '_RETURN' THEN '' ELSE rulename::text END
    FROM pg_rewrite
  UNION ALL SELECT 'pg_trigger'::regclass, oid, tgrelid, 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, adrelid, 'default', attname::text FROM pg_attrdef d JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
  UNION ALL SELECT 'pg_class'::regclass, indexrelid, indrelid, 'index', relname::text FROM pg_index JOIN pg_class ON oid = indexrelid
  UNION ALL SELECT 'pg_statistic_ext'::regclass, s.oid, stxrelid, 'statistics', format('%I.%I', nspname, stxname) FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace)
SELECT format('%s:%s:0', p.class, p.oid) AS id, n.nspname::text AS schema, c.relname::text AS name, p.kind, p.key,
  ARRAY(SELECT format('%s:%s:%s', d.refclassid, d.refobjid, CASE WHEN d.refclassid = 'pg_class'::regclass THEN d.refobjsubid ELSE 0 END) FROM pg_depend d
        WHERE d.classid = p.class AND d.objid = p.oid AND d.refobjid <> p.object) AS needs,
  format('%s:%s:0', 'pg_class'::regclass::oid, p.object) AS "of"
FROM parts p JOIN pg_class c ON c.oid = p.object AND c.relkind IN ('v', 'm') AND c.relpersistence <> 't' JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

interface PartRow extends Omit<Part, 'view'> {
  readonly schema: string;
  readonly name: string;
}

type BystanderPartRow = Pick<Part, 'id' | 'of' | 'needs'> & {
  /** Where the name stands in the list that was asked for, from 1. */
  readonly position: number;
};

async function listBystanderParts(connection: Connection, names: readonly RelationName[]): Promise<readonly Part[]> {
  if (names.length === 0) return [];
  const columns = [
    names.map(({ object }) => object?.kind ?? ''),
    names.map(({ schema }) => schema),
    names.map(({ object }) => object?.on ?? null),
    names.map(({ name }) => name),
    names.map(({ object }) => object?.arguments ?? null),
  ];
  const rows = await connection.query<BystanderPartRow>(bystanderPartsQuery, columns);
  return rows.flatMap(({ position, ...part }) => {
    const view = names[position - 1];
    return view ? [{ ...part, view, kind: 'bystander', key: '' }] : [];
  });
}

async function listParts(connection: Connection, bystanders: readonly RelationName[] = []): Promise<readonly Part[]> {
  const [rows, hanging] = await Promise.all([connection.query<PartRow>(partsQuery), listBystanderParts(connection, bystanders)]);
  const parts = rows.map(({ id, of, schema, name, kind, key, needs }) => ({ id: kind === 'view' ? of : id, of, view: { schema, name }, kind, key, needs }));
  return [...parts, ...hanging];
}

// What views, their parts and bystanders are and depend on. https://www.postgresql.org/docs/current/catalog-pg-depend.html
const catalogs = [
  'pg_class',
  'pg_proc',
  'pg_type',
  'pg_operator',
  'pg_opclass',
  'pg_opfamily',
  'pg_collation',
  'pg_constraint',
  'pg_extension',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_rewrite',
  'pg_trigger',
  'pg_attrdef',
  'pg_statistic_ext',
  'pg_policy',
  'pg_cast',
  'pg_language',
  'pg_am',
  'pg_ts_template',
  'pg_ts_parser',
];

const goneQuery = `
SELECT w.id FROM (SELECT id, split_part(id, ':', 1)::oid AS class, split_part(id, ':', 2)::oid AS object, split_part(id, ':', 3)::int AS part FROM unnest($1::text[]) id) w
WHERE CASE w.class ${catalogs.map((catalog) => `WHEN '${catalog}'::regclass THEN NOT EXISTS (SELECT FROM ${catalog} o WHERE o.oid = w.object)`).join(' ')} ELSE false END
  OR w.part > 0 AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = w.object AND a.attnum = w.part AND NOT a.attisdropped)`;

async function findGone(connection: Connection, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await connection.query<{ id: string }>(goneQuery, [ids]);
  return new Set(rows.map(({ id }) => id));
}

/** See `PartSource`. */
export function openParts(connection: Connection): PartSource {
  return { listParts: (bystanders) => listParts(connection, bystanders), findGone: (ids) => findGone(connection, ids) };
}
