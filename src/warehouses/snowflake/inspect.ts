import { accessOf } from '../../core/deletions.ts';
import { compareRelations, compareText, type RelationName, relationKey } from '../../core/relation.ts';
import { matchScope, mayHold } from '../../core/scope.ts';
import type { Container, Loss, Scope, Unreadable } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import type { Inspection, Progress } from '../warehouse.ts';
import { isUnreadable, kindOf, type Listed, listViews, relationNames, toView } from './catalog.ts';
import type { DatabaseRows, ShownDatabase } from './catalog-rows.ts';
import type { Connection } from './connection.ts';
import { snowflakeDialect } from './dialect.ts';
import { mapSome, readDatabase, readDefinitions, readRelations, showAll } from './read-catalog.ts';
import type { Account } from './session.ts';
import { findSuspects } from './stale.ts';

/** Databases that somebody else shares, and Snowflake's own: nothing in them is ours to back up. https://docs.snowflake.com/en/sql-reference/sql/show-databases */
export function isOwnDatabase({ kind, origin, name }: ShownDatabase): boolean {
  if (name === 'SNOWFLAKE' || name === 'SNOWFLAKE_SAMPLE_DATA') return false;
  return (kind === undefined || kind === 'STANDARD') && (origin === null || origin === '' || kind === 'STANDARD');
}

const rounds = 3;

/** Reads a database again, page by page to the end, while its listings contradict each other. */
async function readConsistently(connection: Connection, database: string): Promise<{ readonly rows: DatabaseRows; readonly listed: readonly Listed[] }> {
  for (let round = 1; ; round++) {
    const rows = await readDatabase(connection, database, round === 1 ? 'quick' : 'thorough');
    const listed = listViews(rows);
    if (round === rounds || listed.every(({ doubt }) => doubt === undefined)) return { rows, listed };
  }
}

async function readViews(connection: Connection, listed: readonly Listed[], progress?: Progress): Promise<readonly (View | Unreadable)[]> {
  const certain = listed.filter(({ doubt }) => doubt === undefined);
  const definitions = await readDefinitions(connection, certain, (done) => progress?.({ what: 'Definitions', done, total: certain.length }));
  const read = certain.map((each, index) => {
    const definition = definitions[index] ?? { failure: 'it was not asked for' };
    return 'failure' in definition ? { name: each.name, reason: definition.failure } : toView(each, definition.ddl);
  });
  return [...read, ...listed.filter(({ doubt }) => doubt !== undefined).map((each) => toView(each, null))];
}

function accessText(rows: DatabaseRows, schema: string): string {
  const own = rows.access.filter(({ OBJECT_NAME }) => OBJECT_NAME === schema);
  return [...new Set(own.map(({ GRANTEE, PRIVILEGE_TYPE }) => `${PRIVILEGE_TYPE} to ${GRANTEE}`))].sort(compareText).join(', ');
}

function toContainers(rows: DatabaseRows): readonly Container[] {
  const schemas = rows.schemas.map(({ name }) => name).sort(compareText);
  return schemas.map((name) => ({ catalog: rows.database, name, defaultGrantees: [], access: accessText(rows, name) }));
}

/** A stream stops when the view that it watches is replaced. https://docs.snowflake.com/en/user-guide/streams-intro#streams-on-views */
function toStreams(rows: DatabaseRows, views: ReadonlyMap<string, RelationName>): readonly Loss[] {
  return rows.streams.flatMap(({ database_name, schema_name, name, table_name }) => {
    const of = table_name === null ? undefined : views.get(table_name);
    return of ? [{ description: `stream ${relationKey({ catalog: database_name, schema: schema_name, name })}`, of: [of] }] : [];
  });
}

/** The names by which SHOW STREAMS may call a view: with quotes where it needs them, or without. */
function streamSources(listed: readonly Listed[]): ReadonlyMap<string, RelationName> {
  return new Map(listed.flatMap(({ name }) => [[relationKey(name), name] as const, [`${name.catalog}.${name.schema}.${name.name}`, name] as const]));
}

function sortByName<Named extends { readonly name: RelationName }>(items: readonly Named[]): readonly Named[] {
  return items.toSorted((left, right) => compareRelations(left.name, right.name));
}

export interface InspectOptions {
  readonly account: Account;
  readonly scope: Scope;
  readonly progress?: Progress | undefined;
}

