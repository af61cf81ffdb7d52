import { readFileSync } from 'node:fs';
import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathInTarget } from '../../src/core/path.ts';
import { readsOf } from '../../src/core/references.ts';
import { compareRelations, relationKey } from '../../src/core/relation.ts';
import type { View } from '../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../src/core/view-file.ts';
import { ViewsyncError } from '../../src/errors.ts';
import {
  commentAttachment,
  defaultAttachment,
  indexAttachment,
  optionAttachment,
  ownerAttachment,
  populatedAttachment,
  type Relation,
  ruleAttachment,
  sortAttachments,
  triggerAttachment,
} from '../../src/warehouses/postgres/attachments.ts';
import { postgresDialect } from '../../src/warehouses/postgres/dialect.ts';
import { grantAttachment } from '../../src/warehouses/postgres/grant-attachments.ts';
import { quoteIdentifier, quoteRelation } from '../../src/warehouses/postgres/names.ts';
import { postgresqlQueries } from './postgresql-queries.ts';
import { comment, grant, option, owner, passedOn, smallDialect } from './small-dialect.ts';

const name = { schema: 'shop', name: 'orders' };
const path = 'views/prod/shop/orders.sql';

const view: View = {
  name,
  kind: 'view',
  definition: 'SELECT\n  id\nFROM\n  raw.orders',
  columns: [{ name: 'id', type: 'integer' }],
  reads: [{ schema: 'raw', name: 'orders' }],
  attachments: [
    option('on'),
    owner(name, 'boss'),
    grant(name, 'SELECT', 'ann'),
    grant(name, 'INSERT', 'bob'),
    passedOn(name, 'cid', 'ann'),
    comment(name, "it's; -- ours"),
  ],
  unrestorable: [],
};

const canonical = `-- view: shop.orders
-- reads: raw.orders
-- columns: id integer

CREATE OR REPLACE VIEW shop.orders
SECURE on AS
SELECT
  id
FROM
  raw.orders
;

ALTER VIEW shop.orders OWNER TO boss;
GRANT SELECT ON shop.orders TO ann;
GRANT INSERT ON shop.orders TO bob;
SET ROLE ann;
GRANT SELECT ON shop.orders TO cid;
RESET ROLE;
COMMENT ON VIEW shop.orders IS 'it''s; -- ours';
`;

const byHand = `-- Ask finance first.

create view shop.orders secure on
as select id from raw.orders -- the raw ones
;
-- who may read
grant SELECT, INSERT on shop.orders to ann, bob;
-- our text
COMMENT ON VIEW shop.orders IS 'old';
-- the end
`
  .replace('secure', 'SECURE')
  .replaceAll(' on shop', ' ON shop')
  .replace(' to ann', ' TO ann');

const read = (text: string) => readViewFile(text, path, smallDialect);
const write = (changed: View, previous?: string) => writeViewFile(changed, smallDialect, previous === undefined ? undefined : read(previous));

function withAttachments(...attachments: View['attachments']): View {
  return { ...view, attachments };
}

describe('a file', () => {
  test('is written in one form', () => {
    expect(write(view)).toBe(canonical);
  });

  test('is read back to the view that was written', () => {
    expect(read(canonical).view).toEqual(view);
  });

  test('that people wrote needs no header and no order, and may list rights and people', () => {
    const parsed = read(byHand).view;
    expect(parsed.columns).toEqual([]);
    expect(parsed.reads).toEqual(view.reads);
    expect(parsed.definition).toBe('select id from raw.orders');
    expect(parsed.attachments.map(({ kind, key }) => `${kind} ${key}`.trim())).toEqual([
      'option secure',
      'grant ann SELECT',
      'grant bob SELECT',
      'grant ann INSERT',
      'grant bob INSERT',
      'comment',
    ]);
  });

  test('reads the same with CR LF and with a byte order mark', () => {
    const other = read(`\uFEFF${canonical.replaceAll('\n', '\r\n')}`).view;
    expect({ ...other, definition: other.definition.replaceAll('\r\n', '\n'), attachments: [] }).toEqual({ ...view, attachments: [] });
    expect(other.attachments.map(({ key }) => key)).toEqual(view.attachments.map(({ key }) => key));
  });
});

