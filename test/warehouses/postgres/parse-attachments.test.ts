import { describe, expect, test } from 'vitest';
import type { ParsedCreate } from '../../../src/core/dialect.ts';
import { indexAttachment, ownerAttachment } from '../../../src/warehouses/postgres/attachments.ts';
import { grantAttachment } from '../../../src/warehouses/postgres/grant-attachments.ts';
import { failureOf, materializedView, parseAttachments, plainView } from './parsing.ts';

const owned: ParsedCreate = { ...plainView, attachments: [ownerAttachment(plainView, 'boss')] };

const withIndex: ParsedCreate = {
  ...materializedView,
  attachments: [indexAttachment(materializedView, { schema: 'shop', name: 'other' }, 'CREATE INDEX other ON shop.v (a)')],
};

function made(text: string, view?: ParsedCreate): readonly string[] {
  return parseAttachments(text, view).map(({ make }) => make);
}

describe('hand-written forms come back as the ones that are written', () => {
  const forms: readonly (readonly [text: string, made: readonly string[], view?: ParsedCreate])[] = [
    ['alter table only Shop.V owner to "Joe"', ['ALTER VIEW shop.v OWNER TO "Joe"']],
    ['ALTER TABLE shop.v OWNER TO joe', ['ALTER MATERIALIZED VIEW shop.v OWNER TO joe'], materializedView],
    ['ALTER TABLE ONLY shop.v ALTER a SET DEFAULT 1 + /* two */ 2', ['ALTER VIEW shop.v ALTER COLUMN a SET DEFAULT 1 + /* two */ 2']],
    ['grant select on table shop.v to joe, public', ['GRANT SELECT ON shop.v TO joe', 'GRANT SELECT ON shop.v TO PUBLIC']],
    ['GRANT SELECT ON shop.v TO "PUBLIC"', ['GRANT SELECT ON shop.v TO "PUBLIC"']],
    ['GRANT SELECT ON shop.v TO GROUP "public"', ['GRANT SELECT ON shop.v TO PUBLIC']],
    [
      'GRANT SELECT (a, "B"), DELETE ON shop.v TO joe WITH GRANT OPTION',
      [
        'GRANT SELECT (a) ON shop.v TO joe WITH GRANT OPTION',
        'GRANT SELECT ("B") ON shop.v TO joe WITH GRANT OPTION',
        'GRANT DELETE ON shop.v TO joe WITH GRANT OPTION',
      ],
    ],
    [
      'GRANT ALL PRIVILEGES ON shop.v TO joe',
      ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES', 'DELETE', 'TRUNCATE', 'TRIGGER'].map((privilege) => `GRANT ${privilege} ON shop.v TO joe`),
    ],
    ['GRANT ALL (a) ON shop.v TO joe', ['SELECT', 'INSERT', 'UPDATE', 'REFERENCES'].map((privilege) => `GRANT ${privilege} (a) ON shop.v TO joe`)],
    ['GRANT MAINTAIN ON shop.v TO joe GRANTED BY ann', ['SET ROLE ann;\nGRANT MAINTAIN ON shop.v TO joe;\nRESET ROLE']],
    ['GRANT SELECT ON shop.v TO joe GRANTED BY boss', ['GRANT SELECT ON shop.v TO joe'], owned],
    ['set role boss; GRANT SELECT ON shop.v TO joe; reset role', ['GRANT SELECT ON shop.v TO joe'], owned],
    [
      'SET ROLE ann; GRANT SELECT ON shop.v TO a; GRANT SELECT ON shop.v TO b; RESET ROLE;',
      ['SET ROLE ann;\nGRANT SELECT ON shop.v TO a;\nRESET ROLE', 'SET ROLE ann;\nGRANT SELECT ON shop.v TO b;\nRESET ROLE'],
    ],
    ['GRANT SELECT, UPDATE ON shop.v TO boss, joe', ['GRANT SELECT ON shop.v TO joe', 'GRANT UPDATE ON shop.v TO joe'], owned],
    ['GRANT SELECT ON shop.v TO boss WITH GRANT OPTION', ['GRANT SELECT ON shop.v TO boss WITH GRANT OPTION'], owned],
    ['revoke select, update on table shop.v from boss', ['REVOKE SELECT ON shop.v FROM boss', 'REVOKE UPDATE ON shop.v FROM boss'], owned],
    ["COMMENT ON VIEW shop.v IS $x$it's$x$", ["COMMENT ON VIEW shop.v IS 'it''s'"]],
    ["COMMENT ON COLUMN shop.v.a IS e'\\u00fc\\x41\\101\\n\\\\\\q'''", ["COMMENT ON COLUMN shop.v.a IS E'üAA\n\\\\q'''"]],
    ['create unique index I on only shop.v (a)', ['create unique index I on only shop.v (a)'], materializedView],
    [
      'CREATE TRIGGER "on" INSTEAD OF UPDATE ON shop.v FOR EACH ROW EXECUTE FUNCTION f()',
      ['CREATE TRIGGER "on" INSTEAD OF UPDATE ON shop.v FOR EACH ROW EXECUTE FUNCTION f()'],
    ],
    ['ALTER INDEX shop.i ALTER 2 SET STATISTICS 10', ['ALTER INDEX shop.i ALTER COLUMN 2 SET STATISTICS 10'], materializedView],
    ['alter table only shop.v cluster on "I"', ['ALTER MATERIALIZED VIEW shop.v CLUSTER ON "I"'], materializedView],
    ['ALTER TABLE shop.v ALTER a SET STORAGE external', ['ALTER MATERIALIZED VIEW shop.v ALTER COLUMN a SET STORAGE EXTERNAL'], materializedView],
    ['ALTER TABLE shop.v ALTER a SET (N_Distinct = -0.5)', ['ALTER MATERIALIZED VIEW shop.v ALTER COLUMN a SET (n_distinct = -0.5)'], materializedView],
    [
      'create statistics App.s (mcv) on a, (extract(year from b)) from Shop.V',
      ['create statistics App.s (mcv) on a, (extract(year from b)) from Shop.V'],
      materializedView,
    ],
    ['GRANT USAGE ON TYPE shop.v TO joe, PUBLIC, boss', ['GRANT USAGE ON TYPE shop.v TO joe'], owned],
    ['REVOKE USAGE ON TYPE shop.v FROM public', ['REVOKE USAGE ON TYPE shop.v FROM PUBLIC'], owned],
    ['REVOKE USAGE ON TYPE shop.v FROM boss', ['REVOKE USAGE ON TYPE shop.v FROM boss'], owned],
    ["security label for Selinux on type shop.v is 'x'", ["SECURITY LABEL FOR selinux ON TYPE shop.v IS 'x'"]],
  ];

  for (const [text, expected, view] of forms) {
    test(text, () => {
      expect(made(text, view)).toEqual(expected);
    });
  }

  test('an index is keyed by its name and found in the schema of its view', () => {
    expect(parseAttachments('CREATE INDEX I ON shop.v (a)', materializedView)).toMatchObject([{ kind: 'index', key: 'i', unmake: 'DROP INDEX shop.i' }]);
  });

  test('offsets in a file do not disturb the text', () => {
    const first = 'CREATE RULE r AS ON DELETE TO shop.v DO INSTEAD NOTHING';
    expect(made(`   ${first};`)).toEqual([first]);
  });
});

