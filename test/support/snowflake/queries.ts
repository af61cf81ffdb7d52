import { readConstant } from '../../../src/warehouses/snowflake/string-constants.ts';
import { type Account, type Database, isVisible, type Relation, rolesInSession, type Session, SqlError } from './account.ts';
import { getDdl } from './get-ddl.ts';

export type Value = string | number | boolean | Date | null;
export type Row = Readonly<Record<string, Value>>;

/** An answer: names of columns in order, and rows. */
export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** Types of the columns as the catalog calls them, where the rows do not tell. */
  readonly types?: readonly string[];
}

const none: Answer = { columns: ['status'], rows: [{ status: 'Statement executed successfully.' }] };

const single = (row: Row): Answer => ({ columns: Object.keys(row), rows: [row] });

function relationsOf(account: Account, { name, schemas }: Database): readonly Relation[] {
  return [...schemas.values()].flatMap((schema) => [...schema.relations.values()].filter((relation) => isVisible(account, name, schema.name, relation.name)));
}

function databaseNamed(account: Account, name: string): Database {
  const database = account.databases.get(name);
  if (!database || !isVisible(account, name))
    throw new SqlError('002043', '02000', `SQL compilation error:\nObject '${name}' does not exist, or operation cannot be performed.`);
  return database;
}

const identifier = '"((?:[^"]|"")*)"';
const unquote = (name = '') => name.replaceAll('""', '"');

/** A list of string constants. */
const texts = (list: string) => [...list.matchAll(/'(?:[^'\\]|''|\\.)*'/gs)].map(([token]) => readConstant(token) ?? '');

type Filter = (schema: string, name: string) => boolean;

/** The conditions that are known, and no others. */
function readCondition(condition: string): Filter {
  if (condition === "TABLE_SCHEMA <> 'INFORMATION_SCHEMA'") return () => true;
  const [, schemas] = /^TABLE_SCHEMA IN \((.*)\)$/s.exec(condition) ?? [];
  if (schemas !== undefined) {
    const wanted = new Set(texts(schemas));
    return (schema) => wanted.has(schema);
  }
  const [, names] = /^\(TABLE_SCHEMA, TABLE_NAME\) IN \((.*)\)$/s.exec(condition) ?? [];
  if (names === undefined) throw new Error(`The server does not know the condition ${condition.slice(0, 200)}`);
  const all = texts(names);
  const wanted = new Set(all.flatMap((schema, index) => (index % 2 === 0 ? [`${schema}\0${all[index + 1]}`] : [])));
  return (schema, name) => wanted.has(`${schema}\0${name}`);
}

/** What is left out of a listing for a role that may not see it: `grants of PROD.SHOP.A`. https://docs.snowflake.com/en/sql-reference/info-schema */
const hiddenParts: Readonly<Record<string, string>> = { COLUMNS: 'columns', TABLE_PRIVILEGES: 'grants' };

const isView = ({ type }: Relation) => type !== 'BASE TABLE';

const place = ({ schema, name }: Relation) => ({ TABLE_SCHEMA: schema, TABLE_NAME: name });

/** https://docs.snowflake.com/en/sql-reference/info-schema: each relation that is asked for, by its rows. */
const informationSchema: Readonly<Record<string, (relation: Relation) => readonly Row[]>> = {
  TABLES: (relation) => [
    {
      ...place(relation),
      TABLE_TYPE: relation.type === 'DYNAMIC TABLE' ? 'BASE TABLE' : relation.type,
      IS_DYNAMIC: relation.type === 'DYNAMIC TABLE' ? 'YES' : 'NO',
      TABLE_OWNER: relation.owner,
      BYTES: relation.type === 'VIEW' ? null : 1024,
      COMMENT: relation.comment === '' ? null : relation.comment,
      LAST_DDL_BY: relation.lastDdlBy,
      CREATED: new Date(relation.created),
      LAST_DDL: new Date(relation.lastDdl),
    },
  ],
  VIEWS: (relation) =>
    relation.type === 'VIEW'
      ? [
          {
            ...place(relation),
            TABLE_OWNER: relation.owner,
            IS_SECURE: relation.isSecure ? 'YES' : 'NO',
            COMMENT: relation.comment === '' ? null : relation.comment,
          },
        ]
      : [],
  COLUMNS: (relation) =>
    relation.columns.map(({ name, type, comment }, index) => ({
      ...place(relation),
      COLUMN_NAME: name,
      ORDINAL_POSITION: index + 1,
      DATA_TYPE: type,
      CHARACTER_MAXIMUM_LENGTH: type === 'TEXT' ? 16_777_216 : null,
      NUMERIC_PRECISION: type === 'NUMBER' ? 38 : null,
      NUMERIC_SCALE: type === 'NUMBER' ? 0 : null,
      COMMENT: comment === '' ? null : comment,
    })),
  TABLE_PRIVILEGES: (relation) => [
    { ...place(relation), GRANTEE: relation.owner, GRANTED_TO: 'ROLE', PRIVILEGE_TYPE: 'OWNERSHIP', IS_GRANTABLE: 'YES' },
    ...relation.grants.map(({ grantee, grantedTo, privilege, isGrantable }) => ({
      ...place(relation),
      GRANTEE: grantee,
      GRANTED_TO: grantedTo,
      PRIVILEGE_TYPE: privilege,
      IS_GRANTABLE: isGrantable ? 'YES' : 'NO',
    })),
  ],
};

