import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDatabase, postgresServers } from '../support/postgres-server.ts';
import { openWorkplace, type Workplace } from '../support/workplace.ts';

const tables =
  "CREATE TABLE t (id int PRIMARY KEY, vc varchar(20), a int, b int, n name); CREATE TABLE apart (vc varchar(20)); INSERT INTO t VALUES (1, 'x', 1, 2, 'n')";

/** Views that the server prints otherwise once they were made from its own text, with everything that it prints. */
const unstable = `
CREATE VIEW in_list AS SELECT id FROM t WHERE vc IN ('x', 'y');
CREATE VIEW not_in_list AS SELECT id, vc NOT IN ('x', 'y') AS no FROM t;
CREATE VIEW between_nested AS SELECT id FROM t WHERE (a BETWEEN 1 AND 2) = (b BETWEEN 3 AND 4) AND NOT a BETWEEN 5 AND 6;
CREATE VIEW joined_on_true AS SELECT t.id, s.n FROM t LEFT JOIN LATERAL (SELECT t.a + 1 AS n) s ON TRUE;
CREATE VIEW listed AS SELECT v.one, v.two FROM (VALUES (1, 'x'), (2, 'y')) AS v(one, two);
CREATE VIEW "union" AS SELECT 'PUBLIC'::name AS n UNION SELECT n FROM t;
CREATE VIEW on_top AS SELECT id FROM in_list WHERE id IN (SELECT id FROM not_in_list WHERE no);
CREATE MATERIALIZED VIEW full_list AS SELECT id, vc, a, b FROM t WHERE vc IN ('x', 'y', 'z');
CREATE INDEX partial_index ON full_list (id) WHERE vc IN ('x', 'y');
CREATE INDEX "Expression" ON full_list ((vc IN ('x', 'y')), (a BETWEEN 1 AND 2));
CREATE STATISTICS expressed ON (vc IN ('x', 'y')), a FROM full_list;
CREATE VIEW ruled AS SELECT id, vc, a FROM t;
CREATE RULE listed AS ON DELETE TO ruled WHERE old.vc IN ('x', 'y') DO INSTEAD DELETE FROM t WHERE t.id = old.id AND t.vc IN ('x', 'y');
CREATE RULE own AS ON INSERT TO ruled DO INSTEAD INSERT INTO t (id, vc) SELECT r.id + 1, r.vc FROM ruled r WHERE r.vc IN ('x', 'y');
ALTER VIEW ruled ALTER a SET DEFAULT CASE WHEN current_user::varchar IN ('x', 'y') THEN 1 END`;

/** The same for what is no view but hangs on one, where no text of a body is kept as it was typed. */
const unstableBystanders = `
CREATE VIEW hung AS SELECT id, vc, a, b FROM t;
CREATE FUNCTION hung_count(which varchar DEFAULT CASE WHEN current_user::varchar IN ('x', 'y') THEN 'x' END) RETURNS bigint LANGUAGE sql IMMUTABLE
  BEGIN ATOMIC SELECT count(*) FROM hung WHERE hung.vc IN ('x', 'y') AND (hung.a BETWEEN 1 AND 2) = (hung.b BETWEEN 3 AND 4); END;
CREATE PROCEDURE hung_check(row_of hung, kind varchar DEFAULT CASE WHEN current_user::varchar IN ('x', 'y') THEN 'x' END) LANGUAGE plpgsql AS 'BEGIN END';
CREATE POLICY listed ON t USING (vc IN ('x', 'y') AND EXISTS (SELECT FROM hung h WHERE h.id = t.id AND h.vc IN ('x', 'y'))) WITH CHECK (t.vc NOT IN ('z', 'w') OR hung_count() > 0);
ALTER TABLE t ADD CONSTRAINT listed CHECK (vc IN ('x', 'y') OR (a BETWEEN 1 AND 2) = (b BETWEEN 3 AND 4) OR hung_count(vc) > 5);
ALTER TABLE t ALTER a SET DEFAULT CASE WHEN current_user::varchar IN ('x', 'y') THEN hung_count() END;
CREATE RULE kept AS ON UPDATE TO t WHERE new.vc IN ('x', 'y') AND EXISTS (SELECT FROM hung WHERE hung.vc IN ('x', 'y')) DO ALSO DELETE FROM t WHERE t.id = old.id AND t.vc IN ('x', 'z');
CREATE TRIGGER listed BEFORE UPDATE ON t FOR EACH ROW WHEN (new.vc IN ('x', 'y') AND hung_count(new.vc) > 1) EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE INDEX hung_listed ON apart (hung_count(vc), (vc IN ('x', 'y'))) WHERE vc IN ('x', 'z')`;

