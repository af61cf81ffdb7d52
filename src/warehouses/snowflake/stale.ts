import { findReaders, reach } from '../../core/graph.ts';
import { type RelationName, relationKey } from '../../core/relation.ts';
import type { Unreadable } from '../../core/snapshot.ts';
import { hasStar } from '../../core/stale.ts';
import type { View } from '../../core/view.ts';
import type { StaleView, StaleViews } from '../standing.ts';
import type { DatabaseRows, RelationRow } from './catalog-rows.ts';
import type { Connection } from './connection.ts';
import { snowflakeDialect } from './dialect.ts';
import { quoteRelation } from './names.ts';
import { mapSome } from './read-catalog.ts';
import { isServerError, type ServerError } from './server-error.ts';
import { settle } from './settle.ts';

const timeOf = (value: Date | string | null) => (value === null ? 0 : new Date(value).getTime());

/** When each relation was made and when it was last altered. https://docs.snowflake.com/en/sql-reference/info-schema/tables */
function listRelations(databases: readonly DatabaseRows[]): ReadonlyMap<string, RelationRow> {
  return new Map(
    databases.flatMap(({ database, relations }) =>
      relations.map((row) => [relationKey({ catalog: database, schema: row.TABLE_SCHEMA, name: row.TABLE_NAME }), row] as const),
    ),
  );
}

/** See `Inspection.suspects`. A view keeps the columns that it was made with. https://docs.snowflake.com/en/user-guide/views-introduction#limitations-on-views */
export function findSuspects(views: readonly View[], databases: readonly DatabaseRows[]): readonly View[] {
  const relations = listRelations(databases);
  const followers = views.filter(({ kind, definition }) => kind === 'view' && hasStar(definition, snowflakeDialect));
  const isLater = (read: RelationName, made: number) => timeOf(relations.get(relationKey(read))?.LAST_DDL ?? null) > made;
  const first = followers.filter(({ name, reads }) => {
    const made = timeOf(relations.get(relationKey(name))?.CREATED ?? null);
    return made > 0 && reads.some((read) => isLater(read, made));
  });
  const readers = findReaders(new Map(followers.map(({ name, reads }) => [relationKey(name), reads.map(relationKey)])));
  const reached = reach(
    first.map(({ name }) => relationKey(name)),
    readers,
  );
  return followers.filter(({ name }) => reached.has(relationKey(name)));
}

const words = (message: string) => message.replaceAll(/\s+/g, ' ').trim();

interface Refused extends Unreadable {
  /** Whether our role may not query it, so that nothing is known of it. */
  readonly isDenied: boolean;
}

/** Whether the refusal is about the view itself and not about what it reads. https://docs.snowflake.com/en/user-guide/security-access-control-privileges#view-privileges */
function isDenied({ code, message }: ServerError, { catalog, schema, name }: RelationName): boolean {
  return code === '003001' || (code === '002003' && message.includes(`'${catalog}.${schema}.${name}'`));
}

/** Each is compiled once. */
async function findRefused(connection: Connection, names: readonly RelationName[]): Promise<readonly Refused[]> {
  const found = await mapSome(names, async (name): Promise<readonly Refused[]> => {
    try {
      await connection.describe(`SELECT * FROM ${quoteRelation(name)}`);
      return [];
    } catch (error) {
      if (!isServerError(error)) throw error;
      return [{ name, reason: words(error.message), isDenied: isDenied(error, name) }];
    }
  });
  return found.flat();
}

/** The views among these that can no longer be queried, with the reason. */
export async function findBroken(connection: Connection, names: readonly RelationName[]): Promise<readonly Unreadable[]> {
  return (await findRefused(connection, names)).map(({ name, reason }) => ({ name, reason }));
}

/** Those that read, directly or not, one that making again does not help, go with it. */
function partStale(stale: readonly StaleView[], broken: readonly Unreadable[]): StaleViews {
  const readers = findReaders(new Map(stale.map(({ view }) => [relationKey(view.name), view.reads.map(relationKey)])));
  const through = reach(
    broken.map(({ name }) => relationKey(name)),
    readers,
  );
  const isLost = ({ view }: StaleView) => through.has(relationKey(view.name));
  const lost = stale.filter(isLost).map(({ view: { name } }) => ({ name, reason: `it reads ${through.get(relationKey(name))}, which does not fit` }));
  return { stale: stale.filter((each) => !isLost(each)), broken: [...broken, ...lost] };
}

/** `Warehouse.findStale`: what cannot be queried is compiled anew from its query alone, on the others as they would be. */
export async function findStale(connection: Connection, views: readonly View[]): Promise<StaleViews> {
  const names = views.map(({ name }) => name);
  const refused = await findRefused(connection, names);
  const failing = new Map(refused.flatMap(({ name, reason, isDenied: isUnknown }) => (isUnknown ? [] : [[relationKey(name), reason] as const])));
  const open = views.filter(({ name }) => failing.has(relationKey(name)));
  const requests = open.map((view) => ({ wanted: view, live: { ...view, columns: [] } }));
  const answers = await settle(connection, requests);
  const columnsOf = ({ name }: View) => {
    const answer = answers.get(relationKey(name));
    return answer && 'columns' in answer ? answer.columns : undefined;
  };
  const reasonOf = ({ name }: View) => {
    const answer = answers.get(relationKey(name));
    return answer?.outcome === 'refused' ? answer.because : (failing.get(relationKey(name)) ?? '');
  };
  const stale = open.flatMap((view) => {
    const columns = columnsOf(view);
    return columns ? [{ view, columns }] : [];
  });
  const broken = open.filter((view) => columnsOf(view) === undefined).map((view) => ({ name: view.name, reason: reasonOf(view) }));
  return partStale(stale, broken);
}
