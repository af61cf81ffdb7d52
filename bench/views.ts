/** How many views, and on how many schemas and tables they stand. */
export const schemaCount = 20;
const tablesPerSchema = 5;
const chainLength = 10;

const schemaOf = (index: number) => `area_${index % schemaCount}`;
const tableOf = (index: number) => `${schemaOf(index)}.source_${index % tablesPerSchema}`;
const viewOf = (index: number) => `${schemaOf(index)}.view_${index}`;
const isMaterialized = (index: number) => index % 20 === 19;

// The owner may read everything, so that what it owns can be filled.
const roles = ['bench_owner SUPERUSER', 'bench_reader', 'bench_auditor'];

function createTables(): string[] {
  return Array.from({ length: schemaCount * tablesPerSchema }, (_, index) => {
    const name = `${schemaOf(index)}.source_${Math.floor(index / schemaCount)}`;
    return `CREATE TABLE ${name} (id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, status text, amount numeric(12,2), discount numeric(5,4), country text, note text);`;
  });
}

/** Roles, schemas and tables. */
export function writeFoundation(): string {
  const makeRoles = roles.map((role) => `CREATE ROLE ${role};`);
  const makeSchemas = Array.from({ length: schemaCount }, (_, index) => `CREATE SCHEMA ${schemaOf(index)};`);
  return [...makeRoles, ...makeSchemas, ...createTables()].join('\n');
}

const amounts = `CASE WHEN s.status = 'returned'::text THEN - s.amount WHEN s.status = 'open'::text AND s.ordered_at < '2024-01-01 00:00:00+00'::timestamptz THEN 0::numeric ELSE s.amount * (1 - COALESCE(s.discount, 0)) END`;

/** What every view of the database offers to those that read it. */
const offered = 'id, customer_id, ordered_at, status, amount, discount, country, note';

function queryTable(index: number, constant: number): string {
  return `SELECT s.id, s.customer_id, date_trunc('day', s.ordered_at) AS ordered_at, s.status, sum(${amounts})::numeric(12,2) AS amount,
  avg(s.discount)::numeric(5,4) AS discount, COALESCE(NULLIF(upper(btrim(s.country)), ''), 'unknown') AS country, string_agg(DISTINCT s.note, ', ' ORDER BY s.note) AS note
  FROM ${tableOf(index)} s LEFT JOIN ${tableOf(index + 1)} o ON o.customer_id = s.customer_id AND o.ordered_at >= s.ordered_at - '30 days'::interval
  WHERE s.status IN ('paid', 'shipped', 'returned', 'open') AND s.amount > ${constant} AND NOT EXISTS (SELECT 1 FROM ${tableOf(index + 2)} x WHERE x.id = s.id AND x.status = 'deleted')
  GROUP BY s.id, s.customer_id, date_trunc('day', s.ordered_at), s.status, s.country HAVING count(*) > ${index % 5}`;
}

function queryChain(index: number, constant: number): string {
  return `WITH ranked AS (SELECT v.id, v.customer_id, v.ordered_at, v.status, v.amount, v.discount, v.country, v.note,
  row_number() OVER (PARTITION BY v.customer_id, v.country ORDER BY v.ordered_at DESC, v.id) AS place FROM ${viewOf(index - 1)} v WHERE v.amount > ${constant})
  SELECT r.id, r.customer_id, r.ordered_at, CASE r.status WHEN 'paid' THEN 'done' WHEN 'open' THEN 'waiting' ELSE r.status END AS status,
  (r.amount + COALESCE(t.amount, 0::numeric))::numeric(12,2) AS amount, r.discount, r.country, concat_ws(' / ', r.note, t.note, 'it''s step ${index}') AS note
  FROM ranked r LEFT JOIN ${tableOf(index)} t ON t.id = r.id AND t.country = r.country WHERE r.place <= 10 AND (r.country <> 'unknown' OR r.amount > 100)`;
}

function queryFanIn(index: number, constant: number): string {
  const sources = [1, 2, 3, 4, 5].map((distance) => index - distance * 2).filter((source) => source >= 0);
  const parts = sources.map((source) => `SELECT ${offered} FROM ${viewOf(source)} WHERE amount > ${constant} AND status <> 'source ${source}'`);
  return parts.join('\n  UNION ALL\n  ');
}

function queryOf(index: number, constant: number): string {
  if (index % chainLength === 0) return queryTable(index, constant);
  return index % chainLength === 9 ? queryFanIn(index, constant) : queryChain(index, constant);
}

function writeAttachments(index: number): string[] {
  const [name, kind] = [viewOf(index), isMaterialized(index) ? 'MATERIALIZED VIEW' : 'VIEW'];
  return [
    ...(index % 10 === 3 ? [`ALTER ${kind} ${name} OWNER TO bench_owner;`] : []),
    ...(isMaterialized(index) ? [`CREATE INDEX view_${index}_customer ON ${name} (customer_id, ordered_at);`] : []),
    `GRANT SELECT ON ${name} TO bench_reader;`,
    ...(index % 3 === 0 ? [`GRANT SELECT ON ${name} TO bench_auditor;`] : []),
    `COMMENT ON ${kind} ${name} IS 'Step ${index} of the orders; it''s read by the reports.';`,
    ...(index % 5 === 0 ? [`COMMENT ON COLUMN ${name}.amount IS 'In euros, after the discount.';`] : []),
  ];
}

/** Chains of ten views, each ended by one that reads five others; 5 % materialized and indexed; grants, owners and comments. */
export function writeViews(size: number): string {
  const statements = Array.from({ length: size }, (_, index) => {
    const create = isMaterialized(index) ? 'CREATE MATERIALIZED VIEW' : 'CREATE VIEW';
    return [`${create} ${viewOf(index)} AS ${queryOf(index, index)};`, ...writeAttachments(index)];
  });
  return statements.flat().join('\n');
}

/** Changes ten views, otherwise each time. */
export function writeChanges(size: number, constant: number): string {
  const indexes = Array.from({ length: 10 }, (_, place) => Math.floor((place * size) / 10 / chainLength) * chainLength + 1);
  return indexes.map((index) => `CREATE OR REPLACE VIEW ${viewOf(index)} AS ${queryOf(index, constant)};`).join('\n');
}