const viewTypes =
  /\s+AND \(TABLE_SCHEMA, TABLE_NAME\) IN \(SELECT TABLE_SCHEMA, TABLE_NAME FROM "(?:[^"]|"")*"\.INFORMATION_SCHEMA\.TABLES WHERE \(TABLE_TYPE IN \('VIEW', 'MATERIALIZED VIEW'\) OR IS_DYNAMIC = 'YES'\)\)$/;

const selection = new RegExp(`^SELECT ([A-Z_, ]+?)\\s+FROM ${identifier}\\.INFORMATION_SCHEMA\\.([A-Z_]+)\\s+WHERE (.*)$`, 's');

function selectInformation(account: Account, session: Session, sql: string): Answer | undefined {
  const [, list = '', name, relation = '', where = ''] = selection.exec(sql) ?? [];
  if (name === undefined) return undefined;
  const database = databaseNamed(account, unquote(name));
  const columns = list.split(', ');
  if (relation === 'FUNCTIONS' || relation === 'SEQUENCES') return readRoutines(database, relation);
  if (relation === 'OBJECT_PRIVILEGES') return readAccess(account, session, database);
  const toRows = informationSchema[relation];
  if (!toRows) throw new Error(`The server does not know INFORMATION_SCHEMA.${relation}.`);
  const filter = readCondition(where.replace(viewTypes, ''));
  const relations = relationsOf(account, database).filter((each) => filter(each.schema, each.name) && (!viewTypes.test(where) || isView(each)));
  const isShown = (each: Relation) => !account.hidden.has(`${hiddenParts[relation]} of ${database.name}.${each.schema}.${each.name}`);
  const rows = relations.filter(isShown).flatMap(toRows);
  if (rows.length > account.tooMuch) {
    throw new SqlError('090153', '22000', 'Information schema query returned too much data. Please repeat query with more selective predicates.');
  }
  const known = Object.keys(rows[0] ?? {});
  const unknown = rows.length === 0 ? undefined : columns.find((column) => !known.includes(column));
  if (unknown !== undefined) throw new SqlError('000904', '42000', `SQL compilation error: invalid identifier '${unknown}'`);
  return { columns, rows };
}

/** https://docs.snowflake.com/en/sql-reference/info-schema/functions https://docs.snowflake.com/en/sql-reference/info-schema/sequences */
function readRoutines({ schemas }: Database, relation: 'FUNCTIONS' | 'SEQUENCES'): Answer {
  const word = relation.slice(0, -1);
  const all = [...schemas.values()].flatMap(({ name, routines }) =>
    routines.filter(({ kind }) => kind === word).map((routine) => ({ ...routine, schema: name })),
  );
  const rows = all.map(({ schema, name, signature, returns }) => ({
    [`${word}_SCHEMA`]: schema,
    [`${word}_NAME`]: name,
    ...(word === 'FUNCTION' ? { ARGUMENT_SIGNATURE: signature, DATA_TYPE: returns } : {}),
  }));
  const columns = [`${word}_SCHEMA`, `${word}_NAME`, ...(word === 'FUNCTION' ? ['ARGUMENT_SIGNATURE', 'DATA_TYPE'] : [])];
  return { columns, rows };
}

function readAccess(account: Account, session: Session, { name, schemas }: Database): Answer {
  const rows = [...schemas.keys()]
    .filter((schema) => isVisible(account, name, schema))
    .map((schema) => ({
      OBJECT_NAME: schema,
      GRANTEE: session.role,
      PRIVILEGE_TYPE: account.access.get(`${name}.${schema}`) ?? 'OWNERSHIP',
    }));
  return { columns: ['OBJECT_NAME', 'GRANTEE', 'PRIVILEGE_TYPE'], rows };
}

