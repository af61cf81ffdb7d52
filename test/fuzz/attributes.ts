import type { Random } from '../faults/simulation/random.ts';
import { literal, type Made, type MadeColumn, nameOf, quote, roles, typedName } from './model.ts';

const texts = ["it's", 'back\\slash', '$$', ';\n--', 'ünï', ' '];
const relationRights = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'ALL'];
const columnRights = ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'];

const option = (random: Random) => (random.isLucky(0.4) ? ' WITH GRANT OPTION' : '');
const grantee = (random: Random) => (random.isLucky(0.15) ? 'PUBLIC' : random.pick(roles));
const as = (role: string, sql: string) => `SET ROLE ${role}; ${sql}; RESET ROLE`;

type Attribute = (random: Random, made: Made, column: MadeColumn) => string;

const anywhere: readonly Attribute[] = [
  (random, made) => `ALTER ${typedName(made)} OWNER TO ${random.pick([...roles, 'postgres'])}`,
  (random, made) => `COMMENT ON ${typedName(made)} IS ${literal(random.pick(texts))}`,
  (random, made, column) => `COMMENT ON COLUMN ${nameOf(made)}.${quote(column.name)} IS ${literal(random.pick(texts))}`,
  (random, made) => `COMMENT ON TYPE ${nameOf(made)} IS ${literal(random.pick(texts))}`,
  (random, made) => `COMMENT ON RULE "_RETURN" ON ${nameOf(made)} IS ${literal(random.pick(texts))}`,
  (random, made) => {
    const who = grantee(random);
    return `GRANT ${random.pick(relationRights)} ON ${nameOf(made)} TO ${who}${who === 'PUBLIC' ? '' : option(random)}`;
  },
  (random, made) => as(random.pick(roles), `GRANT ${random.pick(relationRights)} ON ${nameOf(made)} TO ${random.pick(roles)}${option(random)}`),
  (random, made) => as(random.pick(roles), `GRANT SELECT ON ${nameOf(made)} TO ${grantee(random)}`),
  (random, made, column) => `GRANT ${random.pick(columnRights)} (${quote(column.name)}) ON ${nameOf(made)} TO ${random.pick(roles)}${option(random)}`,
  (random, made, column) => as(random.pick(roles), `GRANT ${random.pick(columnRights)} (${quote(column.name)}) ON ${nameOf(made)} TO ${grantee(random)}`),
  (random, made) => `REVOKE ${random.pick(relationRights)} ON ${nameOf(made)} FROM ${grantee(random)} CASCADE`,
  (random, made) =>
    `DO $do$ BEGIN EXECUTE format('REVOKE ${random.pick(relationRights)} ON %s FROM %s', ${literal(nameOf(made))}, (SELECT relowner::regrole FROM pg_class WHERE oid = ${literal(nameOf(made))}::regclass)); END $do$`,
  (random, made) => `REVOKE USAGE ON TYPE ${nameOf(made)} FROM ${grantee(random)} CASCADE`,
  (random, made) => `GRANT USAGE ON TYPE ${nameOf(made)} TO ${random.pick(roles)}${option(random)}`,
];

const onViews: readonly Attribute[] = [
  (random, made) => `ALTER VIEW ${nameOf(made)} SET (security_barrier = ${random.isLucky(0.5)})`,
  (_, made) => `ALTER VIEW ${nameOf(made)} SET (security_invoker = true)`,
  (random, made) => `ALTER VIEW ${nameOf(made)} SET (check_option = ${random.pick(['local', 'cascaded'])})`,
  (_, made) => `ALTER VIEW ${nameOf(made)} RESET (security_barrier)`,
  (_, made, column) => `ALTER VIEW ${nameOf(made)} ALTER ${quote(column.name)} SET DEFAULT ${column.type === 'int' ? '1 + 2' : 'NULL'}`,
  (_, made, column) => `ALTER VIEW ${nameOf(made)} ALTER ${quote(column.name)} DROP DEFAULT`,
  (random, made) =>
    `CREATE TRIGGER "T ${random.integer(3)}" INSTEAD OF ${random.pick(['INSERT', 'UPDATE OR DELETE'])} ON ${nameOf(made)} FOR EACH ROW EXECUTE FUNCTION public.fz_instead('a''b')`,
  (random, made) => `CREATE TRIGGER "S ${random.integer(3)}" AFTER INSERT ON ${nameOf(made)} FOR EACH STATEMENT EXECUTE FUNCTION public.fz_instead()`,
  (random, made) => `COMMENT ON TRIGGER "T ${random.integer(3)}" ON ${nameOf(made)} IS 'of a trigger'`,
  (random, made) => `ALTER TRIGGER "T ${random.integer(3)}" ON ${nameOf(made)} DEPENDS ON EXTENSION plpgsql`,
  (random, made) => `DROP TRIGGER "T ${random.integer(3)}" ON ${nameOf(made)}`,
  (random, made) =>
    `CREATE RULE "R ${random.integer(3)}" AS ON ${random.pick(['INSERT', 'UPDATE', 'DELETE'])} TO ${nameOf(made)} DO ${random.pick(['INSTEAD', 'ALSO'])} NOTHING`,
  (random, made, column) =>
    `CREATE RULE "Q ${random.integer(3)}" AS ON DELETE TO ${nameOf(made)} WHERE old.${quote(column.name)} IS NULL DO INSTEAD (SELECT 1; SELECT old.*)`,
  (random, made) => `COMMENT ON RULE "R ${random.integer(3)}" ON ${nameOf(made)} IS 'of a rule'`,
  (random, made) => `DROP RULE "R ${random.integer(3)}" ON ${nameOf(made)}`,
];