describe('writing over a file', () => {
  test('keeps every byte when nothing has changed, also where people wrote it', () => {
    const headed = byHand.replace('-- Ask', '-- view: shop.orders\n-- reads: raw.orders\n-- Ask');
    expect(write(read(headed).view, headed)).toBe(headed);
    expect(write({ ...read(headed).view, definition: 'SELECT ID\n  FROM raw.orders' }, headed)).toBe(headed);
  });

  test('keeps the bytes of what has not changed, with the comments before it', () => {
    const { attachments } = read(byHand).view;
    expect(write(withAttachments(...attachments.slice(0, -1), comment(name, 'new')), byHand)).toBe(`-- view: shop.orders
-- reads: raw.orders
-- columns: id integer

-- Ask finance first.

create view shop.orders SECURE on
as select id from raw.orders -- the raw ones
;

-- who may read
grant SELECT, INSERT ON shop.orders TO ann, bob;
COMMENT ON VIEW shop.orders IS 'new';

-- the end
`);
  });

  test('takes a list apart when one of its members has gone', () => {
    const text = write(withAttachments(option('on'), grant(name, 'SELECT', 'ann')), byHand);
    expect(text).toContain('\n;\n\nGRANT SELECT ON shop.orders TO ann;\n');
    expect(text).not.toContain('bob');
  });

  test.each([
    ['definition', { ...view, definition: 'SELECT 2 AS id' }, ['SELECT 2 AS id\n;\n']],
    ['option', withAttachments(option('off'), ...view.attachments.slice(1)), ['SECURE off AS\n']],
    ['columns', { ...view, columns: [{ name: 'id', type: 'bigint' }] }, ['-- columns: id bigint\n']],
    ['reads', { ...view, reads: [] }, ['-- view: shop.orders\n-- columns:']],
  ] as [string, View, string[]][])('changes nothing but the %s when only that differs', (_what, changed, expected) => {
    const text = write(changed, canonical);
    for (const part of expected) expect(text).toContain(part);
    expect(text).toBe(write(changed));
  });
});

function failure(text: string, at = path): { code?: string; message?: string } {
  try {
    readViewFile(text, at, smallDialect);
  } catch (error) {
    return error as { code: string; message: string };
  }
  return {};
}

describe('a file is refused, with its place,', () => {
  test.each([
    ['when it is empty', '', 'FILE_UNREADABLE', `${path}:1: There is no CREATE statement in this file.`],
    ['when it starts with another statement', 'SELECT 1;', 'FILE_UNREADABLE', `${path}:1: Not in the grammar.`],
    ['when a later statement is not in the grammar', `${canonical}\nDROP TABLE x;`, 'FILE_UNREADABLE', `${path}:21: Not in the grammar.`],
    [
      'when a statement names another view',
      canonical.replace('INSERT ON shop.orders', 'INSERT ON shop.order'),
      'FILE_UNREADABLE',
      `${path}:15: Not in the grammar.`,
    ],
    [
      'when something is set twice',
      `${canonical}GRANT INSERT, SELECT ON shop.orders TO ann;`,
      'FILE_UNREADABLE',
      `${path}:20: The grant "ann SELECT" is set twice in this file.`,
    ],
    ['when a quote is not closed', canonical.replace("-- ours'", '-- ours'), 'FILE_UNREADABLE', `${path}:19: The string that starts here is never closed.`],
    ['when it holds a second view', `${canonical}${canonical}`, 'FILE_UNREADABLE', `${path}:24: Not in the grammar.`],
    [
      'when a newer version has put something in it',
      `${canonical}-- viewsync: {"refresh":"daily"}\n`,
      'FORMAT_TOO_NEW',
      `${path}:20: This line holds something`,
    ],
    ['when a run is not closed', canonical.replace('RESET ROLE;\n', ''), 'FILE_UNREADABLE', path],
  ])('%s', (_what, text, code, message) => {
    expect(failure(text).message).toMatch(new RegExp(`^${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`));
    expect(failure(text).code).toBe(code);
  });

  test('when its path is that of another view, and says where it belongs', () => {
    expect(failure(canonical, 'views/prod/shop/order.sql')).toMatchObject({ code: 'FILE_MISPLACED', details: { expected: path } });
    expect(failure(canonical, 'views/prod/store/orders.sql')).toMatchObject({ code: 'FILE_MISPLACED', details: { expected: path } });
  });
});