const branch = /^SELECT (\d+) AS N, GET_DDL\('(VIEW|DYNAMIC_TABLE)', ('(?:[^'\\]|''|\\.)*'), TRUE\) AS DDL$/s;

/** All definitions or an error: one view that cannot be shown makes the whole statement fail. */
function selectDefinitions(account: Account, session: Session, sql: string): Answer | undefined {
  if (!/^SELECT \d+ AS N, GET_DDL/.test(sql)) return undefined;
  const rows = sql.split('\nUNION ALL\n').map((part) => {
    const [, number, type = '', constant = ''] = branch.exec(part) ?? [];
    if (number === undefined) throw new Error(`The server does not know ${part.slice(0, 200)}`);
    const path = [...(readConstant(constant) ?? '').matchAll(new RegExp(identifier, 'g'))].map(([, name]) => unquote(name));
    return { N: Number(number), DDL: getDdl(account, session, [type, path]) };
  });
  return { columns: ['N', 'DDL'], rows };
}

const byName = (left: { readonly name: string }, right: { readonly name: string }) => (left.name < right.name ? -1 : 1);

type Shown = Row & { readonly name: string };

/** Sorted by database, schema and name. https://docs.snowflake.com/en/sql-reference/sql/show-views */
function showRelations(
  { account, role }: { readonly account: Account; readonly role: string },
  databases: readonly Database[],
  schema: string | undefined,
): readonly Shown[] {
  return databases.flatMap((database) => {
    const schemas = [...database.schemas.values()].sort(byName).filter(({ name }) => schema === undefined || name === schema);
    return schemas.flatMap(({ relations }) =>
      [...relations.values()]
        .sort(byName)
        .filter(
          (relation) =>
            (relation.type === 'VIEW' || relation.type === 'MATERIALIZED VIEW') && isVisible(account, database.name, relation.schema, relation.name),
        )
        .map((relation) => ({
          name: relation.name,
          schema_name: relation.schema,
          database_name: database.name,
          owner: relation.owner,
          is_secure: String(relation.isSecure),
          is_materialized: String(relation.type === 'MATERIALIZED VIEW'),
          change_tracking: relation.changeTracking ? 'ON' : 'OFF',
          text: relation.isSecure && !rolesInSession(account, role).has(relation.owner) ? '' : relation.text,
        })),
    );
  });
}

function showStreams({ streams }: Account, database: string, schema: string | undefined): readonly Shown[] {
  return streams
    .filter((stream) => stream.database === database && (schema === undefined || stream.schema === schema))
    .map(({ name, source, ...stream }) => ({
      name,
      schema_name: stream.schema,
      database_name: stream.database,
      table_name: source,
      source_type: 'View',
      stale: String(stream.isStale),
    }));
}

/** The state is told to those who may monitor or own the table. https://docs.snowflake.com/en/sql-reference/sql/show-dynamic-tables#usage-notes */
function showDynamicTables(account: Account, database: Database, schema: string | undefined): readonly Shown[] {
  return relationsOf(account, database)
    .filter((relation) => relation.type === 'DYNAMIC TABLE' && (schema === undefined || relation.schema === schema))
    .map(({ name, schema: in_, isSuspended }) => {
      const isHidden = account.hidden.has(`state of ${database.name}.${in_}.${name}`);
      return { name, schema_name: in_, scheduling_state: isHidden ? null : isSuspended ? 'SUSPENDED' : 'RUNNING' };
    })
    .sort(byName);
}

function listShown(account: Account, what: string, role: string): readonly Shown[] | undefined {
  if (what === 'DATABASES')
    return [...account.databases.values()].filter(({ name }) => isVisible(account, name)).map(({ name, origin, kind }) => ({ name, origin, kind }));
  if (what === 'ROLES') return [...account.roles.keys()].sort().map((name) => ({ name }));
  const [, kind, scope, first, second] =
    new RegExp(`^(VIEWS|STREAMS|SCHEMAS|DYNAMIC TABLES) IN (DATABASE|SCHEMA) ${identifier}(?:\\.${identifier})?$`).exec(what) ?? [];
  if (kind === undefined) return undefined;
  const database = databaseNamed(account, unquote(first));
  const schema = scope === 'SCHEMA' ? unquote(second) : undefined;
  if (kind === 'VIEWS') return showRelations({ account, role }, [database], schema);
  if (kind === 'DYNAMIC TABLES') return showDynamicTables(account, database, schema);
  if (kind === 'STREAMS') return showStreams(account, database.name, schema);
  const own = [...database.schemas.keys()].filter((name) => isVisible(account, database.name, name));
  return [...own, 'INFORMATION_SCHEMA'].sort().map((name) => ({ name, database_name: database.name }));
}