describe('refuses by name and place', () => {
  const refused: readonly (readonly [text: string, at: string, message: RegExp, view?: ParsedCreate])[] = [
    ['DROP VIEW shop.v', 'DROP', /Behind the CREATE of a view, a file holds .*none of them/],
    ['CREATE VIEW shop.w AS SELECT 1', 'CREATE', /none of them/],
    ['INSERT INTO shop.v VALUES (1)', 'INSERT', /none of them/],
    ['SET search_path = shop', 'SET', /none of them/],
    ['RESET ROLE', 'RESET', /none of them/],
    ['ALTER VIEW shop.w OWNER TO joe', 'shop.w', /about shop\.w, but the file is about shop\.v/],
    ['ALTER VIEW v OWNER TO joe', 'v OWNER', /needs its schema/],
    ['ALTER VIEW shop.v OWNER TO CURRENT_USER', 'CURRENT_USER', /name of a role/],
    ['ALTER VIEW shop.v OWNER TO PUBLIC', 'PUBLIC', /PUBLIC is no role/],
    ['ALTER VIEW shop.v OWNER TO none', 'none', /NONE is no role/],
    ['ALTER VIEW shop.v OWNER TO joe ann', 'ann', /Expected the end/],
    ['ALTER VIEW shop.v SET (security_barrier = true)', 'SET', /Options stand in the CREATE/],
    ['ALTER VIEW shop.v RENAME TO w', 'RENAME', /Expected OWNER TO or ALTER COLUMN/],
    ['ALTER VIEW shop.v ALTER a DROP DEFAULT', 'DROP', /Expected SET DEFAULT/],
    ['ALTER VIEW shop.v ALTER a SET DEFAULT', '', /Expected an expression/],
    ['ALTER VIEW shop.v OWNER TO joe', 'VIEW', /Expected MATERIALIZED VIEW/, materializedView],
    ['ALTER MATERIALIZED VIEW shop.v ALTER a SET DEFAULT 1', 'a SET', /no default/, materializedView],
    ['CREATE OR REPLACE RULE r AS ON DELETE TO shop.v DO INSTEAD NOTHING', 'CREATE', /Write CREATE RULE/],
    ['CREATE RULE r AS ON SELECT TO shop.v DO INSTEAD SELECT 1', 'SELECT', /INSERT, UPDATE or DELETE/],
    ['CREATE RULE r AS ON DELETE TO shop.w DO INSTEAD NOTHING', 'shop.w', /about shop\.w/],
    ['CREATE TRIGGER t INSTEAD OF INSERT ON shop.w FOR EACH ROW EXECUTE FUNCTION f()', 'shop.w', /about shop\.w/],
    ['CREATE TRIGGER t INSTEAD OF INSERT', '', /names its view/],
    ['CREATE TRIGGER t INSTEAD OF INSERT ON shop.v FOR EACH ROW EXECUTE FUNCTION f()', 'CREATE', /no triggers/, materializedView],
    ['CREATE INDEX i ON shop.v (a)', 'CREATE', /Only a materialized view/],
    ['CREATE INDEX CONCURRENTLY i ON shop.v (a)', 'CONCURRENTLY', /Leave CONCURRENTLY out/, materializedView],
    ['CREATE INDEX IF NOT EXISTS i ON shop.v (a)', 'IF', /Leave IF NOT EXISTS out/, materializedView],
    ['CREATE INDEX ON shop.v (a)', 'ON', /needs a name/, materializedView],
    ['GRANT joe TO ann', 'joe', /Expected a privilege/],
    ['GRANT SELECT ON shop.v, shop.w TO ann', ', shop.w', /Expected TO/],
    ['GRANT DELETE (a) ON shop.v TO ann', 'DELETE', /cannot be granted on a column/],
    ['GRANT SELECT ON SCHEMA shop TO ann', 'SCHEMA shop', /needs its schema/],
    ['GRANT SELECT ON shop.v TO current_user', 'current_user', /name of a role/],
    ['SET ROLE NONE; GRANT SELECT ON shop.v TO a; RESET ROLE', 'NONE', /NONE is no role/],
    ['SET ROLE a; DROP VIEW shop.v; RESET ROLE', 'DROP', /Expected GRANT/],
    ["SET ROLE a; GRANT SELECT ON shop.v TO b; COMMENT ON VIEW shop.v IS 'x'", 'COMMENT', /Expected RESET ROLE/],
    ['SET ROLE a; GRANT SELECT ON shop.v TO b;', '', /Expected RESET ROLE/],
    ['SET ROLE a; RESET ROLE', ';', /stands before GRANT/],
    ['REVOKE SELECT ON shop.v FROM joe', 'joe', /Only the owner/, owned],
    ['REVOKE SELECT (a) ON shop.v FROM boss', 'REVOKE', /leave the REVOKE out/, owned],
    ['REVOKE GRANT OPTION FOR SELECT ON shop.v FROM boss', 'GRANT', /leave the REVOKE out/, owned],
    ['REVOKE SELECT ON shop.v FROM boss CASCADE', 'CASCADE', /Expected the end/, owned],
    ['COMMENT ON VIEW shop.v IS NULL', 'NULL', /leave a comment that is NULL out/],
    ["COMMENT ON VIEW shop.v IS ''", '', /empty comment/],
    ["COMMENT ON VIEW shop.v IS U&'x'", 'U&', /A text is written as/],
    ["COMMENT ON VIEW shop.v IS E'\\303\\274'", "E'", /A text is written as/],
    ["COMMENT ON VIEW shop.v IS 'a'\n'b'", "'b'", /Expected the end/],
    ["COMMENT ON TABLE shop.v IS 'x'", 'TABLE', /Expected VIEW/],
    ["COMMENT ON COLUMN shop.v IS 'x'", 'IS', /Expected "\."/],
    ["COMMENT ON INDEX app.i IS 'x'", 'app.i', /are in its schema, shop/],
    ["COMMENT ON RULE r ON shop.w IS 'x'", 'shop.w', /about shop\.w/],
    ["COMMENT ON TYPE shop.w IS 'x'", 'shop.w', /about shop\.w/],
    ['GRANT USAGE ON shop.v TO joe', 'shop.v', /Expected TYPE/],
    ['GRANT USAGE, SELECT ON TYPE shop.v TO joe', 'ON', /statement of its own/],
    ['REVOKE USAGE ON TYPE shop.v FROM joe', 'joe', /Only the owner/, owned],
    ["SECURITY LABEL ON VIEW shop.v IS 'x'", 'SECURITY', /Expected SECURITY LABEL FOR/],
    ['SECURITY LABEL FOR p ON VIEW shop.v IS NULL', 'NULL', /leave a label that is NULL out/],
    ['ALTER INDEX shop.i RENAME TO j', 'RENAME', /Expected SET TABLESPACE/, materializedView],
    ['ALTER INDEX shop.i SET TABLESPACE x', 'shop.i', /index shop\.i is not made in this file/, withIndex],
    ["COMMENT ON INDEX shop.i IS 'x'", 'shop.i', /index shop\.i is not made in this file/, withIndex],
    ['ALTER MATERIALIZED VIEW shop.v CLUSTER ON i', 'i', /index shop\.i is not made in this file/, withIndex],
    ['ALTER STATISTICS shop.s OWNER TO joe', 'shop.s', /statistics shop\.s is not made in this file/, withIndex],
    ['ALTER VIEW shop.v CLUSTER ON i', 'CLUSTER', /Expected OWNER TO or ALTER COLUMN/],
    ['ALTER VIEW shop.v ALTER a SET STATISTICS 5', 'SET', /Expected SET DEFAULT/],
    ['ALTER MATERIALIZED VIEW shop.v ALTER a SET STATISTICS -1', '-', /no whole number/, materializedView],
    ['ALTER MATERIALIZED VIEW shop.v REPLICA IDENTITY USING INDEX i', 'USING', /Expected NOTHING/, materializedView],
    ['ALTER TRIGGER t ON shop.v RENAME TO u', 'RENAME', /Expected DEPENDS ON EXTENSION/],
    ['CREATE STATISTICS shop.s ON a, b FROM shop.v', 'CREATE', /Only a materialized view/],
    ['CREATE STATISTICS s ON a, b FROM shop.v', 's ON', /needs its schema/, materializedView],
    ['CREATE STATISTICS shop.s ON a, b FROM shop.w', 'shop.w', /about shop\.w/, materializedView],
    ['CREATE STATISTICS shop.s ON a, b', '', /FROM schema\.name/, materializedView],
  ];

  for (const [text, at, message, view] of refused) {
    test(text, () => {
      const failure = failureOf(() => parseAttachments(text, view));
      expect(failure.message).toMatch(message);
      expect(failure.offset).toBe(at === '' ? text.length : text.indexOf(at));
    });
  }
});

test('a text with an escaped backslash before digits is no text with escaped bytes', () => {
  expect(made("COMMENT ON VIEW shop.v IS E'C:\\\\300\\\\xff'")).toEqual(["COMMENT ON VIEW shop.v IS E'C:\\\\300\\\\xff'"]);
});

test('a grant to the owner is read as one that everybody could have, as long as the owner is unknown', () => {
  expect(parseAttachments('GRANT SELECT ON shop.v TO boss')).toEqual([grantAttachment(plainView, { privilege: 'SELECT', grantee: 'boss', grantable: false })]);
});
