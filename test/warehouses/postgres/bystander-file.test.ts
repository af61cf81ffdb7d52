import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathInTarget } from '../../../src/core/path.ts';
import { compareRelations, parseRelationKey, type RelationName, relationKey } from '../../../src/core/relation.ts';
import type { Attachment, View } from '../../../src/core/view.ts';
import { readViewFile, writeViewFile } from '../../../src/core/view-file.ts';
import { ViewsyncError } from '../../../src/errors.ts';
import { commentAttachment, ownerAttachment, type Relation, sortAttachments } from '../../../src/warehouses/postgres/attachments.ts';
import { postgresDialect } from '../../../src/warehouses/postgres/dialect.ts';
import { grantAttachment, revokeAttachment } from '../../../src/warehouses/postgres/grant-attachments.ts';
import { labelAttachment } from '../../../src/warehouses/postgres/label-attachments.ts';
import { quoteIdentifier, quoteRelation } from '../../../src/warehouses/postgres/names.ts';
import { defaultPrivilegeAttachment, stateAttachment } from '../../../src/warehouses/postgres/object-attachments.ts';
import { typedObject } from '../../../src/warehouses/postgres/object-names.ts';
import { extensionAttachment } from '../../../src/warehouses/postgres/storage-attachments.ts';

const part = fastCheck
  .oneof(
    fastCheck.constantFrom('a', 'orders', 'Orders', 'a.b', 'select', 'x y', '"', "it's", '(b)', 'a, b', 'schema', 'con', 'ü', '$1', 'a\nb', 'x'.repeat(300)),
    fastCheck.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  )
  .filter((text) => !text.includes('\0'));
const relationName = fastCheck.record({ schema: part, name: part });
const named = fastCheck.tuple(relationName, fastCheck.constantFrom('', '[]')).map(([name, brackets]) => `${quoteRelation(name)}${brackets}`);
const type = fastCheck.oneof(
  fastCheck.constantFrom('integer', 'double precision', 'timestamp with time zone', 'character varying[]', '"char"', '"any"'),
  // The lists below are divided at these.
  named.filter((text) => !text.includes(', ')),
);

const role = part.map((text) => `${text}1`);

function rights(relation: Relation, privilege: string): fastCheck.Arbitrary<readonly Attachment[]> {
  return fastCheck
    .tuple(role, role, role)
    .map(([boss, ann, bob]) => [
      ownerAttachment(relation, `${boss}2`),
      grantAttachment(relation, { privilege, grantee: `${ann}3`, grantable: true }, `${boss}2`),
      grantAttachment(relation, { privilege, grantee: `${bob}4`, grantor: `${ann}3`, grantable: false }, `${boss}2`),
    ]);
}

const noAttachments = fastCheck.constant<readonly Attachment[]>([]);

interface Kind {
  readonly object: (name: RelationName, types: readonly string[]) => RelationName;
  readonly definition: (name: RelationName, body: string) => string;
  readonly attachments: (relation: Relation) => fastCheck.Arbitrary<readonly Attachment[]>;
}

const called = (kind: string) => (name: RelationName, types: readonly string[]) => ({ ...name, object: { kind, arguments: types.join(', ') } });
const onTable = (kind: string) => (name: RelationName, types: readonly string[]) => ({ ...name, object: { kind, on: types.join() || 't' } });
const tableOf = ({ schema, object }: RelationName) => quoteRelation({ schema, name: object?.on ?? '' });
const listOf = ({ object }: RelationName) => (object?.arguments ?? '').split(', ').map((each, index) => (index % 2 === 0 ? `"n ${index}" ${each}` : each));
const own = ({ name }: RelationName) => quoteIdentifier(name);