interface Read {
  readonly databases: readonly { readonly rows: DatabaseRows; readonly listed: readonly Listed[] }[];
  readonly views: readonly View[];
  readonly unreadable: readonly Unreadable[];
  readonly roles: readonly string[];
}

async function readAll(connection: Connection, { scope, progress }: InspectOptions): Promise<Read> {
  const [shown, roles] = await Promise.all([showAll<ShownDatabase>(connection, 'DATABASES'), showAll<{ readonly name: string }>(connection, 'ROLES')]);
  const holds = mayHold(scope, snowflakeDialect);
  const own = shown.filter((database) => isOwnDatabase(database) && holds({ catalog: database.name })).map(({ name }) => name);
  const databases = await mapSome(own, (database) => readConsistently(connection, database));
  const listed = databases.flatMap((each) => each.listed);
  const all = await readViews(connection, listed, progress);
  return {
    databases,
    views: sortByName(all.filter((view): view is View => !isUnreadable(view))),
    unreadable: sortByName(all.filter(isUnreadable)),
    roles: [...new Set([...roles.map(({ name }) => name), ...rolesSeen(databases.map(({ rows }) => rows))])].sort(compareText),
  };
}

/** A role that somebody was granted something through exists, whether SHOW ROLES lists it or not. */
function rolesSeen(databases: readonly DatabaseRows[]): readonly string[] {
  return databases.flatMap(({ privileges, relations }) => [
    ...privileges.flatMap(({ GRANTED_TO, GRANTEE }) => (GRANTED_TO === 'ROLE' ? [GRANTEE] : [])),
    ...relations.flatMap(({ TABLE_OWNER }) => TABLE_OWNER ?? []),
  ]);
}

/** Reads every own database that the scope may reach. See `Warehouse.inspect`. */
export async function inspectAccount(connection: Connection, options: InspectOptions): Promise<Inspection> {
  const [from, before] = [performance.now(), connection.count()];
  const { account, scope } = options;
  const { databases, views, unreadable, roles } = await readAll(connection, options);
  const rows = databases.map((each) => each.rows);
  const isInScope = matchScope(scope, snowflakeDialect);
  const containers = rows.flatMap(toContainers);
  const listed = databases.flatMap((each) => each.listed);
  const description = {
    warehouse: 'snowflake',
    scope,
    identity: account.identity,
    unreadable: unreadable.filter(({ name }) => isInScope(name)),
    access: accessOf(containers),
  };
  return {
    snapshot: { origin: { from: 'warehouse' }, description, views: views.filter(({ name }) => isInScope(name)), containers, bystanders: [] },
    outside: views.filter(({ name }) => !isInScope(name)),
    suspects: findSuspects(views, rows),
    streams: rows.flatMap((each) => toStreams(each, streamSources(listed))),
    session: {
      role: account.role,
      isSuperuser: false,
      rowSecurity: { bypassing: new Set(), exempt: new Map() },
      roles,
      server: `Snowflake ${account.version}`,
    },
    relations: new Set(rows.flatMap(relationNames).map(relationKey)),
    sizes: sizesOf(rows),
    milliseconds: Math.round(performance.now() - from),
    queries: connection.count() - before,
  };
}

function sizesOf(databases: readonly DatabaseRows[]): ReadonlyMap<string, number> {
  return new Map(
    databases.flatMap(({ database, relations }) =>
      relations.flatMap((row) => {
        const isStored = kindOf(row) === 'materialized view' || kindOf(row) === 'dynamic table';
        return isStored && row.BYTES !== null ? [[relationKey({ catalog: database, schema: row.TABLE_SCHEMA, name: row.TABLE_NAME }), row.BYTES] as const] : [];
      }),
    ),
  );
}

/** The named views as they are now; absent ones are left out. Throws an `Unreadable` one's reason as `LISTING_INCOMPLETE`. */
export async function inspectNames(
  connection: Connection,
  names: readonly RelationName[],
): Promise<{ readonly views: readonly View[]; readonly unreadable: readonly Unreadable[] }> {
  const byDatabase = [...Map.groupBy(names, ({ catalog = '' }) => catalog)];
  const rows = await mapSome(byDatabase, ([database, some]) => readRelations(connection, database, some));
  const all = await readViews(connection, rows.flatMap(listViews));
  return { views: sortByName(all.filter((view): view is View => !isUnreadable(view))), unreadable: all.filter(isUnreadable) };
}
