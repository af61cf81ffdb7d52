import { describe, expect, test } from 'vitest';
import type { View } from '../../../src/core/view.ts';
import { readActions } from '../../../src/warehouses/bigquery/actions.ts';
import {
  authorizationAttachment,
  columnCommentAttachment,
  commentAttachment,
  grantAttachment,
  labelAttachment,
  legacyAttachment,
  optionAttachment,
  policyTagAttachment,
  sortAttachments,
} from '../../../src/warehouses/bigquery/attachments.ts';
import { bigqueryDialect } from '../../../src/warehouses/bigquery/dialect.ts';
import { readString, writeString } from '../../../src/warehouses/bigquery/literals.ts';
import { writeMoment } from '../../../src/warehouses/bigquery/options.ts';

const name = { catalog: 'my-project', schema: 'shop', name: 'big' };
const plain: View = { name, kind: 'view', definition: 'SELECT 1 AS id -- all', columns: [], reads: [], attachments: [], unrestorable: [] };

const tags = ['projects/p/locations/eu/taxonomies/1/policyTags/2'];
const full: View = {
  ...plain,
  attachments: sortAttachments([
    optionAttachment(plain, 'friendly_name', "'Big'"),
    optionAttachment(plain, 'expiration_timestamp', writeMoment(1_900_000_000_000)),
    commentAttachment(plain, "it's"),
    labelAttachment(plain, 'team', 'sales'),
    columnCommentAttachment(plain, 'id', 'its id'),
    columnCommentAttachment(plain, 'address.street', 'and number'),
    policyTagAttachment(plain, 'id', tags),
    grantAttachment(plain, 'roles/bigquery.dataViewer', 'user:ada@example.com'),
  ]),
};

const actionsOf = (sql: string, kind: 'create' | 'replace' | 'alter' | 'drop' = 'alter') => readActions({ kind, sql, view: name });

describe('what a step is carried out by', () => {
  test('a new view is the statement as it is, and one call for its columns', () => {
    const sql = bigqueryDialect.createView(full, 'create');
    const [run, columns, ...more] = actionsOf(sql, 'create');
    expect(run).toEqual({ act: 'run', view: name, sql: sql.slice(0, sql.indexOf('\n;')) });
    expect(columns).toEqual({
      act: 'patch',
      view: name,
      table: {},
      columns: { id: { description: 'its id', policyTags: tags }, 'address.street': { description: 'and number' } },
    });
    expect(more).toEqual([]);
  });

  test('a replaced view is one patch of its query, byte for byte, and of its columns', () => {
    expect(actionsOf(bigqueryDialect.createView(full, 'replace'), 'replace')).toEqual([
      {
        act: 'patch',
        view: name,
        table: { view: { query: plain.definition, useLegacySql: false } },
        columns: { id: { description: 'its id', policyTags: tags }, 'address.street': { description: 'and number' } },
      },
    ]);
    expect(actionsOf(bigqueryDialect.createView(plain, 'replace'), 'replace').length).toBe(1);
  });

  test('a view in legacy SQL is inserted with what it has, and stays one when it is replaced', () => {
    const legacy: View = { ...plain, attachments: [legacyAttachment(plain), commentAttachment(plain, 'old'), labelAttachment(plain, 'team', 'sales')] };
    expect(actionsOf(bigqueryDialect.createView(legacy, 'create'), 'create')).toEqual([
      { act: 'insert', view: name, table: { view: { query: plain.definition, useLegacySql: true }, description: 'old', labels: { team: 'sales' } } },
    ]);
    expect(actionsOf(bigqueryDialect.createView(legacy, 'replace'), 'replace')).toEqual([
      { act: 'patch', view: name, table: { view: { query: plain.definition, useLegacySql: true } } },
    ]);
  });

  test('a materialized view is replaced by its statement', () => {
    const materialized: View = { ...plain, kind: 'materialized view' };
    expect(actionsOf(bigqueryDialect.createView(materialized, 'replace'), 'replace')).toEqual([
      { act: 'run', view: name, sql: 'CREATE OR REPLACE MATERIALIZED VIEW `my-project`.`shop`.`big`\nAS\nSELECT 1 AS id -- all' },
    ]);
  });

  test.each([
    ['a description', commentAttachment(plain, 'text'), { description: 'text' }, { description: null }],
    ['a friendly name', optionAttachment(plain, 'friendly_name', "'Big'"), { friendlyName: 'Big' }, { friendlyName: null }],
    ['an expiration', optionAttachment(plain, 'expiration_timestamp', writeMoment(86_400_000)), { expirationTime: '86400000' }, { expirationTime: null }],
    ['a label', labelAttachment(plain, 'team', 'a'), { labels: { team: 'a' } }, { labels: { team: null } }],
  ])('%s is a patch of that field, and null takes it away', (_, { make, unmake }, made, unmade) => {
    expect([actionsOf(make), actionsOf(unmake)]).toEqual([[{ act: 'patch', view: name, table: made }], [{ act: 'patch', view: name, table: unmade }]]);
  });

  test.each([
    ['an option without a field', optionAttachment(plain, 'privacy_policy', "'{}'")],
    ['a right', grantAttachment(plain, 'roles/bigquery.dataViewer', 'allUsers')],
  ])('%s is its statement', (_, { make, unmake }) => {
    expect([actionsOf(make), actionsOf(unmake)]).toEqual([[{ act: 'run', view: name, sql: make }], [{ act: 'run', view: name, sql: unmake }]]);
  });

  test('what belongs to columns, and to datasets, is a call of its own', () => {
    const { make, unmake } = authorizationAttachment(plain, 'my-project.raw');
    expect(actionsOf(make)).toEqual([{ act: 'authorize', view: name, dataset: 'my-project.raw' }]);
    expect(actionsOf(unmake)).toEqual([{ act: 'unauthorize', view: name, dataset: 'my-project.raw' }]);
    expect(actionsOf(columnCommentAttachment(plain, 'id', 'x').unmake)).toEqual([
      { act: 'patch', view: name, table: {}, columns: { id: { description: null } } },
    ]);
    expect(actionsOf(policyTagAttachment(plain, 'id', tags).unmake)).toEqual([{ act: 'patch', view: name, table: {}, columns: { id: { policyTags: [] } } }]);
  });

  test('a drop, a statement of a migration and what cannot be read are run as they are', () => {
    for (const sql of [
      bigqueryDialect.dropView(plain),
      'CREATE OR REPLACE VIEW shop.big AS SELECT 1 AS id',
      'NO SUCH STATEMENT',
      "ALTER TABLE t SET OPTIONS (x = 'y')",
    ]) {
      expect(actionsOf(sql)).toEqual([{ act: 'run', view: expect.anything(), sql }]);
    }
  });
});

test('a string literal says what it was written from, in every spelling', () => {
  for (const text of ['', "it's", '"', '\\', 'a\nb\tc\r', '\u0000\u001f\u2028', '😀', '`']) expect(readString(writeString(text))).toBe(text);
  const spellings = [`"it's"`, String.raw`'it\'s'`, `"""it's"""`, `r"it's"`, String.raw`"it\x27s"`, String.raw`"it\u0027s"`, String.raw`'it\047s'`];
  expect(spellings.map(readString)).toEqual(spellings.map(() => "it's"));
  expect([readString(String.raw`r'\n'`), readString("b'x'"), readString('x')]).toEqual(['\\n', undefined, undefined]);
});
