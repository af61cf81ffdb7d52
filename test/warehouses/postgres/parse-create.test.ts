import { describe, expect, test } from 'vitest';
import type { ParsedCreate } from '../../../src/core/dialect.ts';
import { createView } from '../../../src/warehouses/postgres/create-statements.ts';
import { failureOf, parseCreate } from './parsing.ts';

function summary({ name, kind, definition, attachments }: ParsedCreate): unknown {
  return [
    `${name.schema}|${name.name}`,
    kind,
    definition,
    Object.fromEntries(attachments.map((each) => [each.kind === 'option' ? each.key : each.kind, each.value])),
  ];
}

const readable: readonly (readonly [string, unknown])[] = [
  ['CREATE OR REPLACE VIEW shop.v AS\nSELECT 1 AS a\n;', ['shop|v', 'view', 'SELECT 1 AS a', {}]],
  ['create   view "Shop"."a"".b"\nas table shop.t', ['Shop|a".b', 'view', 'table shop.t', {}]],
  ['CREATE VIEW Shop.V AS SELECT', ['shop|v', 'view', 'SELECT', {}]],
  ['CREATE VIEW shop.v AS (SELECT 1)', ['shop|v', 'view', '(SELECT 1)', {}]],
  [
    "CREATE VIEW shop.v WITH (security_invoker = TRUE, security_barrier, check_option = 'local') AS SELECT 1 AS a",
    ['shop|v', 'view', 'SELECT 1 AS a', { check_option: 'local', security_barrier: 'true', security_invoker: 'true' }],
  ],
  ['CREATE VIEW shop.v AS SELECT a FROM shop.t WITH CHECK OPTION', ['shop|v', 'view', 'SELECT a FROM shop.t', { check_option: 'cascaded' }]],
  ['CREATE VIEW shop.v AS SELECT a FROM shop.t with cascaded check option;', ['shop|v', 'view', 'SELECT a FROM shop.t', { check_option: 'cascaded' }]],
  ['CREATE VIEW shop.v AS SELECT a FROM shop.t WITH LOCAL CHECK OPTION', ['shop|v', 'view', 'SELECT a FROM shop.t', { check_option: 'local' }]],
  ['CREATE VIEW shop.v AS -- why\nSELECT 1 /* one */ AS a -- last\n;', ['shop|v', 'view', '-- why\nSELECT 1 /* one */ AS a', {}]],
  ['CREATE MATERIALIZED VIEW shop.v AS SELECT 1 AS a', ['shop|v', 'materialized view', 'SELECT 1 AS a', { populated: 'populated' }]],
  ['CREATE MATERIALIZED VIEW shop.v AS SELECT 1 AS a -- c\nWITH DATA', ['shop|v', 'materialized view', 'SELECT 1 AS a -- c', { populated: 'populated' }]],
  [
    'CREATE MATERIALIZED VIEW shop.v\nWITH (fillfactor = 70, toast.autovacuum_enabled = false, x = -1.5) AS\nWITH a AS (SELECT 1) SELECT * FROM a\nWITH NO DATA',
    [
      'shop|v',
      'materialized view',
      'WITH a AS (SELECT 1) SELECT * FROM a',
      { fillfactor: '70', 'toast.autovacuum_enabled': 'false', x: '-1.5', populated: 'unpopulated' },
    ],
  ],
  [
    'CREATE MATERIALIZED VIEW shop.v using "Columnar" WITH (fillfactor = 70) TABLESPACE Fast AS SELECT 1 AS a',
    ['shop|v', 'materialized view', 'SELECT 1 AS a', { 'access method': 'Columnar', fillfactor: '70', tablespace: 'fast', populated: 'populated' }],
  ],
  ['CREATE MATERIALIZED VIEW shop.v USING heap AS SELECT 1 AS a', ['shop|v', 'materialized view', 'SELECT 1 AS a', { populated: 'populated' }]],
  ["CREATE VIEW shop.v AS SELECT E'a;\\'' AS a, $$;WITH CHECK OPTION$$ AS b", ['shop|v', 'view', "SELECT E'a;\\'' AS a, $$;WITH CHECK OPTION$$ AS b", {}]],
];

test.each(readable)('reads %s', (text, expected) => {
  expect(summary(parseCreate(text))).toEqual(expected);
});

test.each(readable)('writes what it read so that it reads the same: %s', (text) => {
  const read = parseCreate(text);
  const view = { ...read, columns: [], reads: [], unrestorable: [] };
  expect(parseCreate(`${createView(view, 'file')}\n;`)).toEqual(read);
});

describe('refuses by name and place', () => {
  const refused: readonly (readonly [text: string, at: string, message: RegExp])[] = [
    ['CREATE TEMP VIEW shop.v AS SELECT 1', 'CREATE', /temporary view/],
    ['CREATE OR REPLACE TEMPORARY VIEW shop.v AS SELECT 1', 'CREATE', /temporary view/],
    ['CREATE RECURSIVE VIEW shop.v (a) AS SELECT 1', 'CREATE', /WITH RECURSIVE/],
    ['CREATE OR REPLACE MATERIALIZED VIEW shop.v AS SELECT 1', 'CREATE', /cannot replace a materialized view/],
    ['CREATE TABLE shop.v (a int)', 'CREATE', /starts with CREATE OR REPLACE VIEW/],
    ['SELECT 1', 'SELECT', /starts with CREATE OR REPLACE VIEW/],
    ['CREATE MATERIALIZED VIEW IF NOT EXISTS shop.v AS SELECT 1', 'IF', /IF NOT EXISTS/],
    ['CREATE VIEW v AS SELECT 1', 'v AS', /needs its schema/],
    ['CREATE VIEW db.shop.v AS SELECT 1', '.v', /two parts/],
    ['CREATE VIEW select.v AS SELECT 1', 'select', /name of the view/],
    ['CREATE VIEW U&"shop".v AS SELECT 1', 'U&', /U&/],
    ['CREATE VIEW shop.v (a, b) AS SELECT 1, 2', '(a', /list of columns.*SELECT \.\.\. AS name/],
    ['CREATE VIEW shop.v WITH (a = 1, a = 2) AS SELECT 1', 'CREATE', /option a is set twice/],
    ['CREATE VIEW shop.v WITH (check_option = local) AS SELECT 1 WITH CHECK OPTION', 'CREATE', /check_option is set twice/],
    ['CREATE VIEW shop.v WITH (a = "b") AS SELECT 1', '"b"', /no value of an option/],
    ['CREATE VIEW shop.v WITH (a b) AS SELECT 1', 'b)', /Expected "\)", but found "b"/],
    ['CREATE VIEW shop.v AS', '', /Expected a query behind AS.*the end of the statement/],
    ['CREATE VIEW shop.v AS DELETE FROM shop.t', 'DELETE', /Expected a query/],
    ['CREATE VIEW shop.v', '', /Expected AS/],
    ['CREATE VIEW shop.v USING columnar AS SELECT 1', 'USING', /Expected AS/],
    ['CREATE VIEW shop.v TABLESPACE x AS SELECT 1', 'TABLESPACE', /Expected AS/],
    ['CREATE MATERIALIZED VIEW shop.v TABLESPACE x WITH (fillfactor = 70) AS SELECT 1', 'WITH', /Expected AS/],
  ];

  test.each(refused)('%s', (text, at, message) => {
    const failure = failureOf(() => parseCreate(text));
    expect(failure.message).toMatch(message);
    expect(failure.offset).toBe(at === '' ? text.length : text.indexOf(at));
  });
});
