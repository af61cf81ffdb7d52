import { type RelationName, relationKey } from '../../core/relation.ts';
import { type Client, mapBounded, pathOf } from './client.ts';
import type { Field } from './jobs.ts';
import { isBroken, isMissing, ServerError } from './server-error.ts';

/** A view as the interface has it. https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Table */
export interface TableResource {
  readonly etag: string;
  readonly type?: string;
  readonly schema?: { readonly fields?: readonly Field[] };
  readonly location?: string;
}

function tablePath({ catalog = '', schema, name }: RelationName): string {
  return pathOf(catalog, 'datasets', schema, 'tables', name);
}

function readTable(client: Client, name: RelationName): Promise<TableResource> {
  return client.call<TableResource>({ method: 'GET', path: tablePath(name), query: { view: 'BASIC' } });
}

/**
 * Views as they were when they were last looked at, and as our own calls left them: a change that somebody else makes meanwhile gives them
 * another etag, and our next call fails instead of undoing it.
 */
export interface Tables {
  /** Looks at views before the first step; returns those that are not there. */
  remember(names: readonly RelationName[]): Promise<readonly RelationName[]>;
  /** Forgets one that a statement is going to change; 412 when somebody else has changed it, since a statement has no etag. */
  release(name: RelationName): Promise<void>;
  /** Returns the view as the call left it. */
  patch(name: RelationName, makeBody: (table: TableResource) => object): Promise<TableResource>;
  insert(name: RelationName, body: object): Promise<void>;
}

/** Whether a resource has everything that a patch would set; null stands for what is not there. */
function holds(found: unknown, wanted: unknown): boolean {
  if (wanted === null || wanted === '') return found === undefined || found === null || found === '';
  if (typeof wanted !== 'object') return found === wanted;
  if (typeof found !== 'object' || found === null) return Object.values(wanted as object).every((value) => holds(undefined, value));
  return Object.entries(wanted as object).every(([key, value]) => holds((found as Readonly<Record<string, unknown>>)[key], value));
}

/** With a query, the columns that were sent may not have been taken. */
function essentialOf(body: object): object {
  const { schema: _, ...others } = body as { readonly schema?: unknown };
  return 'view' in body ? others : body;
}

interface Patch {
  readonly table: TableResource;
  readonly body: object;
}

/** Sends a patch, and once more when its connection broke: unless the view shows that it had arrived. */
async function patchTable(client: Client, name: RelationName, { table, body }: Patch): Promise<TableResource> {
  const send = () => client.call<TableResource>({ method: 'PATCH', path: tablePath(name), body, etag: table.etag });
  try {
    return await send();
  } catch (error) {
    if (!isBroken(error)) throw error;
    const now = await readTable(client, name);
    return now.etag !== table.etag && holds(now, essentialOf(body)) ? now : send();
  }
}

export function createTables(client: Client): Tables {
  const known = new Map<string, TableResource>();
  return {
    remember: async (names) => {
      const missing = await mapBounded(names, async (name): Promise<readonly RelationName[]> => {
        try {
          known.set(relationKey(name), await readTable(client, name));
          return [];
        } catch (error) {
          if (!isMissing(error)) throw error;
          return [name];
        }
      });
      return missing.flat();
    },
    release: async (name) => {
      const table = known.get(relationKey(name));
      known.delete(relationKey(name));
      if (table && (await readTable(client, name)).etag !== table.etag) throw new ServerError(412, 'conditionNotMet', `${relationKey(name)} has another etag.`);
    },
    patch: async (name, makeBody) => {
      const table = known.get(relationKey(name)) ?? (await readTable(client, name));
      const patched = await patchTable(client, name, { table, body: makeBody(table) });
      known.set(relationKey(name), patched);
      return patched;
    },
    insert: async (name, body) => {
      const { catalog = '', schema } = name;
      const reference = { tableReference: { projectId: catalog, datasetId: schema, tableId: name.name } };
      const path = pathOf(catalog, 'datasets', schema, 'tables');
      known.set(relationKey(name), await client.call<TableResource>({ method: 'POST', path, body: { ...reference, ...body } }));
    },
  };
}
