import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';
import { redshift } from '../../../src/warehouses/redshift/adapter.ts';
import { keptFolder } from '../../support/kept-folder.ts';
import { createDatabase, createRole, type TestDatabase } from '../../support/postgres-server.ts';
import { identify, type SimulatedRedshift, startRedshift } from '../../support/redshift/server.ts';
import { temporaryFolder } from '../../support/repository.ts';
import { openPlace, type Place } from '../../support/workplace.ts';

/** A cluster with two tables and views of all three sorts on them, and a repository for it. */
export interface Shop extends Place {
  readonly server: SimulatedRedshift;
  fileOf(path: string): string;
  editFile(path: string, change: (text: string) => string): void;
}

export const roles = ['rs_ada', 'rs_bob', 'rs_analysts', 'rs_reporting'];

const tables = `
CREATE SCHEMA shop; CREATE SCHEMA finance;
CREATE TABLE shop.product_v1 (id int, name varchar(20), price numeric(12,2), day date);
CREATE TABLE shop.orders (id int, product int, quantity int);
${identify('rs_analysts', 'group')} ${identify('rs_reporting', 'role')}`;

const views = [
  'CREATE VIEW shop.product_master AS SELECT id, name, price FROM shop.product_v1',
  'CREATE VIEW finance.margin AS SELECT id, price * 0.3 AS margin FROM shop.product_master',
  `/* {"app": "dbt", "node_id": "model.shop.sales"} */ create view "dev"."finance"."sales" as (
  -- what was sold
  select o.id, p.name, o.quantity * p.price as total from shop.orders o join shop.product_master p on p.id = o.product
) with no schema binding;`,
  'create view finance.best as select name, total from finance.sales where total > 100 with no schema binding',
  'create view finance.clicks as select day, clicks from spectrum.clicks with no schema binding',
  'CREATE MATERIALIZED VIEW shop.daily BACKUP NO DISTSTYLE KEY DISTKEY (id) COMPOUND SORTKEY (day, id) AUTO REFRESH YES AS SELECT id, day, count(*) AS n FROM shop.product_v1 GROUP BY id, day',
];

const rights = [
  'GRANT SELECT ON shop.product_master TO rs_bob WITH GRANT OPTION',
  'GRANT SELECT ON shop.product_master TO GROUP rs_analysts',
  'GRANT SELECT ON finance.sales TO ROLE rs_reporting',
  'GRANT SELECT ON finance.margin TO PUBLIC',
  'GRANT SELECT (margin) ON finance.margin TO rs_bob',
  "COMMENT ON VIEW shop.product_master IS 'It''s the \\\\ master'",
  "COMMENT ON COLUMN shop.product_master.price IS 'in euro'",
  "COMMENT ON VIEW finance.sales IS 'late'",
  'ALTER TABLE finance.sales OWNER TO rs_ada',
  'CREATE RLS POLICY own_rows WITH (id int) USING (id > 0)',
  'CREATE MASKING POLICY hide WITH (price numeric, id int) USING (NULL)',
  'ATTACH RLS POLICY own_rows ON finance.sales TO ROLE rs_reporting',
  'ALTER TABLE finance.sales ROW LEVEL SECURITY ON CONJUNCTION TYPE OR',
  'ATTACH MASKING POLICY hide ON shop.product_master (price) USING (price, id) TO rs_bob PRIORITY 10',
];

/** Its repository; everything goes when the test is over. */
async function openRepository(server: SimulatedRedshift, directory?: string): Promise<Shop> {
  onTestFinished(() => server[Symbol.asyncDispose]());
  const target = {
    name: 'prod',
    warehouse: 'redshift',
    scope: { schemas: ['*'] },
    ignored: { comments: [], labels: [] },
    allowUnreadable: [],
    options: { url: server.url },
  };
  const place = await openPlace(target, () => redshift.connect({ url: server.url }, {}), directory === undefined ? {} : { directory });
  const pathOf = (path: string) => join(place.directory, 'views/prod', path);
  return {
    ...place,
    server,
    fileOf: (path) => readFileSync(pathOf(path), 'utf8'),
    editFile: (path, change) => writeFileSync(pathOf(path), change(readFileSync(pathOf(path), 'utf8'))),
  };
}

export async function openShop(given?: TestDatabase): Promise<Shop> {
  const server = await startRedshift(given);
  await server.database.query(`${roles.map((role) => createRole(role, ' LOGIN')).join(' ')} ${tables}`);
  await server.run(...views, ...rights);
  return openRepository(server);
}

/** The exported shop, which no test uses, and of which each gets a copy: making one takes longer than most tests. */
interface Stage {
  readonly directory: string;
  /** Its name is that of the exported database, or it would be another one; it exists while a test uses it. */
  readonly database: TestDatabase;
  /** For statements about databases. */
  readonly beside: TestDatabase;
}

let stage: Promise<Stage> | undefined;

const templateOf = ({ name }: TestDatabase) => `${name}_template`;

async function makeStage(): Promise<Stage> {
  const [beside, database, directory] = [await createDatabase(), await createDatabase(), keptFolder()];
  const shop = await openShop({ ...database, [Symbol.asyncDispose]: async () => undefined });
  await shop.export();
  cpSync(shop.directory, directory, { recursive: true });
  await shop.server[Symbol.asyncDispose]();
  await beside.query(`ALTER DATABASE ${database.name} RENAME TO ${templateOf(database)}`);
  return { directory, database, beside };
}

afterAll(async () => {
  if (stage === undefined) return;
  const { database, beside } = await stage;
  await beside.query(`DROP DATABASE ${templateOf(database)}`);
  await beside[Symbol.asyncDispose]();
});

/** The shop, exported. */
export async function openExported(): Promise<Shop> {
  stage ??= makeStage();
  const { directory, database, beside } = await stage;
  await beside.query(`CREATE DATABASE ${database.name} TEMPLATE ${templateOf(database)}`);
  const copy = temporaryFolder();
  cpSync(directory, copy, { recursive: true });
  return openRepository(await startRedshift(database, 'as it is'), copy);
}

/** Everything that the server's own catalog says about the views, in its words. */
export async function stateOf({ server }: Shop): Promise<unknown> {
  return server.database.query(`
    SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner) AS owner, redshift.viewdef(c.oid, true) AS definition, (SELECT string_agg(line, ', ' ORDER BY line) FROM unnest(string_to_array(redshift.acl(c.oid), chr(10))) line) AS acl,
           obj_description(c.oid, 'pg_class') AS comment,
           (SELECT string_agg(a.attname || ': ' || coalesce(col_description(c.oid, a.attnum), '') || coalesce(a.attacl::text, ''), ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0) AS columns,
           (SELECT string_agg(role || ' ' || privilege, ', ' ORDER BY role) FROM redshift.role_grants g WHERE g.view = c.oid) AS roles,
           (SELECT string_agg(concat_ws(' ', p.sort, p.policy, p.kind, p.grantee, p.priority, p.inputs, p.outputs), ', ' ORDER BY p.policy) FROM redshift.attached p WHERE p.view = c.oid) AS policies,
           (SELECT conjunction || shared FROM redshift.row_security r WHERE r.view = c.oid) AS row_security,
           (SELECT refreshes FROM redshift.materialized m WHERE m.view = c.oid) AS refreshes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'v' AND n.nspname IN ('shop', 'finance') ORDER BY 1, 2`);
}
