import { describe, expect, test } from 'vitest';
import type { TargetDescription } from '../../src/core/snapshot.ts';
import { readTargetFile, writeTargetFile } from '../../src/core/target-file.ts';

const path = 'views/prod/target.json';

const description: TargetDescription = {
  warehouse: 'postgres',
  version: 18,
  scope: { schemas: ['*', '!scratch_*'] },
  identity: { system: '7412', database: 'shop' },
  unreadable: [
    { name: { schema: 'shop', name: 'z' }, reason: 'permission denied' },
    { name: { schema: 'shop', name: 'a' }, reason: 'permission denied' },
  ],
};

test('target.json is written in one order, with a newline at its end', () => {
  expect(writeTargetFile(description)).toMatchInlineSnapshot(`
    "{
      "format": 1,
      "warehouse": "postgres",
      "version": 18,
      "schemas": [
        "*",
        "!scratch_*"
      ],
      "identity": {
        "database": "shop",
        "system": "7412"
      },
      "unreadable": [
        {
          "schema": "shop",
          "name": "a",
          "reason": "permission denied"
        },
        {
          "schema": "shop",
          "name": "z",
          "reason": "permission denied"
        }
      ]
    }
    "
  `);
});

test.each([
  ['everything', description],
  ['no version and nothing unreadable', { warehouse: 'bigquery', scope: { schemas: ['*'] }, identity: {}, unreadable: [] }],
  [
    'what is no view',
    {
      ...description,
      unreadable: [
        { name: { schema: 's', name: 'f', object: { kind: 'function', arguments: 'integer' } }, reason: 'r' },
        { name: { schema: 's', name: 'p', object: { kind: 'policy', on: 't' } }, reason: 'r' },
      ],
    },
  ],
  ['a catalog', { ...description, unreadable: [{ name: { catalog: 'c', schema: 's', name: 'n' }, reason: 'r' }] }],
] as [string, TargetDescription][])('what was written is read back: %s', (_what, written) => {
  const text = writeTargetFile(written);
  expect(writeTargetFile(readTargetFile(text, path))).toBe(text);
  expect(readTargetFile(text, path).identity).toEqual(written.identity);
});

describe('target.json is refused', () => {
  const fields = JSON.parse(writeTargetFile(description));

  test.each([
    ['not JSON', '{', 'It is no JSON'],
    ['no object', '[]', 'It must hold a JSON object.'],
    ['an unknown key', JSON.stringify({ ...fields, schema: [] }), 'The key "schema" is not known. Did you mean "schemas"?'],
    ['a missing key', JSON.stringify({ ...fields, warehouse: undefined }), '"warehouse" must be a text.'],
    ['no format', JSON.stringify({ ...fields, format: undefined }), '"format" is missing;'],
    ['a wrong type inside', JSON.stringify({ ...fields, unreadable: [{ schema: 1 }] }), '"schema" must be a text.'],
    ['a wrong version', JSON.stringify({ ...fields, version: '18' }), '"version" must be a whole number.'],
    ['a wrong identity', JSON.stringify({ ...fields, identity: { system: 1 } }), '"identity" must hold texts by name.'],
  ])('with %s', (_what, text, message) => {
    expect(() => readTargetFile(text, path)).toThrow(
      expect.objectContaining({ code: 'FILE_UNREADABLE', message: expect.stringContaining(`${path}: ${message}`) }),
    );
  });

  test('when a newer version wrote it', () => {
    expect(() => readTargetFile(JSON.stringify({ ...fields, format: 2, more: 1 }), path)).toThrow(expect.objectContaining({ code: 'FORMAT_TOO_NEW' }));
  });
});
