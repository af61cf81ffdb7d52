import type { Random } from '../faults/simulation/random.ts';
import { type Made, type MadeColumn, nameOf, quote, sample } from './model.ts';

/** An expression over a column with the type that it has. */
interface Expression {
  readonly sql: string;
  readonly type: MadeColumn['type'];
}

type Shape = (random: Random, column: string) => Expression;

const shapes: Readonly<Record<MadeColumn['type'], readonly Shape[]>> = {
  int: [
    (_, column) => ({ sql: `${column} + 1`, type: 'int' }),
    (_, column) => ({ sql: `CASE WHEN ${column} > 5 THEN 'big; --' ELSE $q$sm'all$q$ END`, type: 'text' }),
    (_, column) => ({ sql: `${column}::numeric(10,2)`, type: 'numeric' }),
    (_, column) => ({ sql: `${column} IN (1, 2, 3)`, type: 'bool' }),
    (_, column) => ({ sql: `date '2026-01-01' + ${column}`, type: 'date' }),
  ],
  text: [
    (_, column) => ({ sql: `upper(${column})`, type: 'text' }),
    (_, column) => ({ sql: `${column} || E'\\n\\\\x'`, type: 'text' }),
    (_, column) => ({ sql: `(${column} COLLATE "C")`, type: 'text' }),
    (_, column) => ({ sql: `coalesce(length(${column}), 0)`, type: 'int' }),
    (_, column) => ({ sql: `${column} LIKE '%a%'`, type: 'bool' }),
    (_, column) => ({ sql: `${column}::varchar(12)`, type: 'varchar' }),
  ],
  varchar: [(_, column) => ({ sql: `lower(${column})`, type: 'text' }), (_, column) => ({ sql: `${column} IS NULL`, type: 'bool' })],
  numeric: [(_, column) => ({ sql: `round(${column} * 1.5, 1)`, type: 'numeric' }), (_, column) => ({ sql: `${column}::int`, type: 'int' })],
  date: [
    (_, column) => ({ sql: `extract(year FROM ${column})::int`, type: 'int' }),
    (_, column) => ({ sql: `${column} + interval '1 day 2 hours' > timestamp '2026-01-01'`, type: 'bool' }),
  ],
  bool: [(_, column) => ({ sql: `NOT ${column}`, type: 'bool' }), (_, column) => ({ sql: `${column}::text`, type: 'text' })],
};

export interface Query {
  readonly sql: string;
  readonly columns: readonly MadeColumn[];
}

/** The columns of a SELECT list over some sources with aliases, each under a new name. */
function makeList(
  random: Random,
  sources: readonly (readonly [alias: string, made: Made])[],
): { readonly list: string; readonly columns: readonly MadeColumn[] } {
  const all = sources.flatMap(([alias, { columns }]) => columns.map((column) => ({ alias, column })));
  const picked = sample(random, all, 1 + random.integer(5));
  const items = picked.map(({ alias, column }, index) => {
    const plain = `${alias}.${quote(column.name)}`;
    const { sql, type } = random.isLucky(0.45) ? random.pick(shapes[column.type])(random, plain) : { sql: plain, type: column.type };
    const name = random.isLucky(0.2) ? `C ${index}"x` : `c${index}`;
    return { sql: `${sql} AS ${quote(name)}`, column: { name, type } };
  });
  return { list: items.map(({ sql }) => sql).join(', '), columns: items.map(({ column }) => column) };
}

function filter(random: Random, [alias, { columns }]: readonly [string, Made]): string {
  const column = random.pick(columns);
  return `${alias}.${quote(column.name)} IS ${random.isLucky(0.5) ? 'NOT ' : ''}NULL`;
}

/** A query over some of the relations: of one or two of them, in one of the shapes that real views have. */
export function makeQuery(random: Random, relations: readonly Made[]): Query {
  const [left, right = left] = sample(random, relations, 2) as [Made, Made?];
  const pair = [
    ['l', left],
    ['r', right],
  ] as const;
  const single = makeList(random, [['l', left]]);
  const { list, columns } = single;
  const from = nameOf(left);
  const where = filter(random, ['l', left]);
  switch (random.integer(11)) {
    case 0:
      return { sql: `SELECT ${list} FROM ${from} l`, columns };
    case 1:
      return { sql: `SELECT DISTINCT ${list} FROM ${from} l WHERE ${where}`, columns };
    case 2: {
      const joined = makeList(random, pair);
      return { sql: `SELECT ${joined.list} FROM ${from} l JOIN ${nameOf(right)} r ON ${where}`, columns: joined.columns };
    }
    case 3: {
      const joined = makeList(random, pair);
      return {
        sql: `SELECT ${joined.list} FROM ${from} l LEFT JOIN LATERAL (SELECT * FROM ${nameOf(right)} x LIMIT 3) r ON l IS NOT NULL`,
        columns: joined.columns,
      };
    }
    case 4:
      return { sql: `SELECT ${list} FROM ${from} l WHERE ${where} UNION ALL SELECT ${list} FROM ${from} l WHERE NOT (${where})`, columns };
    case 5:
      return { sql: `WITH w AS (SELECT * FROM ${from} t) SELECT ${list} FROM w l WHERE EXISTS (SELECT 1 FROM ${nameOf(right)} r WHERE ${where})`, columns };
    case 6: {
      const [column] = left.columns as [MadeColumn];
      const name = quote(column.name);
      return {
        sql: `SELECT l.${name} AS k, count(*) FILTER (WHERE ${where})::int AS n, max(l.${name}::text) AS m FROM ${from} l GROUP BY GROUPING SETS ((l.${name}), ())`,
        columns: [
          { name: 'k', type: column.type },
          { name: 'n', type: 'int' },
          { name: 'm', type: 'text' },
        ],
      };
    }
    case 7: {
      const [column] = left.columns as [MadeColumn];
      const sql = `SELECT ${list}, (row_number() OVER (PARTITION BY l.${quote(column.name)} ORDER BY l.${quote(column.name)} DESC NULLS LAST))::int AS rn FROM ${from} l`;
      return { sql, columns: [...columns, { name: 'rn', type: 'int' }] };
    }
    case 8:
      return { sql: `SELECT ${list} FROM ${from} l ORDER BY 1 DESC LIMIT 10 OFFSET 1`, columns };
    case 9:
      return {
        sql: "SELECT v.one, v.two, g.g AS three FROM (VALUES (1, 'x;'), (2, $$y'$$)) v(one, two), generate_series(1, 2) g",
        columns: [
          { name: 'one', type: 'int' },
          { name: 'two', type: 'text' },
          { name: 'three', type: 'int' },
        ],
      };
    default:
      return { sql: `SELECT * FROM ${from}`, columns: left.columns };
  }
}
