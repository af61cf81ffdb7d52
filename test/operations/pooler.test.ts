import { Client } from 'pg';
import { expect, test } from 'vitest';
import { drillRevision } from '../../src/operations/drill-revision.ts';
import { examineTarget } from '../../src/operations/examine-target.ts';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { startPooler } from '../support/pooler.ts';
import { createDatabase, createRole, postgresServers } from '../support/postgres-server.ts';
import { openWorkplace } from '../support/workplace.ts';

/** What a session would keep for whoever comes next. */
const kept = `
  SELECT 'setting ' || name AS what FROM pg_settings WHERE source = 'session'
  UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements
  UNION ALL SELECT 'listening ' || pg_listening_channels()
  UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
  UNION ALL SELECT 'temporary ' || proname FROM pg_proc WHERE pronamespace = pg_my_temp_schema()
  UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
  UNION ALL SELECT 'role ' || current_user WHERE current_user <> session_user`;

/** As many questions as the pool has connections, each on another one. */
async function findKept(url: string): Promise<readonly string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const rows = [];
  for (let question = 0; question < 6; question++) rows.push(...(await client.query(kept)).rows);
  await client.end();
  return rows.map(({ what }) => what);
}

test('behind a transaction pooler everything works, and no session keeps anything', async () => {
  await using database = await createDatabase(postgresServers().at(-1)?.version);
  const pooler = await startPooler(database.url);
  await database.query(`${createRole('pooler_reader')} ALTER DATABASE ${database.name} SET search_path = app; CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, a varchar(9));
      CREATE VIEW app.v AS SELECT id, a FROM app.t WHERE a = 'x'; CREATE VIEW app.w AS SELECT id FROM app.v; GRANT SELECT ON app.v TO pooler_reader;
      CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.w; CREATE INDEX m_id ON app.m (id)`);
  const place = await openWorkplace({ database, target: { options: { url: pooler.url } } });
  await place.export();
  const before = await describeCatalog(database.url);
  await database.query('DROP MATERIALIZED VIEW app.m; DROP VIEW app.w; CREATE OR REPLACE VIEW app.v AS SELECT id, a, 1 AS more FROM app.t');
  expect((await place.status()).differing.length).toBe(3);
  await place.apply('HEAD', { allowed: ['REBUILDS_MATERIALIZED_VIEW'] });
  expect(await describeCatalog(database.url)).toEqual(before);
  expect((await place.plan('HEAD')).plan.steps).toEqual([]);
  await place.migrate("SET search_path = app; SET work_mem = '8MB'; ALTER TABLE t ALTER COLUMN a TYPE varchar(19)");
  expect(
    await database.query("SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute WHERE attrelid = 'app.v'::regclass AND attname = 'a'"),
  ).toEqual([{ type: 'character varying(19)' }]);
  expect((await drillRevision(place.project, place.target, { revision: 'HEAD' })).restored).toBe(3);
  const { checks } = await examineTarget(place.project, place.target, place.connect);
  expect(checks.find(({ check }) => check === 'privileges')?.outcome).toBe('good');
  expect(pooler.widest()).toBeGreaterThan(2);
  expect(await findKept(pooler.url)).toEqual([]);
});