/** At most so many rows; FROM goes on behind a name. https://docs.snowflake.com/en/sql-reference/sql/show#general-usage-notes */
function show(account: Account, session: Session, sql: string): Answer | undefined {
  const [, what, limit, behind] = /^SHOW (.*?)(?: LIMIT (\d+))?(?: FROM ('(?:[^'\\]|''|\\.)*'))?$/s.exec(sql) ?? [];
  if (what === undefined) return undefined;
  const special = showSpecial(account, session, what);
  if (special) return special;
  const all = listShown(account, what, session.role);
  if (!all) throw new Error(`The server does not know SHOW ${what}`);
  const after = behind === undefined ? undefined : readConstant(behind);
  const rest = after === undefined ? all : all.filter(({ name }) => name > after);
  const rows = rest.slice(0, Math.min(Number(limit ?? account.showLimit), account.showLimit));
  return { columns: Object.keys(all[0] ?? { name: '' }), rows };
}

function showSpecial(account: Account, { user }: Session, what: string): Answer | undefined {
  if (what === 'TRANSACTIONS') {
    const rows = account.transactions
      .filter((each) => each.user === user)
      .map(({ id, name, startedOn }) => ({ id, name, started_on: new Date(startedOn), state: 'running' }));
    return { columns: ['id', 'name', 'started_on', 'state'], rows };
  }
  const [, future, first, second] = new RegExp(`^FUTURE GRANTS IN (SCHEMA|DATABASE) ${identifier}(?:\\.${identifier})?$`).exec(what) ?? [];
  if (future !== undefined) {
    const database = databaseNamed(account, unquote(first));
    const grants = future === 'SCHEMA' ? (database.schemas.get(unquote(second))?.futureGrants ?? []) : database.futureGrants;
    const rows = grants.map(({ privilege, grantedTo, grantee }) => ({ privilege, grant_on: 'VIEW', grant_to: grantedTo, grantee_name: grantee }));
    return { columns: ['privilege', 'grant_on', 'grant_to', 'grantee_name'], rows };
  }
  if (!what.startsWith('GRANTS TO ROLE ')) return undefined;
  const of = unquote(/"((?:[^"]|"")*)"$/.exec(what)?.[1]);
  const rows = [
    ...[...(account.roles.get(of) ?? [])].map((name) => ({ privilege: 'USAGE', granted_on: 'ROLE', name })),
    ...[...(account.globalRights.get(of) ?? [])].map((privilege) => ({ privilege, granted_on: 'ACCOUNT', name: account.name })),
  ];
  return { columns: ['privilege', 'granted_on', 'name'], rows };
}

const clock = 'SELECT DATE_PART(EPOCH_MILLISECOND, CURRENT_TIMESTAMP()) AS NOW';

function selectFunctions(account: Account, session: Session, sql: string): Answer | undefined {
  if (sql === clock) return single({ NOW: Date.now() + account.ahead });
  if (!sql.startsWith('SELECT CURRENT_ORGANIZATION_NAME() AS ORGANIZATION')) return undefined;
  return single({ ORGANIZATION: 'MYORG', ACCOUNT: account.name, ROLE: session.role, VERSION: '9.30.1', WAREHOUSE: session.compute, USER_NAME: session.user });
}

function runSession(account: Account, session: Session, sql: string): Answer | undefined {
  if (sql.startsWith('ALTER SESSION SET ') || sql === 'USE SECONDARY ROLES NONE') return none;
  const [, schema] = /^USE SCHEMA (.*)$/is.exec(sql) ?? [];
  if (schema !== undefined) {
    session.schema = schema;
    return none;
  }
  const [, name] = /^BEGIN NAME ([A-Z0-9_]+)$/.exec(sql) ?? [];
  if (name !== undefined) {
    const id = Math.max(0, ...account.transactions.map((each) => each.id)) + 1;
    account.transactions.push({ id, session: session.id, user: session.user, name, startedOn: Date.now() + account.ahead });
    return none;
  }
  if (sql !== 'COMMIT' && sql !== 'ROLLBACK') return undefined;
  const open = account.transactions.findIndex((each) => each.session === session.id);
  if (open !== -1) account.transactions.splice(open, 1);
  return none;
}

/** Answers a statement that changes nothing but the session; undefined for one that it does not know. */
export function runQuery(account: Account, session: Session, sql: string): Answer | undefined {
  return (
    runSession(account, session, sql) ??
    selectFunctions(account, session, sql) ??
    selectDefinitions(account, session, sql) ??
    selectInformation(account, session, sql) ??
    show(account, session, sql)
  );
}
