import type { Finding } from '../warehouse.ts';
import { type Client, mapBounded, pathOf } from './client.ts';
import { callDataset, type Dataset, type ListedDataset, readDatasets } from './datasets.ts';
import { dryRun, runQuery } from './jobs.ts';
import { keyOfDataset, readCatalog, toRegions } from './read-catalog.ts';
import { isDenied, isMissing } from './server-error.ts';

const tested = [
  'bigquery.tables.get',
  'bigquery.tables.update',
  'bigquery.tables.delete',
  'bigquery.tables.getIamPolicy',
  'bigquery.tables.setIamPolicy',
  'bigquery.tables.setCategory',
] as const;

type Permission = (typeof tested)[number];

interface Consequence {
  readonly lost: string;
  readonly role: string;
}

/** What is not possible without a permission, and the role to ask for. https://cloud.google.com/bigquery/docs/access-control */
const consequences: Readonly<Record<Permission, Consequence>> = {
  'bigquery.tables.get': { lost: 'their definitions cannot be read', role: 'metadataViewer' },
  'bigquery.tables.update': { lost: 'they cannot be changed', role: 'dataEditor' },
  'bigquery.tables.delete': { lost: 'they can neither be dropped nor be given an expiration', role: 'dataEditor' },
  'bigquery.tables.getIamPolicy': { lost: 'who may read them is not seen', role: 'dataOwner' },
  'bigquery.tables.setCategory': { lost: 'policy tags on their columns cannot be given back', role: 'dataOwner' },
  'bigquery.tables.setIamPolicy': { lost: 'rights on them cannot be given back', role: 'dataOwner' },
};

// Stands for us until we know who we are.
const unknown = '<this account>';

/** A role on single datasets; on the project it does the same for all of them. */
function onDatasets(role: string, datasets: readonly ListedDataset[]): readonly string[] {
  return datasets.map(({ project, name }) => `GRANT \`roles/bigquery.${role}\` ON SCHEMA \`${project}\`.\`${name}\` TO '${unknown}'`);
}

/** A role on the project. */
function onProject(project: string, role: string): readonly string[] {
  return [`gcloud projects add-iam-policy-binding ${project} --member=${unknown} --role=roles/bigquery.${role}`];
}

const callAll = (client: Client, datasets: readonly Dataset[]) => datasets.map((dataset) => callDataset(client, dataset)).join(', ');

/** What the account may not do with a view of the dataset. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/testIamPermissions */
async function findMissing(client: Client, { project, name, views }: Dataset): Promise<readonly Permission[]> {
  const view = views?.[0];
  if (view === undefined) return [];
  try {
    const path = `${pathOf(project, 'datasets', name, 'tables', view)}:testIamPermissions`;
    const { permissions = [] } = await client.call<{ readonly permissions?: readonly string[] }>({
      method: 'POST',
      path,
      body: { permissions: tested },
      repeats: 'safely',
    });
    return tested.filter((permission) => !permissions.includes(permission));
  } catch (error) {
    if (isDenied(error) || isMissing(error)) return tested;
    throw error;
  }
}

function describePermission(client: Client, permission: Permission, datasets: readonly Dataset[]): Finding {
  const { lost, role } = consequences[permission];
  const without = permission.includes('IamPolicy') ? ['Or leave "iam" out of viewsync.yaml: rights on views are then not kept.'] : [];
  return {
    found: `This account lacks ${permission} on views in ${callAll(client, datasets)}: ${lost}.`,
    suggestions: [...onDatasets(role, datasets), ...without],
  };
}

interface Use {
  readonly iam: 'read' | 'skip';
  /** Datasets with policy tags on columns of a view, by `keyOfDataset`. */
  readonly tagged: ReadonlySet<string>;
}

async function examinePermissions(client: Client, datasets: readonly Dataset[], { iam, tagged }: Use): Promise<readonly Finding[]> {
  const missing = await mapBounded(datasets, async (dataset) => ({ dataset, permissions: await findMissing(client, dataset) }));
  const wanted = tested.filter((permission) => iam === 'read' || !permission.includes('IamPolicy'));
  return wanted.flatMap((permission) => {
    const isUsed = (dataset: Dataset) => permission !== 'bigquery.tables.setCategory' || tagged.has(keyOfDataset(dataset));
    const lacking = missing.filter(({ dataset, permissions }) => permissions.includes(permission) && isUsed(dataset)).map(({ dataset }) => dataset);
    return lacking.length === 0 ? [] : [describePermission(client, permission, lacking)];
  });
}

