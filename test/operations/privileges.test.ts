import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { examineTarget } from '../../src/operations/examine-target.ts';
import { describeCatalog } from '../support/catalog-comparison.ts';
import { createRole, postgresServers } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const roles = ['none', 'schema', 'admin', 'owner', 'other', 'grantor', 'reader'];

/** Names that no other test shares, since memberships belong to the whole server. */
const nameOf = (version: number, role: string) => `rights_${version}_${role}`;

function script(version: number): string {
  const named = (text: string) => text.replaceAll(/@(\w+)/g, (_, role: string) => nameOf(version, role));
  return `${roles.map((role) => createRole(nameOf(version, role), role === 'admin' ? ' CREATEROLE' : '')).join('\n')}
    ${named(`CREATE SCHEMA app AUTHORIZATION @schema; GRANT USAGE ON SCHEMA app TO PUBLIC; GRANT CREATE ON SCHEMA app TO @owner;
    CREATE TABLE app.t (id int PRIMARY KEY, price numeric); ALTER TABLE app.t OWNER TO @owner;
    CREATE VIEW app.v AS SELECT id, price FROM app.t; ALTER VIEW app.v OWNER TO @owner; COMMENT ON VIEW app.v IS 'kept';
    GRANT SELECT ON app.v TO @grantor WITH GRANT OPTION; SET ROLE @grantor; GRANT SELECT ON app.v TO @reader; RESET ROLE;
    CREATE VIEW app.w AS SELECT id FROM app.v; ALTER VIEW app.w OWNER TO @owner;
    CREATE MATERIALIZED VIEW app.m AS SELECT count(*) AS n FROM app.t; ALTER MATERIALIZED VIEW app.m OWNER TO @owner;`)}`;
}

async function as(place: Workplace, role: string): Promise<Workplace> {
  return openWorkplace({
    version: place.database.version,
    database: place.database,
    directory: place.directory,
    target: { options: { url: place.database.urlFor(nameOf(place.database.version, role)) } },
  });
}

async function open(version: number) {
  const place = await openWorkplace({ version });
  const named = (role: string) => nameOf(version, role);
  await place.database.query(`${script(version)} ALTER ROLE ${roles.map(named).join(' LOGIN; ALTER ROLE ')} LOGIN`);
  await place.export();
  return {
    place,
    database: place.database,
    named,
    join16: version < 16 ? '' : ' WITH INHERIT TRUE, SET TRUE',
    tip: place.git('rev-parse', 'refs/viewsync/prod'),
    refusals: async (from: Workplace) => (await from.plan('HEAD')).plan.refusals.map(({ because, suggestion }) => `${because} ${suggestion}`),
  };
}

