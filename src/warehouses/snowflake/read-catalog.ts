import { relationKey } from '../../core/relation.ts';
import {
  accessQuery,
  columnsQuery,
  definitionsAtOnce,
  definitionsQuery,
  type Part,
  privilegesQuery,
  relationsQuery,
  showLimit,
  showPage,
  viewsQuery,
  type Wanted,
} from './catalog-queries.ts';
import type {
  AccessRow,
  ColumnRow,
  DatabaseRows,
  DefinitionRow,
  PrivilegeRow,
  RelationRow,
  ShownDynamicTable,
  ShownSchema,
  ShownStream,
  ShownView,
  ViewRow,
} from './catalog-rows.ts';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteSchema } from './names.ts';
import { isServerError } from './server-error.ts';

/** How many statements are under way at once. */
const atOnce = 6;

/** What `work` makes of each item, some at a time, in the order of the items. */
export async function mapSome<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run));
  return results;
}

/** https://docs.snowflake.com/en/sql-reference/info-schema#considerations */
function isTooMuch(error: unknown): boolean {
  return isServerError(error) && /returned too much data/i.test(error.message);
}

function halves<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)].filter((half) => half.length > 0);
}

interface Narrowing {
  readonly connection: Connection;
  readonly schemas: readonly string[];
  readonly care: Care;
}

/** The rows of all schemas; where that is too much for one answer, of some schemas at a time. */
export async function queryNarrowing<Row>(sqlOf: (part: Part) => string, { connection, schemas, care }: Narrowing, part: Part = 'all'): Promise<Row[]> {
  try {
    return await connection.query<Row>(sqlOf(part));
  } catch (error) {
    const left = part === 'all' ? schemas : 'schemas' in part ? part.schemas : [];
    if (!isTooMuch(error) || (part !== 'all' && left.length < 2)) throw error;
    const parts = await mapSome(halves(left), (half) => queryNarrowing<Row>(sqlOf, { connection, schemas, care }, { schemas: half }));
    return parts.flat();
  }
}

/** `quick`: a page that is not full is the last one. `thorough`: only an empty one is, and every schema is asked by itself. */
export type Care = 'quick' | 'thorough';

/** Every row of a SHOW over one schema, page by page behind the last name: the cursor is a name and therefore of no use across schemas. */
export async function showAll<Row extends { readonly name: string }>(connection: Connection, what: string, care: Care = 'quick'): Promise<Row[]> {
  const rows: Row[] = [];
  for (let behind: string | undefined; ; behind = rows.at(-1)?.name) {
    const page = await connection.query<Row>(showPage(what, showLimit, behind));
    rows.push(...page);
    if (page.length === 0 || (care === 'quick' && page.length < showLimit)) return rows;
  }
}

/** Every row of a SHOW over a database: in one answer while that is not cut off, else schema by schema. */
async function showEverywhere<Row extends { readonly name: string }>(what: string, database: string, { connection, schemas, care }: Narrowing): Promise<Row[]> {
  const first = await connection.query<Row>(showPage(`${what} IN DATABASE ${quoteIdentifier(database)}`, showLimit));
  if (care === 'quick' && first.length < showLimit) return first;
  const parts = await mapSome(schemas, (schema) => showAll<Row>(connection, `${what} IN SCHEMA ${quoteSchema({ catalog: database, schema })}`, care));
  return parts.flat();
}

/** Only then are they listed by themselves. */
const hasDynamic = (relations: readonly RelationRow[]) => relations.some(({ IS_DYNAMIC }) => IS_DYNAMIC === 'YES');