const part = fastCheck
  .string({
    unit: fastCheck.oneof(
      fastCheck.constantFrom('a', 'Z', '_', '"', "'", '.', ' ', '\n', ';', '-', '/*', '$$', '\\', 'ä'),
      fastCheck.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 8,
  })
  .filter((text) => !text.includes('\0'));
const relationName = fastCheck.record({ schema: part, name: part });
// A name that ends in one of these reads as the end of a CREATE statement only where it is not quoted, which it always is.
const definition = fastCheck.constantFrom(...postgresqlQueries.filter((sql) => /^(?:SELECT|WITH|VALUES|TABLE|\()/.test(sql) && !/--/.test(sql)));

function ofView(relation: Relation): fastCheck.Arbitrary<View['attachments']> {
  const on = quoteRelation(relation.name);
  return fastCheck.tuple(
    part.map((value) => optionAttachment(relation, 'security_barrier', value)),
    part.map((column) => defaultAttachment(relation, column, "'x;'::text || $$y$$")),
    part.map((rule) => ruleAttachment(relation, rule, `CREATE RULE ${quoteIdentifier(rule)} AS\n    ON DELETE TO ${on} DO INSTEAD (SELECT 1; SELECT 2)`)),
    part.map((trigger) =>
      triggerAttachment(relation, trigger, `CREATE TRIGGER ${quoteIdentifier(trigger)} INSTEAD OF UPDATE ON ${on} FOR EACH ROW EXECUTE FUNCTION s.f('on')`),
    ),
  );
}

function ofMaterialized(relation: Relation): fastCheck.Arbitrary<View['attachments']> {
  return fastCheck.tuple(
    fastCheck.constantFrom('populated' as const, 'unpopulated' as const).map((value) => populatedAttachment(relation, value)),
    part.map((index) =>
      indexAttachment(
        relation,
        { schema: relation.name.schema, name: index },
        `CREATE INDEX ${quoteIdentifier(index)} ON ${quoteRelation(relation.name)} USING btree (a)`,
      ),
    ),
  );
}

function ofAny(relation: Relation): fastCheck.Arbitrary<View['attachments']> {
  const role = part.filter((text) => !['public', 'none'].includes(text));
  return fastCheck.tuple(role, role, role, part, part).map(([boss, ann, bob, column, text]) => {
    const grants = [
      { privilege: 'SELECT', grantee: `${ann}1`, grantable: true },
      { privilege: 'UPDATE', column, grantee: `${ann}1`, grantable: false },
      { privilege: 'SELECT', grantee: 'public', grantor: `${ann}1`, grantable: false },
      { privilege: 'INSERT', grantee: `${bob}2`, grantable: false },
    ];
    return [
      ownerAttachment(relation, boss),
      ...grants.map((given) => grantAttachment(relation, given, boss)),
      commentAttachment(relation, { on: 'relation' }, text),
      commentAttachment(relation, { on: 'column', name: column }, text),
    ];
  });
}

const columns = fastCheck.array(fastCheck.record({ name: part, type: fastCheck.constantFrom('integer', 'numeric(12,2)', 'text COLLATE "C"', 's."a\nb"[]') }), {
  maxLength: 3,
});

const postgresView: fastCheck.Arbitrary<View> = fastCheck
  .record({ name: relationName, kind: fastCheck.constantFrom('view' as const, 'materialized view' as const) })
  .chain((relation) => {
    const own = relation.kind === 'view' ? ofView(relation) : ofMaterialized(relation);
    return fastCheck.tuple(definition, columns, own, ofAny(relation)).map(([sql, described, first, second]) => ({
      ...relation,
      definition: sql,
      columns: described,
      reads: readsOf(sql, postgresDialect)
        .filter((read) => relationKey(read) !== relationKey(relation.name))
        .sort(compareRelations),
      attachments: sortAttachments([...first, ...second]),
      unrestorable: [],
    }));
  });

const placeOf = (changed: View) => `views/prod/${pathInTarget(changed.name, postgresDialect)}`;

describe('any PostgreSQL view', () => {
  test('that was written is read back to the same model, and is written again to the same bytes', () => {
    fastCheck.assert(
      fastCheck.property(postgresView, (written) => {
        const text = writeViewFile(written, postgresDialect);
        const parsed = readViewFile(text, placeOf(written), postgresDialect);
        expect(parsed.view).toEqual(written);
        expect(writeViewFile(written, postgresDialect, parsed)).toBe(text);
        expect(writeViewFile(parsed.view, postgresDialect)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test('written over any other state of its file keeps what has not changed and says what is new', () => {
    const pair = fastCheck.tuple(postgresView, postgresView).filter(([left, right]) => left.kind === right.kind);
    fastCheck.assert(
      fastCheck.property(pair, ([old, other]) => {
        const changed = {
          ...old,
          definition: other.definition,
          columns: other.columns,
          reads: other.reads.filter((read) => relationKey(read) !== relationKey(old.name)),
        };
        const previous = readViewFile(writeViewFile(old, postgresDialect), placeOf(old), postgresDialect);
        const text = writeViewFile(changed, postgresDialect, previous);
        expect(readViewFile(text, placeOf(old), postgresDialect).view).toEqual(changed);
        for (const { text: statement } of previous.parts) expect(text).toContain(statement);
      }),
      { numRuns: 200 },
    );
  });

  test('of whose file one byte was flipped is an error, or a view of the same name, and never another view', () => {
    fastCheck.assert(
      fastCheck.property(postgresView, fastCheck.nat(), fastCheck.integer({ min: 1, max: 255 }), (written, place, mask) => {
        const bytes = Buffer.from(writeViewFile(written, postgresDialect));
        bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ mask;
        try {
          const { view: read } = readViewFile(bytes.toString(), placeOf(written), postgresDialect);
          expect(read.name).toEqual(written.name);
        } catch (error) {
          if (!(error instanceof ViewsyncError)) throw error;
          expect(['FILE_UNREADABLE', 'FILE_MISPLACED', 'FORMAT_TOO_NEW']).toContain(error.code);
          expect(error.message).toContain(placeOf(written));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['nothing but a definition', { ...view, attachments: [] }],
    [
      'an owner, a grant and a comment',
      withAttachments(
        ownerAttachment(view, 'boss'),
        grantAttachment(view, { privilege: 'SELECT', grantee: 'ann', grantable: false }),
        commentAttachment(view, { on: 'relation' }, 'ours'),
      ),
    ],
  ])('with %s stays that view, or becomes an error, whichever bit of its file is flipped', (_what, written) => {
    const bytes = Buffer.from(writeViewFile(written, postgresDialect));
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect([relationKey(name), 'FILE_UNREADABLE', 'FILE_MISPLACED'], flipped.toString()).toContain(outcomeOf(flipped.toString()));
    }
  });
});

function outcomeOf(text: string): string {
  try {
    return relationKey(readViewFile(text, path, postgresDialect).view.name);
  } catch (error) {
    return error instanceof ViewsyncError ? error.code : String(error);
  }
}

describe('docs/file-format.md', () => {
  const [example = ''] = readFileSync(new URL('../../docs/file-format.md', import.meta.url), 'utf8').match(/(?<=```sql\n).*?(?=```)/s) ?? [];

  test('shows a file exactly as it is written', () => {
    const parsed = readViewFile(example, 'views/prod/analytics/product_margin.sql', postgresDialect);
    expect(writeViewFile(parsed.view, postgresDialect)).toBe(example);
  });

  const head = 'CREATE OR REPLACE VIEW shop.orders AS SELECT 1;';
  const matview = 'CREATE MATERIALIZED VIEW shop.orders AS SELECT 1;';

  test.each([
    ['CREATE VIEW shop.orders WITH (security_barrier, check_option = local) AS SELECT 1;'],
    ['CREATE VIEW shop.orders AS SELECT a FROM s.t WITH LOCAL CHECK OPTION;'],
    ['CREATE MATERIALIZED VIEW shop.orders WITH (fillfactor = 70) AS SELECT 1 WITH NO DATA;'],
    [`${head} ALTER TABLE shop.orders OWNER TO boss;`],
    [`${head} ALTER VIEW shop.orders ALTER a SET DEFAULT 1;`],
    [`${head} CREATE RULE r AS ON INSERT TO shop.orders DO INSTEAD (SELECT 1; SELECT 2);`],
    [`${head} CREATE TRIGGER t INSTEAD OF INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION s.f();`],
    [`${matview} CREATE UNIQUE INDEX i ON shop.orders (a); COMMENT ON INDEX shop.i IS 'x';`],
    [`${head} REVOKE DELETE, TRUNCATE ON shop.orders FROM boss;`],
    [`${head} GRANT ALL ON shop.orders TO PUBLIC; GRANT SELECT (a, b), UPDATE (b) ON TABLE shop.orders TO ann, bob WITH GRANT OPTION;`],
    [`${head} SET ROLE ann; GRANT SELECT ON shop.orders TO bob; RESET ROLE;`],
    [`${head} COMMENT ON VIEW shop.orders IS E'a\\nb'; COMMENT ON COLUMN shop.orders.a IS 'x';`],
  ])('lists %s', (text) => {
    const { view: read } = readViewFile(text, path, postgresDialect);
    expect(readViewFile(writeViewFile(read, postgresDialect), path, postgresDialect).view.attachments).toEqual(read.attachments);
  });

  test.each([
    ['CREATE TEMPORARY VIEW shop.orders AS SELECT 1'],
    ['CREATE RECURSIVE VIEW shop.orders (a) AS SELECT 1'],
    ['CREATE VIEW shop.orders (a) AS SELECT 1'],
    ['CREATE VIEW IF NOT EXISTS shop.orders AS SELECT 1'],
    ['CREATE VIEW orders AS SELECT 1'],
    [`${matview} CREATE INDEX CONCURRENTLY i ON shop.orders (a);`],
    [`${head} CREATE OR REPLACE TRIGGER t INSTEAD OF INSERT ON shop.orders FOR EACH ROW EXECUTE FUNCTION s.f();`],
    [`${head} COMMENT ON VIEW shop.orders IS NULL;`],
    [`${head} COMMENT ON VIEW shop.others IS 'x';`],
    [`${head} DROP TABLE shop.items;`],
    [`${head} SELECT 1;`],
    [`${head} GRANT SELECT ON shop.others TO ann;`],
    [`${head} ALTER VIEW shop.orders OWNER TO a; ALTER VIEW shop.orders OWNER TO b;`],
  ])('leaves out %s', (text) => {
    expect(() => readViewFile(text, path, postgresDialect)).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }));
  });
});
