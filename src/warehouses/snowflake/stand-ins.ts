import { type RelationName, relationKey } from '../../core/relation.ts';
import type { FailedStandIn, StandIn } from '../scratch.ts';
import { typeOf } from './catalog.ts';
import { type Part, tableColumnsQuery } from './catalog-queries.ts';
import type { ColumnRow, ShownSchema } from './catalog-rows.ts';
import type { Connection } from './connection.ts';
import { quoteIdentifier, quoteRelation, quoteSchema } from './names.ts';
import { mapSome, queryNarrowing, showAll } from './read-catalog.ts';
import { isServerError } from './server-error.ts';

/** https://docs.snowflake.com/en/sql-reference/info-schema/functions */
interface FunctionRow {
  readonly FUNCTION_SCHEMA: string;
  readonly FUNCTION_NAME: string;
  /** `(A NUMBER, B VARCHAR)`. */
  readonly ARGUMENT_SIGNATURE: string;
  /** `NUMBER(38,0)`, or `TABLE (A NUMBER)`. */
  readonly DATA_TYPE: string;
}

/** https://docs.snowflake.com/en/sql-reference/info-schema/sequences */
interface SequenceRow {
  readonly SEQUENCE_SCHEMA: string;
  readonly SEQUENCE_NAME: string;
}

const functionsQuery = (database: string) =>
  `SELECT FUNCTION_SCHEMA, FUNCTION_NAME, ARGUMENT_SIGNATURE, DATA_TYPE FROM ${quoteIdentifier(database)}.INFORMATION_SCHEMA.FUNCTIONS WHERE FUNCTION_SCHEMA <> 'INFORMATION_SCHEMA'`;

const sequencesQuery = (database: string) =>
  `SELECT SEQUENCE_SCHEMA, SEQUENCE_NAME FROM ${quoteIdentifier(database)}.INFORMATION_SCHEMA.SEQUENCES WHERE SEQUENCE_SCHEMA <> 'INFORMATION_SCHEMA'`;

function standInTable(columns: readonly ColumnRow[], catalog: string): readonly StandIn[] {
  const [first] = columns;
  if (first === undefined) return [];
  const relation = { catalog, schema: first.TABLE_SCHEMA, name: first.TABLE_NAME };
  const sorted = columns.toSorted((left, right) => left.ORDINAL_POSITION - right.ORDINAL_POSITION);
  const list = sorted.map((column) => `${quoteIdentifier(column.COLUMN_NAME)} ${typeOf(column)}`).join(', ');
  return [{ what: `table ${relationKey(relation)}`, relation, sql: `CREATE TRANSIENT TABLE ${quoteRelation(relation)} (${list})` }];
}

const tableColumns = /^TABLE\s*\((.*)\)$/is;

/** What a function takes and gives is all that a view's query needs. https://docs.snowflake.com/en/sql-reference/sql/create-function */
function standInFunction({ FUNCTION_SCHEMA, FUNCTION_NAME, ARGUMENT_SIGNATURE, DATA_TYPE }: FunctionRow, catalog: string): StandIn {
  const name = { catalog, schema: FUNCTION_SCHEMA, name: FUNCTION_NAME };
  const [, columns] = tableColumns.exec(DATA_TYPE) ?? [];
  const types = columns?.split(/,(?![^(]*\))/).map((column) => column.trim().replace(/^("(?:[^"]|"")*"|\S+)\s+/, ''));
  const body = types ? `SELECT ${types.map((type) => `NULL::${type}`).join(', ')}` : `NULL::${DATA_TYPE}`;
  const sql = `CREATE FUNCTION ${quoteRelation(name)} ${ARGUMENT_SIGNATURE} RETURNS ${DATA_TYPE} AS $$${body}$$`;
  return { what: `function ${relationKey(name)}${ARGUMENT_SIGNATURE}`, sql };
}

function standInSequence({ SEQUENCE_SCHEMA, SEQUENCE_NAME }: SequenceRow, catalog: string): StandIn {
  const name = { catalog, schema: SEQUENCE_SCHEMA, name: SEQUENCE_NAME };
  return { what: `sequence ${relationKey(name)}`, relation: name, sql: `CREATE SEQUENCE ${quoteRelation(name)}` };
}

async function listDatabase(connection: Connection, database: string, held: ReadonlySet<string>): Promise<readonly StandIn[]> {
  const shown = await showAll<ShownSchema>(connection, `SCHEMAS IN DATABASE ${quoteIdentifier(database)}`);
  const schemas = shown.map(({ name }) => name).filter((name) => name !== 'INFORMATION_SCHEMA');
  const [columns, functions, sequences] = await Promise.all([
    queryNarrowing<ColumnRow>((part: Part) => tableColumnsQuery(database, part), { connection, schemas, care: 'quick' }),
    connection.query<FunctionRow>(functionsQuery(database)),
    connection.query<SequenceRow>(sequencesQuery(database)),
  ]);
  const keyOf = ({ TABLE_SCHEMA, TABLE_NAME }: ColumnRow) => relationKey({ catalog: database, schema: TABLE_SCHEMA, name: TABLE_NAME });
  const tables = [...Map.groupBy(columns, keyOf)].filter(([key]) => !held.has(key));
  return [
    { what: `database ${database}`, sql: `CREATE TRANSIENT DATABASE ${quoteIdentifier(database)}` },
    // Every database is made with this one.
    ...schemas.filter((name) => name !== 'PUBLIC').map((schema) => standInSchema({ catalog: database, schema })),
    ...tables.flatMap(([, rows]) => standInTable(rows, database)),
    ...functions.map((row) => standInFunction(row, database)),
    ...sequences.map((row) => standInSequence(row, database)),
  ];
}

function standInSchema(schema: Pick<RelationName, 'catalog' | 'schema'>): StandIn {
  return { what: `schema ${schema.catalog}.${schema.schema}`, sql: `CREATE TRANSIENT SCHEMA ${quoteSchema(schema)}` };
}

/** `Warehouse.listStandIns`: the databases that the views stand in, with their schemas, tables without rows, functions and sequences. */
export async function listStandIns(connection: Connection, held: readonly RelationName[]): Promise<readonly StandIn[]> {
  const keys = new Set(held.map(relationKey));
  const databases = [...new Set(held.map(({ catalog = '' }) => catalog))];
  return (await mapSome(databases, (database) => listDatabase(connection, database, keys))).flat();
}

/** Makes stand-ins: databases and schemas before what lies in them, which needs nothing else. */
export async function makeStandIns(
  connection: Connection,
  standIns: readonly { readonly standIn: StandIn; readonly sql: string }[],
): Promise<readonly FailedStandIn[]> {
  const failed: FailedStandIn[] = [];
  const make = async ({ standIn, sql }: (typeof standIns)[number]) => {
    const because = await refusalOf(connection, sql);
    if (because !== undefined) failed.push({ standIn, because });
  };
  const isContainer = ({ standIn: { what } }: (typeof standIns)[number]) => /^(database|schema) /.test(what);
  for (const each of standIns.filter(isContainer)) await make(each);
  await mapSome(
    standIns.filter((each) => !isContainer(each)),
    make,
  );
  return failed;
}

async function refusalOf(connection: Connection, sql: string): Promise<string | undefined> {
  try {
    await connection.query(sql);
    return undefined;
  } catch (error) {
    if (!isServerError(error)) throw error;
    return error.message.replaceAll(/\s+/g, ' ').trim();
  }
}
