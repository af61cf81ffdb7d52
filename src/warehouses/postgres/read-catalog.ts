import { compareText, type RelationName } from '../../core/relation.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Session } from '../warehouse.ts';
import { attributesQuery, unrestorableQuery } from './attribute-queries.ts';
import { schemaPrivilegesQuery, schemasQuery, standingQuery } from './bystander-queries.ts';
import type { SchemaPrivilegeRow, SchemaRow, StandingRow } from './bystander-rows.ts';
import type { CatalogRows } from './catalog.ts';
import {
  columnsQuery,
  commentsQuery,
  partsQuery,
  privilegesQuery,
  readsQuery,
  relationsQuery,
  rolesQuery,
  sessionQuery,
  viewsQuery,
} from './catalog-queries.ts';
import type { SessionRow } from './catalog-rows.ts';
import { type Guards, readGuards } from './guards.ts';
import { readWatchers, type Watcher } from './watchers.ts';

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

/** A relation, with the schema and the name of each that inherits from it. */
export interface RelationRow extends RelationName {
  /** In words: `table`; `type` for one of which no relation is the row type. */
  readonly what: string;
  readonly heirs: readonly (readonly [schema: string, name: string])[] | null;
}

/** What the server holds beside views, as one snapshot of the catalogs has it. */
export interface Surroundings {
  readonly schemas: readonly SchemaRow[];
  readonly schemaPrivileges: readonly SchemaPrivilegeRow[];
  /** What could be a bystander. */
  readonly standing: readonly StandingRow[];
  readonly relations: readonly RelationRow[];
  readonly roles: readonly { readonly name: string }[];
  readonly session: SessionRow;
  readonly guards: Guards;
  readonly watchers: readonly Watcher[];
}

export async function readSurroundings(connection: Connection, version: number): Promise<Surroundings> {
  const [schemas, schemaPrivileges, standing, relations, roles, [session], guards, watchers] = await Promise.all([
    connection.query<SchemaRow>(schemasQuery),
    connection.query<SchemaPrivilegeRow>(schemaPrivilegesQuery),
    connection.query<StandingRow>(standingQuery),
    connection.query<RelationRow>(relationsQuery),
    connection.query<{ name: string }>(rolesQuery),
    connection.query<SessionRow>(sessionQuery),
    readGuards(connection, version),
    readWatchers(connection),
  ]);
  if (session === undefined) throw new ViewsyncError('INTERNAL', { message: `The server of ${connection.place} does not list our own role.` });
  return { schemas, schemaPrivileges, standing, relations, roles, session, guards, watchers };
}

export function toSession({ session, roles, guards, watchers }: Surroundings): Session {
  return {
    role: session.role,
    isSuperuser: session.superuser,
    roles: roles.map(({ name }) => name).sort(compareText),
    lockLimit: session.locks,
    ...guards,
    watchers: watchers.map(({ told }) => told),
    watching: watchers.map(({ routine }) => routine),
    server: `PostgreSQL ${session.server.split(' ')[0]}`,
  };
}