const dropBystanders = 'DROP VIEW hung CASCADE';

const dropAll = 'DROP VIEW ruled, on_top, "union", listed, joined_on_true, between_nested, not_in_list, in_list; DROP MATERIALIZED VIEW full_list';

async function expectQuiet(place: Workplace): Promise<void> {
  expect((await place.plan('HEAD')).plan).toMatchObject({ steps: [], left: [], unproven: [] });
  expect((await place.status()).differing).toEqual([]);
  expect((await place.export()).commit).toBeUndefined();
}

const [newest = 18, ...others] = postgresServers().map(({ version }) => version);

describe.each([...new Set([newest, others.at(-1) ?? newest])])('on PostgreSQL %i', (version) => {
  test.runIf(version >= 14)(
    'a text that the server prints otherwise once it was loaded is no drift, no step and no commit, whichever of the two a commit holds',
    async () => {
      const first = await openWorkplace({ version });
      await first.database.query(`${tables}; ${unstable}; ${unstableBystanders}`);
      await first.export();
      await first.database.query(`${dropAll}; ${dropBystanders}`);
      await first.apply('HEAD');
      await expectQuiet(first);
      const second = await openWorkplace({ database: first.database });
      await second.export();
      await first.database.query(`${dropAll}; ${dropBystanders}; ${unstable}; ${unstableBystanders}`);
      await expectQuiet(second);
      await expectQuiet(first);
      const written = `-- bystander of: public.hung\n\n${unstableBystanders
        .match(/CREATE POLICY[^;]*/)?.[0]
        .replaceAll(/(ON|FROM) (t|hung) /g, '$1 public.$2 ')
        .replace('hung_count', 'public.hung_count')};\n`;
      writeFileSync(join(first.directory, 'views/prod/public/t/listed.policy.sql'), written);
      expect((await first.plan('worktree')).plan).toMatchObject({ steps: [], left: [], unproven: [] });
    },
  );
});

test.runIf(newest >= 14)('an edit beside such a text is one step and keeps the other bytes', async () => {
  const place = await openWorkplace({ version: newest });
  await place.database.query(`${tables}; ${unstable}`);
  await place.export();
  await place.database.query(`${dropAll}`);
  await place.apply('HEAD');
  await place.database.query("COMMENT ON INDEX partial_index IS 'new'; DROP RULE own ON ruled");
  expect((await place.plan('HEAD')).plan.steps.map(({ sql }) => sql.split('\n')[0])).toEqual(
    ['CREATE RULE own AS', 'COMMENT ON INDEX public.partial_index IS NULL'].sort(),
  );
  const before = place.git('show', 'HEAD:views/prod/public/full_list.sql');
  await place.export();
  const after = place.git('show', 'HEAD:views/prod/public/full_list.sql');
  expect(after).toBe(`${before}\nCOMMENT ON INDEX public.partial_index IS 'new';`);
});

const [before, after] = [15, 18].map((version) => postgresServers().find((server) => server.version === version));

test.skipIf(before === undefined || after === undefined)('a new major version that only prints otherwise is told as such', async () => {
  const old = await openWorkplace({ version: 15 });
  const create = `${tables}; CREATE VIEW plain AS SELECT id, vc FROM t WHERE a > 0; ${unstable}`;
  await old.database.query(create);
  await old.export();
  const files = old.git('ls-tree', '-r', 'HEAD', '--', 'views/prod/public');
  await using upgraded = await createDatabase(18);
  await upgraded.query(create);
  const place = await openWorkplace({ database: upgraded, directory: old.directory });
  const { commit, subject } = await place.export({ allowed: ['OTHER_WAREHOUSE'] });
  expect(commit).toBeDefined();
  expect(subject).toMatch(/^prod: reprinted by PostgreSQL 18, \d+ views$/);
  expect(place.git('ls-tree', '-r', 'HEAD', '--', 'views/prod/public')).toBe(files);
  await expectQuiet(place);
  await upgraded.query('DROP VIEW plain; CREATE VIEW plain AS SELECT id, vc FROM t WHERE a > 1');
  expect((await place.export()).subject).toBe('prod: 1 view changed');
});
