import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attachment } from '../../../src/core/view.ts';
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
} from '../../../src/warehouses/postgres/attachments.ts';
import { grantAttachment, revokeAttachment } from '../../../src/warehouses/postgres/grant-attachments.ts';
import { labelAttachment } from '../../../src/warehouses/postgres/label-attachments.ts';
import { quoteIdentifier, quoteRelation } from '../../../src/warehouses/postgres/names.ts';
import { statisticsAttachment, statisticsOwnerAttachment, statisticsTargetAttachment } from '../../../src/warehouses/postgres/statistics-attachments.ts';
import {
  clusterAttachment,
  columnOptionAttachment,
  compressionAttachment,
  extensionAttachment,
  indexTablespaceAttachment,
  replicaIdentityAttachment,
  storageAttachment,
} from '../../../src/warehouses/postgres/storage-attachments.ts';
import { hostileNames, hostileTexts, materializedView, parseAttachments, plainView } from './parsing.ts';

const table: readonly (readonly [string, Attachment, make: string, unmake: string])[] = [
  [
    'an option',
    optionAttachment(plainView, 'security_barrier', 'true'),
    'ALTER VIEW shop.v SET (security_barrier = true)',
    'ALTER VIEW shop.v RESET (security_barrier)',
  ],
  [
    'an option of the TOAST table',
    optionAttachment(materializedView, 'toast.autovacuum_enabled', 'x y'),
    "ALTER MATERIALIZED VIEW shop.v SET (toast.autovacuum_enabled = 'x y')",
    'ALTER MATERIALIZED VIEW shop.v RESET (toast.autovacuum_enabled)',
  ],
  ['data', populatedAttachment(materializedView, 'populated'), 'REFRESH MATERIALIZED VIEW shop.v', 'REFRESH MATERIALIZED VIEW shop.v WITH NO DATA'],
  ['no data', populatedAttachment(materializedView, 'unpopulated'), 'REFRESH MATERIALIZED VIEW shop.v WITH NO DATA', 'REFRESH MATERIALIZED VIEW shop.v'],
  ['an owner', ownerAttachment(plainView, 'My Role'), 'ALTER VIEW shop.v OWNER TO "My Role"', ''],
  [
    'a default',
    defaultAttachment(plainView, 'a', "'x'::text"),
    "ALTER VIEW shop.v ALTER COLUMN a SET DEFAULT 'x'::text",
    'ALTER VIEW shop.v ALTER COLUMN a DROP DEFAULT',
  ],
  [
    'a rule',
    ruleAttachment(plainView, 'r', 'CREATE RULE r AS\n    ON DELETE TO shop.v DO INSTEAD NOTHING;'),
    'CREATE RULE r AS\n    ON DELETE TO shop.v DO INSTEAD NOTHING',
    'DROP RULE r ON shop.v',
  ],
  [
    'an index',
    indexAttachment(materializedView, { schema: 'shop', name: 'I' }, 'CREATE INDEX "I" ON shop.v (a)'),
    'CREATE INDEX "I" ON shop.v (a)',
    'DROP INDEX shop."I"',
  ],
  [
    'a grant by somebody else',
    grantAttachment(plainView, { privilege: 'SELECT', column: 'a', grantee: 'public', grantor: 'PUBLIC', grantable: false }),
    'SET ROLE "PUBLIC";\nGRANT SELECT (a) ON shop.v TO PUBLIC;\nRESET ROLE',
    'SET ROLE "PUBLIC";\nREVOKE SELECT (a) ON shop.v FROM PUBLIC;\nRESET ROLE',
  ],
  [
    'a grant to the owner itself',
    grantAttachment(plainView, { privilege: 'SELECT', grantee: 'joe', grantable: true }, 'joe'),
    'GRANT SELECT ON shop.v TO joe WITH GRANT OPTION',
    'REVOKE GRANT OPTION FOR SELECT ON shop.v FROM joe',
  ],
  [
    'a right that the owner lacks',
    revokeAttachment(plainView, { privilege: 'SELECT', from: 'joe' }),
    'REVOKE SELECT ON shop.v FROM joe',
    'GRANT SELECT ON shop.v TO joe',
  ],
  [
    'a comment',
    commentAttachment(materializedView, { on: 'relation' }, "a\\'"),
    "COMMENT ON MATERIALIZED VIEW shop.v IS E'a\\\\'''",
    'COMMENT ON MATERIALIZED VIEW shop.v IS NULL',
  ],
  [
    'a comment on a rule',
    commentAttachment(plainView, { on: 'rule', name: 'r' }, 'x'),
    "COMMENT ON RULE r ON shop.v IS 'x'",
    'COMMENT ON RULE r ON shop.v IS NULL',
  ],
];

