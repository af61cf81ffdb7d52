import { describe, expect, test } from 'vitest';
import type { Attachment, View } from '../../../src/core/view.ts';
import { commentAttachment, defaultAttachment, indexAttachment, ownerAttachment, triggerAttachment } from '../../../src/warehouses/postgres/attachments.ts';
import { attachmentsAfter, canReplace, hangsOn, rolesOf } from '../../../src/warehouses/postgres/changes.ts';
import { type Grant, grantAttachment, revokeAttachment } from '../../../src/warehouses/postgres/grant-attachments.ts';
import { inspectNames } from '../../../src/warehouses/postgres/inspect.ts';
import { readServer } from '../../../src/warehouses/postgres/server.ts';
import { beginReading } from '../../../src/warehouses/postgres/session.ts';
import { connect } from '../../../src/warehouses/postgres-family/connect.ts';
import { createDatabase, createRole, postgresServers } from '../../support/postgres-server.ts';
import { name, view } from '../../support/views.ts';

const relation = { name: name('shop.v'), kind: 'view' } as const;
const owner = ownerAttachment(relation, 'old');

function grant(text: string, more: Partial<Grant> = {}): Attachment {
  const [grantor, privilege = '', grantee = ''] = text.split(' ');
  return grantAttachment(relation, { privilege, grantee, grantor: grantor === 'old' ? undefined : grantor, grantable: false, ...more });
}

describe('a replace is possible', () => {
  const cases: readonly (readonly [string, live: readonly string[], wanted: readonly string[], because?: string])[] = [
    ['with the same columns', ['a integer', 'b text'], ['a integer', 'b text']],
    ['with more columns at the end', ['a integer'], ['a integer', 'b text']],
    ['when the new columns are unknown', ['a integer'], []],
    ['over no columns', [], ['a integer']],
    ['not with fewer', ['a integer', 'b text'], ['a integer'], 'its column "b" goes'],
    ['not with others', ['a integer', 'b text'], ['b text', 'a integer'], 'its column 1 is "a" and has to be "b"'],
    ['not with another length', ['a numeric(12,2)'], ['a numeric(12,3)'], 'its column "a" is numeric(12,2) and has to be numeric(12,3)'],
    ['not with another collation', ['a text'], ['a text COLLATE "C"'], 'its column "a" is text and has to be text COLLATE "C"'],
  ];

  for (const [law, live, wanted, because] of cases) {
    test(law, () => {
      const expected = because === undefined ? { possible: true } : { possible: false, because };
      expect(canReplace(view('shop.v', { columns: live }), view('shop.v', { columns: wanted }))).toEqual(expected);
    });
  }

  test('never of a materialized view, and never by another kind', () => {
    const [plain, materialized] = [view('shop.v'), view('shop.v', { kind: 'materialized view' })];
    expect(canReplace(materialized, materialized)).toEqual({ possible: false, because: 'a materialized view cannot be replaced in place' });
    expect(canReplace(plain, materialized)).toEqual({ possible: false, because: 'it is a view and has to be a materialized view' });
  });
});

describe('a new owner takes the place of the old one', () => {
  const cases: readonly (readonly [string, before: readonly Attachment[], after: readonly string[]])[] = [
    ['what the new owner was granted is its own now', [grant('old SELECT new')], []],
    ['what the new owner may pass on stays so', [grant('old SELECT new', { grantable: true })], ['GRANT SELECT ON shop.v TO new WITH GRANT OPTION']],
    [
      'what the new owner passed on comes from the owner',
      [grant('old SELECT new', { grantable: true }), grant('new SELECT ann')],
      ['GRANT SELECT ON shop.v TO new WITH GRANT OPTION', 'GRANT SELECT ON shop.v TO ann'],
    ],
    [
      'a right given twice is one, grantable if either was',
      [grant('old SELECT ann'), grant('new SELECT ann', { grantable: true })],
      ['GRANT SELECT ON shop.v TO ann WITH GRANT OPTION'],
    ],
    ['what the old owner lacked the new one lacks', [revokeAttachment(relation, { privilege: 'UPDATE', from: 'old' })], ['REVOKE UPDATE ON shop.v FROM new']],
    ['unless it was granted that', [revokeAttachment(relation, { privilege: 'UPDATE', from: 'old' }), grant('old UPDATE new')], []],
    [
      'what others gave the old owner they gave the new one',
      [grant('old SELECT ann', { grantable: true }), grant('ann SELECT old')],
      ['GRANT SELECT ON shop.v TO ann WITH GRANT OPTION', 'SET ROLE ann;\nGRANT SELECT ON shop.v TO new;\nRESET ROLE'],
    ],
  ];

  test.each(cases)('%s', (_, before, after) => {
    const [first, ...rights] = attachmentsAfter(view('shop.v', { attachments: [owner, ...before] }), { owner: 'new' });
    expect(first).toEqual(ownerAttachment(relation, 'new'));
    expect(rights.map(({ make }) => make).sort()).toEqual([...after].sort());
  });
});

test('columns that are renamed, also crosswise, take defaults, comments and rights along', () => {
  const comment = (column: string) => commentAttachment(relation, { on: 'column', name: column }, 'x');
  const attachments = [owner, defaultAttachment(relation, 'a', '1'), grant('old SELECT ann', { column: 'b' }), comment('a')];
  const renamed = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'a' },
  ];
  expect(attachmentsAfter(view('shop.v', { attachments }), { renamed })).toEqual([
    owner,
    defaultAttachment(relation, 'b', '1'),
    grant('old SELECT ann', { column: 'a' }),
    comment('b'),
  ]);
});

