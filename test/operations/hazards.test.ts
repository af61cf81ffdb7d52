import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { HazardName } from '../../src/core/plan.ts';
import { createRole, newestServer } from '../support/postgres-server.ts';
import { expectTold } from '../support/told.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const base = `CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, price numeric);
  ${createRole('hazard_reader')} ${createRole('hazard_writer')}
  CREATE VIEW app.v AS SELECT id, price FROM app.t; GRANT SELECT ON app.v TO hazard_reader`;

async function open(): Promise<Workplace> {
  const place = await openWorkplace();
  await place.database.query(base);
  await place.export();
  return place;
}

/** What `plan` says of a hazard; `apply` refuses it without its name, changes nothing, and goes on with it. */
async function stopped(place: Workplace, revision: string, hazard: HazardName, options: { readonly absent?: 'drop' } = {}): Promise<string> {
  const { plan } = await place.plan(revision, options);
  const tip = place.git('rev-parse', 'refs/viewsync/prod');
  expectTold(await place.apply(revision, options).catch((error) => error), {
    code: 'HAZARD',
    exitCode: 3,
    because: 'This plan does what has to be allowed by name',
    next: `Add --allow ${hazard} to the command.`,
  });
  expect(place.git('rev-parse', 'refs/viewsync/prod')).toBe(tip);
  const { report } = await place.apply(revision, { ...options, allowed: [hazard] });
  expect(new Set(report.steps.map(({ outcome }) => outcome))).toEqual(new Set(['applied']));
  return plan.hazards.map(({ name, because }) => `${name}: ${because}`).join('\n');
}

function edit(place: Workplace, view: string, change: (text: string) => string): void {
  const file = join(place.directory, `views/prod/app/${view}.sql`);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

const grants = (place: Workplace, relation: string) =>
  place.database.query(`SELECT grantee::regrole::text AS who, privilege_type AS what FROM pg_class, aclexplode(relacl) WHERE oid = '${relation}'::regclass
    AND grantee <> relowner ORDER BY 1, 2`);

describe.each([newestServer().version])('on PostgreSQL %i', (version) => {
  test('an owner whom no row security binds, and one who owns the table', async () => {
    const place = await openWorkplace({ version });
    await place.database.query(`${createRole('hazard_owner')} ${createRole('hazard_bypass', ' BYPASSRLS')} ${createRole('hazard_table')} CREATE SCHEMA app;
      GRANT ALL ON SCHEMA app TO PUBLIC; CREATE TABLE app.t (id int); ALTER TABLE app.t ENABLE ROW LEVEL SECURITY; ALTER TABLE app.t OWNER TO hazard_table;
      CREATE VIEW app.v AS SELECT id FROM app.t; ALTER VIEW app.v OWNER TO hazard_owner; CREATE VIEW app.w AS SELECT id FROM app.t; ALTER VIEW app.w OWNER TO hazard_owner`);
    await place.export();
    edit(place, 'v', (text) => text.replace('OWNER TO hazard_owner', 'OWNER TO hazard_bypass'));
    edit(place, 'w', (text) => text.replace('OWNER TO hazard_owner', 'OWNER TO hazard_table'));
    const found = await stopped(place, 'worktree', 'WIDENS_ACCESS');
    expect(found).toContain('its owner hazard_bypass is bound by no row security');
    expect(found).toContain('its owner hazard_table is not bound by the row security of app.t');
  });

  test('a role that is gone: as owner, as grantee, as grantor, and whoever passed on its right', async () => {
    const place = await openWorkplace({ version });
    const gone = `hazard_gone_${place.database.name}`;
    await place.database.query(`${createRole('hazard_reader')} ${createRole('hazard_writer')} CREATE ROLE ${gone}; CREATE SCHEMA app; CREATE TABLE app.t (id int);
      GRANT ALL ON SCHEMA app TO PUBLIC;
      CREATE VIEW app.v AS SELECT id FROM app.t; ALTER VIEW app.v OWNER TO ${gone}; GRANT SELECT ON app.v TO hazard_reader;
      CREATE VIEW app.w AS SELECT id FROM app.t; GRANT SELECT, DELETE ON app.w TO ${gone} WITH GRANT OPTION; GRANT SELECT ON app.w TO hazard_reader;
      SET ROLE ${gone}; GRANT SELECT ON app.w TO hazard_writer WITH GRANT OPTION; SET ROLE hazard_writer; GRANT SELECT ON app.w TO hazard_reader; RESET ROLE`);
    await place.export();
    await place.database.query(`DROP VIEW app.v, app.w; DROP OWNED BY ${gone}; DROP ROLE ${gone}`);
    const found = await stopped(place, 'HEAD', 'MISSING_ROLE');
    expect(found).toContain(`app.v names the role "${gone}", which the server does not have; allowed, its lines are left out.`);
    expect(found).toContain(`app.w names the role "${gone}"`);
    expect([await grants(place, 'app.v'), await grants(place, 'app.w')]).toEqual([
      [{ who: 'hazard_reader', what: 'SELECT' }],
      [{ who: 'hazard_reader', what: 'SELECT' }],
    ]);
  });
});

test('an older commit hands out no access quietly; rolling it back and an accident do', async () => {
  const place = await open();
  await place.database.query('REVOKE SELECT ON app.v FROM hazard_reader');
  await place.export();
  expect(await stopped(place, 'HEAD~1', 'WIDENS_ACCESS')).toContain(
    'app.v would allow what it allows neither now nor at the last export: hazard_reader may SELECT.',
  );
  await place.rollback();
  expect(await grants(place, 'app.v')).toEqual([]);
  await place.rollback();
  expect(await grants(place, 'app.v')).toEqual([{ who: 'hazard_reader', what: 'SELECT' }]);
  await place.database.query('DROP VIEW app.v');
  const { plan } = await place.plan('HEAD');
  expect([plan.steps.length > 0, plan.hazards]).toEqual([true, []]);
});

test('a view that is gone comes back as it was last, also when its loss was recorded, and not as it was before', async () => {
  const place = await open();
  await place.database.query('GRANT SELECT ON app.v TO hazard_writer');
  await place.export();
  await place.database.query('REVOKE SELECT ON app.v FROM hazard_writer');
  await place.export();
  await place.database.query('DROP VIEW app.v');
  await place.export();
  await place.database.query('CREATE VIEW app.other AS SELECT 1 AS one');
  await place.export();
  expect((await place.plan('HEAD~2')).plan.hazards).toEqual([]);
  expect(await stopped(place, 'HEAD~3', 'WIDENS_ACCESS')).toContain('hazard_writer may SELECT');
});

test('an edit in git that hands out access is one too, until it was applied once', async () => {
  const place = await open();
  edit(place, 'v', (text) => text.replace('TO hazard_reader', 'TO hazard_reader, hazard_writer'));
  expect(await stopped(place, 'worktree', 'WIDENS_ACCESS')).toContain('hazard_writer may SELECT');
  await place.database.query('REVOKE SELECT ON app.v FROM hazard_writer');
  expect((await place.plan('HEAD')).plan.hazards).toEqual([]);
});

test('a dropped view, a rebuilt materialized view', async () => {
  const place = await open();
  await place.database.query('CREATE VIEW app.extra AS SELECT 1 AS one');
  expect(await stopped(place, 'HEAD', 'DELETES_VIEW', { absent: 'drop' })).toBe('DELETES_VIEW: Drops app.extra, which the commit does not hold.');
  await place.database.query('CREATE MATERIALIZED VIEW app.m AS SELECT id FROM app.t');
  await place.export();
  edit(place, 'm', (text) => text.replace(/SELECT[\s\S]*?app\.t\b/, 'SELECT id + 1 AS id FROM app.t'));
  expect(await stopped(place, 'worktree', 'REBUILDS_MATERIALIZED_VIEW')).toMatch(
    /^REBUILDS_MATERIALIZED_VIEW: Drops app.m \(\d+ (?:bytes|kB)\) and computes it again/,
  );
});

test('another database', async () => {
  const place = await open();
  const other = await openWorkplace();
  await other.database.query(`${base}; DROP VIEW app.v`);
  const elsewhere = { ...place, connect: other.connect };
  const warehouse = await elsewhere.connect();
  const same = { code: 'OTHER_WAREHOUSE', exitCode: 3, suggestions: expect.arrayContaining([expect.stringContaining('--allow OTHER_WAREHOUSE')]) };
  await expect(place.plan('HEAD', { warehouse })).rejects.toMatchObject(same);
  await expect(place.apply('HEAD', { warehouse })).rejects.toMatchObject(same);
  expect((await place.plan('HEAD', { warehouse, allowed: ['OTHER_WAREHOUSE'] })).plan.steps.length).toBeGreaterThan(0);
  await place.apply('HEAD', { warehouse, allowed: ['OTHER_WAREHOUSE'] });
  expect(place.git('show', 'HEAD:views/prod/target.json')).toContain(other.database.name);
  const { commit, live } = await place.export({ warehouse });
  expect([commit, live]).toEqual([undefined, undefined]);
  await warehouse.close();
});
