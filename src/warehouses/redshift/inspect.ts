import { isDeepStrictEqual } from 'node:util';
import type { ReferenceDialect } from '../../core/references.ts';
import { compareText, type RelationName, relationKey } from '../../core/relation.ts';
import { matchScope } from '../../core/scope.ts';
import type { Container, Scope, Snapshot } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Connection } from '../postgres-family/connection.ts';
import type { Inspection, Progress } from '../warehouse.ts';
import { readAcl } from './acl.ts';
import { type CatalogView, toViews } from './catalog.ts';
import { redshiftDialect } from './dialect.ts';
import { type GranteeKind, spellGrantee } from './names.ts';
import { findOids, type Listing, readDetails, readListing, readSurroundings, type Surroundings } from './read-catalog.ts';
import { caseSensitiveReferenceRules } from './reference-rules.ts';
import type { ServerFacts } from './server.ts';
import { findSuspects } from './stale.ts';

const rounds = 3;

/** How the names in texts are read on this cluster. */
export function referencesOn({ caseSensitive }: Pick<ServerFacts, 'caseSensitive'>): ReferenceDialect {
  return caseSensitive ? { ...redshiftDialect, referenceRules: caseSensitiveReferenceRules } : redshiftDialect;
}

export interface InspectOptions {
  readonly server: ServerFacts;
  readonly scope: Scope;
  readonly progress?: Progress | undefined;
}

/** Reads the whole database, then the views once more: what does not hold still is read again. `LISTING_MOVED` when it never does. */
export async function inspectDatabase(connection: Connection, { server, scope, progress }: InspectOptions): Promise<Inspection> {
  const [started, before] = [performance.now(), connection.count()];
  const { views, surroundings } = await readCompletely(connection, server, progress);
  const isInScope = matchScope(scope, redshiftDialect);
  const readable = views.filter(({ failure }) => failure === undefined);
  return {
    snapshot: toSnapshot(
      views.filter(({ view }) => isInScope(view.name)),
      { surroundings, server, scope },
    ),
    outside: views.map(({ view }) => view).filter(({ name }) => !isInScope(name)),
    suspects: findSuspects(
      readable.map(({ view }) => view),
      new Set(surroundings.schemas.map(({ name }) => name)),
    ),
    session: toSession(surroundings, server),
    relations: new Set(surroundings.relations.map(relationKey)),
    sizes: toSizes(surroundings, readable),
    milliseconds: performance.now() - started,
    queries: connection.count() - before,
  };
}

/** The named views as the open transaction sees them; absent ones are left out. `QUERY_FAILED` for one that cannot be read. */
export async function inspectNames(connection: Connection, server: ServerFacts, names: readonly RelationName[]): Promise<readonly View[]> {
  const oids = await findOids(connection, names);
  if (oids.length === 0) return [];
  const views = toViews(await readDetails(connection, await readListing(connection, oids), oids), referencesOn(server));
  const failed = views.find(({ failure }) => failure !== undefined);
  if (failed === undefined) return views.map(({ view }) => view);
  throw new ViewsyncError('QUERY_FAILED', {
    message: `"${relationKey(failed.view.name)}" cannot be read: ${failed.failure}. Rolled back; nothing changed.`,
    suggestions: ['viewsync status'],
  });
}

/** Every view as the open transaction sees it, those that cannot be read left out. */
export async function readAllViews(connection: Connection, server: ServerFacts): Promise<readonly View[]> {
  const views = toViews(await readDetails(connection, await readListing(connection)), referencesOn(server));
  return views.filter(({ failure }) => failure === undefined).map(({ view }) => view);
}

interface Reading {
  readonly views: readonly CatalogView[];
  readonly surroundings: Surroundings;
}

async function readCompletely(connection: Connection, server: ServerFacts, progress: Progress | undefined): Promise<Reading> {
  let listing = await readListing(connection);
  for (let round = 1; round <= rounds; round++) {
    const total = listing.views.length;
    progress?.({ what: 'definitions', done: total, total });
    const details = await readDetails(connection, listing);
    const surroundings = await readSurroundings(connection);
    const after = await readListing(connection);
    if (isDeepStrictEqual(after, listing)) return { views: toViews(details, referencesOn(server)), surroundings };
    listing = after;
  }
  throw movedTooOften(listing);
}

function movedTooOften({ views }: Listing): ViewsyncError {
  return new ViewsyncError('LISTING_MOVED', {
    message: `The ${views.length} views were changed by someone else each of the ${rounds} times that they were read. Nothing was recorded, because what was read may never have existed together.`,
    suggestions: ['Run it again when no migration runs.'],
  });
}

function toSnapshot(
  views: readonly CatalogView[],
  { surroundings, server, scope }: Omit<InspectOptions, 'progress'> & Pick<Reading, 'surroundings'>,
): Snapshot {
  const unreadable = views.flatMap(({ view, failure }) => (failure === undefined ? [] : [{ name: view.name, reason: failure }]));
  return {
    origin: { from: 'warehouse' },
    description: { warehouse: 'redshift', scope, identity: server.identity, unreadable },
    views: views.filter(({ failure }) => failure === undefined).map(({ view }) => view),
    containers: toContainers(surroundings),
    bystanders: [],
  };
}

function toContainers({ schemas, defaults, defaultAcls, session }: Surroundings): readonly Container[] {
  const granteesIn = (name: string) => {
    const isThere = ({ schema }: { readonly schema: string | null }) => schema === null || schema === name;
    const listed = defaultAcls.filter(isThere).flatMap(({ acl }) => readAcl(acl, session.role).grants.map(({ grantee }) => grantee));
    const seen = defaults.filter(isThere).map(({ kind, grantee }) => spellGrantee(kind.toLowerCase() as GranteeKind, grantee));
    return [...new Set([...listed, ...seen])].sort(compareText);
  };
  return schemas.map(({ name }) => ({ name, defaultGrantees: granteesIn(name) })).sort((left, right) => compareText(left.name, right.name));
}

function toSession({ session, grantees }: Surroundings, { server }: ServerFacts): Inspection['session'] {
  const roles = grantees.map(({ kind, name }) => spellGrantee(kind as GranteeKind, name));
  return {
    role: session.role,
    isSuperuser: session.superuser,
    roles: roles.sort(compareText),
    rowSecurity: { bypassing: new Set(), exempt: new Map() },
    server,
  };
}

/** A materialized view's data is in a table `mv_tbl__<name>__<number>`. */
function toSizes({ sizes }: Surroundings, views: readonly CatalogView[]): ReadonlyMap<string, number> {
  const megabytes = new Map(sizes.map(({ schema, table, size }) => [relationKey({ schema, name: table.replace(/__\d+$/, '') }), Number(size)]));
  return new Map(
    views.flatMap(({ view }) => {
      const found = megabytes.get(relationKey({ schema: view.name.schema, name: `mv_tbl__${view.name.name}` }));
      return view.kind === 'materialized view' && found !== undefined ? [[relationKey(view.name), found * 1024 * 1024] as const] : [];
    }),
  );
}