const index = (random: Random, made: Made) => `${made.name.slice(0, 40)} i${random.integer(3)}`;
const inSchema = (random: Random, made: Made) => `${quote(made.schema)}.${quote(index(random, made))}`;

const onMaterialized: readonly Attribute[] = [
  (random, made, column) =>
    `CREATE INDEX ${quote(index(random, made))} ON ${nameOf(made)} (${quote(column.name)} ${random.pick(['', 'DESC', 'ASC NULLS FIRST'])}) WITH (fillfactor = 80)`,
  (random, made, column) =>
    `CREATE INDEX ${quote(index(random, made))} ON ${nameOf(made)} USING ${random.pick(['hash', 'btree'])} ((${quote(column.name)} IS NULL)) WHERE ${quote(column.name)} IS NOT NULL`,
  (random, made) => `COMMENT ON INDEX ${inSchema(random, made)} IS 'of an index'`,
  (random, made) => `ALTER INDEX ${inSchema(random, made)} ALTER COLUMN 1 SET STATISTICS ${random.integer(200)}`,
  (random, made) => `ALTER INDEX ${inSchema(random, made)} DEPENDS ON EXTENSION plpgsql`,
  (random, made) => `ALTER MATERIALIZED VIEW ${nameOf(made)} CLUSTER ON ${quote(index(random, made))}`,
  (random, made) => `DROP INDEX ${inSchema(random, made)}`,
  (random, made) => `ALTER MATERIALIZED VIEW ${nameOf(made)} SET (fillfactor = ${50 + random.integer(50)})`,
  (random, made) => `ALTER MATERIALIZED VIEW ${nameOf(made)} SET (autovacuum_enabled = false, toast.autovacuum_enabled = ${random.isLucky(0.5)})`,
  (random, made, column) => `ALTER MATERIALIZED VIEW ${nameOf(made)} ALTER ${quote(column.name)} SET STATISTICS ${random.integer(500)}`,
  (random, made, column) =>
    `ALTER MATERIALIZED VIEW ${nameOf(made)} ALTER ${quote(column.name)} SET STORAGE ${random.pick(['MAIN', 'EXTERNAL', 'PLAIN', 'EXTENDED'])}`,
  (_, made, column) => `ALTER MATERIALIZED VIEW ${nameOf(made)} ALTER ${quote(column.name)} SET COMPRESSION pglz`,
  (random, made, column) => `ALTER MATERIALIZED VIEW ${nameOf(made)} ALTER ${quote(column.name)} SET (n_distinct = -0.${1 + random.integer(8)})`,
  (random, made) => `ALTER MATERIALIZED VIEW ${nameOf(made)} REPLICA IDENTITY ${random.pick(['FULL', 'NOTHING', 'DEFAULT'])}`,
  (_, made) => `ALTER MATERIALIZED VIEW ${nameOf(made)} DEPENDS ON EXTENSION plpgsql`,
  (random, made, column) =>
    `CREATE STATISTICS ${quote(made.schema)}.${quote(`${made.name.slice(0, 40)} s${random.integer(2)}`)} (mcv, ndistinct) ON ${quote(column.name)}, (${quote(made.columns[0]?.name ?? '')} IS NULL) FROM ${nameOf(made)}`,
  (random, made) => `ALTER STATISTICS ${quote(made.schema)}.${quote(`${made.name.slice(0, 40)} s${random.integer(2)}`)} OWNER TO ${random.pick(roles)}`,
  (random, made) => `ALTER STATISTICS ${quote(made.schema)}.${quote(`${made.name.slice(0, 40)} s${random.integer(2)}`)} SET STATISTICS ${random.integer(300)}`,
  (random, made) => `COMMENT ON STATISTICS ${quote(made.schema)}.${quote(`${made.name.slice(0, 40)} s${random.integer(2)}`)} IS 'of statistics'`,
  (_, made) => `REFRESH MATERIALIZED VIEW ${nameOf(made)} WITH NO DATA`,
  (_, made) => `REFRESH MATERIALIZED VIEW ${nameOf(made)}`,
];

/** A statement that gives a view something, or takes it away; it need not succeed. */
export function makeAttribute(random: Random, made: Made): string {
  const own = made.kind === 'view' ? onViews : onMaterialized;
  return random.pick(random.isLucky(0.45) ? anywhere : own)(random, made, random.pick(made.columns));
}
