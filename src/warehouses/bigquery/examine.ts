import type { Finding } from '../warehouse.ts';
import { type Client, mapBounded, pathOf } from './client.ts';
import { type Dataset, readDatasets } from './datasets.ts';
import { dryRun, runQuery } from './jobs.ts';
import { readCatalog, toRegions } from './read-catalog.ts';
import { isDenied, isMissing } from './server-error.ts';

const tested = [
  'bigquery.tables.get',
  'bigquery.tables.update',
  'bigquery.tables.delete',
  'bigquery.tables.getIamPolicy',
  'bigquery.tables.setIamPolicy',
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
  'bigquery.tables.setIamPolicy': { lost: 'rights on them cannot be given back', role: 'dataOwner' },
};

/** A role on single datasets; on the project it does the same for all of them. */
function onDatasets(project: string, role: string, datasets: readonly string[]): readonly string[] {
  return datasets.map((dataset) => `GRANT \`roles/bigquery.${role}\` ON SCHEMA \`${project}\`.\`${dataset}\` TO '<this account>'`);
}

/** A role on the project. */
function onProject(project: string, role: string): readonly string[] {
  return [`gcloud projects add-iam-policy-binding ${project} --member=<this account> --role=roles/bigquery.${role}`];
}

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

function describePermission(client: Client, permission: Permission, datasets: readonly string[]): Finding {
  const { lost, role } = consequences[permission];
  const without = permission.includes('IamPolicy') ? ['Or leave "iam" out of viewsync.yaml: rights on views are then not kept.'] : [];
  return {
    found: `This account lacks ${permission} on views in ${datasets.join(', ')}: ${lost}.`,
    suggestions: [...onDatasets(client.project, role, datasets), ...without],
  };
}

async function examinePermissions(client: Client, datasets: readonly Dataset[], iam: 'read' | 'skip'): Promise<readonly Finding[]> {
  const missing = await mapBounded(datasets, async (dataset) => ({ dataset: dataset.name, permissions: await findMissing(client, dataset) }));
  const wanted = tested.filter((permission) => iam === 'read' || !permission.includes('IamPolicy'));
  return wanted.flatMap((permission) => {
    const lacking = missing.filter(({ permissions }) => permissions.includes(permission)).map(({ dataset }) => dataset);
    return lacking.length === 0 ? [] : [describePermission(client, permission, lacking)];
  });
}

function examineDatasets({ project }: Client, datasets: readonly Dataset[]): readonly Finding[] {
  const closed = datasets.filter(({ views }) => views === undefined).map(({ name }) => name);
  const hidden = datasets.filter(({ hasAccess }) => !hasAccess).map(({ name }) => name);
  const unlisted = `This account lacks bigquery.tables.list on ${closed.join(', ')}: their views are left out.`;
  const unseen = `This account lacks bigquery.datasets.get on ${hidden.join(', ')}: which views are authorized there is not kept.`;
  return [
    ...(closed.length === 0 ? [] : [{ found: unlisted, suggestions: onDatasets(project, 'metadataViewer', closed) }]),
    ...(hidden.length === 0 ? [] : [{ found: unseen, suggestions: onDatasets(project, 'dataOwner', hidden) }]),
  ];
}

async function examineJobs(client: Client, datasets: readonly Dataset[]): Promise<readonly Finding[]> {
  const [region] = toRegions(datasets);
  const { project } = client;
  if (region === undefined)
    return [{ found: `The project "${project}" has no dataset that this account may see.`, suggestions: onProject(project, 'metadataViewer') }];
  try {
    await dryRun(client, 'SELECT 1', { place: region.place, syntax: 'standard' });
  } catch (error) {
    if (!isDenied(error)) throw error;
    const found = `This account lacks bigquery.jobs.create on "${project}": nothing can be read or applied.`;
    return [{ found, suggestions: onProject(project, 'jobUser') }];
  }
  const { refused } = await readCatalog(client, toRegions(datasets), []);
  return [...refused].map(([dataset, reason]) => ({
    found: `The catalog of ${dataset} is closed to this account (${reason}): its views cannot be read.`,
    suggestions: onDatasets(project, 'metadataViewer', [dataset]),
  }));
}

async function readClock(client: Client, datasets: readonly Dataset[]): Promise<Date> {
  const [region] = toRegions(datasets);
  if (region === undefined) return new Date();
  const [row] = await runQuery(client, 'SELECT CAST(UNIX_MILLIS(CURRENT_TIMESTAMP()) AS STRING) AS clock', { place: region.place });
  return new Date(Number(row?.['clock'] ?? Date.now()));
}

/** `Warehouse.examine`: per missing permission what would be incomplete, and which role to ask for. */
export async function examineProject(client: Client, iam: 'read' | 'skip'): Promise<{ readonly clock: Date; readonly findings: readonly Finding[] }> {
  const datasets = await readDatasets(client);
  const jobs = await examineJobs(client, datasets);
  const findings = [...jobs, ...examineDatasets(client, datasets), ...(await examinePermissions(client, datasets, iam))];
  return { clock: jobs.length === 0 ? await readClock(client, datasets) : new Date(), findings };
}
