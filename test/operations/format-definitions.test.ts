import { describe, expect, test } from 'vitest';
import { formatDefinition } from '../../src/core/format.ts';
import { formatDefinitions } from '../../src/operations/format-definitions.ts';
import { postgresqlRules } from '../core/postgresql-rules.ts';

const dialect = { lexicalRules: postgresqlRules, formatterLanguage: 'postgresql' } as const;

// Long to count, short to format.
function requests(count: number) {
  return Array.from({ length: count }, (_, index) => ({
    key: `v${index}`,
    sql: `SELECT a, ${index} AS number FROM shop.orders WHERE b = '${'long'.repeat(50)}'`,
  }));
}

describe.each([
  ['a few definitions', 5],
  ['many definitions, in threads', 1000],
])('%s', (_what, count) => {
  test('come back formatted, each under its own key', async () => {
    const formatted = await formatDefinitions(requests(count), dialect);
    expect(formatted.size).toBe(count);
    for (const { key, sql } of requests(count).slice(0, 20)) expect(formatted.get(key)).toBe(await formatDefinition(sql, dialect));
  });

  test('tell how far they are', async () => {
    const told: number[] = [];
    await formatDefinitions(requests(count), dialect, ({ done }) => told.push(done));
    expect(told.at(-1)).toBe(count);
  });
});

test('a text that cannot be read stays as it is, in threads too', async () => {
  const broken = { key: 'broken', sql: "select  'a" };
  expect((await formatDefinitions([broken], dialect)).get('broken')).toBe(broken.sql);
  expect((await formatDefinitions([...requests(1000), broken], dialect)).get('broken')).toBe(broken.sql);
});
