import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeComponent, encodeFile, encodeFolder, isOwnPath, pathInTarget, viewPath } from '../../src/core/path.ts';

const postgres = { folds: 'lower', hasCatalogs: false } as const;
const snowflake = { folds: 'upper', hasCatalogs: true } as const;
const bigquery = { folds: 'exact', hasCatalogs: true } as const;

describe('the file of a view', () => {
  test.each([
    ['orders', 'orders.sql'],
    ['order_lines-2', 'order_lines-2.sql'],
    ['MyView', '+my+view.sql'],
    ['My View.v1', '+my%20+view.v1.sql'],
    ['größe', 'gr%C3%B6%C3%9Fe.sql'],
    ['.', '%2E.sql'],
    ['..', '%2E%2E.sql'],
    ['.git', '%2Egit.sql'],
    ['a.', 'a%2E.sql'],
    ['a/b\\c', 'a%2Fb%5Cc.sql'],
    ['a+b%~', 'a%2Bb%25%7E.sql'],
    ['con', '%63on.sql'],
    ['con.x', '%63on.x.sql'],
    ['console', 'console.sql'],
    ['Con', '+con.sql'],
    ['lpt1', '%6Cpt1.sql'],
    ['schema', '%73chema.sql'],
    ['Schema', '+schema.sql'],
    ['target.json', 'target.json.sql'],
    ['a\nb', 'a%0Ab.sql'],
    ['😀', '%F0%9F%98%80.sql'],
    ['-v', '-v.sql'],
  ])('%j is %s where names fold to lower case', (name, file) => {
    expect(pathInTarget({ schema: 'shop', name }, postgres)).toBe(`shop/${file}`);
  });

  test('is in lower case for the folded case, which is upper on Snowflake', () => {
    expect(pathInTarget({ catalog: 'ANALYTICS', schema: 'PUBLIC', name: 'MY_VIEW' }, snowflake)).toBe('analytics/public/my_view.sql');
    expect(pathInTarget({ catalog: 'ANALYTICS', schema: 'PUBLIC', name: 'my_View' }, snowflake)).toBe('analytics/public/+m+y_v+i+e+w.sql');
    expect(pathInTarget({ catalog: 'ANALYTICS', schema: 'CON', name: 'SCHEMA' }, snowflake)).toBe('analytics/%43on/%53chema.sql');
  });

  test('is in lower case for lower case where names are exact', () => {
    expect(pathInTarget({ catalog: 'my-project', schema: 'd', name: 'MyView' }, bigquery)).toBe('my-project/d/+my+view.sql');
  });

  test('stands in folders that are no file of ours', () => {
    expect(pathInTarget({ schema: 'target.json', name: 'a' }, postgres)).toBe('%74arget.json/a.sql');
    expect(pathInTarget({ schema: 'schema', name: 'a' }, postgres)).toBe('schema/a.sql');
  });

  test.each(['x', 'x.sql', 'schema', 'con', 'X'])('never has the name of the folder of a table that is called %s.sql', (name) => {
    const policy = pathInTarget({ schema: 's', name: 'p', object: { kind: 'policy', on: `${name}.sql` } }, postgres);
    expect(policy.split('/')[1]).toBe(`${encodeFolder(`${name}.sql`, 'lower').slice(0, -4)}%2Esql`);
    expect(policy.startsWith(`${pathInTarget({ schema: 's', name }, postgres)}/`)).toBe(false);
  });

  test('is cut when it is longer than 200 bytes, at a whole character, and ends in a hash', () => {
    expect(encodeFile('x'.repeat(200), 'lower')).toBe('x'.repeat(200));
    expect(encodeFile('x'.repeat(201), 'lower')).toMatch(/^x{160}~[0-9a-f]{16}$/);
    expect(encodeFile(`${'x'.repeat(159)}${'Ä'.repeat(50)}`, 'lower')).toMatch(/^x{159}~[0-9a-f]{16}$/);
  });

  test('stands below the views folder, which may be the root of the repository', () => {
    expect(viewPath({ viewsFolder: 'analytics/views', target: 'prod' }, { schema: 's', name: 'v' }, postgres)).toBe('analytics/views/prod/s/v.sql');
    expect(viewPath({ viewsFolder: '', target: 'prod' }, { schema: 's', name: 'v' }, postgres)).toBe('prod/s/v.sql');
  });
});

test('a file of ours stands where a view, a schema or a bystander can stand, and nothing else does', () => {
  const own = ['s/v.sql', 's/schema.sql', 's/f(app.v,text).function.sql', 's/t/p.policy.sql'];
  const others = ['v.sql', 's/v.txt', 'target.json', 's/f(a).sql', 's/f(a).folder.sql', 's/t/notes.sql', 's/t/u/p.policy.sql'];
  expect([...own, ...others].filter((path) => isOwnPath(path, postgres))).toEqual(own);
  expect(['c/s/v.sql', 'c/s/t/p.policy.sql', 's/v.sql'].filter((path) => isOwnPath(path, bigquery))).toEqual(['c/s/v.sql', 'c/s/t/p.policy.sql']);
});

const hostile = fastCheck.string({
  unit: fastCheck.constantFrom(
    'a',
    'A',
    'b',
    'B',
    '.',
    '/',
    '\\',
    '+',
    '%',
    '~',
    ' ',
    '_',
    '-',
    '0',
    '2',
    'e',
    'E',
    'con',
    'schema',
    'ß',
    'é',
    'e\u0301',
    '😀',
    '\n',
    ':',
    '"',
  ),
  minLength: 1,
  maxLength: 12,
});
const names = fastCheck.oneof(hostile, fastCheck.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }));
const encoders = [encodeFile, encodeFolder] as const;

describe.each(['lower', 'upper', 'exact'] as const)('where names fold to %s', (folds) => {
  test.each(encoders)('different names differ on a disk that is blind to case (%o)', (encode) => {
    fastCheck.assert(
      fastCheck.property(hostile, hostile, (left, right) => {
        fastCheck.pre(left !== right);
        expect(encode(left, folds).toLowerCase()).not.toBe(encode(right, folds).toLowerCase());
      }),
      { numRuns: 3000 },
    );
  });

  test.each(encoders)('a name that was not cut can be read back (%o)', (encode) => {
    fastCheck.assert(
      fastCheck.property(names, (name) => {
        const text = encode(name, folds);
        expect(decodeComponent(text, folds)).toBe(text.includes('~') ? undefined : name);
      }),
      { numRuns: 3000 },
    );
  });

  test.each(encoders)('a name is safe on every disk (%o)', (encode) => {
    fastCheck.assert(
      fastCheck.property(names, (name) => {
        const text = encode(name, folds);
        expect(text).toMatch(/^(?:[a-z0-9_+~-]|%[0-9A-F]{2})(?:[a-z0-9_.+~-]|%[0-9A-F]{2})*$/);
        expect(text).not.toMatch(/\.$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/);
        expect(text.length).toBeLessThanOrEqual(200);
      }),
      { numRuns: 3000 },
    );
  });
});
