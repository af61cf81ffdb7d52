import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDefinition } from '../../src/core/format.ts';
import { tokenize } from '../../src/core/lexer.ts';
import { createDatabase, postgresServers } from '../support/postgres-server.ts';
import { postgresqlQueries } from './postgresql-queries.ts';
import { postgresqlRules } from './postgresql-rules.ts';

const dialect = { lexicalRules: postgresqlRules, formatterLanguage: 'postgresql' } as const;

const texts = (sql: string): string[] => tokenize(sql, postgresqlRules).map((token) => token.text);

const damagedByOthers = [
  'SELECT a *< b, a <<->> b, a === b, a ~~~ b, a @#@ b, a !=- b, - -a, + + a FROM t',
  "SELECT 'a'\n'b' AS x, E'a\\'' -- c\n 'b\\'' AS y FROM t",
  'SELECT a -- c\n, b /* d\n   e */ FROM t -- end',
  "SELECT $$a;\n'b'$$, $x$ $$ $x$, U&'\\0041', U&\"\\0041\", x'FF', B'01' FROM t",
  'SELECT "Group", a AS "from", b AS language, c AS user FROM t ORDER BY "Group" USING OPERATOR(pg_catalog.<)',
  "SELECT (t.a).b[1:2], ARRAY[1, 2]::integer[], '{}'::text[], a::numeric(12,2), interval '1' day FROM t",
  "SELECT now() AT TIME ZONE 'UTC', 1e5, .5, 5., 1.5e-3, $1 FROM t",
  "SELECT '\r\n\t' AS x,\r\n y\r\nFROM t",
];

describe('a formatted definition', () => {
  test.each([...postgresqlQueries, ...damagedByOthers].map((sql) => [sql]))(
    'has the tokens and comments of %j, and formatting it again changes nothing',
    async (sql) => {
      const formatted = await formatDefinition(sql, dialect);
      expect(texts(formatted)).toEqual(texts(sql));
      expect(await formatDefinition(formatted, dialect)).toBe(formatted);
    },
  );

  test('is laid out for people', async () => {
    const sql =
      "SELECT o.id, sum(l.amount) AS total FROM shop.orders o JOIN shop.lines l ON l.order_id = o.id WHERE o.state <> 'void'::text AND l.amount > 0 GROUP BY o.id";
    expect(await formatDefinition(sql, dialect)).toMatchInlineSnapshot(`
      "SELECT
        o.id,
        sum(l.amount) AS total
      FROM
        shop.orders o
        JOIN shop.lines l ON l.order_id = o.id
      WHERE
        o.state <> 'void'::text
        AND l.amount > 0
      GROUP BY
        o.id"
    `);
  });

  test('keeps operators that people made', async () => {
    expect(await formatDefinition('SELECT a <<->> b, c === d FROM t', dialect)).toBe('SELECT\n  a <<->> b,\n  c === d\nFROM\n  t');
  });

  test('keeps literals on lines of their own, which are one literal', async () => {
    expect(await formatDefinition("SELECT 'a'\n'b' FROM t", dialect)).toBe("SELECT\n  'a'\n'b'\nFROM\n  t");
  });

  test('is the text as it came where the formatter would change a comment or cannot read it', async () => {
    for (const sql of ['SELECT a /* d\n   e */ FROM t', 'SELECT a FROM t WHERE (', '']) expect(await formatDefinition(sql, dialect)).toBe(sql);
  });
});

test.each(postgresServers().map(({ version }) => [version]))(
  'PostgreSQL %i holds every one of its views to be the same after its text was formatted',
  async (version) => {
    await using database = await createDatabase(version);
    const views = await database.query("SELECT viewname, rtrim(definition, ';') AS sql FROM pg_views WHERE schemaname = 'information_schema' ORDER BY 1");
    expect(views.length).toBeGreaterThan(50);
    for (const { sql } of views) {
      const formatted = await formatDefinition(sql, dialect);
      expect(texts(formatted)).toEqual(texts(sql));
      expect(formatted).toMatch(/^ *(?:SELECT|WITH)\b.*\n/);
      expect(await formatDefinition(formatted, dialect)).toBe(formatted);
    }
    const prints = 'SELECT string_agg(pg_get_viewdef(oid), chr(10) ORDER BY relname) AS all FROM pg_class WHERE relnamespace = pg_my_temp_schema()';
    const made = async (format: (sql: string) => Promise<string>) => {
      const statements = await Promise.all(views.map(async ({ viewname, sql }) => `CREATE TEMP VIEW ${viewname} AS ${await format(sql)};`));
      return database.query(`SET search_path = information_schema, pg_catalog; ${statements.join('\n')} ${prints}`);
    };
    expect(await made((sql) => formatDefinition(sql, dialect))).toEqual(await made(async (sql) => sql));
  },
);

test('no text of tokens ever changes by formatting', async () => {
  const piece = fastCheck.constantFrom(
    'SELECT',
    'a',
    'FROM',
    '(',
    ')',
    ',',
    "'x'",
    "\n'y'",
    '-- c\n',
    '/* d */',
    '*',
    '<->',
    '-',
    '1',
    '"B"',
    '::',
    '[',
    ']',
    'CASE',
    'END',
    '.',
    'E',
    '$1',
    ':',
  );
  await fastCheck.assert(
    fastCheck.asyncProperty(fastCheck.array(piece, { maxLength: 25 }), async (parts) => {
      const sql = parts.join(' ');
      expect(texts(await formatDefinition(sql, dialect))).toEqual(texts(sql));
    }),
    { numRuns: 500 },
  );
});

test('deep brackets take no long time', async () => {
  const started = performance.now();
  await formatDefinition(`SELECT ${'('.repeat(1000)}1${')'.repeat(1000)}`, dialect);
  expect(performance.now() - started).toBeLessThan(1000);
});
