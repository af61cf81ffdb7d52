import type { TestDatabase } from '../../support/postgres-server.ts';
import type { Random } from './random.ts';

export const tables = `
CREATE SCHEMA shop; CREATE SCHEMA "Odd ""one""";
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, total numeric(12,2));
INSERT INTO shop.orders VALUES (1, 1, 10), (2, 1, 500);`;

const names = ['shop.a', 'shop.b', 'shop.c', 'shop.d', 'shop."E/e"', '"Odd ""one""".f', '"Odd ""one"""."..g"', 'shop.h'];

const select = (random: Random, from: string, more = '') => `SELECT id, customer${more} FROM ${from} WHERE id <> ${random.integer(1000)}`;

/** A view reads the table or one that comes before it, so that there are chains and no circles. */
function sourceOf(random: Random, name: string): string {
  const index = names.indexOf(name);
  return index === 0 || random.isLucky(0.4) ? 'shop.orders' : (names[random.integer(index)] as string);
}

type Change = (random: Random, name: string) => string;

const changes: readonly Change[] = [
  (random, name) => `CREATE OR REPLACE VIEW ${name} AS ${select(random, sourceOf(random, name))}`,
  (random, name) => `CREATE OR REPLACE VIEW ${name} AS ${select(random, sourceOf(random, name))}`,
  (random, name) => `CREATE OR REPLACE VIEW ${name} AS ${select(random, 'shop.orders', `, ${random.integer(9)} AS extra`)}`,
  (random, name) => `CREATE MATERIALIZED VIEW ${name} AS ${select(random, 'shop.orders')}; CREATE UNIQUE INDEX ON ${name} (id)`,
  (_, name) => `DROP VIEW ${name} CASCADE`,
  (_, name) => `DROP MATERIALIZED VIEW ${name} CASCADE`,
  (random, name) => `DROP VIEW ${name} CASCADE; CREATE VIEW ${name} AS SELECT customer, id, ${random.integer(9)} AS n FROM shop.orders`,
  (random, name) => `COMMENT ON VIEW ${name} IS E'night ${random.integer(99)}\\r\\n-- viewsync: ''x'';'`,
  (_, name) => `GRANT SELECT ON ${name} TO public`,
  (_, name) => `REVOKE ALL ON ${name} FROM public`,
  (_, name) => `ALTER VIEW ${name} SET (security_barrier = true)`,
  (_, name) => `ALTER VIEW ${name} ALTER customer SET DEFAULT 7`,
];

/** Does what people do to a database at night; what the server refuses is not done. */
export async function drift(database: TestDatabase, random: Random): Promise<void> {
  for (let count = random.integer(4); count > 0; count -= 1) {
    await database.query(random.pick(changes)(random, random.pick(names))).catch(() => []);
  }
}

/** The views that there are, as `schema.name`, by a query that shares nothing with the product. */
export async function listViews(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.query(
    "SELECT nspname || '.' || relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('v', 'm') AND nspname !~ '^(pg_|information)'",
  );
  return rows.map(({ name }) => name).sort();
}