/** Everything that the listings of one database hold, in a constant number of statements as long as no answer is too long. */
export async function readDatabase(connection: Connection, database: string, care: Care): Promise<DatabaseRows> {
  const schemas = await showAll<ShownSchema>(connection, `SCHEMAS IN DATABASE ${quoteIdentifier(database)}`, care);
  const names = schemas.map(({ name }) => name).filter((name) => name !== 'INFORMATION_SCHEMA');
  const narrowing: Narrowing = { connection, schemas: names, care };
  const [relations, views, columns, privileges, shown, streams, access] = await Promise.all([
    queryNarrowing<RelationRow>((part) => relationsQuery(database, part), narrowing),
    queryNarrowing<ViewRow>((part) => viewsQuery(database, part), narrowing),
    queryNarrowing<ColumnRow>((part) => columnsQuery(database, part), narrowing),
    queryNarrowing<PrivilegeRow>((part) => privilegesQuery(database, part), narrowing),
    showEverywhere<ShownView>('VIEWS', database, narrowing),
    showEverywhere<ShownStream>('STREAMS', database, narrowing),
    connection.query<AccessRow>(accessQuery(database)),
  ]);
  const own = shown.filter(({ schema_name }) => schema_name !== 'INFORMATION_SCHEMA');
  const dynamic = hasDynamic(relations) ? await showEverywhere<ShownDynamicTable>('DYNAMIC TABLES', database, narrowing) : [];
  return { database, relations, views, columns, privileges, shown: own, dynamic, streams, schemas: schemas.filter(({ name }) => names.includes(name)), access };
}

/** The same for some relations of one database, by name. */
export async function readRelations(
  connection: Connection,
  database: string,
  names: readonly { readonly schema: string; readonly name: string }[],
): Promise<DatabaseRows> {
  const part: Part = { names };
  const schemas = [...new Set(names.map(({ schema }) => schema))];
  const wanted = new Set(names.map(({ schema, name }) => relationKey({ schema, name })));
  const [relations, views, columns, privileges, shown] = await Promise.all([
    connection.query<RelationRow>(relationsQuery(database, part)),
    connection.query<ViewRow>(viewsQuery(database, part)),
    connection.query<ColumnRow>(columnsQuery(database, part)),
    connection.query<PrivilegeRow>(privilegesQuery(database, part)),
    mapSome(schemas, (schema) => showAll<ShownView>(connection, `VIEWS IN SCHEMA ${quoteSchema({ catalog: database, schema })}`)),
  ]);
  const own = shown.flat().filter(({ schema_name, name }) => wanted.has(relationKey({ schema: schema_name, name })));
  const dynamic = hasDynamic(relations)
    ? await mapSome(schemas, (schema) => showAll<ShownDynamicTable>(connection, `DYNAMIC TABLES IN SCHEMA ${quoteSchema({ catalog: database, schema })}`))
    : [];
  return { database, relations, views, columns, privileges, shown: own, dynamic: dynamic.flat(), streams: [], schemas: [], access: [] };
}

/** A definition, or why there is none. */
export type Definition = { readonly ddl: string | null } | { readonly failure: string };

/** One view that was dropped or that our role may not see makes the whole statement fail: it is halved until that view stands alone. */
async function readBatch(connection: Connection, views: readonly Wanted[]): Promise<readonly Definition[]> {
  try {
    const rows = await connection.query<DefinitionRow>(definitionsQuery(views));
    const byNumber = new Map(rows.map(({ N, DDL }) => [Number(N), DDL]));
    return views.map((_, index) => (byNumber.has(index) ? { ddl: byNumber.get(index) ?? null } : { failure: 'the server left it out of its answer' }));
  } catch (error) {
    if (!isServerError(error)) throw error;
    if (views.length === 1) return [{ failure: `${error.message.replaceAll(/\s+/g, ' ').trim()} (${error.code})` }];
    const parts = await Promise.all(halves(views).map((half) => readBatch(connection, half)));
    return parts.flat();
  }
}

/** The definition of each view, in their order, a hundred and fifty per statement. */
export async function readDefinitions(
  connection: Connection,
  views: readonly Wanted[],
  onBatch: (done: number) => void = () => undefined,
): Promise<readonly Definition[]> {
  const batches = Array.from({ length: Math.ceil(views.length / definitionsAtOnce) }, (_, index) =>
    views.slice(index * definitionsAtOnce, (index + 1) * definitionsAtOnce),
  );
  let done = 0;
  const parts = await mapSome(batches, async (batch) => {
    const definitions = await readBatch(connection, batch);
    done += batch.length;
    onBatch(done);
    return definitions;
  });
  return parts.flat();
}
