import type { RelationName } from '../../core/relation.ts';
import { type Connection, isServerError } from '../postgres-family/connection.ts';
import type { CatalogRows } from './catalog.ts';
import * as queries from './catalog-queries.ts';
import type {
  ColumnRow,
  DefaultAclRow,
  DefaultRow,
  DefinitionRow,
  GranteeRow,
  LateColumnRow,
  MaskingPolicyRow,
  MaterializedRow,
  PrivilegeRow,
  ReadRow,
  RoleGrantRow,
  RowPolicyRow,
  RowSecurityRow,
  SizeRow,
  SystemPrivilegeRow,
  UserGrantRow,
  ViewRow,
} from './catalog-rows.ts';
import { quoteRelation, quoteText } from './names.ts';
import { findSight, type Sight } from './sight.ts';

const insufficientPrivilege = '42501';
const missing = ['42P01', '42883'];

/** Rows of a system view that our user may not read, or that an older cluster lacks, are undefined. */
export async function readIfAllowed<Row>(connection: Connection, sql: string): Promise<Row[] | undefined> {
  try {
    return await connection.query<Row>(sql);
  } catch (error) {
    if (isServerError(error) && [insufficientPrivilege, ...missing].includes(error.code)) return undefined;
    throw error;
  }
}

/** What must not change while everything is read. */
export interface Listing {
  readonly views: readonly ViewRow[];
  readonly definitions: CatalogRows['definitions'];
  readonly columns: readonly ColumnRow[];
}

export async function readListing(connection: Connection, oids?: readonly number[]): Promise<Listing> {
  const views = await connection.query<ViewRow>(queries.viewsQuery(oids));
  const columns = await connection.query<ColumnRow>(queries.columnsQuery(oids));
  return { views, columns, definitions: await readDefinitions(connection, views, oids) };
}

type Definitions = Map<number, { readonly text: string } | { readonly failure: string }>;

/** The longest text that fits a varchar: one that fills it may have been cut off. https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html */
const longest = 65_535;

async function readDefinitions(connection: Connection, views: readonly ViewRow[], oids: readonly number[] | undefined): Promise<CatalogRows['definitions']> {
  const found: Definitions = new Map();
  await readHalves(connection, { views, oids, found });
  for (const { oid, schema, name } of views) {
    const read = found.get(oid);
    if (read === undefined || !('text' in read) || Buffer.byteLength(read.text) < longest) continue;
    const [row] = await connection.query<Record<string, string>>(queries.showViewQuery(quoteRelation({ schema, name })));
    found.set(oid, { text: Object.values(row ?? {})[0] ?? read.text });
  }
  return found;
}

interface Wanted {
  readonly views: readonly ViewRow[];
  readonly oids: readonly number[] | undefined;
  readonly found: Definitions;
}

/** One view that cannot be printed fails the query for all: then each half is asked for by itself. */
async function readHalves(connection: Connection, { views, oids, found }: Wanted): Promise<void> {
  try {
    const rows = await connection.query<DefinitionRow>(queries.definitionsQuery(oids));
    for (const { oid, definition } of rows) found.set(oid, definition ? { text: definition } : { failure: 'the server returns no text for it' });
  } catch (error) {
    if (!isServerError(error)) throw error;
    const [only, ...others] = views;
    if (only === undefined) return;
    if (others.length === 0) found.set(only.oid, { failure: error.message });
    else
      for (const half of [views.slice(0, Math.ceil(views.length / 2)), views.slice(Math.ceil(views.length / 2))])
        await readHalves(connection, { views: half, oids: half.map(({ oid }) => oid), found });
  }
}

/** Everything that is known about the views of a listing. Each statement runs by itself: one that is refused must not void the others. */
export async function readDetails(connection: Connection, listing: Listing, oids?: readonly number[]): Promise<CatalogRows> {
  const rows = {
    ...listing,
    lateColumns: await connection.query<LateColumnRow>(queries.lateColumnsQuery),
    reads: await connection.query<ReadRow>(queries.readsQuery(oids)),
    privileges: await readIfAllowed<PrivilegeRow>(connection, queries.privilegesQuery),
    columnPrivileges: await readIfAllowed<PrivilegeRow>(connection, queries.columnPrivilegesQuery),
    materialized: await readIfAllowed<MaterializedRow>(connection, queries.materializedQuery),
    rowPolicies: await readIfAllowed<RowPolicyRow>(connection, queries.rowPoliciesQuery),
    rowSecurity: await readIfAllowed<RowSecurityRow>(connection, queries.rowSecurityQuery),
    maskingPolicies: await readIfAllowed<MaskingPolicyRow>(connection, queries.maskingPoliciesQuery),
  };
  return { ...rows, sight: await readSight(connection, rows) };
}

type Policies = Pick<CatalogRows, 'rowPolicies' | 'rowSecurity' | 'maskingPolicies'>;

/** Whoever may not see the row-level security policies is shown no masking policies, as if there were none. */
async function readSight(connection: Connection, { views, privileges, ...rows }: Pick<CatalogRows, 'views' | 'privileges'> & Policies): Promise<Sight> {
  const [session] = await connection.query<Surroundings['session']>(queries.sessionQuery);
  const { rowPolicies, rowSecurity, maskingPolicies } = rows;
  return findSight({
    role: session?.role ?? '',
    superuser: session?.superuser === true,
    userGrants: await readIfAllowed<UserGrantRow>(connection, queries.userGrantsQuery),
    roleGrants: await readIfAllowed<RoleGrantRow>(connection, queries.roleGrantsQuery),
    systemPrivileges: await readIfAllowed<SystemPrivilegeRow>(connection, queries.systemPrivilegesQuery),
    privileges,
    views,
    policies: rowPolicies && rowSecurity && maskingPolicies ? [...rowPolicies, ...maskingPolicies] : undefined,
  });
}

/** What the cluster holds beside views. */
export interface Surroundings {
  readonly relations: readonly RelationName[];
  readonly schemas: readonly { readonly name: string }[];
  readonly grantees: readonly GranteeRow[];
  readonly defaults: readonly DefaultRow[];
  readonly defaultAcls: readonly DefaultAclRow[];
  readonly sizes: readonly SizeRow[];
  readonly session: { readonly role: string; readonly superuser: boolean };
}

export async function readSurroundings(connection: Connection): Promise<Surroundings> {
  const [session] = await connection.query<Surroundings['session']>(queries.sessionQuery);
  const users = await connection.query<GranteeRow>(queries.usersQuery);
  return {
    session: session ?? { role: '', superuser: false },
    relations: await connection.query<RelationName>(queries.relationsQuery),
    schemas: await connection.query<{ name: string }>(queries.schemasQuery),
    grantees: [...users, ...((await readIfAllowed<GranteeRow>(connection, queries.rolesQuery)) ?? [])],
    defaultAcls: (await readIfAllowed<DefaultAclRow>(connection, queries.defaultAclQuery)) ?? [],
    defaults: (await readIfAllowed<DefaultRow>(connection, queries.defaultPrivilegesQuery)) ?? [],
    sizes: (await readIfAllowed<SizeRow>(connection, queries.sizesQuery)) ?? [],
  };
}

/** Oids of the named views that exist. */
export async function findOids(connection: Connection, names: readonly RelationName[]): Promise<readonly number[]> {
  if (names.length === 0) return [];
  const conditions = names.map(({ schema, name }) => `(n.nspname = ${quoteText(schema)} AND c.relname = ${quoteText(name)})`);
  return (await connection.query<{ oid: number }>(queries.namesToOidsQuery(conditions.join(' OR ')))).map(({ oid }) => oid);
}