test.each(table)('%s is made and removed by its own statements', (_, attachment, make, unmake) => {
  expect([attachment.make, attachment.unmake]).toEqual([make, unmake]);
});

test('attachments are sorted by kind and key, and grants stay in the order in which they can be made', () => {
  const grant = (grantee: string, grantor?: string) => grantAttachment(plainView, { privilege: 'SELECT', grantee, grantor, grantable: true });
  const comment = commentAttachment(plainView, { on: 'relation' }, 'x');
  const defaults = ['b', 'a'].map((column) => defaultAttachment(plainView, column, '1'));
  const sorted = sortAttachments([comment, grant('zoe'), grant('ann', 'zoe'), ...defaults, ownerAttachment(plainView, 'o')]);
  expect(sorted.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
    'owner ',
    'default a',
    'default b',
    'grant zoe SELECT',
    'grant ann SELECT BY zoe',
    'comment ',
  ]);
});

const anyName = fc.oneof(
  fc.constantFrom(...hostileNames),
  fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }).filter((name) => !name.includes('\0')),
);
const anyRole = anyName.filter((name) => name !== 'public' && name !== 'none');
const anyText = fc.oneof(
  fc.constantFrom(...hostileTexts),
  fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\0')),
);
const anyRelation: fc.Arbitrary<Relation> = fc.record({
  name: fc.record({ schema: anyName, name: anyName }),
  kind: fc.constantFrom('view', 'materialized view'),
});
const columnPrivilege = fc.constantFrom('SELECT', 'INSERT', 'UPDATE', 'REFERENCES');

/** What only a materialized view has, made with two names. */
const materializedBuilders: Readonly<Record<string, (relation: Relation, one: string, other: string) => Attachment>> = {
  statistics: ({ name }, one, other) => {
    const statistics = { schema: other, name: one };
    return statisticsAttachment(statistics, `CREATE STATISTICS ${quoteRelation(statistics)} (mcv) ON a, (EXTRACT(year FROM b)) FROM ${quoteRelation(name)}`);
  },
  'statistics owner': (_, one, other) => statisticsOwnerAttachment({ schema: one, name: 'from' }, ['public', 'none'].includes(other) ? 'boss' : other),
  'target of a column': (relation, one) => statisticsTargetAttachment(relation, { of: 'column', name: one }, 500),
  'target of an index': (relation, one, other) => statisticsTargetAttachment(relation, { of: 'index', index: { schema: other, name: one }, number: 2 }, 0),
  'target of statistics': (relation, one, other) =>
    statisticsTargetAttachment(relation, { of: 'statistics', statistics: { schema: other, name: one } }, 10_000),
  'index tablespace': (_, one, other) => indexTablespaceAttachment({ schema: one, name: other }, one),
  cluster: (relation, one) => clusterAttachment(relation, one),
  'replica identity': (relation, one) => replicaIdentityAttachment(relation, one.length % 2 === 0 ? 'FULL' : 'NOTHING'),
  storage: (relation, one) => storageAttachment(relation, one, { storage: 'EXTERNAL' }),
  compression: (relation, one) => compressionAttachment(relation, one, 'pglz'),
  'column option': (relation, one) => columnOptionAttachment(relation, one, { name: 'n_distinct', value: '-0.5' }),
  extension: (relation, one) => extensionAttachment(relation, { on: 'relation' }, one),
  'index that depends on an extension': (relation, one, other) => extensionAttachment(relation, { on: 'index', schema: one, name: other }, other),
};

