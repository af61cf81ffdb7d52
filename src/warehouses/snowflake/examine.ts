import { relationKey } from '../../core/relation.ts';
import type { Container } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import type { Finding } from '../warehouse.ts';
import { clockQuery } from './catalog-queries.ts';
import type { ShownDatabase } from './catalog-rows.ts';
import type { Connection } from './connection.ts';
import { inspectAccount, isOwnDatabase } from './inspect.ts';
import { quoteIdentifier, quoteRelation, quoteSchema } from './names.ts';
import { showAll } from './read-catalog.ts';
import { isServerError } from './server-error.ts';
import type { Account } from './session.ts';

interface GrantRow {
  readonly privilege: string;
  readonly granted_on: string;
  readonly name: string;
}

function finding(found: string, ...suggestions: readonly string[]): Finding {
  return { found, suggestions };
}

/** The global rights without which GET_DDL hides what protects a view. https://docs.snowflake.com/en/sql-reference/functions/get_ddl#usage-notes */
const applyRights = ['APPLY MASKING POLICY', 'APPLY ROW ACCESS POLICY', 'APPLY TAG'];

function findHiddenPolicies(reasons: readonly string[], role: string): readonly Finding[] {
  const missing = applyRights.filter((right) => reasons.some((reason) => reason.includes(right)));
  const find = (right: string) =>
    finding(
      `Without ${right} the policies and tags of some views are hidden, and these views are not backed up.`,
      `GRANT ${right} ON ACCOUNT TO ROLE ${quoteIdentifier(role)};`,
    );
  return missing.map(find);
}

async function findCompute({ compute, role }: Account): Promise<readonly Finding[]> {
  if (compute !== undefined) return [];
  return [
    finding(
      'There is no virtual warehouse, and the catalog can only be queried on one: nothing can be backed up.',
      `GRANT USAGE ON WAREHOUSE ... TO ROLE ${quoteIdentifier(role)};`,
      'virtual-warehouse: NAME   (in viewsync.yaml)',
    ),
  ];
}

/** Rights of one role; a role that may not look at them finds nothing. */
async function readGrants(connection: Connection, role: string): Promise<readonly GrantRow[]> {
  try {
    return await connection.query<GrantRow>(`SHOW GRANTS TO ROLE ${quoteIdentifier(role)}`);
  } catch (error) {
    if (!isServerError(error)) throw error;
    return [];
  }
}

/** What our role holds, by itself and through the roles that it is a member of. */
interface Holdings {
  readonly roles: ReadonlySet<string>;
  readonly global: ReadonlySet<string>;
}

async function readHoldings(connection: Connection, role: string): Promise<Holdings> {
  const [roles, global] = [new Set([role]), new Set<string>()];
  for (const each of roles) {
    const grants = await readGrants(connection, each);
    for (const { privilege, granted_on, name } of grants) {
      if (granted_on === 'ROLE') roles.add(name);
      if (granted_on === 'ACCOUNT') global.add(privilege);
    }
  }
  return { roles, global };
}

/** https://docs.snowflake.com/en/sql-reference/sql/create-database#access-control-requirements */
function findDrillRights({ global }: Holdings, role: string): readonly Finding[] {
  if (global.has('CREATE DATABASE')) return [];
  return [
    finding(
      'Without CREATE DATABASE no drill can be done: it works in databases that it makes and drops.',
      `GRANT CREATE DATABASE ON ACCOUNT TO ROLE ${quoteIdentifier(role)};`,
    ),
  ];
}

