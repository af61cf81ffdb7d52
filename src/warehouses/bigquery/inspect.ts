import { setTimeout as sleep } from 'node:timers/promises';
import { accessOf } from '../../core/deletions.ts';
import { compareRelations, type RelationName, relationKey } from '../../core/relation.ts';
import { matchScope, mayHold } from '../../core/scope.ts';
import type { Container, Scope, Unreadable } from '../../core/snapshot.ts';
import type { View } from '../../core/view.ts';
import { ViewsyncError } from '../../errors.ts';
import type { Inspection, Progress } from '../warehouse.ts';
import { type CatalogView, isView, nameOfRow, toViews } from './catalog.ts';
import type { Client } from './client.ts';
import { type Dataset, findAuthorizations, findUnseenAuthorizations, readDatasets } from './datasets.ts';
import { bigqueryDialect } from './dialect.ts';
import { readPolicies } from './policies.ts';
import { type Found, findDisagreements, keyOfDataset, readCatalog, readColumns, toRegions, withoutDatasets } from './read-catalog.ts';
import { findSources, findSuspects } from './stale.ts';

/** How a target is read. */
export interface Reading {
  /** Whether the policy of each view is read, too, which is a call for each. */
  readonly iam: 'read' | 'skip';
  /** Milliseconds between two looks at a catalog that does not hold still. */
  readonly pause: number;
}

/** Everything that one look at the warehouse found. */
interface Look {
  readonly datasets: readonly Dataset[];
  readonly found: Found;
}

const rounds = 3;

async function look(client: Client): Promise<Look> {
  const all = await readDatasets(client);
  const datasets = all.filter(({ isLinked }) => !isLinked);
  const found = await readCatalog(client, toRegions(datasets));
  return { datasets, found: withoutDatasets(found, new Set(all.filter(({ isLinked }) => isLinked).map(keyOfDataset))) };
}

/** Two lists that are made apart have to agree before either is believed. */
async function lookUntilSettled(client: Client, { pause }: Reading): Promise<Look> {
  for (let round = 1; ; round++) {
    const seen = await look(client);
    const disagreements = findDisagreements(seen.found, seen.datasets);
    if (disagreements.length === 0) return seen;
    if (round === rounds) throw incomplete(client, disagreements);
    await sleep(pause);
  }
}

function incomplete({ projects }: Client, names: readonly string[]): ViewsyncError {
  const some = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return new ViewsyncError('LISTING_INCOMPLETE', {
    message: `The lists of views that BigQuery gives for ${projects.map((project) => `"${project}"`).join(', ')} do not agree about ${some}${more}. Nothing was recorded, so that no view counts as deleted by mistake.`,
    suggestions: ['Run it again.', 'viewsync doctor   (tells which rights are missing)'],
    details: { views: names },
  });
}

/** A dataset counts as shown with the rights that both lists of its views ask for: where one was refused, an absent view was not dropped. */
function toContainers({ datasets, found }: Look): readonly Container[] {
  return datasets.map(({ project, name, views }) => {
    const rights = [
      ...(views === undefined ? [] : ['bigquery.tables.list']),
      ...(found.refused.has(keyOfDataset({ project, name })) ? [] : ['bigquery.tables.get']),
    ];
    return { catalog: project, name, defaultGrantees: [], access: rights.join(' ') };
  });
}

/** Views of datasets that are closed to this account: their names are known, where at least these may be listed. */
function findHidden({ datasets, found }: Look): readonly Unreadable[] {
  return datasets.flatMap(({ project, name: schema, views }) => {
    const reason = found.refused.get(keyOfDataset({ project, name: schema }));
    return reason === undefined ? [] : (views ?? []).map((name) => ({ name: { catalog: project, schema, name }, reason }));
  });
}

function findUnreadable(views: readonly CatalogView[]): readonly Unreadable[] {
  return views.flatMap(({ view, failure }) => (failure === undefined ? [] : [{ name: view.name, reason: failure }]));
}

async function describe(client: Client, seen: Look, { iam }: Reading): Promise<readonly CatalogView[]> {
  const { rows } = seen.found;
  const names = rows.tables.filter(isView).map(nameOfRow);
  const policies = iam === 'read' ? { policies: await readPolicies(client, names) } : {};
  return toViews(rows, { authorizations: findAuthorizations(seen.datasets), unseen: findUnseenAuthorizations(seen.datasets), ...policies });
}

/** A glob that no project of the target can match would keep nothing, and its author would not know. */
function requireProjects(scope: Scope, { projects }: Client): void {
  const wanted = scope.schemas.filter((glob) => !glob.startsWith('!'));
  const astray = wanted.find((glob) => !projects.some((project) => mayHold({ schemas: [glob] }, bigqueryDialect)({ catalog: project })));
  if (astray === undefined) return;
  throw new ViewsyncError('CONFIG_INVALID', {
    message: `"${astray}" in "schemas" names a project that this target does not keep; it keeps ${projects.join(', ')}. A glob is written dataset, project.dataset or project.dataset.view. Nothing was read.`,
    suggestions: ['Add the project to the target in viewsync.yaml: projects: [...]'],
  });
}

/** Reads every dataset of the projects, in a number of calls that grows with datasets and locations alone. `LISTING_INCOMPLETE`. */
export async function inspectProject(client: Client, scope: Scope, options: Reading & { readonly progress?: Progress | undefined }): Promise<Inspection> {
  requireProjects(scope, client);
  const started = performance.now();
  const before = client.count();
  const seen = await lookUntilSettled(client, options);
  const views = await describe(client, seen, options);
  const containers = toContainers(seen);
  const isInScope = matchScope(scope, bigqueryDialect);
  const readable = views.filter(({ failure }) => failure === undefined).map(({ view }) => view);
  const columns = await readColumns(client, toRegions(seen.datasets), findSources(readable));
  const inScope = ({ name }: Pick<View, 'name'>) => isInScope(name);
  const unreadable = [...findUnreadable(views), ...findHidden(seen)].filter(inScope).sort((left, right) => compareRelations(left.name, right.name));
  return {
    snapshot: {
      origin: { from: 'warehouse' },
      description: { warehouse: 'bigquery', scope, identity: { project: client.project }, unreadable, access: accessOf(containers) },
      views: readable.filter(inScope),
      containers,
      bystanders: [],
    },
    outside: views.map(({ view }) => view).filter((view) => !inScope(view)),
    suspects: findSuspects(readable, columns),
    session: { role: client.project, isSuperuser: false, roles: [], rowSecurity: { bypassing: new Set(), exempt: new Map() }, server: 'BigQuery' },
    relations: new Set(seen.found.rows.tables.map((row) => relationKey(nameOfRow(row)))),
    sizes: new Map(),
    milliseconds: performance.now() - started,
    queries: client.count() - before,
  };
}

/** The named views as they are now; absent ones are left out. */
export async function inspectNames(client: Client, names: readonly RelationName[], options: Reading): Promise<readonly View[]> {
  if (names.length === 0) return [];
  const datasets = await readDatasets(client, 'alone');
  const touched = new Set(names.map(({ catalog = '', schema }) => keyOfDataset({ project: catalog, name: schema })));
  const found = await readCatalog(client, toRegions(datasets.filter((dataset) => touched.has(keyOfDataset(dataset)))), names);
  return (await describe(client, { datasets, found }, options)).map(({ view }) => view);
}
