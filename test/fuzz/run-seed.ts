import { Client } from 'pg';
import { expect } from 'vitest';
import { hazardNames } from '../../src/core/plan.ts';
import { ViewsyncError } from '../../src/errors.ts';
import { createRandom } from '../faults/simulation/random.ts';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { pgDump, type TestDatabase } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';
import { makeDamage } from './damage.ts';
import { planFiles, restoreFiles, writeFiles } from './restore-files.ts';
import { foundation, makeSchema } from './schema.ts';

const empty = `DO $do$ DECLARE found name; BEGIN
  FOR found IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP EXECUTE format('DROP SCHEMA %I CASCADE', found); END LOOP;
  CREATE SCHEMA public;
  DELETE FROM pg_default_acl;
END $do$`;

/** Runs statements one by one, each for itself; returns those that failed. */
async function runAll(url: string, statements: readonly string[]): Promise<readonly string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const failed: string[] = [];
  for (const statement of statements) await client.query(statement).catch((error: Error) => failed.push(`${statement} -- ${error.message}`));
  await client.end();
  return failed;
}

/** What a seed comes to, in SQL, for whoever has to look at a failure. */
export function describeSeed(seed: number): { readonly schema: readonly string[]; readonly damage: readonly string[] } {
  const random = createRandom(seed);
  const schema = makeSchema(random);
  return { schema: [...foundation, ...schema.statements], damage: makeDamage(random, schema) };
}

/** A materialized view that holds what can no longer be computed, such as one that is part of a circle by now, could not come back from anywhere. */
const emptyUncomputable = `DO $do$ DECLARE found regclass; BEGIN
  FOR found IN WITH RECURSIVE edges AS (
      SELECT r.ev_class AS reader, d.refobjid AS read FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
      WHERE r.rulename = '_RETURN' AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'n' AND d.refobjid <> r.ev_class),
    reached AS (SELECT reader, read FROM edges UNION SELECT reached.reader, edges.read FROM reached JOIN edges ON edges.reader = reached.read)
    SELECT c.oid FROM pg_class c JOIN reached ON reader = c.oid AND read = c.oid WHERE c.relkind = 'm' AND c.relispopulated LOOP
    EXECUTE format('REFRESH MATERIALIZED VIEW %s WITH NO DATA', found);
  END LOOP;
  FOR found IN SELECT c.oid FROM pg_class c WHERE c.relkind = 'm' AND c.relispopulated LOOP
    BEGIN
      EXECUTE format('REFRESH MATERIALIZED VIEW %s', found);
    EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL;
      WHEN insufficient_privilege THEN
        BEGIN
          EXECUTE format('ALTER MATERIALIZED VIEW %s OWNER TO postgres; REFRESH MATERIALIZED VIEW %s', found, found);
          RAISE EXCEPTION USING ERRCODE = 'ZZ001';
        EXCEPTION WHEN SQLSTATE 'ZZ001' THEN NULL;
          WHEN OTHERS THEN EXECUTE format('REFRESH MATERIALIZED VIEW %s WITH NO DATA', found);
        END;
      WHEN OTHERS THEN EXECUTE format('REFRESH MATERIALIZED VIEW %s WITH NO DATA', found);
    END;
  END LOOP;
END $do$`;

async function readCatalog({ url }: TestDatabase): Promise<readonly string[]> {
  return (await describeCatalog(url)).filter((line) => !line.startsWith('{"kind":"default privilege"'));
}

/** What else is compared beside the catalog. */
async function readDump(seed: number, database: TestDatabase): Promise<string | undefined> {
  return seed % 3 === 1 ? pgDump(database.version, database.url) : undefined;
}

/** Damage, and the way back through the commands' own operations: with a repository, commits and the live line. */
async function restoreThroughGit(place: Workplace, damage: readonly string[]): Promise<void> {
  await place.export();
  await runAll(place.database.url, damage);
  await place.apply('HEAD', { absent: 'drop', allowed: [...hazardNames] });
  expect((await place.plan('HEAD', { absent: 'drop' })).plan.steps).toEqual([]);
}

/** The same through the files alone, which takes a third of the time. */
async function restoreThroughFiles(place: Workplace, damage: readonly string[]): Promise<void> {
  const warehouse = await place.connect();
  try {
    const files = await writeFiles((await warehouse.inspect({ schemas: ['*'] })).snapshot, warehouse);
    await runAll(place.database.url, damage);
    await restoreFiles(place, files, warehouse);
    expect((await planFiles(place, files, warehouse)).steps).toEqual([]);
    const again = await writeFiles((await warehouse.inspect({ schemas: ['*'] })).snapshot, warehouse);
    requireSame(textsOf(files), textsOf(again), 'a file');
  } finally {
    await warehouse.close();
  }
}

/** Lines of files, sorted, since grants stand in the server's order. Default privileges stay as they are found, and stand in the files of schemas. */
const textsOf = (files: ReadonlyMap<string, string>): readonly string[] =>
  [...files]
    .filter(([path]) => !path.endsWith('/schema.sql'))
    .flatMap(([path, text]) => text.split('\n').map((line) => `${path}: ${line}`))
    .sort();

/** A function that hangs on a view by its new name is not ours to change, so that view is not dropped. Anything else is raised again. */
function rightlyRefused(error: unknown): ViewsyncError {
  if (error instanceof ViewsyncError && error.code === 'PLAN_IMPOSSIBLE' && /which stays, hangs on it/.test(error.message)) return error;
  throw error;
}

/** The law: a random schema, exported, damaged at random and applied, is what it was, and then there is nothing left to do. */
export async function runSeed(seed: number, place: Workplace): Promise<void> {
  const { database } = place;
  const { schema, damage } = describeSeed(seed);
  await runAll(database.url, [empty, ...schema, emptyUncomputable]);
  const before = { catalog: await readCatalog(database), dump: withoutDefaults(await readDump(seed, database)) };
  const restored = seed % 10 === 0 ? restoreThroughGit(await openWorkplace({ database }), damage) : restoreThroughFiles(place, damage);
  const refusal = await restored.then(() => undefined, rightlyRefused);
  if (refusal !== undefined) return;
  requireSame(before.catalog, await readCatalog(database), 'the catalog');
  if (!hasCircle(before.dump)) requireSame(linesOf(before.dump), linesOf(withoutDefaults(await readDump(seed, database))), 'the dump');
}

/** Which view of a circle pg_dump breaks it at depends on when they were made. */
const hasCircle = (dump: string | undefined): boolean => dump !== undefined && /^ {4}NULL::/m.test(dump);

const linesOf = (dump: string | undefined): readonly string[] => dump?.split('\n') ?? [];

/** Raises what is no longer there and what is there instead. */
function requireSame(before: readonly string[], after: readonly string[], what: string): void {
  if (before.join('\n') === after.join('\n')) return;
  const [lost, gained] = [before.filter((line) => !after.includes(line)), after.filter((line) => !before.includes(line))];
  throw new Error(`${what} differs:\n${[...lost.map((line) => `- ${line}`), ...gained.map((line) => `+ ${line}`)].slice(0, 20).join('\n')}`);
}

/** Default privileges are no views', and are left as they are found. */
function withoutDefaults(dump: string | undefined): string | undefined {
  return dump
    ?.replaceAll(/^--\n-- Name: DEFAULT PRIVILEGES[\s\S]*?(?=^--\n-- (?!Name: DEFAULT PRIVILEGES))/gm, '')
    .replaceAll(/^ALTER DEFAULT PRIVILEGES .*\n+/gm, '');
}
