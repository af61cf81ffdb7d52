import { expect, test } from 'vitest';
import type { View } from '../../../src/core/view.ts';
import { optionAttachment, populatedAttachment } from '../../../src/warehouses/postgres/attachments.ts';
import { createPlaceholder, createView, isPopulated } from '../../../src/warehouses/postgres/create-statements.ts';
import { allPostgresServers, createDatabase } from '../../support/postgres-server.ts';
import { name, view } from '../../support/views.ts';

const relation = { name: name('shop.v'), kind: 'view' } as const;
const options = [optionAttachment(relation, 'security_barrier', 'true'), optionAttachment(relation, 'check_option', 'local')];
const plain = view('shop.v', { definition: 'SELECT 1 AS a -- one', attachments: options });

function materialized(populated: 'populated' | 'unpopulated'): View {
  const attachments = [optionAttachment(relation, 'fillfactor', '70'), populatedAttachment(relation, populated)];
  return view('shop.v', { kind: 'materialized view', definition: 'SELECT 1 AS a -- one', attachments });
}

test.each([
  ['file', 'CREATE OR REPLACE VIEW shop.v\nWITH (security_barrier = true, check_option = local) AS\nSELECT 1 AS a -- one'],
  ['create', 'CREATE VIEW shop.v\nWITH (security_barrier = true, check_option = local) AS\nSELECT 1 AS a -- one'],
  ['replace', 'CREATE OR REPLACE VIEW shop.v\nWITH (security_barrier = true, check_option = local) AS\nSELECT 1 AS a -- one'],
] as const)('a view is written with all its options to %s', (form, expected) => {
  expect(createView(plain, form)).toBe(expected);
});

test.each([
  ['file', 'populated', 'WITH DATA'],
  ['file', 'unpopulated', 'WITH NO DATA'],
  ['create', 'populated', 'WITH NO DATA'],
] as const)('a materialized view is written to %s, %s: %s', (form, populated, ending) => {
  expect(createView(materialized(populated), form)).toBe(`CREATE MATERIALIZED VIEW shop.v\nWITH (fillfactor = 70) AS\nSELECT 1 AS a -- one\n${ending}`);
});

test('only a populated materialized view holds data', () => {
  expect([plain, materialized('populated'), materialized('unpopulated')].map(isPopulated)).toEqual([false, true, false]);
});

test('nothing stands in for a materialized view or for unknown columns', () => {
  expect([materialized('populated'), view('shop.v', { columns: [] })].map(createPlaceholder)).toEqual([undefined, undefined]);
});

test.each(allPostgresServers())('a placeholder has the very columns of its view on PostgreSQL $version', async ({ version }) => {
  await using database = await createDatabase(version);
  const columns = [
    'a numeric(12,2)',
    'b text COLLATE "C"',
    'c character varying(20) COLLATE "C"',
    'Select timestamp(3) with time zone',
    'd "char"',
    'e character(3)[]',
    'f interval second(2)',
    'g bit varying(9)',
  ];
  const placeholder = createPlaceholder(view('public.v', { columns })) ?? '';
  await database.query(
    `CREATE VIEW public.v AS SELECT ${columns.map((text) => text.replace(/^(\w+) (.*?)( COLLATE "C")?$/, 'CAST(NULL AS $2)$3 AS "$1"')).join(', ')}`,
  );
  await expect(database.query(placeholder)).resolves.toEqual([]);
});

test.each(allPostgresServers())('a view with rules and triggers is replaced in place, check option or not, on PostgreSQL $version', async ({ version }) => {
  await using database = await createDatabase(version);
  await database.query(`CREATE TABLE t (a integer); CREATE VIEW v AS SELECT a FROM t;
    CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING; CREATE RULE i AS ON INSERT TO v WHERE new.a > 1 DO INSTEAD NOTHING;
    CREATE TRIGGER g INSTEAD OF UPDATE ON v FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`);
  const wanted = { ...plain, name: name('public.v'), definition: 'SELECT a FROM public.t WHERE a > 0' };
  await expect(database.query(createView(wanted, 'replace'))).resolves.toEqual([]);
});