/** Everything about the views but who may use them through a membership, which the test itself changes. */
async function describeViews({ database }: Workplace): Promise<readonly string[]> {
  // What the admin is given on the schema stays.
  return (await describeCatalog(database.url)).filter((line) => !/^\{"kind":"(?:(?:column )?right|schema)"/.test(line));
}

describe.each(postgresServers().map(({ version }) => version))('on PostgreSQL %i', (version) => {
  test('what a role may not do is refused before the first statement', async () => {
    const { place, database, named, join16, tip, refusals } = await open(version);

    // A role that owns nothing reads everything, and changes nothing.
    const none = await as(place, 'none');
    expect((await none.export()).commit).toBeUndefined();
    await database.query("COMMENT ON VIEW app.v IS 'drifted'");
    expect(await refusals(none)).toEqual([
      `This view belongs to "${named('owner')}", and "${named('none')}" cannot act as that role: app.v. GRANT ${named('owner')} TO ${named('none')}${join16}`,
    ]);
    await expect(none.apply('HEAD')).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE', message: expect.stringContaining('Nothing was changed.') });

    // Whoever owns the schema could drop the views in it, and could not make them again.
    const schema = await as(place, 'schema');
    const file = join(place.directory, 'views/prod/app/v.sql');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/SELECT[\s\S]*?app\.t\b/, 'SELECT price FROM app.t'));
    await expect(schema.apply('worktree', { overwrite: ['app.v'] })).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE' });
    writeFileSync(file, text);
    expect(place.git('rev-parse', 'refs/viewsync/prod')).toBe(tip);
  });

  test('the admin of a managed server, who is no superuser, restores exactly with what is asked for and nothing without', async () => {
    const { place, database, named, join16, tip, refusals } = await open(version);
    const before = await describeViews(place);
    // The admin of a managed server: no superuser, a member of nothing at first.
    const admin = await as(place, 'admin');
    const drop = 'DROP VIEW app.w, app.v; DROP MATERIALIZED VIEW app.m';
    await database.query(drop);
    expect(await refusals(admin)).toEqual([
      `These views have to be made in the schema "app", where "${named('admin')}" may not create: app.m, app.v, app.w. GRANT USAGE, CREATE ON SCHEMA app TO ${named('admin')}`,
      `These views have to belong to "${named('owner')}", and "${named('admin')}" cannot act as that role: app.m, app.v, app.w. GRANT ${named('owner')} TO ${named('admin')}${join16}`,
      `This view has rights that "${named('grantor')}" gave, and "${named('admin')}" cannot act as that role: app.v. GRANT ${named('grantor')} TO ${named('admin')}${join16}`,
    ]);
    await expect(admin.apply('HEAD')).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE' });
    expect(place.git('rev-parse', 'refs/viewsync/prod')).toBe(tip);

    // Whatever is asked for is enough: with it everything comes back, and nothing else.
    const asked = (await admin.plan('HEAD')).plan.refusals.flatMap(({ suggestion }) => suggestion ?? []);
    await database.query(asked.join('; '));
    await admin.apply('HEAD');
    expect(await describeViews(place)).toEqual(before);

    // An owner who may not create in the schema cannot be given a view there.
    await database.query(`${drop}; REVOKE CREATE ON SCHEMA app FROM ${named('owner')}`);
    expect(await refusals(admin)).toEqual([
      `These views have to be made in the schema "app", where "${named('owner')}" may not create: app.m, app.v, app.w. GRANT USAGE, CREATE ON SCHEMA app TO ${named('owner')}`,
    ]);
  });

  test('the statements of the documents are all that is needed, and a membership that may not be used is none', async () => {
    const place = await openWorkplace({ version });
    const { database } = place;
    const names: Readonly<Record<string, string>> = { viewsync: `rights_${version}_documented`, shop: 'app' };
    const blocks = [...readFileSync(new URL('../../docs/postgres.md', import.meta.url), 'utf8').matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map(([, sql = '']) =>
      (version < 16 ? sql.replace(' WITH INHERIT TRUE, SET TRUE', '') : sql)
        .replace('DATABASE shop', `DATABASE ${database.name}`)
        .replaceAll('DATABASE shop', `DATABASE ${database.name}`),
    );
    const run = (sql: string, owner = '') =>
      database.query(
        sql
          .replaceAll(/--.*/g, '')
          .replaceAll(/\b(viewsync|shop)\b/g, (word) => names[word] ?? word)
          .replaceAll(/\bowner\b/g, nameOf(version, owner)),
      );
    await database.query(script(version));
    for (const block of blocks)
      await (block.includes('owner')
        ? run(block, 'owner')
            .then(() => run(block, 'grantor'))
            .then(() => run(block, 'schema'))
        : run(block));
    const role = names['viewsync'] ?? '';
    const far = await openWorkplace({ version, database, directory: place.directory, target: { options: { url: database.urlFor(role) } } });
    const examine = async () =>
      (await examineTarget(far.project, far.target, far.connect)).checks.filter(({ check }) => check === 'privileges').map(({ found }) => found);
    expect(await examine()).toEqual([expect.stringContaining('This role may do everything')]);
    if (version >= 16)
      await database.query(`GRANT ${nameOf(version, 'owner')} TO ${role} WITH SET FALSE; GRANT ${nameOf(version, 'grantor')} TO ${role} WITH SET FALSE`);
    else await database.query(`ALTER ROLE ${role} NOINHERIT`);
    expect(await examine()).toEqual(expect.arrayContaining([expect.stringContaining(`act as "${nameOf(version, 'owner')}", who owns 3 views`)]));
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  test('doctor prints the very statements, and after them all is well', async () => {
    const place = await openWorkplace({ version });
    const { database } = place;
    const weak = `rights_${version}_doctor`;
    await database.query(`${script(version)} ${createRole(weak, ' LOGIN')} REVOKE TEMPORARY ON DATABASE ${database.name} FROM PUBLIC`);
    const far = await openWorkplace({ version, database, directory: place.directory, target: { options: { url: database.urlFor(weak) } } });
    const examine = async () => (await examineTarget(far.project, far.target, far.connect)).checks.filter(({ check }) => check === 'privileges');
    const found = await examine();
    expect(found.map(({ found: text }) => text.replaceAll(`rights_${version}_`, '@'))).toEqual([
      expect.stringContaining('To export and to apply, this role should create temporary views'),
      expect.stringContaining('To make a schema again that is gone'),
      expect.stringContaining('To drill on this server'),
      'To apply and to migrate, this role has to become "@grantor", who gave rights on a view.',
      'To apply and to migrate, this role has to act as "@owner", who owns 3 views.',
      'To apply and to migrate, this role has to create in the schema "app", where 3 views are.',
      'To make the schema "app" again when it is gone, this role has to act as "@schema", who owns it.',
      'To migrate, this role has to act as "@owner", who owns tables that 2 views read.',
    ]);
    await database.query(found.map(({ suggestions }) => suggestions?.[0] ?? '').join('\n'));
    expect((await examine()).map(({ outcome }) => outcome)).toEqual(['good']);
    await database.query(`DROP OWNED BY ${weak}; DROP ROLE ${weak}`);
  });
});
