import { compareText, type RelationName, relationKey } from '../../core/relation.ts';
import type { Container, Loss } from '../../core/snapshot.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Session } from '../warehouse.ts';
import { attributesQuery, unrestorableQuery } from './attribute-queries.ts';
import type { CatalogRows, CatalogView } from './catalog.ts';
import {
  bystandersQuery,
  columnsQuery,
  commentsQuery,
  partsQuery,
  privilegesQuery,
  readsQuery,
  relationsQuery,
  rolesQuery,
  schemasQuery,
  sessionQuery,
  viewsQuery,
} from './catalog-queries.ts';
import type { BystanderRow, SchemaRow, SessionRow } from './catalog-rows.ts';
import { type Guards, readGuards } from './guards.ts';

/** What has to be known to ask for the texts. */
export type PrintedRows = Pick<CatalogRows, 'views' | 'parts' | 'reads'>;

interface CatalogRequests {
  readonly printed: Promise<PrintedRows>;
  readonly rows: Promise<CatalogRows>;
}

/** Asks for rows about the views with these oids, or about all; one statement per kind of row, sent at once, those for the texts first. */
export function requestCatalogRows(connection: Connection, version: number, oids?: readonly number[]): CatalogRequests {
  const read = <Name extends keyof CatalogRows>(sql: string): Promise<CatalogRows[Name][number][]> => connection.query(sql, [oids ?? null]);
  const printed = Promise.all([read<'views'>(viewsQuery), read<'parts'>(partsQuery), read<'reads'>(readsQuery)]);
  const others = Promise.all([
    read<'columns'>(columnsQuery),
    read<'privileges'>(privilegesQuery),
    read<'comments'>(commentsQuery),
    read<'attributes'>(attributesQuery(version)),
    read<'unrestorable'>(unrestorableQuery),
  ]);
  const named = printed.then(([views, parts, reads]) => ({ views, parts, reads }));
  return {
    printed: named,
    rows: Promise.all([named, others]).then(([first, [columns, privileges, comments, attributes, unrestorable]]) => ({
      ...first,
      columns,
      privileges,
      comments,
      attributes,
      unrestorable,
    })),
  };
}

/** What the server holds beside views, as one snapshot of the catalogs has it. */
export interface Surroundings {
  readonly bystanders: readonly BystanderRow[];
  readonly schemas: readonly SchemaRow[];
  readonly relations: readonly RelationName[];
  readonly roles: readonly { readonly name: string }[];
  readonly session: SessionRow;
  readonly guards: Guards;
}

export async function readSurroundings(connection: Connection, version: number): Promise<Surroundings> {
  const [bystanders, schemas, relations, roles, [session], guards] = await Promise.all([
    connection.query<BystanderRow>(bystandersQuery, [null]),
    connection.query<SchemaRow>(schemasQuery),
    connection.query<RelationName>(relationsQuery),
    connection.query<{ name: string }>(rolesQuery),
    connection.query<SessionRow>(sessionQuery),
    readGuards(connection, version),
  ]);
  if (session === undefined) throw new ViewsyncError('INTERNAL', { message: `The server of ${connection.place} does not list our own role.` });
  return { bystanders, schemas, relations, roles, session, guards };
}

export function toSession({ session, roles, guards }: Surroundings): Session {
  return {
    role: session.role,
    isSuperuser: session.superuser,
    roles: roles.map(({ name }) => name).sort(compareText),
    lockLimit: session.locks,
    ...guards,
    server: `PostgreSQL ${session.server.split(' ')[0]}`,
  };
}

export function toContainers(schemas: readonly SchemaRow[]): readonly Container[] {
  return schemas
    .map(
      ({ name, grantees, altered }): Container => ({ name, defaultGrantees: [...grantees].sort(compareText), ...(altered ? { ownerRights: 'altered' } : {}) }),
    )
    .sort((left, right) => compareText(left.name, right.name));
}

export function toLosses(rows: readonly BystanderRow[], views: readonly CatalogView[]): readonly Loss[] {
  const names = new Map(views.map(({ oid, view }) => [oid, view.name]));
  const grouped = Map.groupBy(rows, (row) => row.description);
  const losses = [...grouped].map(([description, own]) => ({ description, of: own.flatMap((row) => names.get(row.view) ?? []).sort(compareNames) }));
  return losses.sort((left, right) => compareText(left.description, right.description));
}

function compareNames(left: RelationName, right: RelationName): number {
  return compareText(relationKey(left), relationKey(right));
}