test('nothing changes when nothing is changed', () => {
  const attachments = [
    owner,
    revokeAttachment(relation, { privilege: 'SELECT', from: 'old' }),
    grant('old UPDATE ann', { grantable: true }),
    grant('ann UPDATE public', { column: 'A' }),
  ];
  expect(attachmentsAfter(view('shop.v', { attachments }), {})).toEqual(attachments);
});

test('every role that is named is found, everybody is none', () => {
  const attachments = [owner, grant('old SELECT public'), grant('Ann SELECT bob'), commentAttachment(relation, { on: 'relation' }, 'TO joe')];
  expect(rolesOf(view('shop.v', { attachments }))).toEqual(['Ann', 'bob', 'old']);
});

test('comments go with what they are on, and rights on columns with the right on the view', () => {
  const trigger = triggerAttachment(relation, 't', 'CREATE TRIGGER t');
  const index = indexAttachment(relation, name('shop.t'), 'CREATE INDEX t');
  const comment = commentAttachment(relation, { on: 'trigger', name: 't' }, 'x');
  expect([hangsOn(comment, trigger), hangsOn(comment, index), hangsOn(trigger, comment)]).toEqual([true, false, false]);
  const [whole, column] = [grant('old SELECT ann'), grant('old SELECT ann', { column: 'a' })];
  expect([hangsOn(column, whole), hangsOn(whole, column), hangsOn(column, column)]).toEqual([true, false, false]);
  expect(
    [grant('old UPDATE ann', { column: 'a' }), grant('old SELECT bob', { column: 'a' }), grant('bob SELECT ann', { column: 'a' })].map((other) =>
      hangsOn(other, whole),
    ),
  ).toEqual([false, false, false]);
});

/** The attachments of public.v as the server has them. */
async function readView(url: string): Promise<View> {
  const connection = await connect(url, {});
  try {
    const server = await readServer(connection);
    await connection.run(beginReading);
    const [found] = await inspectNames(connection, { server, memory: { known: undefined }, afterwards: 'left' }, [name('public.v')]);
    if (found === undefined) throw new Error('There is no view.');
    return found;
  } finally {
    await connection.close();
  }
}

describe.each(postgresServers())('as PostgreSQL $version does it:', ({ version }) => {
  const roles = ['c_old', 'c_new', 'c_ann', 'c_bob'];
  const setUp = `${roles.map((role) => createRole(role)).join('\n')}
    GRANT CREATE ON SCHEMA public TO c_old, c_new; CREATE VIEW v AS SELECT 1 AS a, 2 AS b; ALTER VIEW v OWNER TO c_old;
    COMMENT ON COLUMN v.a IS 'x'; ALTER VIEW v ALTER a SET DEFAULT 7;
    REVOKE UPDATE, TRUNCATE ON v FROM c_old; GRANT UPDATE, SELECT (b) ON v TO c_new; GRANT SELECT ON v TO c_new, c_ann WITH GRANT OPTION; GRANT SELECT (a) ON v TO c_old, PUBLIC;
    SET ROLE c_new; GRANT SELECT ON v TO c_ann, c_bob; SET ROLE c_ann; GRANT SELECT (a) ON v TO c_old, c_bob; RESET ROLE;`;

  test.each([
    ['a new owner', { owner: 'c_new' }, 'ALTER VIEW v OWNER TO c_new'],
    ['a new owner who has nothing', { owner: 'c_bob' }, 'GRANT CREATE ON SCHEMA public TO c_bob; ALTER VIEW v OWNER TO c_bob'],
    ['a renamed column', { renamed: [{ from: 'a', to: 'A' }] }, 'ALTER VIEW v RENAME a TO "A"'],
  ])('%s', async (_, change, sql) => {
    await using database = await createDatabase(version);
    await database.query(setUp);
    const before = await readView(database.url);
    await database.query(sql);
    const listed = (attachments: readonly Attachment[]) => attachments.map(({ make }) => make).sort();
    expect(listed(attachmentsAfter(before, change))).toEqual(listed((await readView(database.url)).attachments));
  });

  test('a right that is revoked takes along what hangs on it', async () => {
    await using database = await createDatabase(version);
    await database.query(`${setUp} GRANT SELECT (b), UPDATE (b) ON v TO c_bob; GRANT SELECT ON v TO c_bob`);
    const before = await readView(database.url);
    const gone = before.attachments.find(({ key }) => key === 'c_bob SELECT');
    if (gone === undefined) throw new Error('The right is missing.');
    await database.query(gone.unmake);
    const left = before.attachments.filter((attachment) => attachment !== gone && !hangsOn(attachment, gone));
    expect(left.length).toBe(before.attachments.length - 2);
    expect((await readView(database.url)).attachments).toEqual(left);
  });

  test('every right can be made again in the order in which it is listed', async () => {
    await using database = await createDatabase(version);
    await database.query(setUp);
    const before = await readView(database.url);
    await database.query('DROP VIEW v; CREATE VIEW v AS SELECT 1 AS a, 2 AS b');
    for (const { make } of before.attachments) await database.query(make);
    expect((await readView(database.url)).attachments).toEqual(before.attachments);
  });
});
