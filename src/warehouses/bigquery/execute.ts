import type { Step } from '../../core/plan.ts';
import type { ExecuteOutcome, StepFailure, StepResult } from '../warehouse.ts';
import { type Action, readActions } from './actions.ts';
import { type Client, pathOf } from './client.ts';
import { type AccessEntry, accessOf, type DatasetResource, readDataset } from './datasets.ts';
import { runStatement } from './jobs.ts';
import { splitName } from './names.ts';
import { type Executor, patchView } from './patch-view.ts';
import { isMissing, isServerError, ServerError } from './server-error.ts';

const isSameView = (left: AccessEntry, right: AccessEntry) => JSON.stringify(left.view) === JSON.stringify(right.view);

/** The list with the entry or without it; undefined where it is so already. A list that is not shown to this account would be overwritten as a whole. */
function changeAccess({ access }: DatasetResource, act: 'authorize' | 'unauthorize', entry: AccessEntry): readonly AccessEntry[] | undefined {
  if (access === undefined)
    throw new ServerError(403, 'accessDenied', 'The access list of the dataset is not shown to this account, and so cannot be changed.');
  const others = access.filter((other) => !other.view || !isSameView({ view: sortView(other.view) }, entry));
  if (act === 'unauthorize') return others.length === access.length ? undefined : others;
  return others.length < access.length ? undefined : [...access, entry];
}

function sortView({ projectId, datasetId, tableId }: NonNullable<AccessEntry['view']>): NonNullable<AccessEntry['view']> {
  return { projectId, datasetId, tableId };
}

/** A dataset that is gone lets nobody read it any more. */
async function readUnlessGone(client: Client, { act, project, name }: { readonly act: Action['act']; readonly project: string; readonly name: string }) {
  try {
    return await readDataset(client, project, name);
  } catch (error) {
    if (act === 'unauthorize' && isMissing(error)) return undefined;
    throw error;
  }
}

const attempts = 5;

/** The whole list is written at once, so it is written only over the one that was read. https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/patch */
async function authorize(client: Client, { act, view, dataset }: Action & { readonly dataset: string }): Promise<void> {
  const { catalog: project = '', schema: name } = splitName(`${dataset}.x`) ?? { schema: dataset };
  for (let attempt = 1; ; attempt++) {
    const resource = await readUnlessGone(client, { act, project, name });
    if (resource === undefined) return;
    const access = changeAccess(resource, act === 'authorize' ? 'authorize' : 'unauthorize', accessOf(view));
    if (access === undefined) return;
    try {
      const query = { accessPolicyVersion: 3 };
      await client.call({
        method: 'PATCH',
        path: pathOf(project, 'datasets', name),
        query,
        body: { access },
        ...(resource.etag ? { etag: resource.etag } : {}),
      });
      return;
    } catch (error) {
      if (!isServerError(error) || error.status !== 412 || attempt === attempts) throw error;
    }
  }
}

async function perform({ client, tables, locationOf }: Executor, action: Action): Promise<void> {
  switch (action.act) {
    case 'run':
      await tables.release(action.view);
      return runStatement(client, action.sql, { project: action.view.catalog ?? client.project, location: await locationOf(action.view) });
    case 'insert':
      return tables.insert(action.view, action.table);
    case 'patch':
      return patchView({ client, tables, locationOf }, action);
    case 'authorize':
    case 'unauthorize':
      return authorize(client, action);
  }
}

function toFailure(index: number, error: ServerError, done: number): StepFailure {
  const moved = error.status === 412 ? 'It was changed by somebody else since the plan was made: ' : '';
  const failure = { index, message: `${moved}${error.message}`, code: error.status === 412 ? 'WAREHOUSE_MOVED' : error.reason };
  return done > 0 || error.status === 0 || error.status >= 500 ? { ...failure, isUncertain: true } : failure;
}

/** Runs the steps one after the other and stops at the first that fails; a step of several calls may then have taken effect in part. */
export async function executeSteps(executor: Executor, steps: readonly Step[], onStep?: (index: number) => void): Promise<ExecuteOutcome> {
  const results: StepResult[] = [];
  for (const [index, step] of steps.entries()) {
    const started = performance.now();
    let done = 0;
    try {
      for (const action of readActions(step)) {
        await perform(executor, action);
        done += 1;
      }
    } catch (error) {
      if (!isServerError(error)) throw error;
      return { results, failure: toFailure(index, error, done) };
    }
    results.push({ milliseconds: performance.now() - started });
    onStep?.(index);
  }
  return { results };
}
