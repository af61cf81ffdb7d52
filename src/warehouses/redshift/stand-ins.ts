import { type RelationName, relationKey } from '../../core/relation.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { FailedStandIn, StandIn } from '../scratch.ts';
import { functionsQuery, schemasQuery, tableColumnsQuery } from './catalog-queries.ts';
import { quoteIdentifier, quoteRelation } from './names.ts';
import { listPolicies } from './stand-in-policies.ts';

interface TableColumnRow extends RelationName {
  readonly column: string;
  readonly type: string;
}

interface FunctionRow extends RelationName {
  readonly arguments: string;
  readonly returns: string;
  readonly language: string;
  readonly source: string;
}

function standInTables(rows: readonly TableColumnRow[]): readonly StandIn[] {
  const tables = [...Map.groupBy(rows, relationKey).values()];
  return tables.flatMap((columns) => {
    const [first] = columns;
    if (first === undefined) return [];
    const relation = { schema: first.schema, name: first.name };
    const list = columns.map(({ column, type }) => `${quoteIdentifier(column)} ${type}`).join(', ');
    return [{ what: `table ${relationKey(relation)}`, relation, sql: `CREATE TABLE ${quoteRelation(relation)} (${list})` }];
  });
}

/** https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_FUNCTION.html: of a view's function only what it takes and returns matters, but SQL is inlined. */
function standInFunction(row: FunctionRow): StandIn {
  const sql = `CREATE FUNCTION ${quoteRelation(row)}(${row.arguments}) RETURNS ${row.returns} STABLE AS $viewsync$${row.source}$viewsync$ LANGUAGE ${row.language}`;
  return { what: `function ${relationKey(row)}(${row.arguments})`, sql };
}

/** `Warehouse.listStandIns`: schemas, tables without rows, functions, and policies. */
export async function listStandIns(connection: Connection, held: readonly RelationName[]): Promise<readonly StandIn[]> {
  const schemas = await connection.query<{ name: string }>(schemasQuery);
  const columns = await connection.query<TableColumnRow>(tableColumnsQuery);
  const functions = await connection.query<FunctionRow>(functionsQuery);
  const views = new Set(held.map(relationKey));
  return [
    ...schemas.filter(({ name }) => name !== 'public').map(({ name }) => ({ what: `schema ${name}`, sql: `CREATE SCHEMA ${quoteIdentifier(name)}` })),
    ...standInTables(columns.filter((row) => !views.has(relationKey(row)))),
    ...functions.map(standInFunction),
    ...(await listPolicies(connection)),
  ];
}

/** Makes stand-ins, round by round, as long as a round makes any: what one of them needs may come later in the list. */
export async function makeStandIns(connection: Connection, standIns: readonly StandIn[]): Promise<readonly FailedStandIn[]> {
  for (let open = standIns; ; ) {
    const failed: FailedStandIn[] = [];
    for (const standIn of open) {
      const because = await refusalOf(connection, standIn.sql);
      if (because !== undefined) failed.push({ standIn, because });
    }
    if (failed.length === 0 || failed.length === open.length) return failed;
    open = failed.map(({ standIn }) => standIn);
  }
}

async function refusalOf(connection: Connection, sql: string): Promise<string | undefined> {
  try {
    await connection.run(sql);
    return undefined;
  } catch (error) {
    if (!isServerError(error)) throw error;
    return error.message;
  }
}