const kinds: readonly Kind[] = [
  {
    object: called('function'),
    definition: (name, body) =>
      `CREATE FUNCTION ${quoteRelation(name)}(${name.object?.arguments === '' ? '' : `${listOf(name).join(', ')}, OUT x integer`})\n RETURNS integer\n LANGUAGE sql\nAS $f$${body}$f$`,
    attachments: (relation) =>
      rights(relation, 'EXECUTE').map((given) => [
        ...given,
        revokeAttachment(relation, { privilege: 'EXECUTE', from: 'public' }),
        extensionAttachment(relation, { on: 'relation' }, 'Plpg sql'),
        labelAttachment(relation, { on: 'relation' }, { provider: 'Se', label: "a'\\;" }),
      ]),
  },
  {
    object: called('aggregate'),
    definition: (name) =>
      `CREATE AGGREGATE ${quoteRelation(name)}(${name.object?.arguments === '' ? '*' : `${listOf(name).slice(0, -1).join(', ')} ORDER BY ${listOf(name).at(-1)}`}) (\n    SFUNC = s.f,\n    STYPE = "char"\n)`,
    attachments: (relation) =>
      rights(relation, 'EXECUTE').map((given) => [...given, labelAttachment(relation, { on: 'relation' }, { provider: 'Se', label: 'x' })]),
  },
  {
    object: called('procedure'),
    definition: (name) =>
      `CREATE PROCEDURE ${quoteRelation(name)}(${name.object?.arguments === '' ? '' : listOf(name).join(", DEFAULT '), ' || f(1, 2)".replace(', DEFAULT', ' DEFAULT') + ', ')})\n LANGUAGE sql\n BEGIN ATOMIC\n SELECT CASE WHEN true THEN 1 END;\nEND`,
    attachments: (relation) => rights(relation, 'EXECUTE'),
  },
  {
    object: onTable('policy'),
    definition: (name, body) => `CREATE POLICY ${own(name)} ON ${tableOf(name)} AS PERMISSIVE FOR ALL TO PUBLIC\n  USING ((a = '${body}'))`,
    attachments: () => noAttachments,
  },
  {
    object: onTable('rule'),
    definition: (name, body) => `CREATE RULE ${own(name)} AS\n    ON INSERT TO ${tableOf(name)} DO ALSO ( SELECT '${body}';\n SELECT 2;\n)`,
    attachments: (relation) => fastCheck.constantFrom('D', 'R', 'A').map((state) => [stateAttachment(relation, state)]),
  },
  {
    object: onTable('trigger'),
    definition: (name) =>
      `CREATE${tableOf(name).length % 2 === 0 ? '' : ' CONSTRAINT'} TRIGGER ${own(name)} BEFORE UPDATE OF "ON" ON ${tableOf(name)} FOR EACH ROW WHEN (s.f(new.a)) EXECUTE FUNCTION s.f('on')`,
    attachments: (relation) => fastCheck.constantFrom('D', 'R', 'A').map((state) => [stateAttachment(relation, state)]),
  },
  {
    object: onTable('check'),
    definition: (name, body) => `ALTER TABLE ${tableOf(name)} ADD CONSTRAINT ${own(name)} CHECK ((a > '${body}')) NOT VALID`,
    attachments: () => noAttachments,
  },
  {
    object: onTable('index'),
    definition: (name) => `CREATE UNIQUE INDEX ${own(name)} ON ${tableOf(name)} USING btree (s.f(a))`,
    attachments: () => noAttachments,
  },
  {
    object: ({ schema }) => ({ schema, name: schema, object: { kind: 'schema' } }),
    definition: (name) => `CREATE ${typedObject(name)}`,
    attachments: (relation) =>
      fastCheck
        .tuple(rights(relation, 'USAGE'), role, role)
        .map(([given, boss, ann]) => [
          ...given,
          defaultPrivilegeAttachment(relation, { role: boss, type: 'TABLES', privilege: 'SELECT', grantee: ann, grantable: true }),
          defaultPrivilegeAttachment(relation, { role: boss, type: 'FUNCTIONS', privilege: 'EXECUTE', grantee: 'public', grantable: false }),
        ]),
  },
];

