import { type RelationName, relationKey } from '../../core/relation.ts';
import { nameOfRow } from './catalog.ts';
import { catalogQuery, regionOf } from './catalog-queries.ts';
import type { Client } from './client.ts';
import { runQuery } from './jobs.ts';
import { isDenied } from './server-error.ts';
import type { PlaceOf } from './settle.ts';

/**
 * `Warehouse.findAuthors`: from the jobs of the project, a query for each location; nobody where the account may not see the jobs of others.
 * https://cloud.google.com/bigquery/docs/information-schema-jobs
 */
export async function findAuthors(client: Client, names: readonly RelationName[], placeOf: PlaceOf): Promise<ReadonlyMap<string, string>> {
  const placed = await Promise.all(names.map(async (name) => ({ name, place: await placeOf(name) })));
  const groups = [...Map.groupBy(placed, ({ place }) => `${place.project} ${place.location}`).values()];
  const rows = await Promise.all(
    groups.map(async (group) => {
      const place = group[0]?.place ?? { project: client.project, location: '' };
      const sql = catalogQuery('authors', { project: place.project, qualifier: regionOf(place.location) });
      try {
        return await runQuery(client, sql, {
          place: { project: client.project, location: place.location },
          names: group.map(({ name }) => `${name.schema}.${name.name}`),
        });
      } catch (error) {
        if (isDenied(error)) return [];
        throw error;
      }
    }),
  );
  return new Map(rows.flat().map((row) => [relationKey(nameOfRow(row)), row['user_email'] ?? '']));
}