function examineDatasets(client: Client, datasets: readonly Dataset[]): readonly Finding[] {
  const closed = datasets.filter(({ views }) => views === undefined);
  const hidden = datasets.filter(({ hasAccess }) => !hasAccess);
  const unlisted = `This account lacks bigquery.tables.list on ${callAll(client, closed)}: their views are left out.`;
  const unseen = `This account lacks bigquery.datasets.get on ${callAll(client, hidden)}: which views are authorized there is not kept.`;
  return [
    ...(closed.length === 0 ? [] : [{ found: unlisted, suggestions: onDatasets('metadataViewer', closed) }]),
    ...(hidden.length === 0 ? [] : [{ found: unseen, suggestions: onDatasets('dataOwner', hidden) }]),
  ];
}

/** The catalog is read by jobs of the one project, and views are changed by jobs of their own. */
async function examineJobs(client: Client, project: string, datasets: readonly Dataset[]): Promise<readonly Finding[]> {
  const own = datasets.filter((dataset) => dataset.project === project);
  const [region] = toRegions(own.length === 0 && project === client.project ? datasets : own);
  if (region === undefined)
    return [{ found: `The project "${project}" has no dataset that this account may see.`, suggestions: onProject(project, 'metadataViewer') }];
  try {
    await dryRun(client, 'SELECT 1', { place: { project, location: region.place.location }, syntax: 'standard' });
    return [];
  } catch (error) {
    if (!isDenied(error)) throw error;
    const lost = project === client.project ? 'nothing can be read or applied' : 'its views can be read, and not compared or applied';
    return [{ found: `This account lacks bigquery.jobs.create on "${project}": ${lost}.`, suggestions: onProject(project, 'jobUser') }];
  }
}

async function examineCatalog(
  client: Client,
  datasets: readonly Dataset[],
): Promise<{ readonly findings: readonly Finding[]; readonly tagged: Use['tagged'] }> {
  const { refused, rows } = await readCatalog(client, toRegions(datasets));
  const withTags = rows.columns.filter(({ policy_tags: tags }) => tags && tags !== '[]' && tags !== 'null');
  const tagged = new Set(withTags.map((row) => keyOfDataset({ project: row['table_catalog'] ?? '', name: row['table_schema'] ?? '' })));
  const findings = datasets.flatMap((dataset) => {
    const reason = refused.get(keyOfDataset(dataset));
    const found = `The catalog of ${callDataset(client, dataset)} is closed to this account (${reason}): its views cannot be read.`;
    return reason === undefined ? [] : [{ found, suggestions: onDatasets('metadataViewer', [dataset]) }];
  });
  return { findings, tagged };
}

/** What the server's clock shows, and who we are to it, as a policy names us. https://cloud.google.com/bigquery/docs/reference/standard-sql/security_functions */
async function readSession(client: Client, datasets: readonly Dataset[]): Promise<{ readonly clock: Date; readonly member: string }> {
  const [region] = toRegions(datasets);
  if (region === undefined) return { clock: new Date(), member: unknown };
  const sql = 'SELECT CAST(UNIX_MILLIS(CURRENT_TIMESTAMP()) AS STRING) AS clock, SESSION_USER() AS account';
  const [row] = await runQuery(client, sql, { place: { project: client.project, location: region.place.location } });
  const account = row?.['account'] ?? '';
  const kind = account.endsWith('.gserviceaccount.com') ? 'serviceAccount' : 'user';
  return { clock: new Date(Number(row?.['clock'] ?? Date.now())), member: account === '' ? unknown : `${kind}:${account}` };
}

const addressed = ({ found, suggestions }: Finding, member: string): Finding => ({
  found,
  suggestions: suggestions.map((text) => text.replaceAll(unknown, member)),
});

/** `Warehouse.examine`: per missing permission what would be incomplete, and which role to ask for. */
export async function examineProject(client: Client, iam: 'read' | 'skip'): Promise<{ readonly clock: Date; readonly findings: readonly Finding[] }> {
  const datasets = await readDatasets(client);
  const [own = [], ...others] = await mapBounded(client.projects, (project) => examineJobs(client, project, datasets));
  const isReadable = own.length === 0;
  const { findings: catalog, tagged } = isReadable ? await examineCatalog(client, datasets) : { findings: [], tagged: new Set<string>() };
  const findings = [
    ...own,
    ...others.flat(),
    ...catalog,
    ...examineDatasets(client, datasets),
    ...(await examinePermissions(client, datasets, { iam, tagged })),
  ];
  const { clock, member } = isReadable ? await readSession(client, datasets) : { clock: new Date(), member: unknown };
  return { clock, findings: findings.map((finding) => addressed(finding, member)) };
}
