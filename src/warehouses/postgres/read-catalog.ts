import { compareText, type RelationName, relationKey } from '../../core/relation.ts';
import type { Bystander, Container } from '../../core/snapshot.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Session } from '../warehouse.ts';
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
  unrestorableQuery,
  viewsQuery,
} from './catalog-queries.ts';
import type { BystanderRow, SchemaRow, SessionRow } from './catalog-rows.ts';
import type { Connection } from './connection.ts';

/** Rows about the views with these oids, or about all; one statement per kind of row, sent at once. */
export async function readCatalogRows(connection: Connection, version: number, oids?: readonly number[]): Promise<CatalogRows> {
  const read = <Row>(sql: string): Promise<Row[]> => connection.query<Row>(sql, [oids ?? null]);
  const [views, columns, privileges, comments, parts, reads, unrestorable] = await Promise.all([
    read<CatalogRows['views'][number]>(viewsQuery),
    read<CatalogRows['columns'][number]>(columnsQuery),
    read<CatalogRows['privileges'][number]>(privilegesQuery),
    read<CatalogRows['comments'][number]>(commentsQuery),
    read<CatalogRows['parts'][number]>(partsQuery),
    read<CatalogRows['reads'][number]>(readsQuery),
    read<CatalogRows['unrestorable'][number]>(unrestorableQuery(version)),
  ]);
  return { views, columns, privileges, comments, parts, reads, unrestorable };
}

/** What the server holds beside views, as one snapshot of the catalogs has it. */
export interface Surroundings {
  readonly bystanders: readonly BystanderRow[];
  readonly schemas: readonly SchemaRow[];
  readonly relations: readonly RelationName[];
  readonly roles: readonly { readonly name: string }[];
  readonly session: SessionRow;
}

export async function readSurroundings(connection: Connection): Promise<Surroundings> {
  const [bystanders, schemas, relations, roles, [session]] = await Promise.all([
    connection.query<BystanderRow>(bystandersQuery, [null]),
    connection.query<SchemaRow>(schemasQuery),
    connection.query<RelationName>(relationsQuery),
    connection.query<{ name: string }>(rolesQuery),
    connection.query<SessionRow>(sessionQuery),
  ]);
  if (session === undefined) throw new ViewsyncError('INTERNAL', { message: `The server of ${connection.place} does not list our own role.` });
  return { bystanders, schemas, relations, roles, session };
}

export function toSession({ session, roles }: Surroundings): Session {
  return {
    role: session.role,
    isSuperuser: session.superuser,
    roles: roles.map(({ name }) => name).sort(compareText),
    lockLimit: session.locks,
    server: `PostgreSQL ${session.server.split(' ')[0]}`,
  };
}

export function toContainers(schemas: readonly SchemaRow[]): readonly Container[] {
  return schemas
    .map(({ name, grantees }) => ({ name, defaultGrantees: [...grantees].sort(compareText) }))
    .sort((left, right) => compareText(left.name, right.name));
}

export function toBystanders(rows: readonly BystanderRow[], views: readonly CatalogView[]): readonly Bystander[] {
  const names = new Map(views.map(({ oid, view }) => [oid, view.name]));
  const grouped = Map.groupBy(rows, (row) => row.description);
  const bystanders = [...grouped].map(([description, own]) => ({ description, of: own.flatMap((row) => names.get(row.view) ?? []).sort(compareNames) }));
  return bystanders.sort((left, right) => compareText(left.description, right.description));
}

function compareNames(left: RelationName, right: RelationName): number {
  return compareText(relationKey(left), relationKey(right));
}