/** https://docs.snowflake.com/en/sql-reference/sql/create-view#access-control-requirements */
function findUnmakeable(views: readonly View[], containers: readonly Container[], role: string): readonly Finding[] {
  const used = new Set(views.map(({ name }) => quoteSchema(name)));
  const closed = containers.filter(({ catalog = '', name, access = '' }) => {
    return used.has(quoteSchema({ catalog, schema: name })) && !/(^|, )(OWNERSHIP|CREATE VIEW) to /.test(access);
  });
  return closed.map(({ catalog = '', name }) => {
    const schema = quoteSchema({ catalog, schema: name });
    return finding(
      `In the schema ${catalog}.${name} this role may make no views: one that is dropped there could not be brought back.`,
      `GRANT CREATE VIEW ON SCHEMA ${schema} TO ROLE ${quoteIdentifier(role)};`,
    );
  });
}

interface Reading {
  readonly connection: Connection;
  readonly account: Account;
}

async function findUnusable({ connection, account }: Reading): Promise<readonly Finding[]> {
  const databases = (await showAll<ShownDatabase>(connection, 'DATABASES')).filter(isOwnDatabase);
  if (databases.length > 0) return [];
  return [
    finding(
      'This role may use no database, so there is nothing to back up.',
      `GRANT USAGE ON DATABASE ... TO ROLE ${quoteIdentifier(account.role)};`,
      `GRANT USAGE ON ALL SCHEMAS IN DATABASE ... TO ROLE ${quoteIdentifier(account.role)};`,
      `GRANT REFERENCES ON ALL VIEWS IN DATABASE ... TO ROLE ${quoteIdentifier(account.role)};`,
    ),
  ];
}

/** What an apply needs beyond a backup: https://docs.snowflake.com/en/sql-reference/sql/create-view#access-control-requirements */
function findApplyRights(owners: ReadonlyMap<string, string>, held: ReadonlySet<string>, role: string): readonly Finding[] {
  const foreign = [...new Set(owners.values())].filter((owner) => owner !== role && !held.has(owner)).sort();
  return foreign.map((owner) => {
    const count = [...owners.values()].filter((each) => each === owner).length;
    return finding(
      `${count === 1 ? 'A view belongs' : `${count} views belong`} to "${owner}", and this role is no member of it: an apply could not replace ${count === 1 ? 'it' : 'them'}.`,
      `GRANT ROLE ${quoteIdentifier(owner)} TO ROLE ${quoteIdentifier(role)};`,
    );
  });
}

async function findMissing(reading: Reading): Promise<readonly Finding[]> {
  const { connection, account } = reading;
  const { snapshot } = await inspectAccount(connection, { account, scope: { schemas: ['*'] } });
  const reasons = snapshot.description.unreadable.map(({ reason }) => reason);
  const secure = snapshot.description.unreadable.filter(({ reason }) => reason.includes('secure view'));
  const holdings = await readHoldings(connection, account.role);
  const owners = new Map(
    snapshot.views.flatMap((view) => view.attachments.flatMap(({ kind, value }) => (kind === 'owner' ? [[relationKey(view.name), value] as const] : []))),
  );
  return [
    ...findHiddenPolicies(reasons, account.role),
    ...secure.map(({ name }) =>
      finding(
        `${relationKey(name)} is secure, and its definition is shown to its owner alone: it is not backed up.`,
        `GRANT OWNERSHIP ON VIEW ${quoteRelation(name)} TO ROLE ... COPY CURRENT GRANTS;   (a role that ${account.role} is a member of)`,
      ),
    ),
    ...findApplyRights(owners, holdings.roles, account.role),
    ...findUnmakeable(snapshot.views, snapshot.containers, account.role),
    ...findDrillRights(holdings, account.role),
  ];
}

/** See `Warehouse.examine`. */
export async function examineAccount(connection: Connection, account: Account): Promise<{ readonly clock: Date; readonly findings: readonly Finding[] }> {
  const [row] = await connection.query<{ readonly NOW: number }>(clockQuery);
  const compute = await findCompute(account);
  const reading = { connection, account };
  const more = compute.length > 0 ? [] : [...(await findUnusable(reading)), ...(await findMissing(reading))];
  return { clock: new Date(Number(row?.NOW)), findings: [...compute, ...more] };
}
