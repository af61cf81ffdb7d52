import fastCheck from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LexicalRules, tokenize } from '../../src/core/lexer.ts';
import { ViewsyncError } from '../../src/errors.ts';
import { lexicalRules as bigqueryRules } from '../../src/warehouses/bigquery/lexical-rules.ts';
import { postgresqlRules } from './postgresql-rules.ts';

function texts(sql: string, rules: LexicalRules = postgresqlRules): string[] {
  return tokenize(sql, rules).map((token) => token.text);
}

function kinds(sql: string, rules: LexicalRules = postgresqlRules): string[] {
  return tokenize(sql, rules).map((token) => `${token.kind}: ${token.text}`);
}

function offsetOfError(sql: string, rules: LexicalRules = postgresqlRules): unknown {
  try {
    tokenize(sql, rules);
  } catch (error) {
    if (error instanceof ViewsyncError && error.code === 'FILE_UNREADABLE') return error.details['offset'];
  }
  return undefined;
}

describe('PostgreSQL', () => {
  test('tells the kinds of tokens apart', () => {
    expect(kinds(`SELECT "a""b", 'it''s', 1.5, $1 -- end`)).toEqual([
      'word: SELECT',
      'quoted identifier: "a""b"',
      'punctuation: ,',
      "string: 'it''s'",
      'punctuation: ,',
      'number: 1.5',
      'punctuation: ,',
      'parameter: $1',
      'comment: -- end',
    ]);
  });

  test.each([
    [`E'a\\'b' c`, [`E'a\\'b'`, 'c']],
    [`'a\\' c`, [`'a\\'`, 'c']],
    [`e'\\\\' c`, [`e'\\\\'`, 'c']],
    [`B'01' x'FF' N'n' U&'\\0041' U&"\\0041"`, [`B'01'`, `x'FF'`, `N'n'`, `U&'\\0041'`, `U&"\\0041"`]],
    [`e"x" fooe'a'`, ['e', '"x"', 'fooe', `'a'`]],
    [`u & 'a'`, ['u', '&', `'a'`]],
    [`$$a'b$$ $x$ $$ $y$ $x$`, [`$$a'b$$`, '$x$ $$ $y$ $x$']],
    ['a$b$ $1', ['a$b$', '$1']],
    ['größe = "Ä"', ['größe', '=', '"Ä"']],
  ] as [string, string[]][])('reads quotes and words of %s', (sql, expected) => {
    expect(texts(sql)).toEqual(expected);
  });

  test('continues a string with backslash escapes on the next line', () => {
    expect(texts(`E'a' -- why\n 'b\\'c' 'd\\' e`)).toEqual([`E'a'`, '-- why', `'b\\'c'`, `'d\\'`, 'e']);
    expect(texts(`E'a' /* why\n */ 'b\\' c`)).toEqual([`E'a'`, '/* why\n */', `'b\\'`, 'c']);
  });

  test('ends a comment at a carriage return', () => {
    expect(texts('a -- b\rc')).toEqual(['a', '-- b', 'c']);
  });

  test('nests block comments', () => {
    expect(texts('a /* b /* c */ d */ e')).toEqual(['a', '/* b /* c */ d */', 'e']);
  });

  test.each([
    ['1_000 0x1F 0o17 0b1_0', ['1_000', '0x1F', '0o17', '0b1_0']],
    ['1e5 1.5E-3 .5 5. 5.e1', ['1e5', '1.5E-3', '.5', '5.', '5.e1']],
    ['1..2', ['1', '..', '2']],
    ['a.1', ['a', '.1']],
    ['1e 1a', ['1', 'e', '1', 'a']],
  ])('reads the numbers of %s', (sql, expected) => {
    expect(texts(sql)).toEqual(expected);
  });

  test.each([
    ['a<=-1', ['a', '<=', '-', '1']],
    ['a@-1', ['a', '@-', '1']],
    ['a<-+-+1', ['a', '<', '-', '+', '-', '+', '1']],
    ['+++1', ['+', '+', '+', '1']],
    ['a*-- x', ['a', '*', '-- x']],
    ['a*/* x */b', ['a', '*', '/* x */', 'b']],
    ['a<<->>b->>c', ['a', '<<->>', 'b', '->>', 'c']],
    ['a::text[1:2] := b', ['a', '::', 'text', '[', '1', ':', '2', ']', ':=', 'b']],
    ['OPERATOR(pg_catalog.+)', ['OPERATOR', '(', 'pg_catalog', '.', '+', ')']],
    ['f(a=>1)', ['f', '(', 'a', '=>', '1', ')']],
  ])('reads the operators of %s', (sql, expected) => {
    expect(texts(sql)).toEqual(expected);
  });

  test.each([
    [`a 'b`, 2],
    ['a "b""', 2],
    [`a E'\\'`, 2],
    ['a /* /* */', 2],
    ['a $x$ $y$', 2],
  ])('says where the quote or comment opens that %s never closes', (sql, offset) => {
    expect(offsetOfError(sql)).toBe(offset);
  });
});

describe('BigQuery', () => {
  test('reads strings in double and triple quotes, backslashes, backticks and two kinds of line comments', () => {
    expect(kinds(`"a\\"b" '''it's "x"''' r'\\' \\'' \`p.d.t\` # c\nb"x" --`, bigqueryRules)).toEqual([
      'string: "a\\"b"',
      `string: '''it's "x"'''`,
      `string: r'\\' \\''`,
      'quoted identifier: `p.d.t`',
      'comment: # c',
      'string: b"x"',
      'comment: --',
    ]);
  });

  test('reads known operators only, longest first', () => {
    expect(texts('a||b |> c>>=d', bigqueryRules)).toEqual(['a', '||', 'b', '|>', 'c', '>>', '=', 'd']);
  });
});

const pieces = fastCheck.array(
  fastCheck.constantFrom(
    'a',
    'E',
    "'",
    '"',
    '$',
    '$x$',
    '/*',
    '*/',
    '--',
    '\n',
    ' ',
    '1',
    '.',
    '+',
    '-',
    '<',
    '@',
    '(',
    ';',
    '\\',
    'ü',
    '😀',
    '::',
    'u&',
    '`',
    '#',
  ),
  { maxLength: 40 },
);

test.each([
  ['PostgreSQL', postgresqlRules],
  ['BigQuery', bigqueryRules],
])('tokens of any %s text cover everything but white space, in order', (_name, rules) => {
  fastCheck.assert(
    fastCheck.property(pieces, (parts) => {
      const sql = parts.join('');
      if (offsetOfError(sql, rules) !== undefined) return;
      let end = 0;
      for (const token of tokenize(sql, rules)) {
        expect(sql.slice(end, token.start).trim()).toBe('');
        expect(sql.slice(token.start, token.end)).toBe(token.text);
        expect(token.end).toBeGreaterThan(token.start);
        end = token.end;
      }
      expect(sql.slice(end).trim()).toBe('');
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['signs', '+'.repeat(400_000)],
  ['operators', '<@-'.repeat(130_000)],
  ['dollars', '$a'.repeat(200_000)],
  ['opening comments, closed', '/*'.repeat(100_000) + '*/'.repeat(100_000)],
  ['joined strings', `E'a'${"\n'b'".repeat(100_000)}`],
  ['parentheses', '('.repeat(400_000)],
  ['quotes', "''".repeat(200_000)],
])('takes time in proportion to the length of %s', (_name, sql) => {
  const started = performance.now();
  tokenize(sql, postgresqlRules);
  expect(performance.now() - started).toBeLessThan(3000);
});