const bystander: fastCheck.Arbitrary<View> = fastCheck
  .tuple(fastCheck.constantFrom(...kinds), relationName, fastCheck.array(type, { maxLength: 3 }), fastCheck.array(relationName, { maxLength: 2 }))
  .chain(([kind, place, types, views]) => {
    const name = kind.object(place, types);
    const isSchema = name.object?.kind === 'schema';
    const relation: Relation = { name, kind: isSchema ? 'container' : 'bystander' };
    const reads = [...new Map(views.map((view) => [relationKey(view), view])).values()].sort(compareRelations);
    return fastCheck.tuple(kind.attachments(relation), part, fastCheck.constantFrom('SELECT 1; -- x', 'b', '')).map(([attachments, comment, body]) => ({
      ...relation,
      definition: kind.definition(name, body),
      columns: [],
      reads: isSchema ? [] : reads,
      attachments: sortAttachments([...attachments, commentAttachment(relation, { on: 'relation' }, comment)]),
      unrestorable: [],
    }));
  });

const placeOf = ({ name }: View) => `views/prod/${pathInTarget(name, postgresDialect)}`;

describe('any bystander or schema', () => {
  test('that was written is read back to the same model, and is written again to the same bytes', () => {
    fastCheck.assert(
      fastCheck.property(bystander, (written) => {
        const text = writeViewFile(written, postgresDialect);
        const parsed = readViewFile(text, placeOf(written), postgresDialect);
        expect(parsed.view).toEqual(written);
        expect(writeViewFile(written, postgresDialect, parsed)).toBe(text);
        expect(parseRelationKey(relationKey(written.name))).toEqual(written.name);
      }),
      { numRuns: 500 },
    );
  });

  test('of whose file one byte was flipped is an error, or has the same name, and nothing is about another object', () => {
    fastCheck.assert(
      fastCheck.property(bystander, fastCheck.nat(), fastCheck.integer({ min: 1, max: 255 }), (written, place, mask) => {
        const bytes = Buffer.from(writeViewFile(written, postgresDialect));
        bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ mask;
        try {
          const { view } = readViewFile(bytes.toString(), placeOf(written), postgresDialect);
          expect(relationKey(view.name)).toBe(relationKey(written.name));
          expect(view.kind).toBe(written.kind);
        } catch (error) {
          if (!(error instanceof ViewsyncError)) throw error;
          expect(['FILE_UNREADABLE', 'FILE_MISPLACED', 'FORMAT_TOO_NEW']).toContain(error.code);
        }
      }),
      { numRuns: 600 },
    );
  });

  test('has a file of its own on every disk', () => {
    fastCheck.assert(
      fastCheck.property(bystander, bystander, (left, right) => {
        fastCheck.pre(relationKey(left.name) !== relationKey(right.name));
        expect(placeOf(left).toLowerCase()).not.toBe(placeOf(right).toLowerCase());
        for (const folder of placeOf(left).split('/')) expect(Buffer.byteLength(folder)).toBeLessThanOrEqual(240);
      }),
      { numRuns: 600 },
    );
  });
});

test.each([
  ['another statement behind it', 'CREATE SCHEMA s;\nCREATE TABLE s.t (a int);'],
  ['a grant on another schema', 'CREATE SCHEMA s;\nGRANT USAGE ON SCHEMA t TO a;'],
  ['a body that goes on behind its name', 'CREATE SCHEMA s CREATE VIEW v AS SELECT 1;'],
])('a schema file is refused for %s', (_what, text) => {
  expect(() => readViewFile(text, 'views/prod/s/schema.sql', postgresDialect)).toThrow(ViewsyncError);
});

test.each([
  ['OR REPLACE', 'CREATE OR REPLACE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$;'],
  ['a grant on an overload', 'CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$;\nGRANT EXECUTE ON FUNCTION s.f(integer) TO a;'],
  ['a right that functions have not', 'CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$;\nGRANT SELECT ON FUNCTION s.f() TO a;'],
  ['two functions', 'CREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$;\nCREATE FUNCTION s.f() RETURNS int LANGUAGE sql AS $$SELECT 1$$;'],
])('the file of a function is refused for %s', (_what, text) => {
  expect(() => readViewFile(text, 'views/prod/s/f().function.sql', postgresDialect)).toThrow(ViewsyncError);
});
