import { describe, expect, test } from 'vitest';
import type { View } from '../../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../../src/core/view-file.ts';
import { listAccess } from '../../../src/warehouses/redshift/access.ts';
import { readAcl } from '../../../src/warehouses/redshift/acl.ts';
import { canReplace, rolesOf } from '../../../src/warehouses/redshift/changes.ts';
import { redshiftDialect } from '../../../src/warehouses/redshift/dialect.ts';
import { quoteIdentifier, quoteText } from '../../../src/warehouses/redshift/names.ts';

const read = (text: string): View => readViewFile(text, 'views/prod/s/v.sql', redshiftDialect).view;

describe('files', () => {
  test.each([
    ['a bound view', "CREATE OR REPLACE VIEW s.v AS\nSELECT 1 AS a\n;\n\nALTER TABLE s.v OWNER TO ada;\nCOMMENT ON VIEW s.v IS 'a \\\\ b''c';\n"],
    [
      'a late-binding view',
      'CREATE OR REPLACE VIEW s.v (a, "B c") AS\n(select 1, 2 -- two\n)\nWITH NO SCHEMA BINDING\n;\n\nGRANT SELECT ON s.v TO GROUP "my group" WITH GRANT OPTION;\nGRANT SELECT ON s.v TO PUBLIC;\nGRANT SELECT ON s.v TO ROLE "IAMR:x";\nGRANT UPDATE (a) ON s.v TO bob;\n',
    ],
    [
      'a materialized view',
      'CREATE MATERIALIZED VIEW s.v\nBACKUP NO\nDISTSTYLE KEY\nDISTKEY (a)\nINTERLEAVED SORTKEY (a, b)\nENCODE AUTO AS\nSELECT 1 AS a, 2 AS b\n;\n\nALTER MATERIALIZED VIEW s.v AUTO REFRESH YES;\n',
    ],
  ])('%s is read back to the same text', (_, text) => {
    const view = read(text);
    expect(writeViewFile({ ...view, columns: [], reads: [] }, redshiftDialect)).toContain(text);
    expect(read(writeViewFile(view, redshiftDialect))).toEqual(view);
  });

  test.each([
    ['CREATE OR REPLACE MATERIALIZED VIEW s.v AS SELECT 1;', 'Redshift cannot replace a materialized view'],
    ['CREATE TABLE s.v AS SELECT 1;', 'starts with CREATE OR REPLACE VIEW'],
    ['CREATE VIEW v AS SELECT 1;', 'needs its schema'],
    ['CREATE VIEW db.s.v AS SELECT 1;', 'has two parts'],
    ['CREATE VIEW s.v AS TABLE x;', 'a query behind AS'],
    ['CREATE MATERIALIZED VIEW s.v AS SELECT 1 WITH NO SCHEMA BINDING;', 'cannot be WITH NO SCHEMA BINDING'],
    ['CREATE MATERIALIZED VIEW s.v DISTKEY (a) DISTKEY (b) AS SELECT 1;', 'DISTKEY is set twice'],
    ['CREATE VIEW s.v AS SELECT 1; GRANT SELECT ON s.w TO bob;', 'A view file holds one view'],
    ['CREATE VIEW s.v AS SELECT 1; GRANT INSERT (a) ON s.v TO bob;', 'INSERT cannot be granted on a column'],
    ['CREATE VIEW s.v AS SELECT 1; ALTER MATERIALIZED VIEW s.v AUTO REFRESH YES;', 'a plain view, and not a materialized one'],
    ["CREATE VIEW s.v AS SELECT 1 AS a WITH NO SCHEMA BINDING; COMMENT ON COLUMN s.v.a IS 'x';", 'take no comments'],
    ['CREATE VIEW s.v AS SELECT 1; COMMENT ON VIEW s.v IS NULL;', 'leave a comment that is NULL out'],
    ['CREATE VIEW s.v AS SELECT 1; DELETE FROM s.t;', 'this statement is none of them'],
  ])('%s is refused', (text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  test('what the owner has anyway is no grant', () => {
    expect(read('CREATE VIEW s.v AS SELECT 1; ALTER TABLE s.v OWNER TO ada; GRANT SELECT ON s.v TO ada, bob;').attachments.map(({ key }) => key)).toEqual([
      '',
      'bob SELECT',
    ]);
  });
});

describe('rights', () => {
  test('an access list is read entry by entry', () => {
    const acl = ['ada=arwdRxtD/ada', 'bob=r*a/ada', 'group "my group"=r/ada', '=r/bob', '"a=b"=w/ada', 'bob=r/carl'].join('\n');
    expect(readAcl(acl, 'ada')).toEqual({
      grants: [
        { privilege: 'SELECT', grantee: 'bob', grantable: true },
        { privilege: 'INSERT', grantee: 'bob', grantable: false },
        { privilege: 'SELECT', grantee: 'GROUP "my group"', grantable: false },
        { privilege: 'SELECT', grantee: 'PUBLIC', grantable: false },
        { privilege: 'UPDATE', grantee: '"a=b"', grantable: false },
      ],
      unknown: [],
    });
  });

  test('what is not understood in it is named', () => {
    expect(readAcl('role x=r/ada\nbob=rQ/ada\n???', 'ada').unknown).toEqual([
      'the right "bob=rQ/ada", which viewsync does not know',
      'the right "???", which viewsync does not know',
    ]);
  });

  const granted = (...grants: readonly string[]) =>
    read(`CREATE VIEW s.v AS SELECT 1; ALTER TABLE s.v OWNER TO "Ada"; ${grants.map((grant) => `GRANT ${grant};`).join(' ')}`);

  test('users, groups and roles of one name are three', () => {
    expect(rolesOf(granted('SELECT ON s.v TO x, GROUP x, ROLE x, PUBLIC'))).toEqual(['"Ada"', 'GROUP x', 'ROLE x', 'x']);
  });

  test('what everybody may do covers each, on the whole view and on its columns', () => {
    const [access] = listAccess(granted('SELECT (a) ON s.v TO bob'));
    const wider = listAccess(granted('SELECT ON s.v TO PUBLIC')).map(({ id }) => id);
    expect(wider.some((id) => access?.impliedBy.includes(id))).toBe(true);
    expect(listAccess(granted('INSERT ON s.v TO PUBLIC')).some(({ id }) => access?.impliedBy.includes(id))).toBe(false);
  });

  const gained = (before: View, after: View) => {
    const known = new Set(listAccess(before).map(({ id }) => id));
    return listAccess(after)
      .filter(({ kind, id, impliedBy }) => kind !== 'silent' && !known.has(id) && !impliedBy.some((other) => known.has(other)))
      .map(({ text }) => text);
  };

  test('what no longer hides rows or values widens, and what hides more does not', () => {
    const protectedBy = (...statements: readonly string[]): View => {
      const view = read(`CREATE VIEW s.v AS SELECT 1; ${statements.map((statement) => `${statement};`).join(' ')}`);
      return { ...view, columns: ['a', 'b c'].map((name) => ({ name, type: 'integer' })) };
    };
    const [rows, other, on] = ['ATTACH RLS POLICY p ON s.v TO ROLE r', 'ATTACH RLS POLICY q ON TABLE s.v TO ROLE r', 'ALTER TABLE s.v ROW LEVEL SECURITY ON'];
    const mask = 'ATTACH MASKING POLICY m ON s.v ("b c") TO PUBLIC PRIORITY 10';
    const bare = protectedBy();
    expect(gained(protectedBy(rows, on, mask), bare)).toEqual(['no row-level security hides rows', 'no policy masks b c']);
    expect(gained(bare, protectedBy(rows, on, mask))).toEqual([]);
    expect(gained(protectedBy(rows, on), protectedBy(rows, other, on))).toEqual(['ROLE r sees the rows of p AND q']);
    expect(gained(protectedBy(mask), protectedBy(mask, 'ATTACH MASKING POLICY n ON s.v ("b c", a) USING (a, "b c") TO x PRIORITY 20'))).toEqual([
      'other policies mask b c',
    ]);
    expect(rolesOf(protectedBy(rows, mask, 'ATTACH RLS POLICY p ON s.v TO "X"'))).toEqual(['"X"', 'ROLE r']);
  });
});

describe('replacing', () => {
  const view = (text: string, columns: readonly string[]): View => ({ ...read(`${text};`), columns: columns.map((name) => ({ name, type: 'integer' })) });
  const [bound, late] = ['CREATE VIEW s.v AS SELECT 1', 'CREATE VIEW s.v AS SELECT 1 WITH NO SCHEMA BINDING'];
  test.each([
    [view(bound, ['a']), view(bound, ['a']), true],
    [view(bound, ['a']), view(bound, ['a', 'b']), false],
    [view(bound, ['a']), view(bound, ['b']), false],
    [view(bound, ['a']), view(bound, []), true],
    [view(late, ['a']), view(late, ['a']), true],
    [view(late, ['a']), view(late, []), false],
    [view(late, []), view(late, ['a']), false],
    [view(bound, ['a']), view(late, ['a']), false],
    [view('CREATE MATERIALIZED VIEW s.v AS SELECT 1', ['a']), view('CREATE MATERIALIZED VIEW s.v AS SELECT 1', ['a']), false],
  ])('%#', (live, wanted, possible) => {
    expect(canReplace(live, wanted).possible).toBe(possible);
  });
});

test('names and texts are spelled as Redshift reads them', () => {
  expect(['plain', 'Mixed', 'select', 'tag', 'a b', 'sys"x'].map(quoteIdentifier)).toEqual(['plain', '"Mixed"', '"select"', '"tag"', '"a b"', '"sys""x"']);
  expect(quoteText("it's \\ x")).toBe("'it''s \\\\ x'");
});
