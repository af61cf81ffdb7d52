import { describe, expect, test } from 'vitest';
import { configurationSchema, interpolate, interpolateOptions, readConfiguration } from '../src/config.ts';
import type { ViewsyncError } from '../src/errors.ts';

async function faultsOf(text: string): Promise<unknown> {
  const error = await readConfiguration(text).then(
    () => undefined,
    (thrown: ViewsyncError) => thrown,
  );
  expect(error?.code).toBe('CONFIG_INVALID');
  return error?.details['faults'];
}

import { adapters } from '../src/warehouses/registry.ts';

describe('a valid viewsync.yaml', () => {
  test('is read with its defaults, variables untouched', async () => {
    const configuration = await readConfiguration('targets:\n  prod:\n    warehouse: postgres\n    url: ${DATABASE_URL}\n');
    expect(configuration).toEqual({
      views: 'views',
      targets: [{ name: 'prod', warehouse: 'postgres', scope: { schemas: ['*'] }, allowUnreadable: [], options: { url: '${DATABASE_URL}' } }],
    });
  });

  test('may name schemas, unreadable views and the folder', async () => {
    const text = 'views: sql/views\ntargets:\n  a:\n    warehouse: postgres\n    schemas: ["*", "!scratch_*"]\n    allow-unreadable: ["audit.*"]\n';
    const { views, targets } = await readConfiguration(text);
    expect(views).toBe('sql/views');
    expect(targets[0]?.scope.schemas).toEqual(['*', '!scratch_*']);
    expect(targets[0]?.allowUnreadable).toEqual(['audit.*']);
  });
});

describe('faults of a viewsync.yaml', () => {
  test('are told all at once, each with its line', async () => {
    const text = 'target:\n  prod: {}\nviews: /absolute\ntargets:\n  prod:\n    warehouse: 5\n    schemas: shop\n';
    expect(await faultsOf(text)).toEqual([
      { line: 1, message: '"target" is not a key of this file. Did you mean "targets"?' },
      { line: 3, message: '"views": The folder of the views is relative to viewsync.yaml and written with "/".' },
      { line: 6, message: '"targets.prod.warehouse": Expected a text.' },
      { line: 7, message: '"targets.prod.schemas": Expected a list.' },
    ]);
  });

  test('a missing key is told at the entry that lacks it', async () => {
    expect(await faultsOf('views: views\n\ntargets:\n  prod:\n    url: x\n')).toEqual([
      { line: 4, message: '"targets.prod.warehouse": Expected a text, and it is missing.' },
    ]);
  });

  test('an empty file lacks its targets', async () => {
    expect(await faultsOf('')).toEqual([{ line: 1, message: '"targets": Expected entries with a name each, and it is missing.' }]);
  });

  test('a target needs a name that is the same on every disk', async () => {
    expect(await faultsOf('targets:\n  Prod:\n    warehouse: postgres\n')).toEqual([
      { line: 2, message: 'A target is named with lower-case letters, digits, "_" and "-", and starts with a letter or digit.' },
    ]);
    expect(await faultsOf('targets:\n  con:\n    warehouse: postgres\n')).toHaveLength(1);
  });

  test('an unknown kind of warehouse is told with the nearest known one', async () => {
    expect(await faultsOf('targets:\n  prod:\n    warehouse: postgre\n')).toEqual([
      { line: 3, message: `"postgre" is not a kind of warehouse. Did you mean "postgres"? Known are: ${Object.keys(adapters).join(', ')}.` },
    ]);
  });

  test('an unknown key of a target is told with its line and the nearest known key', async () => {
    const faults = (await faultsOf('targets:\n  prod:\n    warehouse: postgres\n    schema: ["*"]\n')) as readonly { line: number; message: string }[];
    expect(faults).toHaveLength(1);
    expect(faults[0]?.line).toBe(4);
    expect(faults[0]?.message).toContain('Did you mean "schemas"?');
  });

  test('broken YAML is told with its line', async () => {
    expect(await faultsOf('targets:\n  prod: {\n')).toMatchObject([{ line: 3 }]);
  });

  test('a key that stands twice is a fault', async () => {
    expect(await faultsOf('views: a\nviews: b\n')).toMatchObject([{ line: 2, message: 'Map keys must be unique.' }]);
  });
});

describe('variables', () => {
  test('are replaced by their values, several in one text', () => {
    expect(interpolate('${A}/x/${B_2}', { A: 'one', B_2: 'two' })).toBe('one/x/two');
  });

  test('a value that looks like a variable is left alone', () => {
    expect(interpolate('${A}', { A: '${B}' })).toBe('${B}');
  });

  test.each([[{}], [{ SHOP_URL: '' }]])('an unset or empty one is named in the error', (environment) => {
    expect(() => interpolate('${SHOP_URL}', environment)).toThrow(
      expect.objectContaining({ code: 'VARIABLE_UNSET', message: expect.stringContaining('"SHOP_URL"') }),
    );
  });

  test('are replaced at any depth of the options', () => {
    expect(interpolateOptions({ url: '${U}', port: 1, ssl: { files: ['${U}.pem'] } }, { U: 'u' })).toEqual({ url: 'u', port: 1, ssl: { files: ['u.pem'] } });
  });
});

test('the JSON Schema names every key of the file', () => {
  expect(configurationSchema()).toMatchObject({
    additionalProperties: false,
    required: ['targets'],
    properties: { views: { type: 'string' }, targets: { additionalProperties: { properties: { warehouse: {}, schemas: {}, 'allow-unreadable': {} } } } },
  });
});
