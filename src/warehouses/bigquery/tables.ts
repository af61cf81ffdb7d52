import { type RelationName, relationKey } from '../../core/relation.ts';
import { type Client, mapBounded, pathOf } from './client.ts';
import type { Field } from './jobs.ts';
import { isMissing } from './server-error.ts';

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
  /** Forgets one that a statement changes. */
  forget(name: RelationName): void;
  patch(name: RelationName, makeBody: (table: TableResource) => object): Promise<void>;
  insert(name: RelationName, body: object): Promise<void>;
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
    forget: (name) => void known.delete(relationKey(name)),
    patch: async (name, makeBody) => {
      const table = known.get(relationKey(name)) ?? (await readTable(client, name));
      known.set(relationKey(name), await client.call<TableResource>({ method: 'PATCH', path: tablePath(name), body: makeBody(table), etag: table.etag }));
    },
    insert: async (name, body) => {
      const { catalog = '', schema } = name;
      const reference = { tableReference: { projectId: catalog, datasetId: schema, tableId: name.name } };
      const path = pathOf(catalog, 'datasets', schema, 'tables');
      known.set(relationKey(name), await client.call<TableResource>({ method: 'POST', path, body: { ...reference, ...body } }));
    },
  };
}
