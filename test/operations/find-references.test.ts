import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readsOf, resolveReference } from '../../src/core/references.ts';
import { ViewsyncError } from '../../src/errors.ts';
import { findReferences, type ReferenceDialectName, referenceDialects } from '../../src/operations/find-references.ts';
import { measureAccuracy, readLabelledStatements } from '../support/reference-sets.ts';

const dialects = Object.keys(referenceDialects) as readonly ReferenceDialectName[];

describe.each(dialects.map((dialect) => [dialect]))('%s', (dialect) => {
  test('every relation of the labelled statements is found, and nothing else', () => {
    const { statements, wrong, recall, precision } = measureAccuracy(dialect);
    expect(statements).toBeGreaterThanOrEqual(60);
    expect(wrong).toEqual([]);
    expect(recall).toBe(1);
    expect(precision).toBeGreaterThanOrEqual(0.99);
  });

  test('a reference stands where it says', () => {
    for (const { sql } of readLabelledStatements(dialect)) {
      for (const { name, start, end } of findReferences(sql, dialect)) {
        const text = sql.slice(start, end).toLowerCase();
        const last = name.name.replace(/^.*\.|\*$/g, '').toLowerCase();
        expect(text.includes(last) || /^u&"/.test(text), text).toBe(true);
        expect(text).not.toMatch(/^\s|\s$/);
      }
    }
  });

  test('whatever is cut off, mixed up or put inside another query, nothing but an open quote stops it', () => {
    const sources = readLabelledStatements(dialect).map(({ sql }) => sql);
    const piece = fastCheck
      .tuple(fastCheck.constantFrom(...sources), fastCheck.nat(400), fastCheck.nat(400))
      .map(([sql, from, to]) => sql.slice(from % sql.length, to));
    const words = fastCheck.shuffledSubarray(
      sources.flatMap((sql) => sql.split(/\b/)),
      { maxLength: 60 },
    );
    const text = fastCheck.oneof(
      piece,
      fastCheck.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(' (')),
      words.map((parts) => parts.join(' ')),
    );
    fastCheck.assert(
      fastCheck.property(text, (sql) => {
        try {
          for (const { start, end } of findReferences(sql, dialect)) expect(sql.slice(start, end)).not.toBe('');
        } catch (error) {
          if (!(error instanceof ViewsyncError && error.code === 'FILE_UNREADABLE')) throw error;
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('a query inside another one reads what it reads', () => {
    const plain = readLabelledStatements(dialect).filter(({ sql }) => !/^\s*(\/\*.*?\*\/\s*)?create|[;[]|->>|--|\/\/|#/i.test(sql));
    expect(plain.length).toBeGreaterThan(30);
    for (const { sql } of plain) {
      const found = (text: string) => findReferences(text, dialect).map(({ name }) => JSON.stringify(name));
      const around = `SELECT 1 FROM (${sql}) zz1, zz2 WHERE EXISTS (${sql})`;
      expect(found(around), sql).toEqual([...found(sql), ...found('SELECT 1 FROM zz2'), ...found(sql)]);
    }
  });
});

test.each([
  ['snowflake', 't', 'DB.S.T'],
  ['snowflake', 'other.t', 'DB.OTHER.T'],
  ['snowflake', 'x.other.t', 'X.OTHER.T'],
  ['bigquery', 'ds.t', 'DB.ds.t'],
  ['bigquery', 'x-y.ds.t', 'x-y.ds.t'],
  ['bigquery', 't', undefined],
  ['redshift', 's.t', 's.t'],
  ['redshift', 't', undefined],
  ['postgres', 't', undefined],
] as const)('%s resolves %s in the view DB.S.V to %s', (dialect, text, expected) => {
  const [reference] = findReferences(`SELECT * FROM ${text}`, dialect);
  const name = resolveReference(reference?.name ?? { name: '' }, { catalog: 'DB', schema: 'S', name: 'V' }, referenceDialects[dialect]);
  expect(name && [name.catalog, name.schema, name.name].filter((part) => part !== undefined).join('.')).toBe(expected);
});

test('what a view reads has full names', () => {
  const sql = 'WITH q AS (SELECT * FROM orders) SELECT * FROM q JOIN raw.orders USING (id) JOIN orders USING (id)';
  expect(readsOf(sql, referenceDialects.snowflake, { catalog: 'DB', schema: 'S', name: 'V' })).toEqual([
    { catalog: 'DB', schema: 'RAW', name: 'ORDERS' },
    { catalog: 'DB', schema: 'S', name: 'ORDERS' },
  ]);
});

test('a name quoted in a case of its own is another one where Redshift tells cases apart', async () => {
  const { caseSensitiveReferenceRules } = await import('../../src/warehouses/redshift/reference-rules.ts');
  expect(readsOf('select * from "Shop"."Orders"', { ...referenceDialects.redshift, referenceRules: caseSensitiveReferenceRules })).toEqual([
    { schema: 'Shop', name: 'Orders' },
  ]);
});