/** Builders with any values, each of an attachment that stands in a statement of its own. */
const builders: Readonly<Record<string, fc.Arbitrary<readonly [Relation, Attachment]>>> = {
  owner: fc.tuple(anyRelation, anyRole).map(([relation, role]) => [relation, ownerAttachment(relation, role)]),
  default: fc
    .tuple(anyRelation, anyName)
    .map(([{ name }, column]) => [{ name, kind: 'view' }, defaultAttachment({ name, kind: 'view' }, column, "('a' || $$;$$)::text")]),
  rule: fc.tuple(anyRelation, anyName).map(([{ name }, rule]) => {
    const text = `CREATE RULE ${quoteIdentifier(rule)} AS\n    ON INSERT TO ${quoteRelation(name)} DO INSTEAD ( SELECT 1;\n SELECT 2;\n);`;
    return [{ name, kind: 'view' }, ruleAttachment({ name, kind: 'view' }, rule, text)];
  }),
  trigger: fc.tuple(anyRelation, anyName, anyName).map(([{ name }, trigger, column]) => {
    const text = `CREATE TRIGGER ${quoteIdentifier(trigger)} BEFORE UPDATE OF ${quoteIdentifier(column)} OR DELETE ON ${quoteRelation(name)} FOR EACH STATEMENT EXECUTE FUNCTION f('on')`;
    return [{ name, kind: 'view' }, triggerAttachment({ name, kind: 'view' }, trigger, text)];
  }),
  index: fc.tuple(anyRelation, anyName, fc.constantFrom('', 'UNIQUE ')).map(([{ name }, index, unique]) => {
    const relation: Relation = { name, kind: 'materialized view' };
    const text = `CREATE ${unique}INDEX ${quoteIdentifier(index)} ON ${quoteRelation(name)} USING btree (lower(b)) WHERE (a > ';'::text)`;
    return [relation, indexAttachment(relation, { schema: name.schema, name: index }, text)];
  }),
  grant: fc
    .tuple(anyRelation, columnPrivilege, fc.option(anyName, { nil: undefined }), anyName, fc.option(anyRole, { nil: undefined }), fc.boolean())
    .map(([relation, privilege, column, grantee, grantor, grantable]) => [
      relation,
      grantAttachment(relation, { privilege, column, grantee: grantee === 'none' ? 'nobody' : grantee, grantor, grantable }),
    ]),
  revoke: fc.tuple(anyRelation, anyRole).map(([relation, owner]) => [relation, revokeAttachment(relation, { privilege: 'TRIGGER', from: owner })]),
  comment: fc
    .tuple(anyRelation, fc.constantFrom('relation', 'type', 'array type', 'column', 'rule', 'trigger', 'index', 'statistics'), anyName, anyText)
    .map(([relation, on, name, text]) => {
      if (on === 'relation' || on === 'type' || on === 'array type') return [relation, commentAttachment(relation, { on }, text)];
      const isApart = on === 'index' || on === 'statistics';
      return [relation, commentAttachment(relation, isApart ? { on, schema: relation.name.schema, name } : { on, name }, text)];
    }),
  'right on the row type': fc
    .tuple(anyRelation, anyRole, fc.option(anyRole, { nil: undefined }), fc.boolean())
    .map(([relation, grantee, grantor, grantable]) => [relation, grantAttachment(relation, { privilege: 'USAGE', grantee, grantor, grantable })]),
  'right that everybody lacks on the row type': anyRelation.map((relation) => [relation, revokeAttachment(relation, { privilege: 'USAGE', from: 'public' })]),
  label: fc
    .tuple(anyRelation, fc.constantFrom('relation', 'type', 'column'), anyName, anyText, anyName)
    .map(([relation, on, name, label, provider]) => [relation, labelAttachment(relation, on === 'column' ? { on, name } : { on }, { provider, label })]),
  'trigger that depends on an extension': fc.tuple(anyRelation, anyName, anyName).map(([{ name }, trigger, extension]) => {
    const relation: Relation = { name, kind: 'view' };
    return [relation, extensionAttachment(relation, { on: 'trigger', name: trigger }, extension)];
  }),
  ...Object.fromEntries(
    Object.entries(materializedBuilders).map(([kind, build]) => [
      kind,
      fc.tuple(anyRelation, anyName, anyName).map(([{ name }, one, other]): readonly [Relation, Attachment] => {
        const relation: Relation = { name, kind: 'materialized view' };
        return [relation, build(relation, one, other)];
      }),
    ]),
  ),
};

describe('what is written is read back to the same attachment', () => {
  test.each(Object.entries(builders))('%s', (_, builder) => {
    fc.assert(
      fc.property(builder, ([relation, attachment]) => {
        expect(parseAttachments(`${attachment.make};`, { ...relation, definition: 'SELECT', attachments: [] })).toEqual([attachment]);
      }),
    );
  });
});
