import type { Random } from '../faults/simulation/random.ts';
import { makeAttribute } from './attributes.ts';
import { makeBetween, makeHanging } from './company.ts';
import { inventName, type Made, type MadeColumn, nameOf, quote, roles, sample, times } from './model.ts';
import { makeQuery } from './queries.ts';

/** Statements of which some may fail: what counts is the database that they leave. */
export interface RandomSchema {
  readonly statements: readonly string[];
  readonly views: readonly Made[];
  readonly relations: readonly Made[];
}

const tableColumns: readonly MadeColumn[] = [
  { name: 'id', type: 'int' },
  { name: 'Te xt', type: 'text' },
  { name: 'num', type: 'numeric' },
  { name: 'day', type: 'date' },
  { name: 'flag', type: 'bool' },
  { name: 'vc', type: 'varchar' },
];

/** What every schema stands on, in a database that was emptied. */
export const foundation: readonly string[] = [
  "CREATE FUNCTION public.fz_instead() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
  'GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC',
];

function makeTable(random: Random, schema: string, number: number): { readonly table: Made; readonly statements: readonly string[] } {
  const columns = [tableColumns[0] as MadeColumn, ...sample(random, tableColumns.slice(1), 2 + random.integer(4))];
  const table: Made = { kind: 'table', schema, name: `t${number}`, columns };
  const types = { int: 'int', text: 'text', numeric: 'numeric(12,3)', date: 'date', bool: 'bool', varchar: 'varchar(20)' };
  const list = columns.map(({ name, type }, index) => `${quote(name)} ${types[type]}${index === 0 ? ' PRIMARY KEY' : ''}`).join(', ');
  return {
    table,
    statements: [
      `CREATE TABLE ${nameOf(table)} (${list})`,
      `INSERT INTO ${nameOf(table)} (id) SELECT generate_series(1, 3)`,
      `GRANT SELECT ON ${nameOf(table)} TO ${random.isLucky(0.7) ? roles.join(', ') : random.pick(roles)}`,
    ],
  };
}

/** Default privileges of our own role: they must not reach what is restored. */
export function makeDefaultPrivileges(random: Random, schemas: readonly string[]): string {
  const where = random.isLucky(0.5) ? ` IN SCHEMA ${quote(random.pick(schemas))}` : '';
  const right = random.pick(['SELECT', 'ALL', 'INSERT, UPDATE']);
  if (where === '' && random.isLucky(0.2)) return `ALTER DEFAULT PRIVILEGES REVOKE ${right} ON TABLES FROM CURRENT_USER`;
  const who = random.pick([...roles, 'PUBLIC', 'CURRENT_USER']);
  return `ALTER DEFAULT PRIVILEGES${where} GRANT ${right} ON TABLES TO ${who}${who !== 'PUBLIC' && random.isLucky(0.3) ? ' WITH GRANT OPTION' : ''}`;
}

function makeView(random: Random, relations: readonly Made[], name: Pick<Made, 'schema' | 'name'>): { readonly view: Made; readonly statement: string } {
  const { sql, columns } = makeQuery(random, relations);
  const kind = random.isLucky(0.4) ? 'materialized view' : 'view';
  const data = kind === 'view' ? '' : random.isLucky(0.25) ? ' WITH NO DATA' : ' WITH DATA';
  const view: Made = { kind, columns, ...name };
  return { view, statement: `CREATE ${kind.toUpperCase()} ${nameOf(view)} AS ${sql}${data}` };
}

/** Puts a later view into an earlier one: a circle, legal as long as nobody reads it. */
function closeCircle(random: Random, views: readonly Made[]): string {
  const plain = views.filter(({ kind }) => kind === 'view');
  if (plain.length === 0) return 'SELECT 1';
  const early = random.pick(plain);
  const late = random.pick(views);
  return `DO $do$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW ' || $n$${nameOf(early)}$n$ || ' AS SELECT * FROM (' || rtrim(pg_get_viewdef($n$${nameOf(early)}$n$::regclass), ';') || ') inner_query WHERE NOT EXISTS (SELECT 1 FROM ' || $n$${nameOf(late)}$n$ || ')'; END $do$`;
}

export function makeSchema(random: Random): RandomSchema {
  const schemaNames = new Set<string>();
  const schemas = times(1 + random.integer(3), (index) => inventName(random, schemaNames, `fz${index}`));
  const tables = times(1 + random.integer(3), (index) => makeTable(random, random.pick(schemas), index));
  const relations: Made[] = tables.map(({ table }) => table);
  const statements = [
    ...schemas.flatMap((schema) => [`CREATE SCHEMA ${quote(schema)}`, `GRANT CREATE, USAGE ON SCHEMA ${quote(schema)} TO PUBLIC`]),
    ...tables.flatMap((each) => each.statements),
    ...times(random.isLucky(0.3) ? 1 + random.integer(2) : 0, () => makeDefaultPrivileges(random, schemas)),
  ];
  const taken = new Set<string>();
  for (let count = 2 + random.integer(11); count > 0; count--) {
    const { view, statement } = makeView(random, relations, { schema: random.pick(schemas), name: inventName(random, taken, `v${count}`) });
    relations.push(view);
    statements.push(statement, ...times(random.integer(11), () => makeAttribute(random, view)));
  }
  if (random.isLucky(0.35)) {
    const source = random.pick(relations.filter(({ kind }) => kind !== 'table'));
    const between = makeBetween(source, { schema: random.pick(schemas), name: inventName(random, taken, 'over') }, 1);
    relations.push(between.view);
    statements.push(...between.statements);
  }
  const views = relations.filter(({ kind }) => kind !== 'table');
  const hanging = random.isLucky(0.35) ? 1 + random.integer(3) : 0;
  statements.push(...times(hanging, (number) => makeHanging(random, { view: random.pick(views), table: random.pick(tables).table, number })).flat());
  if (random.isLucky(0.3)) statements.push(closeCircle(random, views));
  statements.push(...times(random.integer(8), () => makeAttribute(random, random.pick(views))));
  if (random.isLucky(0.4)) statements.push(makeDefaultPrivileges(random, schemas));
  return { statements, views, relations };
}
